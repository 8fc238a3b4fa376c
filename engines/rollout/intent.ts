// What a release asks for, declared once. Each limit of the strategy and of the judge has its type, range, default,
// description and caution here, and no other file but its use repeats them: the API, its description, the provider and
// its schema, the configuration, plan files, stored facts and the reference all read these forms.
import {
  described,
  type Form,
  flag,
  line,
  list,
  number,
  type ObjectOf,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
} from "../form.ts";
import type { Range } from "../range.ts";
import type { AppTarget } from "../targets.ts";
import { traceForm } from "../trace.ts";
import { probePathForm, probeRequestForm } from "./probe-request.ts";
import type { EndReason } from "./reasons.ts";

/** A number of a plan. */
export interface LimitForm extends Form<number> {
  /** What a valid value costs in safety, given the other numbers of its object; undefined if nothing. */
  readonly caution?: (value: number, others: Readonly<Record<string, number>>) => string | undefined;
}

const limit = ({
  caution,
  ...about
}: Range & { readonly otherwise: number; readonly description: string } & Pick<LimitForm, "caution">): LimitForm => ({
  ...number(about),
  ...(caution && { caution }),
});

/** Gives a caution for values above a bound. */
const above =
  (bound: number, cost: (value: number) => string): NonNullable<LimitForm["caution"]> =>
  (value) =>
    value > bound ? cost(value) : undefined;

/** Gives a caution for values below a bound. */
const below =
  (
    bound: number,
    cost: (value: number, others: Readonly<Record<string, number>>) => string,
  ): NonNullable<LimitForm["caution"]> =>
  (value, others) =>
    value < bound ? cost(value, others) : undefined;

/** The last step is 100 percent, and is not in the list. */
const share = number({ least: 1, most: 99, whole: true, what: "a whole number from 1 to 99; 100 follows by itself" });

const strategyFields = {
  weights: list(share, {
    least: 1,
    most: 20,
    what:
      "a list of 1 to 20 percentages, because without a step before 100 percent the canary cannot be compared " +
      "with stable",
    otherwise: [5, 25, 50, 95],
    description:
      "The percentages of traffic that the canary receives, step by step, ascending, each from 1 to 99. " +
      "A last step of 100 is implied. A last weight of 95 leaves stable a share to compare with while nearly all " +
      "users are on the canary; at 100 percent nothing can be compared.",
  }),
  bakeSeconds: limit({
    least: 1,
    otherwise: 300,
    description: "How long each step is watched after its warm-up, at least, in seconds.",
  }),
  warmUpSeconds: limit({
    least: 0,
    otherwise: 180,
    description: "How long the judge ignores requests after each change of weight, in seconds.",
    caution: (value, { intervalSeconds = 0 }) =>
      value < intervalSeconds
        ? `this is less than one interval (${intervalSeconds} seconds), so cold starts count against the canary.`
        : undefined,
  }),
  intervalSeconds: limit({
    least: 1,
    whole: true,
    otherwise: 60,
    description: "How often requests are measured and judged, and the width of one bucket, in seconds.",
  }),
  probeSeconds: limit({
    least: 1,
    otherwise: 30,
    description: "How often the canary's own address is probed, in seconds.",
  }),
  smokeSeconds: limit({
    least: 1,
    otherwise: 300,
    description: "How long the canary may take to answer its smoke test, in seconds.",
  }),
  maximumSeconds: limit({
    least: 1,
    otherwise: 10_800,
    description: "How long the whole rollout may take, in seconds without pauses; then it aborts for lack of evidence.",
  }),
};

/** How fast a rollout goes. */
export interface Strategy extends ObjectOf<typeof strategyFields> {}

export const strategyForm = object(strategyFields, {
  title: "Strategy",
  description:
    "How fast a rollout goes. On Azure an interval is a minute and a bake is minutes; the demo uses intervals of a " +
    "second.",
  check: objectionsToStrategy,
});

function objectionsToStrategy(strategy: Strategy): readonly string[] {
  const { weights, warmUpSeconds, bakeSeconds, intervalSeconds, maximumSeconds } = strategy;
  const descending = weights.flatMap((percent, index) => {
    const before = weights[index - 1] ?? 0;
    return percent > before || percent < 1
      ? []
      : [`The weights go from ${before} to ${percent} at step ${index + 1}; each weight must be above the one before.`];
  });
  // The warm-up and the bake of a step both end at a whole interval.
  const intervals = Math.ceil(warmUpSeconds / intervalSeconds) + 1 + Math.ceil(bakeSeconds / intervalSeconds);
  const least = (weights.length + 1) * intervals * intervalSeconds;
  return maximumSeconds <= least
    ? [...descending, `maximumSeconds (${maximumSeconds}) is too short: the steps take at least ${least} s.`]
    : descending;
}

