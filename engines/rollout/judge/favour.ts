// Evidence → is the canary shown to be good enough for most of the traffic? It must be shown not to be worse by the
// points that the thresholds name; where there are requests enough to tell, not by most of them either; and no kind of
// badness may speak clearly against it by itself.
import type { Thresholds } from "../vocabulary.ts";
import type { Evidence, MetricName } from "./evidence.ts";
import { logBelow } from "./likelihood.ts";
import { metricNames, mixed, promising } from "./metrics.ts";
import { oddsExcluded } from "./weigh.ts";

/** A canary gets more than this percentage only once it is shown to be good. */
export const unprovenMost = 50;

/** One metric, and what it shows as a logarithm. */
export interface Shown {
  readonly name: MetricName;
  readonly log: number;
}

/** Gives the evidence in favour that each step beyond half of the traffic needs. */
export const favourNeeded = ({ falsePromotionPercentMax }: Thresholds): number => 100 / falsePromotionPercentMax;

/** Finds the metric with the least evidence in favour: each must be shown by itself. */
export function weighFavour(evidence: Evidence): Shown {
  const shown = promising
    .filter((name) => name === "failed" || evidence.metrics[name].stepTable.canary > 0)
    .map((name) => ({ name, log: evidence.metrics[name].favour }));
  return shown.reduce((least, next) => (next.log < least.log ? next : least));
}

/** From these odds on a single kind of badness is a reason to wait before the canary gets most of the traffic. */
const suspicionAlone = 3;

/**
 * Finds the metric that by itself speaks clearly against the canary, if there is one.
 *
 * All metrics together may well look good while a rare kind of slowness, which has a small part of the evidence, has
 * begun to show. A canary that is good loses such odds within minutes.
 */
export function suspectOf({ metrics }: Evidence): Shown | undefined {
  return metricNames
    .map((name) => ({ name, log: mixed(metrics[name].whole) }))
    .filter(({ log }) => log >= Math.log(suspicionAlone))
    .toSorted((one, other) => other.log - one.log)[0];
}

/** What is demanded where the traffic can show it: midway to "no worse" lies beyond all that is tolerated. */
const strictPart = 0.5;
/** It is demanded if a healthy canary can be expected to show it within so many intervals. */
const patienceIntervals = 20;

/**
 * Gives the evidence that the canary fails less than half of `failurePointsMax` more than stable, if that is
 * still missing though the traffic is enough to show it soon.
 *
 * If only the whole is excluded, luck decides about a canary that fails half of it more. At little traffic nothing
 * better can be had within the time.
 */
export function missingStrict(
  { metrics: { failed }, intervals, ...judged }: Evidence,
  thresholds: Thresholds,
  percent: number,
): number | undefined {
  const { favourTable: table, usual } = failed;
  if (percent > unprovenMost || table.canary === 0 || table.stable === 0) return undefined;
  const points = (strictPart * thresholds.failurePointsMax) / 100;
  const strict = { points, oddsLeast: oddsExcluded(thresholds), usual };
  const needed = Math.log(favourNeeded(thresholds));
  const share = Math.max(usual, table.stableBad / table.stable);
  const longer = patienceIntervals / intervals;
  const canary = table.canary * longer;
  // The table may also have what stable did in the step before, which does not grow.
  const beside = Math.min(table.stable, (table.canary * judged.stable.requests) / judged.canary.requests);
  const stable = table.stable + beside * (longer - 1);
  const expected = logBelow({ canary, canaryBad: share * canary, stable, stableBad: share * stable }, strict);
  const shown = logBelow(table, strict);
  return expected >= needed && shown < needed ? shown : undefined;
}
