// The gate: which share of the traffic needs a person's approval, and who may give it. The share counts, not the way in
// which the canary would get it: by a passed step, by another client's change of the weights, or by hand.

import type { Signal } from "../../engine.ts";
import { senderOf } from "../../wording.ts";
import type { RolloutState, SignalName } from "../vocabulary.ts";
import { percentOf, sameName } from "../weights.ts";

/** Gives the percentage of the next step and the time to approve it; undefined if it needs no approval. */
export function gateOf(state: RolloutState): { readonly percent: number; readonly expiresSeconds: number } | undefined {
  const percent = state.steps.find((next) => next > percentOf(state));
  const { gate } = state.intent!;
  return gate === undefined || percent === undefined || !isBehindGate(state, percent)
    ? undefined
    : { percent, expiresSeconds: gate.expiresSeconds };
}

/**
 * Reports whether the canary may have this percentage only after an approval that no person has given yet. The first
 * release of an app has no gate: nothing else could serve its users meanwhile.
 */
export const isBehindGate = ({ intent, approved, inspected, stable }: RolloutState, percent: number): boolean =>
  intent?.gate !== undefined && !approved && percent >= intent.gate.beforePercent && !(inspected && stable === null);

/** Gives why the sender of a signal may not approve; undefined if they may. */
export function whyNotApprover(
  { intent, askedBy }: RolloutState,
  sent: Pick<Signal<SignalName>, "by" | "byName" | "mayApprove">,
): string | undefined {
  if (!sent.mayApprove) return `${senderOf(sent)} has no right to approve`;
  return intent?.gate?.requesterMayApprove === true || !askedBy.some((name) => sameName(name, sent.by))
    ? undefined
    : `${senderOf(sent)} asked for this rollout, so another person must approve it`;
}
