// Waits for something that will be so, with a limit. Who waits for long asks less often, since each question costs the
// machine time that those who are waited for need.
import { setTimeout as pause } from "node:timers/promises";

/** Gives what is found once there is something, and throws after the limit. @param stop ends the wait */
export async function eventually<Value>(
  find: () => Promise<Value | undefined>,
  what: string,
  seconds = 60,
  stop?: AbortSignal,
): Promise<Value> {
  let milliseconds = 50;
  const rest = async (): Promise<void> => {
    await pause(milliseconds, undefined, stop && { signal: stop });
    milliseconds = Math.min(milliseconds * 1.05, 250);
  };
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; await rest()) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${seconds} s in vain for ${what}`);
}
