// POST /<kind>/<name>/signals: a person steers a stream and says why. The person is taken from the token.
import { type Form, line, object, oneOf, read } from "../../../engines/form.ts";
import type { AnyKind, ApprovalRole } from "../../../engines/kind.ts";
import { callMalformed, roleMissing, signalDisregarded } from "../../../errors/api.ts";
import { type Answer, answer, describeCaller, refuse, refuseTarget, senderIn, unmanagedOf } from "../call.ts";
import { factsOfCall, refuseStream } from "./show.ts";

/** The body of a signal. */
export const signalForm = ({ kind, calls }: AnyKind): Form<{ readonly signal: string; readonly message: string }> =>
  object({
    signal: oneOf(calls.signals, { description: `What to do with the ${kind}.` }),
    message: line(500, { description: "Why. The journal keeps it with the caller's name." }),
  });

/** Gives the app role that approvals of a kind need. */
export const approvalRoleOf = ({ calls }: AnyKind): ApprovalRole => calls.approvalRole ?? "Rollout.Approve";

/** Passes a signal on, or answers why it does not apply. The journal of a stream in flight records that, once. */
export const signalStream = (kind: AnyKind): Answer => {
  const form = signalForm(kind);
  return async (call, parts) => {
    const named = await unmanagedOf(kind.calls.targetsNamed(call.path), parts);
    if (named !== undefined) return refuseTarget(named);
    const asked = read(form, call.body);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const { roles } = call.caller;
    const role = kind.calls.approvals.includes(asked.value.signal) ? approvalRoleOf(kind) : "Rollout.Write";
    if (!roles.includes(role)) return refuse(403, roleMissing({ role, caller: describeCaller(call.caller) }));
    const { stream, facts } = await factsOfCall(kind, call, parts);
    const [first] = facts;
    if (first === undefined) return refuseStream(kind, stream);
    const unmanaged = await unmanagedOf(kind.targetsOf(first.event), parts);
    if (unmanaged !== undefined) return refuseTarget(unmanaged);
    const right = roles.includes(approvalRoleOf(kind)) ? { mayApprove: true } : {};
    const sent = { kind: "Signal", at: parts.now(), ...senderIn(call.caller), ...right, ...asked.value } as const;
    const events = await parts.streams.signal(stream, sent);
    const why = kind.calls.whyDisregarded(events);
    if (why !== undefined) return refuse(409, signalDisregarded({ kind: kind.kind, why }));
    // A decision that follows at once, such as that of an abort, repeats who sent the signal and why.
    return answer(202, { accepted: true, message: kind.messages.messageOf(events.at(-1)!) });
  };
};
