// One request to a channel, and what its answer means for the notice. Addresses of channels are secrets, so that nothing here ever says one:
// trouble is told by its status or its code alone.
import { type Dispatcher, fetch } from "undici";
import type { Told } from "../../runtime/ports.ts";

/** What is sent. */
export interface Sent {
  readonly method?: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands, as JSON. */
  readonly body?: string;
}

/** How channels are reached. */
export interface Wire {
  readonly dispatcher: Dispatcher;
  /** How long an answer may take. @default 10 */
  readonly patienceSeconds?: number;
}

/** An answer that was taken: its body, parsed where it is JSON. Else what is to be made of it. */
export type Answered = { readonly taken: unknown } | { readonly told: Told };

/** Answers that speak of what was sent, which the same notice will get for ever. */
const refusals = [400, 413, 415, 422];
const waitSecondsMax = 3600;

/** Sends one request. A redirect is not followed: where it leads nobody has said. */
export async function send(
  { method = "POST", url, headers, body }: Sent,
  { dispatcher, patienceSeconds = 10 }: Wire,
  cancel: AbortSignal,
): Promise<Answered> {
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      dispatcher,
      signal: AbortSignal.any([cancel, AbortSignal.timeout(patienceSeconds * 1000)]),
      headers: { "content-type": "application/json", "user-agent": "ballast", ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (response.ok) return { taken: parsed(text) };
    const reason = `it answered ${response.status}`;
    const afterSeconds = secondsOf(response.headers.get("retry-after"));
    return {
      told: refusals.includes(response.status)
        ? { kind: "refused", reason }
        : { kind: "later", reason, ...(afterSeconds === undefined ? {} : { afterSeconds }) },
    };
  } catch (error) {
    const { name, cause } = error as Error & { readonly cause?: { readonly code?: string } };
    return {
      told: {
        kind: "later",
        reason:
          name === "TimeoutError"
            ? `it did not answer in ${patienceSeconds} s`
            : `it cannot be reached (${cause?.code ?? name})`,
      },
    };
  }
}

/** Sends one request whose answer says nothing more. */
export async function post(sent: Sent, wire: Wire, cancel: AbortSignal): Promise<Told> {
  const answered = await send(sent, wire, cancel);
  return "told" in answered ? answered.told : { kind: "told" };
}

/** Reads Retry-After, which is seconds or a date; an hour at the most, so that nobody silences us for good. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(waitSecondsMax, Math.max(0, seconds)) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
