// What is declared about remediations: the targets with what they depend on, and the policies. A program declares it
// and the control plane reads it by the same form, so that a preview refuses what the control plane would. A limit that
// is not set has its default. What could never help is refused by name.
import { completed, defaultsOf, type Form, list, object, optional } from "../form.ts";
import { limitsForm, objectionsToPolicy, type Policy, policyFields, verificationForm } from "./policy.ts";
import { objectionsToRung, rungFields } from "./runbooks.ts";
import { type Declared, declaredForm } from "./targets.ts";

/** What is declared about remediations. */
export interface Remediations {
  readonly targets: readonly Declared[];
  readonly policies: readonly Policy[];
}

const rungForm = object(
  { ...rungFields, approval: optional(rungFields.approval, "none") },
  { check: objectionsToRung },
);
const policyForm: Form<Policy> = object(
  {
    ...policyFields,
    ladder: list(rungForm, { least: 1, most: 5 }),
    verification: completed(verificationForm),
    limits: optional(completed(limitsForm), defaultsOf(limitsForm)),
  },
  { check: objectionsToPolicy },
);
export const remediationsForm: Form<Remediations> = object(
  { targets: list(declaredForm), policies: list(policyForm) },
  { check: objectionsTo },
);

/** What a policy cannot know of itself: the declared targets, and what the control plane can measure and do. */
function objectionsTo({ targets, policies }: Remediations): readonly string[] {
  const declared = targets.map(({ target }) => target);
  const rules = policies.map(({ rule }) => rule.toLowerCase());
  return [
    ...targets
      .flatMap(({ dependsOn }) => dependsOn)
      .filter((target) => !declared.includes(target))
      .map((target) => `${target} is depended on, but not declared.`),
    ...rules.filter((rule, index) => rules.indexOf(rule) !== index).map((rule) => `Two policies are for ${rule}.`),
    ...policies.flatMap(({ rule, targets: named, ladder, verification: { measure } }) => [
      ...named
        .filter((target) => !declared.includes(target))
        .map((target) => `The policy of ${rule} acts on ${target}, which is not declared.`),
      ...(measure === "requests" ? [] : [`The policy of ${rule} measures ${measure}, which the control plane cannot.`]),
      ...ladder
        .filter(({ runbook }) => runbook === "end-blocking-session")
        .map(() => `The policy of ${rule} ends sessions, which the control plane cannot.`),
    ]),
  ];
}
