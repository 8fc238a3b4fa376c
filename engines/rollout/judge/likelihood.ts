// Counts of two arms in the same bucket → the strength of the evidence: the arithmetic of the judge. Every figure is a
// natural logarithm, so that the evidence of buckets can be added and never overflows.
//
// Given the number of bad requests in a bucket, the number among them that went to the canary follows a noncentral
// hypergeometric distribution. It depends on the odds ratio alone, whatever the share of bad requests was in that
// minute. A ratio of two such likelihoods has the mean 1 while the canary is no worse than tolerated. So its running
// product may be checked after every bucket: it ever exceeds 1/α with a probability of at most α (Ville's inequality).
import type { Table } from "./evidence.ts";

/** Reports whether a bucket can distinguish the arms: both had requests, and some requests were bad but not all. */
export function isTelling({ canary, canaryBad, stable, stableBad }: Table): boolean {
  const bad = canaryBad + stableBad;
  return canary > 0 && stable > 0 && bad > 0 && bad < canary + stable;
}

/**
 * Gives the logarithm of the likelihood of a bucket's split at an odds ratio, up to a
 * constant that is the same for every ratio.
 *
 * The sum runs outwards from its greatest term until a term adds nothing, so that a bucket with many thousands of
 * bad requests costs about a hundred steps.
 */
export function logLikelihood({ canary, canaryBad, stable, stableBad }: Table, odds: number): number {
  const bad = canaryBad + stableBad;
  const least = Math.max(0, bad - stable);
  const most = Math.min(bad, canary);
  const mode = Math.min(most, Math.max(least, modeOf(canary, stable, bad, odds)));
  let sum = 1;
  for (let k = mode, term = 1; k < most && term > 1e-17; k++)
    sum += term *= (odds * (canary - k) * (bad - k)) / ((k + 1) * (stable - bad + k + 1));
  for (let k = mode, term = 1; k > least && term > 1e-17; k--)
    sum += term *= (k * (stable - bad + k)) / (odds * (canary - k + 1) * (bad - k + 1));
  return (canaryBad - mode) * Math.log(odds) - logChoose(canary, mode) - logChoose(stable, bad - mode) - Math.log(sum);
}

/** Finds the likeliest count of bad canary requests. */
function modeOf(canary: number, stable: number, bad: number, odds: number): number {
  const b = (canary + bad + 2) * odds + stable - bad;
  const c = (canary + 1) * (bad + 1) * odds;
  return Math.floor((2 * c) / (b + Math.sqrt(Math.max(0, b * b - 4 * (odds - 1) * c))));
}

/** Adds numbers given by their logarithms. */
export function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most === -Infinity ? most : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** Gives the logarithms of the factorials below a number. */
function logFactorials(below: number): readonly number[] {
  const logs = Array.from({ length: below }, () => 0);
  for (let n = 2; n < below; n++) logs[n] = logs[n - 1]! + Math.log(n);
  return logs;
}
const small = logFactorials(128);

const logFactorial = (n: number): number => (n < small.length ? small[n]! : logGamma(n + 1));

/**
 * The logarithm of the gamma function: the recurrence up to ten, beyond it Stirling's series with an error under 1e-10.
 */
function logGamma(x: number): number {
  let shift = 0;
  let up = x;
  for (; up < 10; up++) shift += Math.log(up);
  return (
    (up - 0.5) * Math.log(up) -
    up +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * up) -
    1 / (360 * up ** 3) +
    1 / (1260 * up ** 5) -
    shift
  );
}

const logBeta = (x: number, y: number): number => logGamma(x) + logGamma(y) - logGamma(x + y);

/**
 * Gives the logarithm of the evidence that the arms do not get their shares of the requests: how much better a learnt
 * share explains the counts than `share` does (a Beta prior around it, with the weight of a hundred requests).
 */
export function logMisshared(canary: number, stable: number, share: number): number {
  const a = 100 * share;
  const b = 100 - a;
  return logBeta(a + canary, b + stable) - logBeta(a, b) - canary * Math.log(share) - stable * Math.log(1 - share);
}

