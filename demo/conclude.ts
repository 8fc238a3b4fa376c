// What the demo says at its end, and its exit code. A failed check counts more than an undecided one, and a demo with
// an undecided check has not succeeded.
import { demoMachineTooBusy } from "../errors/demo.ts";
import type { Timeline } from "./timeline.ts";

/** Prints the result, and returns the exit code: 0, or 1 if a check failed or the machine was too busy to tell. */
export function conclude(timeline: Omit<Timeline, "chapter" | "fact" | "check">, percentMissed: number): number {
  const [failed, undecided] = [timeline.failed(), timeline.undecided()];
  if (failed.length > 0) {
    timeline.line(`failed checks: ${failed.join("; ")}`, "red");
    return 1;
  }
  if (undecided.length > 0) {
    const tooBusy = demoMachineTooBusy({ undecided, percent: percentMissed });
    timeline.line(tooBusy.toString(), "yellow");
    return tooBusy.exitCode;
  }
  timeline.line(`everything happened as promised, in ${Math.round(timeline.seconds())} s`, "green");
  return 0;
}
