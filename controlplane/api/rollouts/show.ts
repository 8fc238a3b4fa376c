// GET /rollouts/{rg}/{app}/{revision}: one rollout at a glance. The calls below this path use its lookup of the stream.

import { streamOf } from "../../../engines/rollout/names.ts";
import { rolloutUnknown } from "../../../errors/api.ts";
import type { Fact } from "../../runtime/ports.ts";
import { type Answer, answer, type Call, type Parts, refuse } from "../call.ts";
import { summaryOf } from "./summary.ts";

/** Answers with a rollout. */
export const showRollout: Answer = async (call, parts) => {
  const { stream, facts } = await factsOfCall(call, parts);
  return facts.length === 0 ? refuseRollout(stream) : answer(200, summaryOf(stream, facts));
};

/** Reads the journal that a call's path names; empty if there is none. */
export async function factsOfCall(
  { path }: Call,
  { journal }: Pick<Parts, "journal">,
): Promise<{ readonly stream: string; readonly facts: readonly Fact[] }> {
  const stream = streamOf({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" }, path["revision"] ?? "");
  return { stream, facts: await journal.read(stream) };
}

/** Refuses a call about a rollout that does not exist. */
export const refuseRollout = (stream: string): Response => refuse(404, rolloutUnknown({ stream }));
