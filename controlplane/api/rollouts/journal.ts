// GET /rollouts/{rg}/{app}/{revision}/journal: every fact with its numbers, and with its message.
import { messageOf } from "../../../engines/rollout/tell.ts";
import { type Answer, answer } from "../call.ts";
import { factsOfCall, refuseRollout } from "./show.ts";

/** Answers with the journal. */
export const showJournal: Answer = async (call, parts) => {
  const { stream, facts } = await factsOfCall(call, parts);
  return facts.length === 0
    ? refuseRollout(stream)
    : answer(200, { facts: facts.map((fact) => ({ ...fact, message: messageOf(fact.event) })) });
};
