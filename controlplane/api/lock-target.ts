// POST /locks/{rg}/{app} and DELETE /locks/{rg}/{app}/{id}: a `pulumi up` that is about to write an app locks it, so
// that no rollout shifts its traffic meanwhile. A lock expires by itself, because its holder may die.

import { object, optional, read, text } from "../../engines/form.ts";
import { appKey, lockSeconds, type TargetKey } from "../../engines/targets.ts";
import { after } from "../../engines/time.ts";
import { callMalformed, targetLocked } from "../../errors/api.ts";
import { type Answer, answer, type Call, refuse, refuseTarget, unmanagedOf } from "./call.ts";

/** The form of a lock's body. */
export const lockForm = object({
  seconds: lockSeconds,
  id: optional(
    text("a UUID", {
      most: 36,
      pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
      description: "The lock's id. A repeated call with the same id renews the lock instead of being refused.",
    }),
  ),
});

const targetIn = ({ path }: Call): TargetKey => appKey({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" });

/** Locks an app, or answers who has locked it. */
export const lockTarget: Answer = async (call, parts) => {
  const target = targetIn(call);
  if ((await unmanagedOf([target], parts)) !== undefined) return refuseTarget(target);
  const asked = read(lockForm, call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const { name, displayName = name } = call.caller;
  const lock = await parts.claims.lock(target, displayName, asked.value.seconds, asked.value.id);
  return "heldBy" in lock
    ? refuse(409, targetLocked(lock), { heldBy: lock.heldBy })
    : answer(200, { id: lock.id, until: after(parts.now(), lock.seconds) });
};

/** Unlocks an app. A lock that has already expired is no error. */
export const unlockTarget: Answer = async (call, parts) => {
  const target = targetIn(call);
  if ((await unmanagedOf([target], parts)) !== undefined) return refuseTarget(target);
  await parts.claims.unlock(target, call.path["id"] ?? "");
  return new Response(null, { status: 204 });
};
