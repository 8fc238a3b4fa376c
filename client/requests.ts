// One HTTP request to the control plane: its token, its retries while the control plane restarts, and the envelope in
// which errors arrive.
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher, Response } from "undici";
import { fetchDispatcher, fetchLate } from "../connect-to.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { callPolicy, type RetryPolicy, restBefore } from "../engines/retry.ts";
import { traceOf } from "../engines/trace.ts";
// These put the errors that the control plane answers into the catalogue.
import "../errors/api.ts";
import "../errors/claims.ts";
import "../errors/journal.ts";
import { BallastError, catalogue } from "../errors/catalogue.ts";
import { controlPlaneUnclear, controlPlaneUnreachable, endpointInsecure } from "../errors/provider.ts";
import { EndlessAnswer, retryAfterSecondsOf, textOf } from "../http-answer.ts";

/** The control plane's address, the caller's token, and how long to wait for an answer. */
export interface Access {
  readonly endpoint: string;
  readonly token: () => Promise<string>;
  /** Ends every request at once. Requests that already arrived are not undone. */
  readonly cancel?: AbortSignal;
  /**
   * For how many seconds a request without an answer is retried. Starting and following a stream outlast the
   * failover of a database; a person who asks for a list is not kept waiting as long.
   *
   * @default 180 for those, 15 for other calls
   */
  readonly patienceSeconds?: number;
  /** @default the machine's time */
  readonly time?: CallTime;
}

/** How calls measure time and rest. */
export interface CallTime {
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
  readonly rest: (milliseconds: number, cancel: AbortSignal | undefined) => Promise<void>;
}

/** The machine's time. */
export const machineTime: CallTime = {
  now: () => performance.now(),
  rest: async (milliseconds, cancel) => void (await sleep(milliseconds, undefined, cancel ? { signal: cancel } : {})),
};

/** Gives the retry policy of a call. */
const policyOf = ({ patienceSeconds }: Access, isPersistent: boolean): RetryPolicy => ({
  ...callPolicy,
  budgetSeconds: patienceSeconds ?? (isPersistent ? callPolicy.budgetSeconds : shortSeconds),
});

/** How long a call is tried that nothing waits for. */
const shortSeconds = 15;

/**
 * One request. `repeatable`: sending it twice has the same effect as once, so it may be sent again even if the first
 * one may have arrived.
 */
export interface Call {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly repeatable: boolean;
  /**
   * Whether an update of the program depends on it, so that it outlasts the failover of a database. `answered`: only
   * while the control plane itself says that it cannot, as opposed to one that is down.
   */
  readonly persistent?: boolean | "answered";
}

/** An answer, refusals included. Only the absence of an answer is thrown. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number | undefined;
}

const attemptSeconds = 10;
/** The most of an answer that is read: several times the journal of the longest rollout. */
const answerBytesMax = 64 * 2 ** 20;
const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const absent = new Set([429, 502, 503, 504]);
/** The longest rest that an answer may ask of a call. A wrong answer must not end all attempts. */
const retryAfterMax = 30;

/**
 * Sends a request until an answer arrives or the patience is used up, at most ten seconds an attempt.
 *
 * An ingress answers 502 to 504 while no replica is behind it and 429 to too many callers, and the control plane 503
 * while its database does not answer. These are retried like a refused connection, after the time that the answer asks
 * for, whoever sent it. If the control plane itself answered with an error to the end, that error is the result. A
 * request that is not repeatable is sent again only if it certainly was not carried out.
 *
 * @throws release-control-plane-unreachable, and what the token's source throws.
 */
export async function ask(access: Access, call: Call): Promise<Answer> {
  const { time = machineTime } = access;
  let policy = policyOf(access, call.persistent === true);
  const began = time.now();
  for (let attempts = 1; ; attempts++) {
    const left = policy.budgetSeconds - (time.now() - began) / 1000;
    const missing = await attempt(access, call, Math.min(attemptSeconds, Math.max(1, left)));
    if (!("reason" in missing)) return missing;
    access.cancel?.throwIfAborted();
    policy = policyOf(
      access,
      call.persistent === true || (call.persistent === "answered" && missing.excuse !== undefined),
    );
    const spent = (time.now() - began) / 1000;
    const rest = restBefore(policy, attempts, spent, missing.retryAfterSeconds, Math.random());
    if (rest === undefined || (missing.sent && !call.repeatable)) {
      if (missing.excuse) return missing.excuse;
      throw controlPlaneUnreachable({ endpoint: access.endpoint, reason: missing.reason });
    }
    await time.rest(rest * 1000, access.cancel);
  }
}

/** Opens a long answer. Its reader watches for silence in it. */
export async function open(access: Access, path: string, cancel: AbortSignal): Promise<Response> {
  return send(access, { method: "GET", path, repeatable: true }, cancel);
}

/** Reads an answer. @throws EndlessAnswer, and a `TimeoutError` */
export const textIn = ({ body }: Response, seconds: number): Promise<string> =>
  textOf(body, { bytesMax: answerBytesMax, seconds });

/**
 * Gives the control plane's own error, with its id, from a refusal.
 *
 * The answer has only texts. Severity and exit code are those of the catalogue, or the defaults if a newer control
 * plane sent an id that this version does not know.
 */
