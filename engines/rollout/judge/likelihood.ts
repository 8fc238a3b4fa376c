// Counts of two arms in the same bin → how strongly they speak. The arithmetic of the judge and nothing else: it knows no
// rollout, no time and no limit. Every figure is a natural logarithm, so that a bin adds and never overflows.
//
// Given how many of a bin's requests were bad, which of them fell to the canary is a noncentral hypergeometric draw that depends on the odds
// ratio alone, whatever the share of bad requests was in that minute. A ratio of two such likelihoods has the mean 1 while
// the canary is no worse than tolerated, so its running product may be looked at after every bin: that it ever exceeds 1/α
// has at most the probability α (Ville's inequality).
import type { Table } from "./evidence.ts";

/** Says whether a bin can tell the arms apart at all: both were asked, and some requests were bad but not all. */
export function isTelling({ canary, canaryBad, stable, stableBad }: Table): boolean {
  const bad = canaryBad + stableBad;
  return canary > 0 && stable > 0 && bad > 0 && bad < canary + stable;
}

/**
 * Gives the logarithm of the likelihood of a bin's split at an odds ratio, up to a constant that is the same for every ratio.
 *
 * The sum runs outwards from its greatest term until a term adds nothing any more, so a bin of many thousand bad requests costs some hundred steps.
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

/** Finds the likeliest count of bad canary requests: where one more becomes less likely than the one before. */
function modeOf(canary: number, stable: number, bad: number, odds: number): number {
  const b = (canary + bad + 2) * odds + stable - bad;
  const c = (canary + 1) * (bad + 1) * odds;
  return Math.floor((2 * c) / (b + Math.sqrt(Math.max(0, b * b - 4 * (odds - 1) * c))));
}

/** Adds logarithms as the numbers that they stand for would add. */
export function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most === -Infinity ? most : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const small = Array.from({ length: 128 }, () => 0);
for (let n = 2; n < small.length; n++) small[n] = small[n - 1]! + Math.log(n);

const logFactorial = (n: number): number => (n < small.length ? small[n]! : logGamma(n + 1));

/** The logarithm of the gamma function: the recurrence up to ten, Stirling's series beyond, whose error there is under 1e-10. */
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

/**
 * Gives the logarithm of the evidence that requests do not fall to the arms as they were shared out: how much better a share that is learnt
 * as it goes explains the counts than `share` does (a Dirichlet prior of the weight of a hundred requests around it).
 */
export function logMisshared(canary: number, stable: number, share: number): number {
  const a = 100 * share;
  const b = 100 - a;
  const logBeta = (x: number, y: number): number => logGamma(x) + logGamma(y) - logGamma(x + y);
  return logBeta(a + canary, b + stable) - logBeta(a, b) - canary * Math.log(share) - stable * Math.log(1 - share);
}

/** Gives the logarithm of how much likelier a count of bad requests is at one share of them than at another. */
export const logShareRatio = (requests: number, bad: number, share: number, than: number): number =>
  bad * Math.log(share / than) + (requests - bad) * Math.log((1 - share) / (1 - than));

/** Gives the normal's distribution function; the error function is Abramowitz and Stegun's 7.1.26, good to 1.5e-7. */
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
