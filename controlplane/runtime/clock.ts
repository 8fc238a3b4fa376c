// Clocks behind the ports Clock and Time, so that a simulation can bring its own, and a helper to wait.
import { setTimeout as sleep } from "node:timers/promises";
import type { Instant } from "../../engines/time.ts";
import type { Clock, Time } from "./ports.ts";

const longestNapMilliseconds = 60_000;

/**
 * Makes a clock from a source of time. It waits in naps of at most a minute, so that it notices a corrected time or a
 * machine that slept.
 */
export const clockOf = (now: () => Instant, time: Pick<Time, "nap"> = systemTime): Clock => ({
  now,
  until: async (at, cancel) => {
    while (!cancel.aborted && now() < at) await time.nap(Math.min(at - now(), longestNapMilliseconds), cancel);
  },
});

/** Resolves after this many milliseconds, or at once when cancelled. */
const nap = (milliseconds: number, cancel: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal: cancel }).catch(() => undefined);

/** The machine's time. */
export const systemTime: Time = {
  steady: () => performance.now(),
  nap,
  every: (milliseconds, act) => {
    const beat = setInterval(act, milliseconds);
    return () => clearInterval(beat);
  },
  deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
};

/**
 * Resolves when a signal fires, or at once if it already has. Once `over` fires it waits no more and never resolves, so
 * that waits for a long-lived signal do not pile up.
 */
export const aborted = (signal: AbortSignal, over?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true, ...(over && { signal: over }) });
  });