export function refusal(access: Access, { status, body }: Pick<Answer, "status" | "body">): BallastError {
  const error = (body as { error?: Partial<Record<"id" | "message" | "fix" | "left", unknown>> } | null)?.error;
  if (typeof error?.id !== "string" || typeof error.message !== "string") {
    return controlPlaneUnclear({ endpoint: access.endpoint, what: `status ${status} without an error of the API` });
  }
  const { severity, exitCode } = catalogue().get(error.id) ?? {};
  return new BallastError({
    severity,
    exitCode,
    id: error.id,
    message: error.message,
    fix: String(error.fix ?? ""),
    left: typeof error.left === "string" ? error.left : undefined,
  });
}

/** Gives for how many seconds an answer asks to be left alone, half a minute at most; undefined if it does not ask. */
export function restAskedBy({ headers }: Response): number | undefined {
  const seconds = retryAfterSecondsOf((name) => headers.get(name));
  return seconds === undefined ? undefined : Math.min(retryAfterMax, seconds);
}

/** Sends a call and throws the control plane's error if it refuses. */
export async function accepted(access: Access, call: Call): Promise<Answer> {
  const answer = await ask(access, call);
  if (answer.status >= 400) throw refusal(access, answer);
  return answer;
}

/** Like `accepted`, for something that may not be there: undefined if the control plane does not find it. */
export async function acceptedIfThere(access: Access, call: Call): Promise<Answer | undefined> {
  const answer = await ask(access, call);
  if (answer.status === 404) return undefined;
  if (answer.status >= 400) throw refusal(access, answer);
  return answer;
}

/** Gives a field of an answer. @throws release-control-plane-unclear if the answer lacks it. */
export function fieldOf<Value>({ body }: Answer, name: string, access: Access): Value {
  if (typeof body === "object" && body !== null && name in body) return (body as Record<string, Value>)[name]!;
  throw controlPlaneUnclear({ endpoint: access.endpoint, what: `without ${name}` });
}

/** No answer, or none yet. `sent`: the request may have been carried out nevertheless. */
interface Missing {
  readonly reason: string;
  readonly sent: boolean;
  readonly excuse?: Answer;
  readonly retryAfterSeconds?: number | undefined;
}

async function attempt(access: Access, call: Call, seconds: number): Promise<Answer | Missing> {
  const timeout = AbortSignal.timeout(Math.round(seconds * 1000)); // a fraction is refused
  try {
    const response = await send(access, call, access.cancel ? AbortSignal.any([access.cancel, timeout]) : timeout);
    const text = await textIn(response, seconds);
    const body = parsedJson(text);
    const retryAfterSeconds = restAskedBy(response);
    const answer = { status: response.status, body, retryAfterSeconds };
    if (absent.has(response.status))
      return {
        reason: `it answered ${response.status}`,
        sent: mayHaveArrived(response.status, text),
        retryAfterSeconds,
        ...(body === undefined ? {} : { excuse: answer }),
      };
    if (body === undefined && text !== "")
      throw controlPlaneUnclear({ endpoint: access.endpoint, what: `status ${response.status} and no JSON` });
    return answer;
  } catch (error) {
    if (error instanceof BallastError) throw error;
    if (error instanceof EndlessAnswer)
      throw controlPlaneUnclear({ endpoint: access.endpoint, what: `more than ${answerBytesMax / 2 ** 20} MiB` });
    return timeout.aborted || (error as Error).name === "TimeoutError"
      ? { reason: `no answer in ${Math.round(seconds)} s`, sent: true }
      : { reason: reasonOf(error), sent: !neverSent.has(codeOf(error)) };
  }
}

/**
 * Only a 429 or 503 means that nothing was carried out, unless an ingress sent it because its connection to the control
 * plane broke during the request, or the control plane itself, whose database may have written before its connection
 * broke.
 */
const mayHaveArrived = (status: number, text: string): boolean =>
  (status !== 503 && status !== 429) || text.includes("termination") || text.includes('"journal-unreachable"');

let shared: Dispatcher | undefined;

async function send(access: Access, call: Call, cancel: AbortSignal): Promise<Response> {
  const endpoint = URL.parse(access.endpoint);
  if (endpoint?.protocol !== "https:" && endpoint?.hostname !== "127.0.0.1")
    throw endpointInsecure({ endpoint: access.endpoint, has: "no https" });
  // Whoever prints the address would print the password.
  if (endpoint && (endpoint.username || endpoint.password))
    throw endpointInsecure({ endpoint: endpoint.origin, has: "a user" });
  const headers: Record<string, string> = {
    authorization: `Bearer ${await access.token()}`,
    accept: "application/json, application/x-ndjson",
  };
  if (call.body !== undefined) headers["content-type"] = "application/json";
  const traceparent = process.env["TRACEPARENT"];
  if (traceparent !== undefined && traceOf(traceparent) !== undefined) headers["traceparent"] = traceparent;
  shared ??= fetchDispatcher();
  return fetchLate(new URL(call.path, access.endpoint), {
    method: call.method,
    headers,
    signal: cancel,
    redirect: "error",
    dispatcher: shared,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
}

const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? causeOf(error.cause) : error;
const codeOf = (error: unknown): string => String((causeOf(error) as { code?: unknown } | null)?.code ?? "");

/** Describes in a few words why there was no answer. */
export function reasonOf(error: unknown): string {
  const descriptions: Record<string, string> = {
    ECONNREFUSED: "the connection was refused",
    ECONNRESET: "the connection broke off",
    UND_ERR_SOCKET: "the connection broke off",
    ENOTFOUND: "its name does not resolve",
    EAI_AGAIN: "its name cannot be looked up",
    UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  };
  const cause = causeOf(error);
  return (
    descriptions[codeOf(error)] ??
    (cause instanceof Error && cause.message ? cause.message.replace(/\.$/, "") : String(cause))
  );
}
