// Time as somebody tells it, behind the Clock port, so that a scenario may bring its own.
import { setTimeout as sleep } from "node:timers/promises";
import type { Instant } from "../../engines/time.ts";
import type { Clock } from "./ports.ts";

const longestNapMilliseconds = 60_000;

/** Makes a clock of whatever tells the time. It waits in naps of a minute at most, so that a time put right or a machine that slept is noticed. */
export const clockOf = (now: () => Instant): Clock => ({
  now,
  until: async (at, cancel) => {
    while (!cancel.aborted && now() < at) await nap(Math.min(at - now(), longestNapMilliseconds), cancel);
  },
});

/** The machine's own time. */
export const systemClock: Clock = clockOf(() => Date.now());

/** Resolves after so many milliseconds, or at once when cancelled. */
export const nap = (milliseconds: number, cancel: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal: cancel }).catch(() => undefined);

/** Resolves when a signal fires, or at once when it has. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );
