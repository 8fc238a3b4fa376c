// Time as the machine has it, behind the Clock port, so that a scenario may bring its own.
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
export const nap = (milliseconds: number, cancel: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (cancel.aborted) return resolve();
    const wake = (): void => {
      clearTimeout(timer);
      cancel.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    cancel.addEventListener("abort", wake);
  });
