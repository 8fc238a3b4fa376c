// Decides whether the machine was too busy to tell, from the CPU that the load generator, the emulator and the replicas
// wanted and did not get. It never makes a failed check a passed one: a check that the machine may have spoilt is left
// undecided, and the demo then does not succeed. What a replica answered is never put down to the machine.
import type { LoadFailure } from "../emulator/load.ts";
import type { WantedSecond } from "../emulator/starvation.ts";
import type { Row } from "./emulator.ts";

/** The seconds of one process. */
export type Process = readonly WantedSecond[];

/** A process that misses this share of the CPU that it wants does not keep up with 400 requests a second. */
const missedShare = 0.25;
/** A process that wants little is not slowed down by missing some of it. */
const missedOfTime = 0.1;
/** Three failed probes, ten seconds apart, take a replica out of service. */
const probesMilliseconds = 40_000;
/** A probe waits for a second. What starves a process for as long as that spoils it, however well the rest went. */
const stallMilliseconds = 2_000;

/** Gives the share of the CPU that a process wanted from one time to another and did not get, from 0 to 1. */
export function shareMissed(seconds: Process, from: number, to: number): number {
  const { wanted, missed } = totals(seconds, from, to);
  return wanted === 0 ? 0 : missed / wanted;
}

/** Reports whether one of the processes was starved from one time to another. */
export const wasStarved = (processes: readonly Process[], from: number, to: number): boolean =>
  processes.some((seconds) => {
    const { missed } = totals(seconds, from, to);
    return shareMissed(seconds, from, to) >= missedShare && missed >= missedOfTime * (to - from);
  });

/** Reports whether one of the processes was starved for a short while, from one time to another. */
function stalled(processes: readonly Process[], from: number, to: number): boolean {
  const whiles = Math.ceil((to - from) / stallMilliseconds);
  return Array.from({ length: whiles }, (_, index) => from + index * stallMilliseconds).some((began) =>
    wasStarved(processes, began, Math.min(began + stallMilliseconds, to)),
  );
}

function totals(seconds: Process, from: number, to: number): { readonly wanted: number; readonly missed: number } {
  let [wanted, missed] = [0, 0];
  for (const [index, { at, wantedMilliseconds, missedMilliseconds }] of seconds.entries()) {
    const began = seconds[index - 1]?.at ?? at - 1000;
    const inside = Math.max(0, Math.min(at, to) - Math.max(began, from)) / Math.max(1, at - began);
    wanted += wantedMilliseconds * inside;
    missed += missedMilliseconds * inside;
  }
  return { wanted, missed };
}

/** The failed requests that no fault explains. */
export interface Unexplained {
  /** The app failed, or something between it and its users. */
  readonly outside: readonly LoadFailure[];
  /** The machine may have been too busy to answer them. */
  readonly tooBusy: readonly LoadFailure[];
}

/**
 * Parts the unexplained failures.
 *
 * A failure is left undecided only if it is one that waiting produces, and if a process on the request's way was
 * starved while it waited: the request was given up because its time was over, or the ingress had no replica that
 * passed its probes. An answer of a replica and a broken connection are failures on every machine.
 */
export function partUnexplained(
  failures: readonly LoadFailure[],
  rows: readonly Row[],
  processes: readonly Process[],
): Unexplained {
  const details = new Map(rows.map((row) => [row.RequestId, row.ResponseCodeDetails]));
  const isTooBusy = ({ id, at, status, milliseconds, timedOut }: LoadFailure): boolean => {
    const ended = at + milliseconds;
    if (status === null) return timedOut && stalled(processes, at, ended);
    return (
      status === 503 && details.get(id) === "no_healthy_upstream" && stalled(processes, at - probesMilliseconds, ended)
    );
  };
  return { outside: failures.filter((failure) => !isTooBusy(failure)), tooBusy: failures.filter(isTooBusy) };
}

/** How something has ended, and why. */
interface Ending {
  readonly result: string;
  readonly reason: string;
}

/** Reasons that say that there were too few rows or too little time. Any other reason was found out. */
const untold: readonly string[] = ["not-verified", "time-expired"];

/**
 * Reports whether a busy machine explains every ending that differs from the expected ones: only one that was not
 * known in time. What was found out and done, such as a third action or an open circuit, is never put down to it.
 */
export function isUntold(ended: readonly Ending[], expected: readonly Ending[]): boolean {
  const left = [...expected];
  const others = ended.filter(({ result, reason }) => {
    const at = left.findIndex((each) => each.result === result && each.reason === reason);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return others.length > 0 && others.every(({ reason }) => untold.includes(reason));
}
