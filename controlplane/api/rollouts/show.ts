// GET /rollouts/{rg}/{app}/{revision}: one rollout at a glance. Also finds the stream for the calls below it.

import { streamOf } from "../../../engines/rollout/names.ts";
import { rolloutUnknown } from "../../../errors/api.ts";
import type { Fact } from "../../runtime/ports.ts";
import { type Answer, answer, type Call, type Parts, refuse } from "../call.ts";
import { shown } from "./summary.ts";

/** Shows a rollout. */
export const showRollout: Answer = async (call, parts) => {
  const { stream, facts } = await factsOfCall(call, parts);
  return facts.length === 0 ? refuseRollout(stream) : answer(200, shown(stream, facts));
};

/** Reads the journal that a call's path names; empty where there is none. */
export async function factsOfCall(
  { path }: Call,
  { journal }: Pick<Parts, "journal">,
): Promise<{ readonly stream: string; readonly facts: readonly Fact[] }> {
  const stream = streamOf({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" }, path["revision"] ?? "");
  return { stream, facts: await journal.read(stream) };
}

/** Answers a call about a rollout that never was. */
export const refuseRollout = (stream: string): Response => refuse(404, rolloutUnknown({ stream }));
