// Time as the machine has it, behind the Clock port, so that a scenario may bring its own.
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "./ports.ts";

const longestNapMilliseconds = 60_000;

/** Waits in naps of a minute at most, so that a clock put right or a machine that slept is noticed. */
export const systemClock: Clock = {
  now: () => Date.now(),
  until: async (at, cancel) => {
    while (!cancel.aborted && Date.now() < at) await nap(Math.min(at - Date.now(), longestNapMilliseconds), cancel);
  },
};

/** Resolves after so many milliseconds, or at once when cancelled. */
export const nap = (milliseconds: number, cancel: AbortSignal): Promise<void> => sleep(milliseconds, undefined, { signal: cancel }).catch(() => undefined);

/** Resolves when a signal fires, or at once when it has. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
