// Reads BALLAST_REMEDIATIONS: the targets with what they depend on, and the policies. A limit that is not set has its
// default. What could never help is refused at the start, by name.
import { completed, defaultsOf, type Form, list, object, optional, read } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import {
  limitsForm,
  objectionsToPolicy,
  type Policy,
  policyFields,
  verificationForm,
} from "../engines/remediation/policy.ts";
import { objectionsToRung, rungFields } from "../engines/remediation/runbooks.ts";
import { declaredForm } from "../engines/remediation/targets.ts";
import type { Remediations } from "./remediations.ts";

const rungForm = object(
  { ...rungFields, approval: optional(rungFields.approval, "none") },
  { check: objectionsToRung },
);
const policyForm: Form<Policy> = object(
  {
    ...policyFields,
    ladder: list(rungForm, { least: 1, most: 5 }),
    verification: optional(completed(verificationForm), defaultsOf(verificationForm)),
    limits: optional(completed(limitsForm), defaultsOf(limitsForm)),
  },
  { check: objectionsToPolicy },
);
const remediationsForm = object({ targets: list(declaredForm), policies: list(policyForm) });

const none: Remediations = { targets: [], policies: [] };

/** Reads what is declared about remediations, and adds what is wrong with it to the complaints. */
export function readRemediations(variable: string | undefined, complaints: string[]): Remediations {
  if (!variable) return none;
  const declared = read(remediationsForm, parsedJson(variable));
  if ("complaints" in declared) {
    complaints.push(`BALLAST_REMEDIATIONS is not what it must be: ${declared.complaints.join(" ")}`);
    return none;
  }
  const policies = declared.value.policies.map((policy) => ({ ...policy, rule: policy.rule.toLowerCase() }));
  const objections = objectionsTo({ ...declared.value, policies });
  complaints.push(...objections.map((objection) => `BALLAST_REMEDIATIONS: ${objection}`));
  return { ...declared.value, policies };
}

/** What a policy cannot know of itself: the declared targets, and what this control plane can measure and do. */
function objectionsTo({ targets, policies }: Remediations): readonly string[] {
  const declared = targets.map(({ target }) => target);
  const rules = policies.map(({ rule }) => rule);
  return [
    ...targets
      .flatMap(({ dependsOn }) => dependsOn)
      .filter((target) => !declared.includes(target))
      .map((target) => `${target} is depended on, but not declared.`),
    ...rules.filter((rule, index) => rules.indexOf(rule) !== index).map((rule) => `Two policies are for ${rule}.`),
    ...policies.flatMap(({ rule, targets: named, ladder, verification }) => [
      ...named
        .filter((target) => !declared.includes(target))
        .map((target) => `The policy of ${rule} names ${target}, which is not declared.`),
      ...(verification.measure === "requests"
        ? []
        : [`The policy of ${rule} measures ${verification.measure}, which this control plane cannot.`]),
      ...ladder
        .filter(({ runbook }) => runbook === "end-blocking-session")
        .map(() => `The policy of ${rule} ends sessions, which this control plane cannot.`),
    ]),
  ];
}
