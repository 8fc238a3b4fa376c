// The time limits of one effect. A late read is abandoned. A late write first has its fence shut, so that it sends
// nothing more, and then gets time to end.
import type { Result } from "../../engines/engine.ts";
import { aborted } from "./clock.ts";
import type { Fence, Time } from "./ports.ts";

/** The limit of a read, retries included, in multiples of the limit of one request. */
export const requestsPerRead = 10;
/** The limit of a write, which polls until the operation ends, in multiples of the limit of one request. */
const requestsPerWrite = 30;

/** Ends a read at its limit, even if the adapter ignores the cancellation. */
export function readWithin<Value>(
  call: (cancel: AbortSignal) => Promise<Result<Value>>,
  seconds: number,
  cancel: AbortSignal,
  over: AbortSignal,
  time: Time,
): Promise<Result<Value>> {
  const late = new AbortController();
  const cut = AbortSignal.any([cancel, late.signal]);
  void time.nap(seconds * 1000, over).then(() => late.abort());
  return Promise.race([
    call(cut),
    aborted(cut).then(() => ({
      ok: false as const,
      reason: cancel.aborted ? "cut short" : `no answer within ${seconds} s`,
    })),
  ]);
}

/**
 * Ends a write at its limit: first the fence shuts, so that nothing more is sent, then a sent request gets time to end.
 */
export function writeWithin<Value>(
  call: (fence: Fence) => Promise<Result<Value>>,
  requestSeconds: number,
  fence: Fence,
  over: AbortSignal,
  time: Time,
): Promise<Result<Value>> {
  const seconds = requestSeconds * requestsPerWrite;
  let shut = false;
  const late = async (): Promise<Result<Value>> => {
    await time.nap(seconds * 1000, over);
    shut = true;
    await time.nap(requestSeconds * 1000, over);
    return { ok: false, reason: `no answer within ${seconds} s` };
  };
  return Promise.race([call(async () => !shut && (await fence())), late()]);
}