/** The defaults are safe: at most one good canary in twenty is rolled back, at most one bad one in twenty promoted. */
const thresholdFields = {
  falseRollbackPercentMax: limit({
    above: 0,
    most: 50,
    otherwise: 5,
    description:
      "α: of a hundred rollouts whose canary is no worse than `oddsTolerated`, the judge rolls back at most this " +
      "many, however often it looks.",
    caution: above(10, (value) => `up to ${value} of 100 good canaries are rolled back.`),
  }),
  falsePromotionPercentMax: limit({
    above: 0,
    most: 50,
    otherwise: 5,
    description:
      "β: of a hundred canaries that fail `failurePointsMax` more than stable, the judge gives at most this many " +
      "more than half of the traffic.",
    caution: above(20, (value) => `up to ${value} of 100 bad canaries are promoted.`),
  }),
  oddsTolerated: limit({
    least: 1,
    most: 10,
    otherwise: 1.2,
    description:
      "A canary with up to this many times stable's odds of a bad answer is as good as stable; for failures up to a " +
      "quarter of `failurePointsMax` more, if that is less.",
    caution: above(3, (value) => `a canary with ${value} times stable's odds of failing is not rolled back.`),
  }),
  slowdownTolerated: limit({
    least: 1,
    most: 10,
    otherwise: 1.2,
    description: "A canary that takes up to this many times as long as stable is as fast as stable.",
    caution: above(2, (value) => `a canary that takes ${value} times as long as stable is not rolled back.`),
  }),
  failurePointsMax: limit({
    above: 0,
    most: 20,
    otherwise: 1,
    description:
      "A canary is promoted once it is shown to fail less than this many percentage points more than stable; where " +
      "the traffic can show it soon, less than half of them.",
    caution: above(5, (value) => `a canary that fails just under ${value} points more than stable may be promoted.`),
  }),
  ceilingPercent: limit({
    above: 0,
    most: 100,
    otherwise: 50,
    description: "At this failure percentage, over `ceilingRequests` or more, the canary is aborted at once.",
    caution: below(
      10,
      () =>
        "a canary at the ceiling is aborted without a comparison, so an outage shared with stable may abort it; " +
        "falseRollbackPercentMax does not include such aborts.",
    ),
  }),
  ceilingRequests: limit({
    least: 1,
    whole: true,
    otherwise: 50,
    description:
      "The least number of requests for the ceiling to count; a few bad answers among the first are no outage.",
    caution: below(
      20,
      (_value, { ceilingPercent }) =>
        `${ceilingPercent} % of so few requests may fail by chance, which aborts a canary without a comparison; ` +
        "falseRollbackPercentMax does not include such aborts.",
    ),
  }),
  stableFailurePercentMax: limit({
    above: 0,
    most: 50,
    otherwise: 5,
    description:
      "Above this failure percentage, or far above its baseline, stable itself is sick, and nothing can be compared " +
      "with it.",
    caution: above(20, () => "canaries are compared with a stable revision that is itself failing."),
  }),
  probeFailuresMax: limit({
    least: 1,
    whole: true,
    otherwise: 3,
    description: "This many probes in a row without a good answer abort the canary at once.",
    caution: (value, { probeSeconds = 0 }) =>
      value > 10 ? `a canary that does not answer keeps its traffic for ${value * probeSeconds} seconds.` : undefined,
  }),
};

/** What the judge tolerates, and how sure it must be. */
export interface Thresholds extends ObjectOf<typeof thresholdFields> {}

export const thresholdsForm = object(thresholdFields, {
  title: "Thresholds",
  description:
    "What the judge tolerates, and how sure it must be. Percentages are of 100; odds are ratios of the canary's to " +
    "stable's, in the same buckets.",
  check: ({ failurePointsMax, ceilingPercent }) =>
    failurePointsMax < ceilingPercent
      ? []
      : [
          `failurePointsMax (${failurePointsMax}) must be below ceilingPercent (${ceilingPercent}); ` +
            "otherwise a canary that must be aborted at the ceiling could be promoted.",
        ],
});

const gateFields = {
  beforePercent: number({
    least: 2,
    most: 100,
    whole: true,
    description: "The least percentage that needs an approval; above the first weight of the plan.",
  }),
  expiresSeconds: number({
    least: 1,
    description: "How long the rollout waits for the approval, in seconds without pauses.",
  }),
  requesterMayApprove: optional(
    flag({
      otherwise: false,
      description: "Whether whoever asked for the release, or retried it, may approve it too.",
    }),
  ),
};

/** What a person must approve. */
export interface Gate extends ObjectOf<typeof gateFields> {}

export const gateForm = object(gateFields, {
  title: "Gate",
  description:
    "What a person must approve: that the canary gets this much traffic or more, in whatever way. Until then the " +
    "step before it goes on, watched as ever. Without an approval in time, stable gets its traffic back. The first " +
    "release of an app has no gate, since nothing else serves.",
});

