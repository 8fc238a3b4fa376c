// Failed requests to Azure: their description, and how long to retry. Shared by the adapters of this folder. No
// description ever contains a token or the body of a request.
import { setTimeout as sleep } from "node:timers/promises";
import type { Result } from "../../../engines/engine.ts";
import { restBefore } from "../../../engines/retry.ts";
import { retryAfterSecondsOf } from "../../../http-answer.ts";

/** How long an adapter tries. Whichever limit is reached first ends it. */
export interface Patience {
  /** The limit of one request. It is always shorter than the lease, so that a late write is bounded. */
  readonly requestSeconds: number;
  /** The limit of an operation that Azure runs asynchronously. */
  readonly operationSeconds: number;
  readonly attemptsMax: number;
}

/** Gives the patience for a request limit: ten times as long for an operation, and four attempts. */
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
  /** When Azure asks to retry. */
  readonly afterMilliseconds: number | undefined;
}

/** Codes of conflicts that end by themselves, because another operation on the same app is under way. */
const passingConflicts = new Set([
  "ContainerAppOperationInProgress",
  "ContainerAppLockConflict",
  "OperationInProgress",
  "AnotherOperationInProgress",
]);
const passingStatuses = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Describes an exception of an SDK.
 *
 * @throws the exception itself if it is a bug of ours.
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
  const named = typeof code === "string" && code !== "" ? code : undefined;
  if (thrown.name === "AbortError" || thrown.name === "TimeoutError")
    return {
      reason: `no answer in ${requestSeconds} s`,
      status: undefined,
      code: named,
      passing: true,
      afterMilliseconds: undefined,
    };
  const prefix = [status, named].filter((part) => part !== undefined).join(" ");
  return {
    reason: `${prefix === "" ? "" : `${prefix}: `}${presentable(thrown.message)}`,
    status,
    code: named,
    passing:
      status === undefined
        ? !/^(Authentication|Credential)/.test(thrown.name) && named !== undefined
        : passingStatuses.has(status) || (status === 409 && passingConflicts.has(named ?? "")),
    afterMilliseconds: millisecondsAsked(response?.headers),
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

/** Reads Retry-After from either form in which the SDKs give headers: a map with `get`, or a plain object. */
function millisecondsAsked(headers: unknown): number | undefined {
  const of = (headers ?? {}) as { get?: (name: string) => string | undefined } & Readonly<Record<string, string>>;
  const seconds = retryAfterSecondsOf((name) => (typeof of.get === "function" ? of.get(name) : of[name]));
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Waits before the next attempt: twice as long each time, with jitter, or as Azure asks. */
export async function restAfter(
  attempt: number,
  trouble: Trouble,
  { requestSeconds, operationSeconds }: Patience,
  cancel?: AbortSignal,
): Promise<void> {
  const policy = {
    budgetSeconds: operationSeconds,
    firstRestSeconds: requestSeconds / 32,
    restSecondsMax: requestSeconds,
    backoffRate: 2,
  };
  const asked = (trouble.afterMilliseconds ?? 0) / 1000;
  await rest((restBefore(policy, attempt, 0, asked, Math.random()) ?? requestSeconds) * 1000, cancel);
}

/** Waits, or returns at once when cancelled. */
export async function rest(milliseconds: number, cancel?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, cancel === undefined ? {} : { signal: cancel }).catch(() => undefined);
}

/**
 * Gives the answer to a request, or throws a timeout.
 *
 * The race is needed beside the signal: some SDK methods ignore the signal, and the timeout of the pipeline does not
 * cover a body that stalls half-way.
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

/** The answer to a read, or the trouble that remained when patience ran out. */
export type Answered<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string; readonly trouble: Trouble };

/** Reads until there is an answer. It is for reads only: a write must ask its fence before each attempt. */
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
      if (!trouble.passing || attempt >= patience.attemptsMax || asksForLonger(trouble, patience))
        return {
          ok: false,
          reason: attempt === 1 ? trouble.reason : `${trouble.reason} (${attempt} attempts)`,
          trouble,
        };
      await restAfter(attempt, trouble, patience, cancel);
    }
  }
}

/** A failed effect. */
export type Failure = Extract<Result<never>, { readonly ok: false }>;

/** Gives an answer as the ports want it, without the details of the trouble. */
export const asResult = <Value>(answered: Answered<Value>): Result<Value> =>
  answered.ok ? answered : failureOf(answered.reason, answered.trouble);

/**
 * Gives a failure with the time that Azure asked to wait, for the engine, whose wait survives this process, and with
 * whether the answer is definite.
 */
export const failureOf = (reason: string, trouble?: Pick<Trouble, "afterMilliseconds" | "passing">): Failure => ({
  ok: false,
  reason,
  ...(trouble?.passing === false ? { definite: true } : {}),
  ...(trouble?.afterMilliseconds === undefined ? {} : { retryAfterSeconds: trouble.afterMilliseconds / 1000 }),
});

/**
 * Reports whether Azure asks for a longer rest than the adapter may take, which is the limit of one request. Then the
 * effect fails at once, and the engine waits as long as Azure asked.
 */
export const asksForLonger = ({ afterMilliseconds = 0 }: Trouble, { requestSeconds }: Patience): boolean =>
  afterMilliseconds > requestSeconds * 1000;
