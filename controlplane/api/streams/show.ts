// GET /<kind>/<name>: one stream at a glance. The calls below this path use its lookup of the stream.
import { fold } from "../../../engines/engine.ts";
import { type AnyKind, streamOf } from "../../../engines/kind.ts";
import { streamUnknown } from "../../../errors/api.ts";
import type { Fact } from "../../runtime/ports.ts";
import { type Answer, answer, type Call, type Parts, refuse } from "../call.ts";

/** Answers with a stream. */
export const showStream =
  (kind: AnyKind): Answer =>
  async (call, parts) => {
    const { stream, facts } = await factsOfCall(kind, call, parts);
    return facts.length === 0 ? refuseStream(kind, stream) : answer(200, summaryOf(kind, stream, facts));
  };

/** Gives a stream at a glance; undefined if its journal does not begin with a request. */
export function summaryOf(kind: AnyKind, stream: string, facts: readonly Fact[]): object | undefined {
  const events = facts.map(({ event }) => event);
  return kind.calls.summaryOf(stream, events, fold(kind.engine, events));
}

/** Reads the journal that a call's path names; empty if there is none. */
export async function factsOfCall(
  kind: AnyKind,
  { path }: Call,
  { journal }: Pick<Parts, "journal">,
): Promise<{ readonly stream: string; readonly facts: readonly Fact[] }> {
  const stream = streamOf(kind, path);
  return { stream, facts: await journal.read(stream) };
}

/** Refuses a call about a stream that does not exist. */
export const refuseStream = ({ kind }: AnyKind, stream: string): Response =>
  refuse(404, streamUnknown({ kind, stream }));
