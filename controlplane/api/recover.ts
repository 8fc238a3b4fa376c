// POST /recover: recovers the streams of dead processes at once. The control plane does so by itself three times in
// each lease; this call is for a person or a cron job that does not want to wait.
import { type Answer, answer } from "./call.ts";

/** Recovers, and answers with the streams that were recovered. */
export const recover: Answer = async (_call, { streams }) => answer(200, { recovered: await streams.recover() });
