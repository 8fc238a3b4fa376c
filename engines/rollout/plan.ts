// Release intent → the steps of the canary, and what is wrong with a plan. The engine uses it when a rollout begins,
// the components at preview, so that a plan that cannot work fails before anything is deployed, with the same message.
import { describeRange, isWithin, type Range } from "../form.ts";
import type { Gate, ReleaseIntent, Strategy, Thresholds } from "./vocabulary.ts";

/** A strategy for Azure, where request rows arrive minutes late and an interval is a minute. */
export const defaultStrategy: Strategy = {
  weights: [5, 25, 50],
  bakeSeconds: 300,
  warmUpSeconds: 180,
  intervalSeconds: 60,
  probeSeconds: 30,
  smokeSeconds: 300,
  maximumSeconds: 10_800,
};

/** Safe defaults: at most one good canary in twenty is rolled back, at most one bad one in twenty is promoted. */
export const defaultThresholds: Thresholds = {
  falseRollbackPercentMax: 5,
  falsePromotionPercentMax: 5,
  oddsTolerated: 1.2,
  slowdownTolerated: 1.2,
  failurePointsMax: 1,
  ceilingPercent: 50,
  ceilingRequests: 50,
  stableFailurePercentMax: 5,
  probeFailuresMax: 3,
};

/** The range of each number of a plan, for the checks here and for the API's description. */
export const ranges = {
  steps: { least: 1, most: 20 },
  weight: { least: 1, most: 99, whole: true },
  strategy: {
    bakeSeconds: { least: 1 },
    warmUpSeconds: { least: 0 },
    intervalSeconds: { least: 1, whole: true },
    probeSeconds: { least: 1 },
    smokeSeconds: { least: 1 },
    maximumSeconds: { least: 1 },
  },
  thresholds: {
    falseRollbackPercentMax: { above: 0, most: 50 },
    falsePromotionPercentMax: { above: 0, most: 50 },
    oddsTolerated: { least: 1, most: 10 },
    slowdownTolerated: { least: 1, most: 10 },
    failurePointsMax: { above: 0, most: 20 },
    ceilingPercent: { above: 0, most: 100 },
    ceilingRequests: { least: 1, whole: true },
    stableFailurePercentMax: { above: 0, most: 50 },
    probeFailuresMax: { least: 1, whole: true },
  },
  gate: { beforePercent: { least: 2, most: 100, whole: true }, expiresSeconds: { least: 1 } },
} satisfies {
  steps: Range;
  weight: Range;
  strategy: Readonly<Record<Exclude<keyof Strategy, "weights">, Range>>;
  thresholds: Readonly<Record<keyof Thresholds, Range>>;
  gate: Readonly<Record<keyof Gate, Range>>;
};

/** Gives the canary's percentage at each step; every plan ends with 100. */
export const plan = (strategy: Strategy): readonly number[] => [...strategy.weights, 100];

/**
 * Lists every problem of a strategy, its thresholds, its dry-run thresholds and
 * its gate; an empty list means a valid plan.
 */
export function checkIntent({
  strategy,
  thresholds,
  dryRun,
  gate,
}: {
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  readonly dryRun?: Thresholds | undefined;
  readonly gate?: Gate | undefined;
}): readonly string[] {
  const inDryRun =
    dryRun === undefined ? [] : checkThresholds(dryRun).map((complaint) => `In the dry-run thresholds, ${complaint}`);
  return [
    ...checkStrategy(strategy),
    ...checkThresholds(thresholds),
    ...inDryRun,
    ...(gate === undefined ? [] : checkGate(gate, strategy)),
  ];
}

function checkGate(gate: Gate, { weights: [first = 100] }: Strategy): readonly string[] {
  const early =
    gate.beforePercent <= first
      ? [
          `beforePercent (${gate.beforePercent}) must be above the first weight (${first}); ` +
            "otherwise the canary gets no traffic before the approval.",
        ]
      : [];
  return [...checkRanges(gate, ranges.gate), ...early];
}

