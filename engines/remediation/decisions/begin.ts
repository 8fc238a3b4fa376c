// The first facts → whether the alert may be acted on at all. This is decided before anything else is read.
import { whyUnfit } from "../alerts/alert.ts";
import type { RemediationDecision, RemediationState } from "../vocabulary.ts";
import { finish } from "./end.ts";

/** Refuses an alert of a kind that is never acted on, and tells a person of a critical one at once. */
export function begin({ incident }: RemediationState): readonly RemediationDecision[] {
  const { alert, message } = incident!;
  const unfit = whyUnfit(alert.kind);
  if (unfit !== undefined) return [finish("refused", "unfit", `a ${alert.kind} alert is not acted on: ${unfit}`)];
  if (alert.condition === "resolved")
    return [finish("self-healed", "cleared-by-itself", "the alert had resolved when it was reported")];
  return alert.severity === 0 ? [{ kind: "PersonTold", message: `critical: ${message}` }] : [];
}

/** A policy acts on the targets that it names, and on no other. */
export function refuseUncovered({ incident, policy, graph }: RemediationState): readonly RemediationDecision[] {
  const { alert, target } = incident!;
  if (policy === undefined) return [finish("refused", "no-policy", `no policy is declared for the rule ${alert.rule}`)];
  const isCovered = policy.targets.includes(target) && graph.some((declared) => declared.target === target);
  return isCovered
    ? []
    : [finish("refused", "not-covered", `the policy of the rule ${policy.rule} does not name ${target}`)];
}
