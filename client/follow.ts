// Follows a stream: reads its facts as they are written, over one long answer that may break off. A broken answer is
// opened again at the next fact, so that the reader sees every fact once, and then the end.
import type { Response } from "undici";
import type { Ended } from "../engines/kind.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { callPolicy, restBefore } from "../engines/retry.ts";
import { BallastError } from "../errors/catalogue.ts";
import { controlPlaneUnreachable } from "../errors/provider.ts";
import { linesOf } from "../http-answer.ts";
import { type Access, machineTime, open, reasonOf, refusal, restAskedBy, textIn } from "./requests.ts";

/** One fact as it is written. */
export interface FollowedFact {
  readonly index: number;
  readonly at: number;
  readonly kind: string;
  readonly message: string;
  readonly process: string;
  readonly epoch: number;
  /** False for bookkeeping, which only the `explain` commands show. */
  readonly isNoteworthy: boolean;
}

/** What following a stream yields: facts, interruptions of the connection, and one end. */
export type Followed<End extends Ended = Ended> =
  | { readonly kind: "fact"; readonly fact: FollowedFact }
  | { readonly kind: "broken"; readonly reason: string }
  | ({ readonly kind: "ended" } & End);

/** Where to start, how long to wait in silence, and what ends it early. */
export interface FollowOptions {
  /** @default 0 */
  readonly from?: number;
  /** @default 180, longer than the failover of a database */
  readonly quietSeconds?: number;
  readonly cancel?: AbortSignal;
}

/** The stream to follow: its kind, for messages, and the path of the call. */
export interface FollowedStream {
  readonly kind: string;
  readonly path: string;
}

/** Describes an interruption. It claims no cause: from here, a restart looks the same as a cut line. */
export const brokenLine = (kind: string, reason: string): string =>
  `Connection to the control plane lost; reconnecting. The ${kind} continues meanwhile (${reason}).`;

/** Follows a stream. @throws release-control-plane-unreachable after `quietSeconds` without a line. */
export async function* follow<End extends Ended = Ended>(
  access: Access,
  { kind, path }: FollowedStream,
  { from = 0, quietSeconds = callPolicy.budgetSeconds, cancel }: FollowOptions = {},
): AsyncGenerator<Followed<End>, void> {
  const cancelled = AbortSignal.any([access.cancel, cancel].filter((signal) => signal !== undefined));
  const { time = machineTime } = access;
  const policy = { ...callPolicy, budgetSeconds: quietSeconds };
  const reader: Reader = { next: from, heardAt: time.now(), misses: 0, now: time.now };
  for (;;) {
    let reason = `the answer ended before the ${kind} did`;
    let asked: number | undefined;
    try {
      for await (const followed of readOnce<End>(access, path, cancelled, reader)) {
        yield followed;
        if (followed.kind === "ended") return;
      }
    } catch (error) {
      cancelled.throwIfAborted();
      if (error instanceof BallastError) throw error;
      reason = reasonOf(error);
      asked = askedBy(error);
    }
    // One miss is normal: Azure's ingress ends a long answer after four minutes. Two in a row are reported.
    reader.misses += 1;
    const rest = restBefore(policy, reader.misses, (time.now() - reader.heardAt) / 1000, asked);
    if (rest === undefined) throw controlPlaneUnreachable({ endpoint: access.endpoint, reason });
    if (reader.misses === 2) yield { kind: "broken", reason };
    if (reader.misses > 1 || asked !== undefined) await time.rest(rest * 1000, cancelled);
  }
}

/** An answer that no control plane gave, or none that could. */
class Absent extends Error {
  readonly retryAfterSeconds: number | undefined;

  constructor(response: Response) {
    super(`it answered ${response.status}`);
    this.retryAfterSeconds = restAskedBy(response);
  }
}

const askedBy = (error: unknown): number | undefined => (error instanceof Absent ? error.retryAfterSeconds : undefined);

/** Which fact comes next, when a line last arrived, and how often in a row none did. */
interface Reader {
  next: number;
  heardAt: number;
  misses: number;
  readonly now: () => number;
}

/** Reads one answer to its end, and keeps in `reader` which fact comes next and when a line last arrived. */
async function* readOnce<End extends Ended>(
  access: Access,
  path: string,
  cancelled: AbortSignal,
  reader: Reader,
): AsyncGenerator<Followed<End>, void> {
  for await (const line of lines<End>(access, `${path}?from=${reader.next}`, cancelled)) {
    reader.heardAt = reader.now();
    reader.misses = 0;
    if (isEnd(line)) {
      const { result, reason, message } = line;
      return yield { kind: "ended", result, reason, message } as { readonly kind: "ended" } & End;
    }
    if (!isFact(line) || line.index < reader.next) continue;
    reader.next = line.index + 1;
    yield { kind: "fact", fact: line };
  }
}

/** A fact, the end, or an empty object as heartbeat. */
type FollowLine<End extends Ended> = FollowedFact | End | Readonly<Record<string, never>>;

const isEnd = <End extends Ended>(line: FollowLine<End>): line is End => "result" in line && Boolean(line.result);
const isFact = (line: FollowLine<Ended>): line is FollowedFact => "index" in line && line.index !== undefined;

/** A heartbeat arrives every ten seconds, so a longer time without a line means a dead connection. */
const silenceSeconds = 25;
/** The longest line that is read: many times the longest message. */
const lineBytesMax = 2 ** 20;

async function* lines<End extends Ended>(
  access: Access,
  path: string,
  cancelled: AbortSignal,
): AsyncGenerator<FollowLine<End>, void> {
  const silent = new AbortController();
  const silence = setTimeout(
    () => silent.abort(new Error(`nothing arrived for ${silenceSeconds} s`)),
    silenceSeconds * 1000,
  );
  try {
    const response = await open(access, path, AbortSignal.any([cancelled, silent.signal]));
    if (response.status >= 500 || response.status === 429) throw new Absent(response);
    if (response.status >= 400) {
      const text = await textIn(response, silenceSeconds).catch(() => "");
      throw refusal(access, { status: response.status, body: parsedJson(text) });
    }
    for await (const line of linesOf(response.body, lineBytesMax)) {
      silence.refresh();
      yield JSON.parse(line) as FollowLine<End>;
    }
  } finally {
    clearTimeout(silence);
    silent.abort();
  }
}
