// The policies of the pack as the Pulumi CLI lists them: one for each rule about stacks, and those about waivers and
// the baseline. Each can be made advisory or disabled by the pack's configuration, and has the severity from which it
// is mandatory as its one property.
import type { Severity } from "../../analysis/rule.ts";
import { severities } from "../../analysis/rule.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import { type Choice, ownPolicies } from "../judgement.ts";

export const ruleIds: ReadonlySet<string> = new Set(stackRules.map(({ id }) => id));

/** The policy by which the pack says what it could not judge. */
export const notJudgedPolicy = "not-judged";

export interface Policy {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly steps: string;
}

export const policies: readonly Policy[] = [
  ...stackRules.map(({ id, title, why, fix }) => ({ name: id, title, description: why, steps: fix })),
  ...Object.entries(ownPolicies).map(([name, title]) => ({
    name,
    title,
    description: "Waivers and baselines are kept in order, so that they hide nothing.",
    steps: "docs/guides/policies.md describes waivers and the baseline.",
  })),
  {
    name: notJudgedPolicy,
    title: "Something could not be judged",
    description: "Rules need values that are known only after the update.",
    steps: "Run the policies again after the update, on the state.",
  },
];

/** The schema of a policy's one property. */
export const choiceSchema = {
  mandatoryFrom: {
    type: "string",
    enum: severities.filter((severity) => severity !== "info"),
    description: "The least severity that stops an update. By default the profile of the stack's tier decides.",
  },
};

/** Reads what the configuration says about a policy. The level is as Pulumi's protocol numbers it. */
export function choiceOf(level: number, mandatoryFrom: unknown): Choice {
  const levels = { 0: "advisory", 2: "disabled" } as const;
  const from = severities.find((severity) => severity === mandatoryFrom);
  return {
    level: levels[level as keyof typeof levels] ?? "mandatory",
    ...(from !== undefined && { mandatoryFrom: from satisfies Severity }),
  };
}
