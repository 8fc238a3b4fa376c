// Measures how much of the CPU that a process wanted it got. Its event loop wants the CPU whenever it is not idle. If
// the process used less CPU time than that, the machine was busy with other work. A process that is slow because of its
// own work uses all of its time, so that its slowness never looks like the machine's. Of other processes, Linux counts
// how long they waited for a core.
import { readFileSync } from "node:fs";
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

/**
 * Reads what the main thread of another process has wanted and used; undefined once it has ended, and on systems other
 * than Linux.
 */
export function usageOf(pid: number): Usage | undefined {
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    return { at: Date.now(), activeMilliseconds: (ran + waited) / 1e6, cpuMilliseconds: ran / 1e6 };
  } catch {
    return undefined;
  }
}

/** What was measured of one process. */
export interface Measured {
  /** The app that it serves; undefined for this process itself. */
  readonly app?: string;
  readonly seconds: readonly WantedSecond[];
}

/** The last seconds that are kept of a process: an hour. */
const keptSeconds = 3600;

/** One process while it is measured. */
interface Watched extends Measured {
  readonly seconds: WantedSecond[];
  before: Usage;
}

/**
 * Starts to measure this process and those of apps every second, and gives the seconds so far. A process that has ended
 * keeps the seconds that it had. It does not keep this process alive.
 */
export function measureStarvation(
  running: () => readonly { readonly app: string; readonly pid: number }[],
): () => readonly Measured[] {
  const own: Watched = { seconds: [], before: ownUsage() };
  const byPid = new Map<number, Watched>();
  const note = (watched: Watched, after: Usage): void => {
    watched.seconds.push(wantedBetween(watched.before, after));
    if (watched.seconds.length > keptSeconds) watched.seconds.shift();
    watched.before = after;
  };
  const measure = (): void => {
    note(own, ownUsage());
    for (const { app, pid } of running()) {
      const usage = usageOf(pid);
      const watched = byPid.get(pid);
      if (usage !== undefined && watched !== undefined) note(watched, usage);
      else if (usage !== undefined) byPid.set(pid, { app, seconds: [], before: usage });
    }
  };
  setInterval(measure, 1000).unref();
  return () => [own, ...byPid.values()].map(({ app, seconds }) => ({ ...(app !== undefined && { app }), seconds }));
}
