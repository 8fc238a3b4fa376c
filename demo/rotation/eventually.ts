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
  const began = performance.now();
  const waited = (): number => performance.now() - began;
  const rest = (): Promise<void> => pause(Math.min(250, 50 + waited() / 50), undefined, stop && { signal: stop });
  for (; waited() < seconds * 1000; await rest()) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${seconds} s in vain for ${what}`);
}
