// GET /<kind>/<name>/journal: every fact with its numbers, and with its message.
import type { AnyKind } from "../../../engines/kind.ts";
import { type Answer, answer } from "../call.ts";
import { factsOfCall, refuseStream } from "./show.ts";

/** Answers with the journal. */
export const showJournal =
  (kind: AnyKind): Answer =>
  async (call, parts) => {
    const { stream, facts } = await factsOfCall(kind, call, parts);
    return facts.length === 0
      ? refuseStream(kind, stream)
      : answer(200, { facts: facts.map((fact) => ({ ...fact, message: kind.messages.messageOf(fact.event) })) });
  };
