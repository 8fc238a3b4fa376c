// What the demo says at its end, and its exit code. A failed check counts more than an undecided one, and a demo that
// was stopped or has an undecided check has not succeeded.
import { demoMachineTooBusy } from "../errors/demo.ts";
import { exitCodeOf, type StopReason } from "./stopping.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Prints the result, and returns the exit code: 0, 1 if a check failed or the machine was too busy to tell, or that of
 * a program that a signal ended if it was `stopped` before the end of the story.
 */
export function conclude(
  timeline: Pick<Timeline, "line" | "failed" | "undecided" | "seconds">,
  percentMissed: number,
  stopped?: StopReason,
): number {
  const [failed, undecided] = [timeline.failed(), timeline.undecided()];
  if (failed.length > 0) {
    timeline.line(`failed checks: ${failed.join("; ")}`, "red");
    return 1;
  }
  if (stopped !== undefined) {
    timeline.line(`stopped before the end of the story, after ${Math.round(timeline.seconds())} s`);
    return exitCodeOf(stopped);
  }
  if (undecided.length > 0) {
    const tooBusy = demoMachineTooBusy({ undecided, percent: percentMissed });
    timeline.line(tooBusy.toString(), "yellow");
    return tooBusy.exitCode;
  }
  timeline.line(`everything happened as promised, in ${Math.round(timeline.seconds())} s`, "green");
  return 0;
}
