// One bucket → its evidence by one metric: the table of both arms, the likelihood ratios against the canary and in its
// favour, and how far bursts of bad requests weaken them.
import type { Bucket, Tally, Thresholds } from "../vocabulary.ts";
import { badOf, blockBuckets, failureShare } from "./baseline.ts";
import type { AloneName, Baseline, Evidence, Metric, MetricName, Noise, Table } from "./evidence.ts";
import { isTelling, logLikelihood, logShareRatio, roundLog } from "./likelihood.ts";
import { aloneAlternatives, favourable, favourableShares, metricSettings } from "./metrics.ts";

/** Gives the table of a bucket by a metric; undefined if the rows or the baseline lack what it needs. */
export function tableOf(
  { canary, stable }: Bucket,
  name: MetricName,
  baseline: Baseline,
  slowdownTolerated: number,
): Table | undefined {
  const canaryBad = badOf(canary, name, baseline, slowdownTolerated);
  const stableBad = badOf(stable, name, baseline);
  return canaryBad === undefined || stableBad === undefined
    ? undefined
    : { canary: canary.requests, canaryBad, stable: stable.requests, stableBad };
}

/** How a bucket counts for a metric. */
export interface Weighing extends Tempering, Refusal {
  /**
   * Whether the metric is a tail. Slow requests always come in bursts on a busy machine: evidence in favour is weakened
   * for that but not capped, or there would never be enough.
   */
  readonly isTail: boolean;
  readonly isOfStep: boolean;
  /** Whether it may count in the canary's favour. */
  readonly isFavour: boolean;
}

/**
 * Adds a bucket to a metric. A likelihood ratio to a power below one, or capped, has a mean of at most
 * 1: still evidence.
 */
export function weigh(
  metric: Metric,
  table: Table,
  against: readonly number[],
  { power, most, refused, shareMax, isTail, isOfStep, isFavour }: Weighing,
): Metric {
  const tempered = against.map((log) => Math.min(most, power * log));
  const inFavour = (): readonly number[] =>
    [
      ...ratios(table, favourable, refused),
      ...favourableShares.map((part) => logShareRatio(table.canary, table.canaryBad, part * shareMax, shareMax)),
    ].map((log) => Math.min(isTail ? Infinity : most, power * log));
  return {
    ...metric,
    whole: addLogs(metric.whole, tempered),
    wholeTable: addTables(metric.wholeTable, table),
    ...(isOfStep ? { step: addLogs(metric.step, tempered), stepTable: addTables(metric.stepTable, table) } : {}),
    ...(isFavour ? { favour: addLogs(metric.favour, inFavour()) } : {}),
  };
}

/** Adds the evidence of a bucket to the evidence so far. */
export const addLogs = (logs: readonly number[], more: readonly number[]): readonly number[] =>
  logs.map((log, index) => roundLog(log + more[index]!));

const addTables = (a: Table, b: Table): Table => ({
  canary: a.canary + b.canary,
  canaryBad: a.canaryBad + b.canaryBad,
  stable: a.stable + b.stable,
  stableBad: a.stableBad + b.stableBad,
});

/** Gives the logarithms of how much likelier a bucket is at each of some odds than at others; 0 if it says nothing. */
export function ratios(table: Table | undefined, odds: readonly number[], than: number): readonly number[] {
  if (table === undefined || !isTelling(table)) return odds.map(() => 0);
  const base = logLikelihood(table, than);
  return odds.map((each) => logLikelihood(table, each) - base);
}

/** What must be excluded before a promotion. */
interface Refusal {
  /** The odds to exclude. */
  readonly refused: number;
  /** The canary's own share of bad requests; one shown to be below it needs no comparison. */
  readonly shareMax: number;
}

/** Converts the points that a canary must stay below into odds at stable's baseline, and into a share of its own. */
export function refusalOf(
  name: MetricName,
  baseline: Baseline,
  { failurePointsMax, oddsTolerated }: Thresholds,
): Refusal {
  const { tail, pointsMax = failurePointsMax } = metricSettings[name];
  const more = pointsMax / 100;
  const share = name === "failed" ? failureShare(baseline) : baseline.refused / Math.max(1, baseline.requests);
  const known = Math.min(0.5, tail ?? share);
  const odds = known === 0 ? Infinity : (known + more) / (1 - known - more) / (known / (1 - known));
  return { refused: Math.min(1_000, Math.max(odds, oddsTolerated + 0.1)), shareMax: (tail ?? 0) + more };
}

/** At 100 percent a request is slow beyond this multiple of where stable's tail begins, and this share may be slow. */
export const aloneSlowdown = 3,
  aloneSlowMost = 0.3;

/**
 * Weighs a bucket at 100 percent. There is no stable in the same minutes, so its baseline must do: three times its
 * failures, and slowness that no busy hour explains.
 */
export function weighAlone(
  alone: Evidence["alone"],
  canary: Tally,
  baseline: Baseline,
  thresholds: Thresholds,
): Evidence["alone"] {
  const weighed = (name: AloneName, most: number): readonly number[] => {
    const bad = badOf(canary, name, baseline, aloneSlowdown);
    return bad === undefined
      ? alone[name]
      : alone[name].map((log, index) =>
          roundLog(log + logShareRatio(canary.requests, bad, Math.min(0.9, most * aloneAlternatives[index]!), most)),
        );
  };
  const failedMost = Math.min(0.3, Math.max(thresholds.failurePointsMax / 100, 3 * failureShare(baseline)));
  return { failed: weighed("failed", failedMost), p95: weighed("p95", aloneSlowMost) };
}

/** How the evidence of a bucket is weakened if bad requests come in bursts. */
interface Tempering {
  /** The power that its likelihood ratios are raised to; 1 without bursts. */
  readonly power: number;
  /** The most that it may add, as a logarithm. */
  readonly most: number;
}

/** From this dispersion on bad requests come in bursts, and no single burst may add more than a part of a verdict. */
const burstyFrom = 2;
const burstMost = 0.8;
/** If blocks differ this many times more than their buckets do, the bursts last. */
const lastingFrom = 2;

/**
 * Gives how far a bucket can be trusted: how much more the difference of two shares varies than by chance, judging by
 * neighbouring blocks of stable's buckets. What chance itself does to that estimate is subtracted.
 */
export function temper(noise: Noise, { canary, stable }: Table): Tempering {
  const { pairs, sum, requests, bucketPairs, bucketSum } = noise;
  if (pairs === 0 || canary === 0 || stable === 0) return { power: 1, most: Infinity };
  const dispersion = Math.max(1, sum / pairs - Math.sqrt(2 / pairs));
  const together = (dispersion - 1) / Math.max(1, requests / pairs - 1);
  const apart = (count: number): number => (1 + Math.max(0, blockBuckets * count - 1) * together) / count;
  const spread = apart(canary) + apart(stable);
  const isLasting = bucketPairs > 0 && sum / pairs > lastingFrom * (bucketSum / bucketPairs);
  const cap = isLasting ? burstMost / 2 : burstMost;
  return {
    power: 1 / Math.max(1, spread / (1 / canary + 1 / stable)),
    most: dispersion < burstyFrom ? Infinity : cap,
  };
}