/** Gives the logarithm of how much likelier a count of bad requests is at one share than at another. */
export const logShareRatio = (requests: number, bad: number, share: number, than: number): number =>
  bad * Math.log(share / than) + (requests - bad) * Math.log((1 - share) / (1 - than));

/** How much worse a canary would be that must not be promoted, and what is usual. */
export interface Excess {
  /** The share of bad requests that it would have more than stable. */
  readonly points: number;
  /** The odds that it would have at least, compared with stable's. */
  readonly oddsLeast: number;
  /** Stable's usual share of bad requests: the better known, the sooner a canary is shown to be good. */
  readonly usual: number;
}

/**
 * Where the share of bad requests may lie, as multiples of the usual one, and how likely that is: it has hardly ever
 * moved, but may have. The share need not be hit: one that is off by half tells nearly as much.
 */
const places: readonly (readonly [times: number, prior: number])[] = [
  [1, 0.6],
  [2.5, 0.2],
  [6, 0.08],
  [20, 0.06],
  [0.3, 0.04],
  [0.03, 0.02],
];
/** A share that is nearer to 1 than this has few good requests to tell by. */
const shareMost = 0.9;

/** Where the tolerated odds are more than the excess, so much of the stake asks for odds, the rest for points. */
const splitPart = 0.75;

/**
 * Gives the logarithm of the evidence that a canary's share of bad requests is below stable's plus an excess: how much
 * better one share of both arms explains the counts than the nearest pair of shares with the excess.
 *
 * The nearest pair is the one that is hardest to tell from the one share with so many requests of each arm: the
 * reverse information projection of the one share on all pairs with the excess (Grünwald, de Heide and Koolen). The
 * logarithm of the evidence's mean is a concave function of the pair that is true, 0 at the nearest pair and level
 * there along the line of equal excess, and it falls beyond that line; so the mean is at most 1 for every pair with the
 * excess, and nobody has to know stable's share. While the arms keep their shares of the requests, the nearest pair
 * stays the same, and the evidence may be looked at after every bucket.
 */
export function logBelow(table: Table, { points, oddsLeast, usual }: Excess): number {
  const { canary, canaryBad, stable, stableBad } = table;
  if (canary === 0 || stable === 0) return 0;
  return logSum(
    places.map(([times, prior]) => {
      const share = Math.min(shareMost, times * usual);
      const low = nearest(table, share, points);
      const ofPair =
        logShareRatio(stable, stableBad, share, low) + logShareRatio(canary, canaryBad, share, low + points);
      if (oddsTimes(share, oddsLeast) <= share + points) return Math.log(prior) + ofPair;
      const ofSplit = logSplit(table, oddsLeast);
      return Math.log(prior) + logSum([Math.log(splitPart) + ofSplit, Math.log(1 - splitPart) + ofPair]);
    }),
  );
}

const oddsTimes = (share: number, times: number): number => (times * share) / (1 - share + times * share);

/** Gives the logarithm of how much likelier the split of the bad requests is at equal odds than at some others. */
function logSplit(table: Table, odds: number): number {
  const whole: Table = {
    canary: Math.round(table.canary),
    canaryBad: Math.round(table.canaryBad),
    stable: Math.round(table.stable),
    stableBad: Math.round(table.stableBad),
  };
  return isTelling(whole) ? logLikelihood(whole, 1) - logLikelihood(whole, odds) : 0;
}

/** Finds stable's share of the nearest pair with an excess, by bisection. */
function nearest({ canary, stable }: Table, share: number, points: number): number {
  const pull = (from: number): number => (share - from) / (from * (1 - from));
  let [low, high] = [Math.max(0, share - points), Math.min(share, 1 - points)];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (stable * pull(middle) + canary * pull(middle + points) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Gives the normal distribution function; its error function is Abramowitz and Stegun's 7.1.26, exact to 1.5e-7. */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const erf =
    1 -
    t *
      (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
      Math.exp(-x * x);
  return 0.5 * (1 + Math.sign(z) * erf);
}

/** Rounds a figure that is kept, so that the state stays short; a ten-thousandth of a logarithm changes no verdict. */
export const roundLog = (value: number): number => Math.round(value * 1e4) / 1e4;
