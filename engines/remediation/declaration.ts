// What is declared about remediations: the targets with what they depend on, the policies, and the objectives. A
// program declares it and the control plane reads it by the same form, so that a preview refuses what the control plane
// would. A limit that is not set has its default. What could never help is refused by name.
import { completed, defaultsOf, type Form, list, object, optional } from "../form.ts";
import { type AppTarget, appKey } from "../targets.ts";
import { type Objective, objectiveForm } from "./objectives/objective.ts";
import { limitsForm, objectionsToPolicy, type Policy, policyFields, verificationForm } from "./policy.ts";
import { changesWorld, objectionsToRung, rungFields } from "./runbooks.ts";
import { appsShowing, type Declared, declaredForm, dependenciesOf } from "./targets.ts";

/** What is declared about remediations. */
export interface Remediations {
  readonly targets: readonly Declared[];
  readonly policies: readonly Policy[];
  /** What apps promise; an app without one has its whole error budget. */
  readonly objectives: readonly Objective[];
}

export const declaredRungForm = object(
  { ...rungFields, approval: optional(rungFields.approval, "none") },
  { check: objectionsToRung },
);
export const completedPolicyForm: Form<Policy> = object(
  {
    ...policyFields,
    ladder: list(declaredRungForm, { least: 1, most: 5 }),
    verification: completed(verificationForm),
    limits: optional(completed(limitsForm), defaultsOf(limitsForm)),
  },
  { check: (policy) => [...objectionsToPolicy(policy), ...objectionsToMeasure(policy)] },
);

/** What a journal may hold is more than what may be declared: what cannot be measured can never be verified. */
const objectionsToMeasure = ({ rule, verification: { measure } }: Policy): readonly string[] =>
  measure === "requests" ? [] : [`The policy of ${rule} measures ${measure}, which the control plane cannot.`];

export const remediationsForm: Form<Remediations> = object(
  {
    targets: list(declaredForm),
    policies: list(completedPolicyForm),
    objectives: optional(list(objectiveForm), []),
  },
  { check: objectionsTo },
);

/** What a policy cannot know of itself: the declared targets, and what the control plane can measure and do. */
function objectionsTo({ targets, policies, objectives }: Remediations): readonly string[] {
  const declared = targets.map(({ target }) => target);
  const rules = policies.map(({ rule }) => rule.toLowerCase());
  return [
    ...objectionsToObjectives(targets, objectives),
    ...objectives.flatMap(({ ticket, target }) =>
      ticket === undefined || rules.includes(ticket.toLowerCase())
        ? []
        : [`No policy is for ${ticket}, so nobody would be told that ${target} uses up its error budget.`],
    ),
    ...targets
      .flatMap(({ dependsOn }) => dependsOn)
      .filter((target) => !declared.includes(target))
      .map((target) => `${target} is depended on, but not declared.`),
    ...rules.filter((rule, index) => rules.indexOf(rule) !== index).map((rule) => `Two policies are for ${rule}.`),
    ...policies.flatMap(({ rule, targets: named, ladder, limits }) => [
      ...named
        .filter((target) => !declared.includes(target))
        .map((target) => `The policy of ${rule} acts on ${target}, which is not declared.`),
      ...(ladder.some(({ runbook }) => changesWorld(runbook)) ? named : [])
        .filter((target) => declared.includes(target) && appsShowing(target, targets).length === 0)
        .map((target) => `The policy of ${rule} can never verify an action on ${target}: no app depends on it.`),
      ...(limits.actBelowPercent === 100 ? [] : named)
        .filter((target) => objectives.every((objective) => objective.target !== target))
        .map(
          (target) =>
            `The policy of ${rule} can never act on ${target}, which has no objective: its error budget stays whole.`,
        ),
    ]),
  ];
}

/** Says which policies return an app to the revision before although no release of it is in the journal. */
export const objectionsToUnmanaged = (
  { policies }: Pick<Remediations, "policies">,
  managed: readonly AppTarget[],
): readonly string[] =>
  policies
    .filter(({ ladder }) => ladder.some(({ runbook }) => runbook === "return-to-previous"))
    .flatMap(({ rule, targets }) =>
      targets
        .filter((target) => target.startsWith("app/") && !managed.some((each) => appKey(each) === target.toLowerCase()))
        .map((target) => `The policy of ${rule} can never return ${target}: it is not among managedTargets.`),
    );

/** A promise that is stricter than that of something the app cannot do without is not in the app's power. */
function objectionsToObjectives(targets: readonly Declared[], objectives: readonly Objective[]): readonly string[] {
  const known = targets.map(({ target }) => target);
  return objectives.flatMap(({ target, measures, goodPercent }, index) => {
    const isTwice = objectives.findIndex((each) => each.target === target && each.measures === measures) < index;
    const below = dependenciesOf(target, targets);
    return [
      ...(known.includes(target) ? [] : [`The objective of ${target} is about a target that is not declared.`]),
      ...(isTwice ? [`${target} has two objectives of ${measures}.`] : []),
      ...objectives
        .filter(
          (other) => other.measures === measures && below.includes(other.target) && other.goodPercent < goodPercent,
        )
        .map(
          (other) =>
            `The objective of ${target} (${goodPercent} percent) can never be met: it depends on ${other.target}, ` +
            `which promises ${other.goodPercent} percent.`,
        ),
    ];
  });
}
