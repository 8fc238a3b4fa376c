// Measurements of canary and stable → may we go on? A plain judge: it compares the two arms in the same bins by score
// intervals for the difference of two shares (Newcombe 1998, method 10). It knows no time, no step and no history
// beyond the two tallies; what is done with a verdict is decide's business.
import { requestsNeeded } from "./plan.ts";
import type { Limits, Tally, Verdict } from "./vocabulary.ts";

/** How sure a failure must be: one-sided 0.5 %, since every tick looks again. */
const failureZ = 2.576;
/** How sure a pass must be: one-sided 5 %. */
const passZ = 1.645;
/** Fewer bad requests than this never take a canary out, however small the sample. */
const badRequestsMin = 3;

/** With fewer requests than this stable says nothing about what is usual. */
const stableRequestsMin = 30;

export const noRequests: Tally = { requests: 0, failed: 0, slow: 0 };

export const addTally = (a: Tally, b: Tally): Tally => ({ requests: a.requests + b.requests, failed: a.failed + b.failed, slow: a.slow + b.slow });

/** What the judge is shown: what both arms did, and whether they did it in the same minutes. */
export interface Evidence {
  readonly canary: Tally;
  readonly stable: Tally;
  /** False at 100 percent, where stable gets nothing any more and its earlier requests are all there is to compare with. */
  readonly sameMinutes: boolean;
  /** Whether stable was sick in the latest bin. Bins in which it was are in neither tally above but in the two below. */
  readonly stableIsSick: boolean;
  readonly sickCanary: Tally;
  readonly sickStable: Tally;
}

/**
 * Judges the canary by what both arms did.
 *
 * A pass needs positive evidence: enough requests, and a difference whose upper bound is tolerable. Silence is never
 * good news. A sick stable is not a reason to promote, nor to roll back: nothing can be compared with it.
 */
export function judge(evidence: Evidence, limits: Limits): Verdict {
  const { canary, stable, stableIsSick, sickCanary, sickStable } = evidence;
  const farWorse = sickCanary.requests >= limits.ceilingRequests && percent(sickCanary.failed, sickCanary) >= limits.ceilingPercent
    && difference(sickCanary.failed, sickCanary.requests, sickStable.failed, sickStable.requests, failureZ).lower > limits.ceilingPercent / 200;
  if (farWorse) return { verdict: "fail", sentence: `canary fails ${share(sickCanary.failed, sickCanary)}, over the ceiling of ${limits.ceilingPercent} %, while stable, sick as it is, fails ${share(sickStable.failed, sickStable)}` };
  if (stableIsSick) return holdForStable(sickStable, limits);
  if (canary.requests === 0) return hold("no-traffic", stable.requests === 0 ? "no request came at all, so nothing could be judged" : `no request reached the canary while stable had ${count(stable.requests)}`);
  if (canary.requests >= limits.ceilingRequests && percent(canary.failed, canary) >= limits.ceilingPercent) {
    return { verdict: "fail", sentence: `canary fails ${share(canary.failed, canary)}, over the ceiling of ${limits.ceilingPercent} %` };
  }
  const failures = compare(canary.failed, stable.failed, evidence, limits.failurePointsMax);
  if (failures.worse) return { verdict: "fail", sentence: `canary fails ${against("failed", evidence)}; ${tolerance(limits.failurePointsMax)}` };
  const slowness = compare(canary.slow, stable.slow, evidence, limits.slowPointsMax);
  if (slowness.worse) return { verdict: "fail", sentence: `canary takes over ${limits.slowMilliseconds} ms for ${against("slow", evidence)}; ${tolerance(limits.slowPointsMax)}` };
  const needed = requestsNeeded(limits);
  if (canary.requests < needed) return hold("too-few-requests", `canary has answered ${count(canary.requests)} of the ${count(needed)} requests that a step needs`);
  if (isSick(stable, limits)) return holdForStable(stable, limits);
  if (stable.requests === 0) return hold("no-traffic", `canary had ${count(canary.requests)} requests and stable none, so nothing can be compared`);
  if (stable.requests < stableRequestsMin) return hold("too-few-requests", `stable has answered ${count(stable.requests)} of the ${stableRequestsMin} requests that a comparison needs`);
  if (!failures.tolerable) return hold("unsettled", `canary fails ${against("failed", evidence)}; that is neither clearly good nor clearly bad yet`);
  if (!slowness.tolerable) return hold("unsettled", `canary takes over ${limits.slowMilliseconds} ms for ${against("slow", evidence)}; that is neither clearly good nor clearly bad yet`);
  return { verdict: "pass", sentence: `canary fails ${against("failed", evidence)}` };
}

