// GET /rollouts/{rg}/{app}/{revision}/journal: every fact with its numbers, and the line that people read.
import { tell } from "../../../engines/rollout/tell.ts";
import { type Answer, answer } from "../call.ts";
import { factsOfCall, refuseRollout } from "./show.ts";

/** Gives the journal as it is written. */
export const showJournal: Answer = async (call, parts) => {
  const { stream, facts } = await factsOfCall(call, parts);
  return facts.length === 0
    ? refuseRollout(stream)
    : answer(200, { facts: facts.map((fact) => ({ ...fact, text: tell(fact.event) })) });
};
