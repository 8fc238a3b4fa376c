// POST /rollouts/{rg}/{app}/{revision}/signals: a person steers a rollout and says why. The person is taken
// from the token.
import { messageOf } from "../../../engines/rollout/tell.ts";
import { callMalformed, signalDisregarded } from "../../../errors/api.ts";
import { type Answer, answer, refuse, refuseTarget, targetOfCall } from "../call.ts";
import { readSignal } from "./forms.ts";
import { factsOfCall, refuseRollout } from "./show.ts";

/** Passes a signal on, or answers why it does not apply. The journal records it in either case. */
export const signalRollout: Answer = async (call, parts) => {
  if (targetOfCall(call, parts) === undefined) return refuseTarget(call);
  const asked = readSignal(call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const { stream, facts } = await factsOfCall(call, parts);
  if (facts.length === 0) return refuseRollout(stream);
  const events = await parts.rollouts.signal(stream, {
    kind: "Signal",
    at: parts.now(),
    by: call.caller.name,
    ...asked.value,
  });
  const disregarded = events.find((event) => event.kind === "Disregarded");
  if (disregarded !== undefined) return refuse(409, signalDisregarded({ why: disregarded.what }));
  return answer(202, { accepted: true, message: events.map(messageOf).join("; ") });
};
