// Release intent → the steps that the canary takes. Used by the engine when a rollout begins and by the components at
// preview, so that a plan which cannot work fails before anything is deployed, with the engine's own words.
import type { Limits, Pace } from "./vocabulary.ts";

/** A pace for Azure, where request rows come minutes late and a tick is a minute. */
export const defaultPace: Pace = {
  weights: [5, 25, 50], bakeSeconds: 300, warmUpSeconds: 180, tickSeconds: 60, probeSeconds: 30, smokeSeconds: 300, maximumSeconds: 10_800,
};

/** Limits that need no thought: a point of failures more than stable, five points of slow requests more. */
export const defaultLimits: Limits = {
  failurePointsMax: 1, slowPointsMax: 5, slowMilliseconds: 1_000, ceilingPercent: 50, ceilingRequests: 50, stableFailurePercentMax: 5, probeFailuresMax: 3,
};

/** Gives the percentages that the canary receives, step by step, with the last one, 100, that every plan ends in. */
export const plan = (pace: Pace): readonly number[] => [...pace.weights, 100];

/** Says how many canary requests without a failure a step needs before it may pass: n ≥ ln(1/β)/p, with β 5 %. */
export const requestsNeeded = (limits: Limits): number => Math.ceil(Math.log(20) / (Math.min(limits.failurePointsMax, limits.slowPointsMax) / 100));

/** Lists what is wrong with a pace and its limits, a sentence each; an empty list means that the plan can be carried out. */
export function checkIntent({ pace, limits }: { readonly pace: Pace; readonly limits: Limits }): readonly string[] {
  return [...checkPace(pace), ...checkLimits(limits)];
}

function checkPace(pace: Pace): readonly string[] {
  const complaints: string[] = [];
  for (const [index, percent] of pace.weights.entries()) {
    const before = pace.weights[index - 1] ?? 0;
    if (!Number.isInteger(percent) || percent < 1 || percent > 99) complaints.push(`The weight ${percent} at step ${index + 1} is not a whole percentage from 1 to 99.`);
    else if (percent <= before) complaints.push(`The weights go from ${before} to ${percent} at step ${index + 1}, and a canary only ever gains traffic.`);
  }
  if (pace.weights.length === 0) complaints.push("There is no step before 100 percent, so the canary could not be compared with stable.");
  if (pace.weights.length > 20) complaints.push(`There are ${pace.weights.length} steps, and 20 are the most that a plan may have.`);
  for (const key of ["bakeSeconds", "tickSeconds", "probeSeconds", "smokeSeconds", "maximumSeconds"] as const) {
    if (!(pace[key] >= 1)) complaints.push(`${key} is ${pace[key]}, and it must be 1 at the least.`);
  }
  if (!Number.isInteger(pace.tickSeconds)) complaints.push(`tickSeconds is ${pace.tickSeconds}, and bins are whole seconds wide.`);
  if (!(pace.warmUpSeconds >= 0)) complaints.push(`warmUpSeconds is ${pace.warmUpSeconds}, and it must not be negative.`);
  // A step's warm-up ends at a whole tick, and so does its bake.
  const ticks = Math.ceil(pace.warmUpSeconds / pace.tickSeconds) + 1 + Math.ceil(pace.bakeSeconds / pace.tickSeconds);
  const least = (pace.weights.length + 1) * ticks * pace.tickSeconds;
  if (pace.maximumSeconds <= least) complaints.push(`The steps take ${least} seconds at the least, and maximumSeconds, ${pace.maximumSeconds}, does not leave room for them.`);
  return complaints;
}

function checkLimits(limits: Limits): readonly string[] {
  const complaints: string[] = [];
  for (const [key, most] of [["failurePointsMax", 20], ["slowPointsMax", 50], ["ceilingPercent", 100], ["stableFailurePercentMax", 50]] as const) {
    if (!(limits[key] > 0 && limits[key] <= most)) complaints.push(`${key} is ${limits[key]}, and it must be more than 0 and ${most} at the most.`);
  }
  if (limits.failurePointsMax >= limits.ceilingPercent) complaints.push(`failurePointsMax, ${limits.failurePointsMax}, is not below ceilingPercent, ${limits.ceilingPercent}, so the ceiling would never be reached first.`);
  for (const key of ["slowMilliseconds", "ceilingRequests", "probeFailuresMax"] as const) {
    if (!(Number.isInteger(limits[key]) && limits[key] >= 1)) complaints.push(`${key} is ${limits[key]}, and it must be a whole number from 1 on.`);
  }
  return complaints;
}
