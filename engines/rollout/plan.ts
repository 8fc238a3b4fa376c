// Release intent → the steps that the canary takes. Used by the engine when a rollout begins and by the components at
// preview, so that a plan which cannot work fails before anything is deployed, with the engine's own words.
import type { Gate, Limits, Pace } from "./vocabulary.ts";

/** A pace for Azure, where request rows come minutes late and a tick is a minute. */
export const defaultPace: Pace = {
  weights: [5, 25, 50],
  bakeSeconds: 300,
  warmUpSeconds: 180,
  tickSeconds: 60,
  probeSeconds: 30,
  smokeSeconds: 300,
  maximumSeconds: 10_800,
};

/** Limits that need no thought: one good canary in twenty rolled back at the most, one bad one in twenty promoted. */
export const defaultLimits: Limits = {
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

/** Between which numbers a value must lie, and whether it is a whole one. */
export interface Range {
  readonly least?: number;
  /** More than this; where zero itself would mean nothing. */
  readonly above?: number;
  readonly most?: number;
  readonly whole?: true;
}

/** What each number of a plan may be by itself. Said once, for the check here and for the description that callers of the API read. */
export const ranges = {
  steps: { least: 1, most: 20 },
  weight: { least: 1, most: 99, whole: true },
  pace: {
    bakeSeconds: { least: 1 },
    warmUpSeconds: { least: 0 },
    tickSeconds: { least: 1, whole: true },
    probeSeconds: { least: 1 },
    smokeSeconds: { least: 1 },
    maximumSeconds: { least: 1 },
  },
  limits: {
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
  pace: Readonly<Record<Exclude<keyof Pace, "weights">, Range>>;
  limits: Readonly<Record<keyof Limits, Range>>;
  gate: Readonly<Record<keyof Gate, Range>>;
};

/** Gives the percentages that the canary receives, step by step, with the last one, 100, that every plan ends in. */
export const plan = (pace: Pace): readonly number[] => [...pace.weights, 100];

/** Lists what is wrong with a pace, its limits, those in the shadow included, and its gate, a sentence each; an empty list means that the plan can be carried out. */
export function checkIntent({
  pace,
  limits,
  shadow,
  gate,
}: {
  readonly pace: Pace;
  readonly limits: Limits;
  readonly shadow?: Limits | undefined;
  readonly gate?: Gate | undefined;
}): readonly string[] {
  const inShadow =
    shadow === undefined ? [] : checkLimits(shadow).map((complaint) => `Of the limits in the shadow, ${complaint}`);
  return [
    ...checkPace(pace),
    ...checkLimits(limits),
    ...inShadow,
    ...(gate === undefined ? [] : checkGate(gate, pace)),
  ];
}

function checkGate(gate: Gate, { weights: [first = 100] }: Pace): readonly string[] {
  const early =
    gate.beforePercent <= first
      ? [
          `beforePercent, ${gate.beforePercent}, is not above the first weight, ${first}, so nothing would have been seen that a person could approve.`,
        ]
      : [];
  return [...checkRanges(gate, ranges.gate), ...early];
}

function checkPace(pace: Pace): readonly string[] {
  const { weight, steps } = ranges;
  const complaints: string[] = [];
  for (const [index, percent] of pace.weights.entries()) {
    const before = pace.weights[index - 1] ?? 0;
    if (!isWithin(percent, weight))
      complaints.push(
        `The weight ${percent} at step ${index + 1} is not a whole percentage from ${weight.least} to ${weight.most}.`,
      );
    else if (percent <= before)
      complaints.push(
        `The weights go from ${before} to ${percent} at step ${index + 1}, and a canary only ever gains traffic.`,
      );
  }
  if (pace.weights.length < steps.least)
    complaints.push("There is no step before 100 percent, so the canary could not be compared with stable.");
  if (pace.weights.length > steps.most)
    complaints.push(`There are ${pace.weights.length} steps, and ${steps.most} are the most that a plan may have.`);
  complaints.push(...checkRanges(pace, ranges.pace));
  // A step's warm-up ends at a whole tick, and so does its bake.
  const ticks = Math.ceil(pace.warmUpSeconds / pace.tickSeconds) + 1 + Math.ceil(pace.bakeSeconds / pace.tickSeconds);
  const least = (pace.weights.length + 1) * ticks * pace.tickSeconds;
  if (pace.maximumSeconds <= least)
    complaints.push(
      `The steps take ${least} seconds at the least, and maximumSeconds, ${pace.maximumSeconds}, does not leave room for them.`,
    );
  return complaints;
}

function checkLimits(limits: Limits): readonly string[] {
  const complaints = [...checkRanges(limits, ranges.limits)];
  if (limits.failurePointsMax >= limits.ceilingPercent)
    complaints.push(
      `failurePointsMax, ${limits.failurePointsMax}, is not below ceilingPercent, ${limits.ceilingPercent}, so a canary could be promoted at its ceiling.`,
    );
  return complaints;
}

/**
 * Lists what a plan gives up of what releases are meant to promise, a sentence each; empty for the defaults.
 *
 * Such a plan is carried out all the same: somebody may have reasons, and should know the price.
 */
export function cautions({ pace, limits }: { readonly pace: Pace; readonly limits: Limits }): readonly string[] {
  const {
    falseRollbackPercentMax,
    falsePromotionPercentMax,
    oddsTolerated,
    slowdownTolerated,
    failurePointsMax,
    ceilingPercent,
    ceilingRequests,
    probeFailuresMax,
    stableFailurePercentMax,
  } = limits;
  const last = pace.weights.at(-1) ?? 0;
  const given: readonly (readonly [is: boolean, sentence: string])[] = [
    [
      falseRollbackPercentMax > 10,
      `falseRollbackPercentMax is ${falseRollbackPercentMax}, so that of a hundred good canaries up to ${falseRollbackPercentMax} are rolled back.`,
    ],
    [
      falsePromotionPercentMax > 20,
      `falsePromotionPercentMax is ${falsePromotionPercentMax}, so that of a hundred canaries that are too bad up to ${falsePromotionPercentMax} are promoted.`,
    ],
    [
      oddsTolerated > 3,
      `oddsTolerated is ${oddsTolerated}, so that a canary whose odds of failing are ${oddsTolerated} times stable's is held to be as good as stable, and not rolled back for it.`,
    ],
    [
      slowdownTolerated > 2,
      `slowdownTolerated is ${slowdownTolerated}, so that a canary that takes ${slowdownTolerated} times stable's time is held to be as fast as stable, and not rolled back for it.`,
    ],
    [
      failurePointsMax > 5,
      `failurePointsMax is ${failurePointsMax}, so that a canary is promoted once it is shown to fail less than ${failurePointsMax} points more than stable.`,
    ],
    [
      ceilingPercent < 10,
      `ceilingPercent is ${ceilingPercent}, and at the ceiling a canary is taken out without a comparison: an outage that stable shares may do it, and counts beside falseRollbackPercentMax.`,
    ],
    [
      ceilingRequests < 20,
      `ceilingRequests is ${ceilingRequests}, so that ${ceilingPercent} % of so few failing takes a canary out without a comparison: that may be chance, and counts beside falseRollbackPercentMax.`,
    ],
    [
      stableFailurePercentMax > 20,
      `stableFailurePercentMax is ${stableFailurePercentMax}, so that canaries are compared with a stable that is itself out of order.`,
    ],
    [
      probeFailuresMax > 10,
      `probeFailuresMax is ${probeFailuresMax}, so that a canary that does not answer at all keeps its traffic for ${probeFailuresMax * pace.probeSeconds} seconds.`,
    ],
    [
      pace.warmUpSeconds < pace.tickSeconds,
      `warmUpSeconds is ${pace.warmUpSeconds}, less than one tick of ${pace.tickSeconds}, so that cold starts are held against a canary.`,
    ],
    [
      last < 20,
      `The last weight is ${last}, so that the step to 100 percent is more than a fivefold of what the canary was proven at.`,
    ],
  ];
  return given.flatMap(([is, sentence]) => (is ? [sentence] : []));
}

const checkRanges = <Key extends string>(
  values: Readonly<Record<NoInfer<Key>, unknown>>,
  among: Readonly<Record<Key, Range>>,
): readonly string[] =>
  (Object.keys(among) as Key[])
    .filter((key) => !isWithin(values[key], among[key]))
    .map((key) => `${key} is ${String(values[key])}, and it must be ${inWords(among[key])}.`);

/** Says whether a value is a number of such a range. */
export const isWithin = (
  value: unknown,
  { least = -Infinity, above = -Infinity, most = Infinity, whole }: Range,
): value is number =>
  typeof value === "number" &&
  value >= least &&
  value > above &&
  value <= most &&
  (Number.isInteger(value) || (!whole && Number.isFinite(value)));

/** Puts a range into words: `a whole number, 1 at the least`. */
export function inWords({ least, above, most, whole }: Range): string {
  const bounds = [
    ...(least === undefined ? [] : [`${least} at the least`]),
    ...(above === undefined ? [] : [`more than ${above}`]),
    ...(most === undefined ? [] : [`${most} at the most`]),
  ];
  return `a ${whole ? "whole " : ""}number, ${bounds.join(" and ")}`;
}
