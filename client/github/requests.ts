// Requests to GitHub's REST API: bounded in time, size and number, tried again where that is safe, and refused with
// GitHub's own reason. A write is tried again only if GitHub certainly did not carry it out: a comment must not
// appear twice.
import { setTimeout as sleep } from "node:timers/promises";
import type { Response } from "undici";
import { fetchLate } from "../../connect-to.ts";
import { parsedJson } from "../../engines/parsed-json.ts";
import { type RetryPolicy, restBefore } from "../../engines/retry.ts";
import { githubRefused, githubUnreachable } from "../../errors/github.ts";
import { EndlessAnswer, retryAfterSecondsOf, textOf } from "../../http-answer.ts";
import type { Access } from "./access.ts";

/** One request. */
export interface Request {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** Such as `/issues/7/comments`; nothing for a query of GraphQL, which has one address. */
  readonly path: string;
  /** Whether the path begins at the API and not at the repository. */
  readonly isAbsolute?: boolean;
  readonly isQuery?: boolean;
  readonly body?: object;
  /** What the request is for, as errors say it: `the list of comments`. */
  readonly what: string;
  /** Whether a 404 says that there is none. The body is undefined then. */
  readonly mayBeMissing?: boolean;
}

const attemptSeconds = 20;
const answerBytesMax = 8 * 2 ** 20;
const pageSize = 100;
const pagesMax = 20;
const policy: RetryPolicy = { budgetSeconds: 60, firstRestSeconds: 0.5, restSecondsMax: 10, backoffRate: 2 };

/** Sends one request. @throws github-refused, github-unreachable */
export const call = async <Body>(access: Access, request: Request): Promise<Body> =>
  (await answered<Body>(access, request)).body;

/** An answer, and the scopes of the token; undefined for a token that has permissions instead. */
interface Answered<Body> {
  readonly body: Body;
  readonly scopes: readonly string[] | undefined;
}

/** Sends one request, and gives what GitHub says about the token as well. @throws as `call` */
export async function answered<Body>(access: Access, request: Request): Promise<Answered<Body>> {
  const began = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt(access, request);
    if ("body" in outcome) return outcome as Answered<Body>;
    const spent = (performance.now() - began) / 1000;
    const rest = restBefore(policy, attempts, spent, outcome.askedSeconds, Math.random());
    if (!outcome.isRepeatable || rest === undefined) throw outcome.error;
    await sleep(rest * 1000);
  }
}

/** Gives all items of a list, up to two thousand. @throws github-refused, github-unreachable */
export async function list<Item>(access: Access, request: Omit<Request, "method" | "body">): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let page = 1; page <= pagesMax; page += 1) {
    const separator = request.path.includes("?") ? "&" : "?";
    const path = `${request.path}${separator}per_page=${pageSize}&page=${page}`;
    const found = await call<readonly Item[]>(access, { ...request, method: "GET", path });
    items.push(...found);
    if (found.length < pageSize) break;
  }
  return items;
}

/** A request that did not succeed, and whether it may be sent again. */
interface Failed {
  readonly error: Error;
  readonly isRepeatable: boolean;
  readonly askedSeconds?: number;
}

async function attempt(access: Access, request: Request): Promise<Answered<unknown> | Failed> {
  const { method, what } = request;
  // A second PATCH or DELETE has the same effect as one; a second POST has not.
  const isRepeatable = method !== "POST";
  const timeout = AbortSignal.timeout(attemptSeconds * 1000);
  try {
    const response = await send(access, request, timeout);
    const text = await textOf(response.body, { bytesMax: answerBytesMax, seconds: attemptSeconds });
    const { status } = response;
    if (status >= 500) return unreachable(what, `it answered ${status}`, isRepeatable);
    if (status === 404 && request.mayBeMissing) return { body: undefined, scopes: undefined };
    const body = parse(text);
    if (status >= 200 && status < 300)
      return body === undefined
        ? unreachable(what, "its answer is not JSON", isRepeatable)
        : { body, scopes: response.headers.get("x-oauth-scopes")?.split(/, */) };
    return refused(what, response, body);
  } catch (error) {
    if (error instanceof EndlessAnswer) return unreachable(what, error.message, false);
    const reason = timeout.aborted ? `no answer in ${attemptSeconds} s` : codeOf(error);
    return unreachable(what, reason, isRepeatable || /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(reason));
  }
}

/** An Enterprise has its REST API at `/api/v3`, and GraphQL beside it. */
function addressOf({ api, repository }: Access, { path, isQuery, isAbsolute }: Request): string {
  if (isQuery) return `${api.replace(/\/v3$/, "")}/graphql`;
  return isAbsolute ? `${api}${path}` : `${api}/repos/${repository}${path}`;
}

const send = (access: Access, request: Request, signal: AbortSignal) =>
  fetchLate(addressOf(access, request), {
    method: request.method,
    signal,
    // A token goes to the address that was given, and to no other.
    redirect: "manual",
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${access.token}`,
      "user-agent": "ballast",
      "x-github-api-version": "2022-11-28",
      ...(request.body !== undefined && { "content-type": "application/json" }),
    },
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
  });

const unreachable = (what: string, reason: string, isRepeatable: boolean): Failed => ({
  error: githubUnreachable({ what, reason }),
  isRepeatable,
});

/** GitHub limits how fast one token writes; it then has done nothing, and says how long to wait. */
function refused(what: string, { status, headers }: Response, body: unknown): Failed {
  const said = (body as { message?: unknown } | undefined)?.message;
  const message = typeof said === "string" && said !== "" ? said : "it gives no reason";
  const isMoved = status >= 300 && status < 400;
  const reason = isMoved ? "the repository has another name now" : message.slice(0, 200).replace(/\.$/, "");
  const asked = retryAfterSecondsOf((name) => headers.get(name));
  const isLimited = (status === 403 || status === 429) && asked !== undefined;
  return {
    error: githubRefused({ what, status, reason }),
    isRepeatable: isLimited,
    ...(isLimited && { askedSeconds: asked }),
  };
}

/** An answer without a body, as after a DELETE, is null. */
const parse = (text: string): unknown => (text === "" ? null : parsedJson(text));

function codeOf(error: unknown): string {
  const { cause, code, message } = error as Error & { cause?: { code?: string }; code?: string };
  return cause?.code ?? code ?? message;
}
