// Clocks behind the Clock port, so that a test scenario can bring its own, and small helpers to wait.
import { setTimeout as sleep } from "node:timers/promises";
import type { Instant } from "../../engines/time.ts";
import type { Clock } from "./ports.ts";

const longestNapMilliseconds = 60_000;

/**
 * Makes a clock from a source of time. It waits in naps of at most a minute, so that it notices a corrected time or a
 * machine that slept.
 */
export const clockOf = (now: () => Instant): Clock => ({
  now,
  until: async (at, cancel) => {
    while (!cancel.aborted && now() < at) await nap(Math.min(at - now(), longestNapMilliseconds), cancel);
  },
});

/** Resolves after this many milliseconds, or at once when cancelled. */
export const nap = (milliseconds: number, cancel: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal: cancel }).catch(() => undefined);

/** Resolves when a signal fires, or at once if it already has. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );
