// POST /sweep: takes over what dead processes left, at once. The service does so by itself at each third of the lease;
// this is for the one who does not want to wait, and for a cron job.
import { type Answer, answer } from "./call.ts";

/** Sweeps, and gives the streams that were taken over. */
export const sweep: Answer = async (_call, { rollouts }) => answer(200, { takenOver: await rollouts.sweep() });