function checkStrategy(strategy: Strategy): readonly string[] {
  const { weight, steps } = ranges;
  const complaints: string[] = [];
  for (const [index, percent] of strategy.weights.entries()) {
    const before = strategy.weights[index - 1] ?? 0;
    if (!isWithin(percent, weight))
      complaints.push(
        `The weight ${percent} at step ${index + 1} is not a whole percentage from ${weight.least} to ${weight.most}.`,
      );
    else if (percent <= before)
      complaints.push(
        `The weights go from ${before} to ${percent} at step ${index + 1}; each weight must be above the one before.`,
      );
  }
  if (strategy.weights.length < steps.least)
    complaints.push("There is no step before 100 percent, so the canary cannot be compared with stable.");
  if (strategy.weights.length > steps.most)
    complaints.push(`There are ${strategy.weights.length} steps; a plan may have at most ${steps.most}.`);
  complaints.push(...checkRanges(strategy, ranges.strategy));
  // The warm-up and the bake of a step both end at a whole interval.
  const intervals =
    Math.ceil(strategy.warmUpSeconds / strategy.intervalSeconds) +
    1 +
    Math.ceil(strategy.bakeSeconds / strategy.intervalSeconds);
  const least = (strategy.weights.length + 1) * intervals * strategy.intervalSeconds;
  if (strategy.maximumSeconds <= least)
    complaints.push(`maximumSeconds (${strategy.maximumSeconds}) is too short: the steps take at least ${least} s.`);
  return complaints;
}

function checkThresholds(thresholds: Thresholds): readonly string[] {
  const { failurePointsMax, ceilingPercent } = thresholds;
  const complaints = [...checkRanges(thresholds, ranges.thresholds)];
  if (failurePointsMax >= ceilingPercent)
    complaints.push(
      `failurePointsMax (${failurePointsMax}) must be below ceilingPercent (${ceilingPercent}); ` +
        "otherwise a canary that must be aborted at the ceiling could be promoted.",
    );
  return complaints;
}

/**
 * Lists the safety that a valid plan gives up, as warnings; empty for the defaults.
 *
 * Such a plan is carried out all the same: there may be reasons for it, and this is its price.
 */
export function cautions({ strategy, thresholds }: Pick<ReleaseIntent, "strategy" | "thresholds">): readonly string[] {
  const values = { ...thresholds, warmUpSeconds: strategy.warmUpSeconds };
  const { ceilingPercent, ceilingRequests, probeFailuresMax } = values;
  const given: readonly (readonly [name: keyof typeof values, is: boolean, consequence: string])[] = [
    [
      "falseRollbackPercentMax",
      values.falseRollbackPercentMax > 10,
      `up to ${values.falseRollbackPercentMax} of 100 good canaries are rolled back.`,
    ],
    [
      "falsePromotionPercentMax",
      values.falsePromotionPercentMax > 20,
      `up to ${values.falsePromotionPercentMax} of 100 bad canaries are promoted.`,
    ],
    [
      "oddsTolerated",
      values.oddsTolerated > 3,
      `a canary with ${values.oddsTolerated} times stable's odds of failing is not rolled back.`,
    ],
    [
      "slowdownTolerated",
      values.slowdownTolerated > 2,
      `a canary that takes ${values.slowdownTolerated} times as long as stable is not rolled back.`,
    ],
    [
      "failurePointsMax",
      values.failurePointsMax > 5,
      `a canary that fails just under ${values.failurePointsMax} points more than stable may be promoted.`,
    ],
    [
      "ceilingPercent",
      ceilingPercent < 10,
      "a canary at the ceiling is aborted without a comparison, so an outage shared with stable may abort it; " +
        "falseRollbackPercentMax does not include such aborts.",
    ],
    [
      "ceilingRequests",
      ceilingRequests < 20,
      `${ceilingPercent} % of so few requests may fail by chance, which aborts a canary without a comparison; ` +
        "falseRollbackPercentMax does not include such aborts.",
    ],
    [
      "stableFailurePercentMax",
      values.stableFailurePercentMax > 20,
      "canaries are compared with a stable revision that is itself failing.",
    ],
    [
      "probeFailuresMax",
      probeFailuresMax > 10,
      `a canary that does not answer keeps its traffic for ${probeFailuresMax * strategy.probeSeconds} seconds.`,
    ],
    [
      "warmUpSeconds",
      values.warmUpSeconds < strategy.intervalSeconds,
      `this is less than one interval (${strategy.intervalSeconds} seconds), so cold starts count against the canary.`,
    ],
  ];
  const last = strategy.weights.at(-1) ?? 0;
  return [
    ...given.flatMap(([name, is, consequence]) => (is ? [`${name} is ${values[name]}: ${consequence}`] : [])),
    ...(last < 20
      ? [
          `The last weight is ${last}: ` +
            "the step to 100 percent gives the canary more than five times the tested traffic.",
        ]
      : []),
  ];
}

const checkRanges = <Key extends string>(
  values: Readonly<Record<NoInfer<Key>, unknown>>,
  among: Readonly<Record<Key, Range>>,
): readonly string[] =>
  (Object.keys(among) as Key[])
    .filter((key) => !isWithin(values[key], among[key]))
    .map((key) => `${key} is ${String(values[key])}; it must be ${describeRange(among[key])}.`);
