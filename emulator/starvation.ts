// Measures how much of the CPU that a process wanted it got. Its event loop wants the CPU whenever it is not idle. If
// the process used less CPU time than that, the machine was busy with other work. A process that is slow because of its
// own work uses all of its time, so that its slowness never looks like the machine's.
import { performance } from "node:perf_hooks";

/** One second of a process. */
export interface WantedSecond {
  /** When the second ended, in milliseconds since 1970. */
  readonly at: number;
  /** How long the process wanted the CPU. */
  readonly wantedMilliseconds: number;
  /** How much of that it did not get. */
  readonly missedMilliseconds: number;
}

/** What a process has wanted and used since its start. */
export interface Usage {
  readonly at: number;
  readonly activeMilliseconds: number;
  /** User and system time of all threads; more threads than one make the measure too low, never too high. */
  readonly cpuMilliseconds: number;
}

/** Gives what was wanted and missed between two moments. */
export function wantedBetween(before: Usage, after: Usage): WantedSecond {
  const wanted = after.activeMilliseconds - before.activeMilliseconds;
  const used = after.cpuMilliseconds - before.cpuMilliseconds;
  return {
    at: after.at,
    wantedMilliseconds: Math.round(wanted),
    missedMilliseconds: Math.round(Math.min(wanted, Math.max(0, wanted - used))),
  };
}

/** Reads what this process has wanted and used. */
export function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return {
    at: Date.now(),
    activeMilliseconds: performance.eventLoopUtilization().active,
    cpuMilliseconds: (user + system) / 1000,
  };
}

/** The last seconds that are kept: an hour. */
const keptSeconds = 3600;

/** Starts to measure this process every second, and gives the seconds so far. It does not keep the process alive. */
export function measureStarvation(): () => readonly WantedSecond[] {
  const seconds: WantedSecond[] = [];
  let before = ownUsage();
  const measure = (): void => {
    const after = ownUsage();
    seconds.push(wantedBetween(before, after));
    if (seconds.length > keptSeconds) seconds.shift();
    before = after;
  };
  setInterval(measure, 1000).unref();
  return () => seconds;
}