/** Says whether stable fails so much in a bin that the bin cannot serve as a measure: an outage that both arms share is not the canary's fault. */
export const isSick = (stable: Tally, limits: Limits): boolean =>
  stable.failed >= badRequestsMin && percent(stable.failed, stable) > limits.stableFailurePercentMax;

const hold = (reason: Extract<Verdict, { verdict: "inconclusive" }>["reason"], sentence: string): Verdict => ({ verdict: "inconclusive", reason, sentence });

const holdForStable = (stable: Tally, limits: Limits): Verdict =>
  hold("stable-sick", `stable itself fails ${share(stable.failed, stable)}, more than ${limits.stableFailurePercentMax} %, so nothing can be compared with it`);

/** Is the canary's share of bad requests clearly more than `points` above stable's, or clearly not? */
function compare(canaryBad: number, stableBad: number, { canary, stable }: Evidence, points: number): { readonly worse: boolean; readonly tolerable: boolean } {
  const tolerated = points / 100;
  return {
    worse: canaryBad >= badRequestsMin && difference(canaryBad, canary.requests, stableBad, stable.requests, failureZ).lower > tolerated,
    tolerable: difference(canaryBad, canary.requests, stableBad, stable.requests, passZ).upper <= tolerated,
  };
}

/** Bounds the difference of two shares, first minus second (Newcombe's hybrid score interval); an empty arm bounds nothing. */
function difference(x1: number, n1: number, x2: number, n2: number, z: number): { readonly lower: number; readonly upper: number } {
  const a = wilson(x1, n1, z), b = wilson(x2, n2, z);
  const middle = a.share - b.share;
  return { lower: middle - Math.hypot(a.share - a.lower, b.upper - b.share), upper: middle + Math.hypot(a.upper - a.share, b.share - b.lower) };
}

/** Bounds one share (Wilson's score interval). */
function wilson(x: number, n: number, z: number): { readonly share: number; readonly lower: number; readonly upper: number } {
  if (n === 0) return { share: 0, lower: 0, upper: 1 };
  const share = x / n, z2 = z * z / n;
  const centre = (share + z2 / 2) / (1 + z2), half = (z / (1 + z2)) * Math.sqrt(share * (1 - share) / n + z2 / (4 * n));
  return { share, lower: Math.max(0, centre - half), upper: Math.min(1, centre + half) };
}

const percent = (bad: number, { requests }: Tally): number => (requests === 0 ? 0 : (100 * bad) / requests);
const tolerance = (points: number): string => (points === 1 ? "1 point more is tolerated" : `${points} points more are tolerated`);
const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const share = (bad: number, tally: Tally): string => `${percent(bad, tally).toFixed(1)} % of ${count(tally.requests)} requests`;

function against(what: "failed" | "slow", { canary, stable, sameMinutes }: Evidence): string {
  const other = what === "failed" ? "stable fails" : "stable does for";
  const mine = `${share(canary[what], canary)}`;
  return `${mine} where ${other} ${percent(stable[what], stable).toFixed(1)} % of ${count(stable.requests)} ${sameMinutes ? "in the same minutes" : "in the minutes before"}`;
}