/** Lists what is wrong with a gate in a plan. */
export const objectionsToGate = (
  gate: Gate | undefined,
  { weights: [first = 100] }: Pick<Strategy, "weights">,
): readonly string[] =>
  gate === undefined || gate.beforePercent > first
    ? []
    : [
        `beforePercent (${gate.beforePercent}) must be above the first weight (${first}); ` +
          "otherwise the canary gets no traffic before the approval.",
      ];

export const outsideWeightsForm = oneOf(["restore", "adopt"], {
  description:
    "What to do when another client moves the weights: put them back, or continue from them. Absent means restore.",
});

/**
 * What happens to weights that another client moves during a rollout: they are put back, or the rollout continues from
 * them.
 */
export type OutsideWeights = ValueOf<typeof outsideWeightsForm>;

/** A secret's name, as Azure takes it in a container app. */
export const secretName = text("of the form that a secret's name has: lower-case letters, digits, - and .", {
  pattern: "^[a-z0-9]([a-z0-9.\\-]*[a-z0-9])?$",
});

/** The two secrets of each rotated credential of an app. */
export const credentialSlotsForm = list(list(secretName, { least: 2, most: 2, what: "a list of two secrets' names" }), {
  most: 100,
  description:
    "The secrets of rotated credentials, two names for each. Two revisions that differ only in which of the two they " +
    "name have the same template.",
});

/** The fields of a release that the caller asks for and the journal keeps. */
export const askedFields = {
  release: line(200, {
    description:
      "The program's name for the release. Another name is another release; `CanaryApp` gives the revision's name.",
  }),
  strategy: strategyForm,
  thresholds: thresholdsForm,
  dryRun: optional(
    described(
      thresholdsForm,
      "Other thresholds that judge as well but decide nothing; their verdicts are in the journal.",
    ),
  ),
  probePath: probePathForm,
  probe: optional(probeRequestForm),
  outsideWeights: optional(outsideWeightsForm),
  gate: optional(gateForm),
  credentialSlots: optional(credentialSlotsForm),
};

/** The names of the two secrets of a credential. */
export type CredentialSlots = ValueOf<typeof credentialSlotsForm>;

/** What happens to a rollout in flight of the same app: it makes the new one fail, or it is aborted first. */
export const whenInFlightForm = oneOf(["refuse", "supersede"], {
  description:
    "What to do while another rollout of the app is in flight: refuse this one and deactivate its revision, or abort " +
    "the other first. A release with stable's template takes the other one back, so it always aborts it.",
});

const targetFields = { resourceGroup: text("a resource group's name"), app: text("an app's name") };

const purposeFields = {
  secret: text("a secret's name", { description: "The app's secret that the new revision names." }),
  replaces: text("a secret's name", { description: "The app's secret that it names no longer." }),
  url: text("a URL", { description: "The version of the secret, in the vault." }),
};

/**
 * What a rollout of a rotation changes. The control plane makes the revision itself, of the one that serves. The
 * rollout is judged, unless a remediation asked for the rotation.
 */
export interface Purpose extends ObjectOf<typeof purposeFields> {}

/** The Container App whose traffic a rollout moves. */
export interface Target extends AppTarget {}

/** A requested release as the journal keeps it. */
const intentFields = {
  target: object(targetFields),
  revision: text("a revision's name", { description: "The revision to release, by the name that Azure gave it." }),
  ...askedFields,
  purpose: optional(object(purposeFields)),
  returns: optional(
    text("an alert rule's name", {
      description:
        "The alert rule whose remediation returns the traffic to this revision. It gets all of it after its smoke " +
        "test and is not judged, since it served before.",
    }),
  ),
  repairs: optional(
    text("an alert rule's name", {
      description:
        "The alert rule whose remediation asked for the rotation. The revision with the other secret gets all of the " +
        "traffic after its smoke test and is not judged: stable fails, so nothing can be compared with it.",
    }),
  ),
  requestedBy: text("a caller's id", { least: 0 }),
  requestedByName: optional(text("a caller's name", { least: 0 })),
  trace: traceForm,
};
export const intentForm = object(intentFields);

/** A requested release: this revision of this app, with this strategy and these thresholds. */
export interface ReleaseIntent extends ObjectOf<typeof intentFields> {}

/** Says why a release is not judged: a remediation asked for it. Undefined if none did. */
export function whyUnjudged({ returns, repairs }: Pick<ReleaseIntent, "returns" | "repairs">): string | undefined {
  if (returns !== undefined) return `a remediation of ${returns} returns to it`;
  return repairs === undefined ? undefined : `a remediation of ${repairs} cuts over to it`;
}

/** Gives the reason of a promotion that the judge did not decide. */
export function unjudgedReason({ returns, repairs }: Pick<ReleaseIntent, "returns" | "repairs">): EndReason {
  if (returns !== undefined) return "returned";
  return repairs === undefined ? "promoted-by-signal" : "repaired";
}
