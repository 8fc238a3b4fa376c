// Waits for something that will be so, with a limit.
import { setTimeout as pause } from "node:timers/promises";

/** Gives what is found once there is something, and throws after the limit. @param stop ends the wait */
export async function eventually<Value>(
  find: () => Promise<Value | undefined>,
  what: string,
  seconds = 60,
  stop?: AbortSignal,
): Promise<Value> {
  const rest = (): Promise<void> => pause(50, undefined, stop && { signal: stop });
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; await rest()) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${seconds} s in vain for ${what}`);
}
