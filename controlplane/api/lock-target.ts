// POST /holds/{rg}/{app} and DELETE /holds/{rg}/{app}/{id}: a `pulumi up` that is about to write the app asks rollouts to
// keep their hands off for a moment. A hold ends by itself, since whoever took it may die.
import { after } from "../../engines/time.ts";
import { callMalformed, targetHeld } from "../../errors/api.ts";
import { type Answer, answer, refuse, refuseTarget, targetOfCall } from "./call.ts";
import { readHold } from "./rollouts/forms.ts";

/** Takes a hold, or says who has one. */
export const holdTarget: Answer = async (call, parts) => {
  const target = targetOfCall(call, parts);
  if (target === undefined) return refuseTarget(call);
  const asked = readHold(call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const held = await parts.claims.hold(target, call.caller.name, asked.value.seconds);
  return "heldBy" in held
    ? refuse(409, targetHeld(held), { heldBy: held.heldBy })
    : answer(200, { id: held.id, until: after(parts.now(), held.seconds) });
};

/** Gives a hold back. One that has ended already is given back as well. */
export const unholdTarget: Answer = async (call, parts) => {
  const target = targetOfCall(call, parts);
  if (target === undefined) return refuseTarget(call);
  await parts.claims.unhold(target, call.path["id"] ?? "");
  return new Response(null, { status: 204 });
};
