// POST /locks/{rg}/{app} and DELETE /locks/{rg}/{app}/{id}: a `pulumi up` that is about to write an app locks it, so
// that no rollout shifts its traffic meanwhile. A lock expires by itself, because its holder may die.

import { anything } from "../../engines/foreign-forms.ts";
import { described, dictionary, type ObjectOf, object, optional, read, text } from "../../engines/form.ts";
import { appKey, lockSeconds, type TargetKey } from "../../engines/targets.ts";
import { after } from "../../engines/time.ts";
import { callMalformed, targetLocked } from "../../errors/api.ts";
import { type Answer, answer, type Call, type Parts, refuse, refuseTarget, unmanagedOf } from "./call.ts";

/** What the caller will ask for once it has written the app. */
const nextForm = object({
  kind: text("a kind of work", { description: "The kind of the stream." }),
  body: described(dictionary(anything), "The body of the call that will start it."),
});

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
  next: optional(
    described(
      nextForm,
      "The stream that the caller will start after its write. If the body of that call is malformed, so is this one, " +
        "so that nothing is written that could not go on.",
    ),
  ),
});

type Next = NonNullable<ObjectOf<(typeof lockForm)["fields"]>["next"]>;

const targetIn = ({ path }: Call): TargetKey => appKey({ resourceGroup: path["rg"] ?? "", app: path["app"] ?? "" });

/** Locks an app, or answers who has locked it. */
export const lockTarget: Answer = async (call, parts) => {
  const target = targetIn(call);
  if ((await unmanagedOf([target], parts)) !== undefined) return refuseTarget(target);
  const asked = read(lockForm, call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const refused = asked.value.next && complaintsAbout(asked.value.next, parts);
  if (refused !== undefined) return refuse(400, callMalformed({ complaints: refused }));
  const { name, displayName = name } = call.caller;
  const lock = await parts.claims.lock(target, displayName, asked.value.seconds, asked.value.id);
  return "heldBy" in lock
    ? refuse(409, targetLocked(lock), { heldBy: lock.heldBy })
    : answer(200, { id: lock.id, until: after(parts.now(), lock.seconds) });
};

/** Says what is wrong with the body of a call that will start a stream; undefined if nothing is. */
function complaintsAbout({ kind, body }: Next, { kinds }: Pick<Parts, "kinds">): readonly string[] | undefined {
  const known = kinds.of(`${kind}/`);
  if (known === undefined) return [`next.kind is "${kind.slice(0, 40)}", which this control plane does not carry out.`];
  const asked = read(known.calls.request, body);
  return "complaints" in asked ? asked.complaints : undefined;
}

/** Unlocks an app. A lock that has already expired is no error. */
export const unlockTarget: Answer = async (call, parts) => {
  const target = targetIn(call);
  if ((await unmanagedOf([target], parts)) !== undefined) return refuseTarget(target);
  await parts.claims.unlock(target, call.path["id"] ?? "");
  return new Response(null, { status: 204 });
};
