// GET /<kind>/<name>: one stream at a glance, from its row. The calls below this path that need facts read its journal.
import { type AnyKind, streamOf } from "../../../engines/kind.ts";
import { streamUnknown } from "../../../errors/api.ts";
import type { Fact, Journal } from "../../runtime/ports.ts";
import { type Answer, answer, type Call, type Parts, refuse } from "../call.ts";

/** Answers with a stream. */
export const showStream =
  (kind: AnyKind): Answer =>
  async ({ path }, { journal }) => {
    const stream = streamOf(kind, path);
    const summary = await summaryOf(stream, journal);
    return summary === undefined ? refuseStream(kind, stream) : answer(200, summary);
  };

/**
 * Gives a stream at a glance; undefined if there is none, or its journal does not begin with a request.
 *
 * @throws journal-fact-unknown, journal-chain-broken
 */
export async function summaryOf(stream: string, journal: Pick<Journal, "show">): Promise<object | undefined> {
  const shown = await journal.show(stream);
  if (shown === undefined) return undefined;
  if ("error" in shown) throw shown.error;
  return shown.overview.summary ?? undefined;
}

/** Reads the journal that a call's path names; empty if there is none. */
export async function factsOfCall(
  kind: AnyKind,
  { path }: Pick<Call, "path">,
  { journal }: Pick<Parts, "journal">,
): Promise<{ readonly stream: string; readonly facts: readonly Fact[] }> {
  const stream = streamOf(kind, path);
  return { stream, facts: await journal.read(stream) };
}

/** Refuses a call about a stream that does not exist. */
export const refuseStream = ({ kind }: AnyKind, stream: string): Response =>
  refuse(404, streamUnknown({ kind, stream }));
