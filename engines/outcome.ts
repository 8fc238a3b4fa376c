// What an effect returned, as a fact keeps it, and back again.
import type { Result } from "./engine.ts";

/** The longest rest that another side may ask for, in seconds. A wrong answer must not stop work for a day. */
const retryAfterMax = 900;

/** A failed attempt in a fact. */
export interface KeptFailure {
  readonly message: string;
  /** What the other side asked to wait, as far as it is followed. */
  readonly retryAfterSeconds?: number;
}

type Failed = Extract<Result<unknown>, { readonly ok: false }>;

/** Gives what a successful outcome holds. */
export function valueOf<Value>(found: Result<Value>): Value {
  if (!found.ok) throw new Error("a failed outcome has no value");
  return found.value;
}

/** Gives what a fact keeps of a failure. */
export const keptFailure = ({ reason, retryAfterSeconds }: Failed): KeptFailure => ({
  message: reason,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: Math.min(retryAfterMax, retryAfterSeconds) }),
});

/** Gives the failure that a fact keeps. */
export const failureIn = ({ message, retryAfterSeconds }: KeptFailure): Failed => ({
  ok: false,
  reason: message,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});
