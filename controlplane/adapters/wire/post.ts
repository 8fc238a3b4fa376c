// One request to a notifier, a webhook or GitHub, and what the answer means for who sent it. Addresses may be secrets,
// so trouble is described by a status or an error code only.
import { type Dispatcher, fetch, type Response } from "undici";
import type { Result } from "../../../engines/engine.ts";
import { parsedJson } from "../../../engines/parsed-json.ts";
import { EndlessAnswer, retryAfterSecondsOf, textOf } from "../../../http-answer.ts";
import type { Delivery } from "../../runtime/ports.ts";

/** One request. */
export interface Sent {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands, as JSON. */
  readonly body?: string;
  /** The most of the answer that is read. @default 256 KiB: many times what a notifier has to say */
  readonly bytesMax?: number;
}

/** How requests to notifiers are sent. */
export interface Wire {
  readonly dispatcher: Dispatcher;
  /** How long an answer may take. @default 10 */
  readonly patienceSeconds?: number;
}

/** The body of a success, parsed if it is JSON, or what was read from it; or the failed delivery. */
export type Answered<Value = unknown> =
  | { readonly accepted: Value }
  | { readonly delivery: Exclude<Delivery, { readonly kind: "delivered" }> };

/** Statuses that reject the content. The same notification will get them every time. */
const refusals = [400, 413, 415, 422];

const answerBytesMax = 256 * 1024;

/**
 * Sends one request and reads its answer. Redirects are not followed, because nobody has configured where they lead.
 * An answer without end is a failed delivery, and is not read further than its limit.
 */
export const send = (sent: Sent, wire: Wire, cancel: AbortSignal): Promise<Answered> =>
  exchange(sent, wire, cancel, async ({ body }) => ({
    accepted: parsedJson(await textOf(body, { bytesMax: sent.bytesMax ?? answerBytesMax, seconds: patienceOf(wire) })),
  }));

/** Gives what was answered as the result of an effect. `what` begins the reason of a failure. */
export function resultOf<Value>(what: string, answered: Answered<Value>): Result<Value> {
  if ("accepted" in answered) return { ok: true, value: answered.accepted };
  const { kind, reason, afterSeconds } = answered.delivery;
  return {
    ok: false,
    reason: `${what}: ${reason}`,
    ...(kind !== "later" && { definite: true }),
    ...(afterSeconds !== undefined && { retryAfterSeconds: afterSeconds }),
  };
}

const patienceOf = ({ patienceSeconds = 10 }: Wire): number => patienceSeconds;

async function exchange(
  { method = "POST", url, headers, body }: Sent,
  wire: Wire,
  cancel: AbortSignal,
  readSuccess: (response: Response) => Promise<Answered>,
): Promise<Answered> {
  const patienceSeconds = patienceOf(wire);
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      dispatcher: wire.dispatcher,
      signal: AbortSignal.any([cancel, AbortSignal.timeout(patienceSeconds * 1000)]),
      headers: { "content-type": "application/json", "user-agent": "ballast", ...headers },
      ...(body === undefined ? {} : { body }),
    });
    if (response.ok) return await readSuccess(response);
    await discard(response);
    const reason = `it answered ${response.status}`;
    const afterSeconds = retryAfterSecondsOf((name) => response.headers.get(name));
    return {
      delivery: refusals.includes(response.status)
        ? { kind: "refused", reason }
        : { kind: "later", reason, ...(afterSeconds === undefined ? {} : { afterSeconds }) },
    };
  } catch (error) {
    if (error instanceof EndlessAnswer) return { delivery: { kind: "later", reason: error.message } };
    const { name, cause } = error as Error & { readonly cause?: { readonly code?: string } };
    return {
      delivery: {
        kind: "later",
        reason:
          name === "TimeoutError"
            ? `it did not answer in ${patienceSeconds} s`
            : `it cannot be reached (${cause?.code ?? name})`,
      },
    };
  }
}

/** Sends one request whose answer has no further use: only its status is read. */
export const post = async (sent: Sent, wire: Wire, cancel: AbortSignal): Promise<Delivery> =>
  deliveryOf(
    await exchange(sent, wire, cancel, async (response) => {
      await discard(response);
      return { accepted: undefined };
    }),
  );

/** Leaves a body unread and closes its connection; trouble with that changes nothing. */
const discard = async ({ body }: Response): Promise<void> => body?.cancel().catch(() => undefined);

/** Gives the result of a delivery from the answer to its last request. */
export const deliveryOf = (answered: Answered): Delivery =>
  "delivery" in answered ? answered.delivery : { kind: "delivered" };
