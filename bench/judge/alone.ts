// The evidence by itself: how many canary requests it takes by failures alone, beside the test that knows base and fault beforehand, and what
// one bin costs. No contestant, no ramp and no other kind of badness is in it.

import { durationsOf } from "../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../engines/rollout/judge/evidence.ts";
import { alternatives, beginStep, gather, mixed, noEvidence, ratios } from "../../engines/rollout/judge/gather.ts";
import { logShareRatio } from "../../engines/rollout/judge/likelihood.ts";
import { defaultLimits } from "../../engines/rollout/plan.ts";
import type { Bin } from "../../engines/rollout/vocabulary.ts";
import { loadDice } from "./dice.ts";

/** Canary requests until a fault was found by failures alone. */
export interface AloneRow {
  readonly failurePercent: number;
  readonly points: number;
  readonly ours: readonly [median: number, p90: number];
  /** Of the likelihood ratio of this very base and this very fault, stable's share known: nobody can do better on average. */
  readonly known: readonly [median: number, p90: number];
}

const cases: readonly (readonly [failurePercent: number, points: number])[] = [
  [0.5, 1],
  [0.5, 2],
  [0.5, 5],
  [0.1, 1],
  [2, 1],
];
/** Ten percent of weight, in bins small enough that their width does not count. */
const canary = 20;
const stable = 180;
const requestsMax = 200_000;

/** Draws rollouts at ten percent and counts. The limit is 1/α; a canary that is never found counts as never. */
export function alone(runs: number, seed: number): readonly AloneRow[] {
  const limit = Math.log(100 / defaultLimits.falseRollbackPercentMax);
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

/** Lets both tests look at the same draws until each has come to its end. */
function once(base: number, bad: number, limit: number, seed: number): readonly [ours: number, known: number] {
  const dice = loadDice(seed, 1);
  const tolerated = oddsTimes(base, defaultLimits.oddsTolerated);
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
      alternatives.map(([times]) => defaultLimits.oddsTolerated * times),
      defaultLimits.oddsTolerated,
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

/** Measures what it takes to judge one bin of a hundred thousand requests, in microseconds, median, and how long the evidence is then, in bytes. */
export function cost(): { readonly microseconds: number; readonly bytes: number } {
  const bin = (at: number): Bin => ({ at: at * 60_000, canary: arm(at, 5_000), stable: arm(at + 1, 95_000) });
  const watch = { limits: defaultLimits, percent: 5, tickSeconds: 60, warmFrom: -1, warmUntil: -1 };
  const times: number[] = [];
  let evidence: Evidence = beginStep(noEvidence, 0, 3);
  for (let at = 0; at < 400; at++) {
    const next = bin(at);
    const began = performance.now();
    evidence = gather(evidence, [next], watch);
    if (at >= 100) times.push((performance.now() - began) * 1_000);
  }
  return { microseconds: quantiles(times)[0], bytes: JSON.stringify(evidence).length };
}

function arm(seed: number, requests: number): Bin["canary"] {
  const dice = loadDice(seed, 77);
  const durations = durationsOf(
    Array.from(
      { length: 60 },
      (_, bucket) => [bucket + 30, Math.round((requests / 60) * (0.9 + 0.2 * dice.next()))] as const,
    ),
  );
  const told = durations === undefined ? {} : { durations };
  return {
    requests: durations?.counts.reduce((sum, count) => sum + count, 0) ?? requests,
    failed: dice.binomial(requests, 0.005),
    refused: dice.binomial(requests, 0.01),
    ...told,
  };
}
