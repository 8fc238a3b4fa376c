// Measures our evidence alone, without contestants and ramps: how many canary requests it needs to detect a fault by
// failures, beside a test that knows the base and the fault in advance; and how long one bucket takes.
import { durationsOf } from "../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence } from "../../engines/rollout/judge/gather.ts";
import { logShareRatio } from "../../engines/rollout/judge/likelihood.ts";
import { alternatives, mixed } from "../../engines/rollout/judge/metrics.ts";
import { ratios } from "../../engines/rollout/judge/weigh.ts";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Bucket } from "../../engines/rollout/vocabulary.ts";
import { loadDice } from "./dice.ts";

/** Canary requests until a fault was detected by failures alone. */
export interface AloneRow {
  readonly failurePercent: number;
  readonly points: number;
  readonly ours: readonly [median: number, p90: number];
  /** The same for the likelihood ratio of exactly this base and fault: no test needs fewer requests on average. */
  readonly known: readonly [median: number, p90: number];
}

/** The cost of judging one bucket. */
export interface BucketCost {
  readonly microseconds: number;
  readonly bytes: number;
}

const cases: readonly (readonly [failurePercent: number, points: number])[] = [
  [0.5, 1],
  [0.5, 2],
  [0.5, 5],
  [0.1, 1],
  [2, 1],
];
/** Requests per bucket at a weight of ten percent, so few that the size of a bucket does not matter. */
const canary = 20;
const stable = 180;
const requestsMax = 200_000;

/** Draws rollouts at ten percent and counts. The limit is 1/α; an undetected canary counts as never. */
export function alone(runs: number, seed: number): readonly AloneRow[] {
  const limit = Math.log(100 / defaultThresholds.falseRollbackPercentMax);
  return cases.map(([failurePercent, points]) => {
    const base = failurePercent / 100;
    const bad = base + points / 100;
    const draws = Array.from({ length: runs }, (_, run) => once(base, bad, limit, seed + run));
    return {
      failurePercent,
      points,
      ours: quantiles(draws.map(([ours]) => ours)),
      known: quantiles(draws.map(([, known]) => known)),
    };
  });
}

/** Runs both tests on the same draws until each has detected the fault. */
function once(base: number, bad: number, limit: number, seed: number): readonly [ours: number, known: number] {
  const dice = loadDice(seed, 1);
  const tolerated = oddsTimes(base, defaultThresholds.oddsTolerated);
  let logs: readonly number[] = alternatives.map(() => 0);
  let known = 0;
  let ours = Infinity;
  let foundByKnown = Infinity;
  for (
    let requests = canary;
    requests <= requestsMax && (ours === Infinity || foundByKnown === Infinity);
    requests += canary
  ) {
    const table = { canary, canaryBad: dice.binomial(canary, bad), stable, stableBad: dice.binomial(stable, base) };
    known += logShareRatio(canary, table.canaryBad, bad, tolerated);
    const more = ratios(
      table,
      alternatives.map(([times]) => defaultThresholds.oddsTolerated * times),
      defaultThresholds.oddsTolerated,
    );
    logs = logs.map((log, index) => log + more[index]!);
    if (known >= limit) foundByKnown = Math.min(foundByKnown, requests);
    if (mixed(logs) >= limit) ours = Math.min(ours, requests);
  }
  return [ours, foundByKnown];
}

const oddsTimes = (share: number, times: number): number => (times * share) / (1 - share + times * share);
const quantiles = (values: readonly number[]): readonly [number, number] => {
  const sorted = values.toSorted((one, other) => one - other);
  return [sorted[Math.floor(sorted.length / 2)]!, sorted[Math.floor(sorted.length * 0.9)]!];
};

/** Measures the median time to judge a bucket of 100,000 requests, and the size of the evidence afterwards. */
export function bucketCost(): BucketCost {
  const bucket = (at: number): Bucket => ({ at: at * 60_000, canary: arm(at, 5_000), stable: arm(at + 1, 95_000) });
  const watch = { thresholds: defaultThresholds, percent: 5, intervalSeconds: 60, warmFrom: -1, warmUntil: -1 };
  const times: number[] = [];
  let evidence: Evidence = beginStep(noEvidence, 0, 3);
  for (let at = 0; at < 400; at++) {
    const next = bucket(at);
    const began = performance.now();
    evidence = gather(evidence, [next], watch);
    if (at >= 100) times.push((performance.now() - began) * 1_000);
  }
  return { microseconds: quantiles(times)[0], bytes: JSON.stringify(evidence).length };
}

function arm(seed: number, requests: number): Bucket["canary"] {
  const dice = loadDice(seed, 77);
  const durations = durationsOf(
    Array.from(
      { length: 60 },
      (_, band) => [band + 30, Math.round((requests / 60) * (0.9 + 0.2 * dice.next()))] as const,
    ),
  );
  return {
    requests: durations?.counts.reduce((sum, count) => sum + count, 0) ?? requests,
    failed: dice.binomial(requests, 0.005),
    refused: dice.binomial(requests, 0.01),
    ...(durations === undefined ? {} : { durations }),
  };
}
