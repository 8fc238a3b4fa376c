// Follows a rollout: reads its facts as they are written, over one long answer that may break off. A broken answer is
// opened again at the next fact, so that the reader sees every fact once, and then the end.
import { setTimeout as sleep } from "node:timers/promises";
import type { Ending, RolloutEvent } from "../engines/rollout/vocabulary.ts";
import { BallastError } from "../errors/catalogue.ts";
import { controlPlaneUnreachable } from "../errors/provider.ts";
import { type Access, open, reasonOf, refusal } from "./requests.ts";

/** One fact as it is written. */
export interface FollowedFact {
  readonly index: number;
  readonly at: number;
  readonly kind: RolloutEvent["kind"];
  readonly message: string;
  readonly process: string;
  readonly epoch: number;
  /** False for bookkeeping, which only `ballast release explain` shows. */
  readonly isNoteworthy: boolean;
}

/** What following a rollout yields: facts, interruptions of the connection, and one end. */
export type Followed =
  | { readonly kind: "fact"; readonly fact: FollowedFact }
  | { readonly kind: "broken"; readonly reason: string }
  | ({ readonly kind: "ended" } & Ending);

/** Where to start, how long to wait in silence, and what ends it early. */
export interface FollowOptions {
  /** @default 0 */
  readonly from?: number;
  /** @default 60 */
  readonly quietSeconds?: number;
  readonly cancel?: AbortSignal;
}

/** Describes an interruption. It claims no cause: from here, a restart looks the same as a cut line. */
export const brokenLine = (reason: string): string =>
  `Connection to the control plane lost; reconnecting. The rollout continues meanwhile (${reason}).`;

/** Follows the rollout at a path. @throws release-control-plane-unreachable after `quietSeconds` without a line. */
export async function* follow(
  access: Access,
  path: string,
  { from = 0, quietSeconds = 60, cancel }: FollowOptions = {},
): AsyncGenerator<Followed, void> {
  const cancelled = AbortSignal.any([access.cancel, cancel].filter((signal) => signal !== undefined));
  const reader = { next: from, heardAt: Date.now(), misses: 0 };
  for (;;) {
    let reason = "the answer ended before the rollout did";
    try {
      for await (const followed of readOnce(access, path, cancelled, reader)) {
        yield followed;
        if (followed.kind === "ended") return;
      }
    } catch (error) {
      cancelled.throwIfAborted();
      if (error instanceof BallastError) throw error;
      reason = reasonOf(error);
    }
    if (Date.now() - reader.heardAt > quietSeconds * 1000)
      throw controlPlaneUnreachable({ endpoint: access.endpoint, reason });
    // One miss is normal: Azure's ingress ends a long answer after four minutes. Two in a row are reported.
    reader.misses += 1;
    if (reader.misses === 2) yield { kind: "broken", reason };
    if (reader.misses > 1) await sleep(500, undefined, { signal: cancelled });
  }
}

/** Reads one answer to its end, and keeps in `reader` which fact comes next and when a line last arrived. */
async function* readOnce(
  access: Access,
  path: string,
  cancelled: AbortSignal,
  reader: { next: number; heardAt: number; misses: number },
): AsyncGenerator<Followed, void> {
  for await (const line of lines(access, `${path}?from=${reader.next}`, cancelled)) {
    reader.heardAt = Date.now();
    reader.misses = 0;
    if (isEnd(line)) return yield { kind: "ended", result: line.result, reason: line.reason, message: line.message };
    if (!isFact(line) || line.index < reader.next) continue;
    reader.next = line.index + 1;
    yield { kind: "fact", fact: line };
  }
}

/** A fact, the end, or an empty object as heartbeat. */
type FollowLine = FollowedFact | Ending | Readonly<Record<string, never>>;

const isEnd = (line: FollowLine): line is Ending => "result" in line && Boolean(line.result);
const isFact = (line: FollowLine): line is FollowedFact => "index" in line && line.index !== undefined;

/** A heartbeat arrives every ten seconds, so a longer silence means a dead connection. */
const silenceSeconds = 25;

async function* lines(access: Access, path: string, cancelled: AbortSignal): AsyncGenerator<FollowLine, void> {
  const silent = new AbortController();
  const silence = setTimeout(
    () => silent.abort(new Error(`nothing arrived for ${silenceSeconds} s`)),
    silenceSeconds * 1000,
  );
  try {
    const response = await open(access, path, AbortSignal.any([cancelled, silent.signal]));
    if (response.status >= 500) throw new Error(`it answered ${response.status}`);
    if (response.status >= 400)
      throw refusal(access, { status: response.status, body: await response.json().catch(() => undefined) });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of response.body ?? []) {
      silence.refresh();
      const parts = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part.trim()) yield JSON.parse(part) as FollowLine;
    }
  } finally {
    clearTimeout(silence);
    silent.abort();
  }
}
