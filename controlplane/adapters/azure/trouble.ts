// What goes wrong on the way to Azure, in words, and how long it is worth trying again. Shared by the adapters of this
// folder. Nothing here knows Container Apps or logs, and no word of it ever holds a token or the body of a request.
import { setTimeout as sleep } from "node:timers/promises";
import type { Result } from "../../../engines/engine.ts";

/** How patient an adapter is. Both limits hold: whichever is reached first ends the trying. */
export interface Patience {
  /** What one request may take. Always shorter than the lease, so that a late write is bounded. */
  readonly requestSeconds: number;
  /** What an operation may take that Azure carries out by and by. */
  readonly operationSeconds: number;
  readonly attemptsMax: number;
}

/** Gives the patience that belongs to a request timeout: ten times as long for an operation, and four attempts. */
export const patienceOf = (requestSeconds: number): Patience => ({
  requestSeconds,
  operationSeconds: requestSeconds * 10,
  attemptsMax: 4,
});

/** One failed request. */
export interface Trouble {
  readonly reason: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** Whether the same request may succeed later. */
  readonly passing: boolean;
  /** When Azure says to come back. */
  readonly afterMilliseconds: number | undefined;
}

/** Codes of conflicts that end by themselves: another operation on the same app is under way. */
const passingConflicts = new Set([
  "ContainerAppOperationInProgress",
  "ContainerAppLockConflict",
  "OperationInProgress",
  "AnotherOperationInProgress",
]);
const passingStatuses = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Puts an exception of an SDK into words.
 *
 * @throws the exception itself where it is a mistake of ours and not trouble of the world.
 */
export function troubleOf(thrown: unknown, requestSeconds: number): Trouble {
  if (
    !(thrown instanceof Error) ||
    thrown instanceof TypeError ||
    thrown instanceof ReferenceError ||
    thrown instanceof RangeError
  )
    throw thrown;
  const { statusCode, code, response } = thrown as {
    statusCode?: unknown;
    code?: unknown;
    response?: { headers?: unknown };
  };
  const status = typeof statusCode === "number" ? statusCode : undefined;
  const word = typeof code === "string" && code !== "" ? code : undefined;
  if (thrown.name === "AbortError" || thrown.name === "TimeoutError")
    return {
      reason: `no answer in ${requestSeconds} s`,
      status: undefined,
      code: word,
      passing: true,
      afterMilliseconds: undefined,
    };
  const named = [status, word].filter((part) => part !== undefined).join(" ");
  return {
    reason: `${named === "" ? "" : `${named}: `}${presentable(thrown.message)}`,
    status,
    code: word,
    passing:
      status === undefined
        ? !/^(Authentication|Credential)/.test(thrown.name) && word !== undefined
        : passingStatuses.has(status) || (status === 409 && passingConflicts.has(word ?? "")),
    afterMilliseconds: retryAfter(response?.headers),
  };
}

/** Shortens a message to one line, without anything that looks like a token. */
function presentable(message: string): string {
  const line = message
    .replace(/eyJ[\w-]+(\.[\w-]+)*/g, "…")
    .replace(/\b(bearer|secret|password|authorization)\b\S*\s+\S+/gi, "$1 …")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > 240 ? `${line.slice(0, 239)}…` : line;
}

/** Reads Retry-After from either shape in which the SDKs give headers: a map with `get`, or a plain object. */
function retryAfter(headers: unknown): number | undefined {
  const of = headers as { get?: (name: string) => string | undefined; "retry-after"?: string } | undefined;
  const text = typeof of?.get === "function" ? of.get("retry-after") : of?.["retry-after"];
  const seconds = Number(text);
  return text === undefined || text === null || !Number.isFinite(seconds) ? undefined : seconds * 1000;
}

/** Waits before the next attempt: twice as long each time, with jitter, and as long as Azure asks for within one request's time. */
export async function restBefore(
  attempt: number,
  trouble: Trouble | undefined,
  patience: Patience,
  cancel?: AbortSignal,
): Promise<void> {
  const most = patience.requestSeconds * 1000;
  const backOff = Math.min(most, (most / 64) * 2 ** attempt) * (0.5 + Math.random() / 2);
  await rest(Math.min(most, Math.max(backOff, trouble?.afterMilliseconds ?? 0)), cancel);
}

/** Waits, or comes back at once when cancelled. */
export async function rest(milliseconds: number, cancel?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, cancel === undefined ? {} : { signal: cancel }).catch(() => undefined);
}

/**
 * Gives what a request answers, or fails with a timeout.
 *
 * The race is needed beside the signal: some SDK methods drop the signal that they are given, and a body that stalls
 * half-way is not covered by the timeout of the pipeline.
 */
export async function within<Value>(
  seconds: number,
  cancel: AbortSignal | undefined,
  send: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  const signal = cancel === undefined ? deadline : AbortSignal.any([deadline, cancel]);
  let leave: () => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason instanceof Error ? signal.reason : new DOMException("cancelled", "AbortError"));
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([send(signal), ended]);
  } finally {
    signal.removeEventListener("abort", leave);
    ended.catch(() => undefined);
  }
}

/** What a question came to: the answer, or the trouble that was left when patience ran out. */
export type Answered<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string; readonly trouble: Trouble };

/** Asks until there is an answer. Only for questions: a request that changes something has a fence to pass before each sending. */
export async function ask<Value>(
  patience: Patience,
  cancel: AbortSignal | undefined,
  send: (signal: AbortSignal) => Promise<Value>,
): Promise<Answered<Value>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { ok: true, value: await within(patience.requestSeconds, cancel, send) };
    } catch (thrown) {
      const trouble = troubleOf(thrown, patience.requestSeconds);
      if (cancel?.aborted) return { ok: false, reason: "cancelled", trouble };
      if (!trouble.passing || attempt >= patience.attemptsMax)
        return {
          ok: false,
          reason: attempt === 1 ? trouble.reason : `${trouble.reason} (${attempt} attempts)`,
          trouble,
        };
      await restBefore(attempt, trouble, patience, cancel);
    }
  }
}

/** Drops the trouble and keeps the words, as the ports want it. */
export const asResult = <Value>(answered: Answered<Value>): Result<Value> =>
  answered.ok ? answered : { ok: false, reason: answered.reason };
