// Evidence + buckets → evidence. Each bucket is taken once, in order, and is weighed only with what was known before
// it: the tails, the noise and the baseline of stable. judge.ts decides what follows from the sum.
import type { Bucket, Thresholds } from "../vocabulary.ts";
import { ceilingOf, findTails, incidentsMax, isSick, learn, measureNoise, noBaseline } from "./baseline.ts";
import { addCounts, type Count } from "./counts.ts";
import type { Baseline, Evidence, Metric, MetricName, Table } from "./evidence.ts";
import { logSum, roundLog } from "./likelihood.ts";
import {
  aloneAlternatives,
  alternatives,
  byMetric,
  favourable,
  favourableShares,
  metricSettings,
  mixed,
  promising,
} from "./metrics.ts";
import { addLogs, ratios, refusalOf, tableOf, temper, weigh, weighAlone } from "./weigh.ts";

/** How a bucket is judged: where the rollout was, what it tolerates, which time is left out. */
export interface Watch {
  readonly thresholds: Thresholds;
  /** The canary's percentage. */
  readonly percent: number;
  readonly intervalSeconds: number;
  readonly warmFrom: number;
  readonly warmUntil: number;
}

const none: Count = { requests: 0, failed: 0 };
const emptyTable: Table = { canary: 0, canaryBad: 0, stable: 0, stableBad: 0 };
const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
const emptyMetric: Metric = {
  whole: zeros(alternatives.length),
  step: zeros(alternatives.length),
  settled: 0,
  favour: zeros(favourable.length + favourableShares.length),
  wholeTable: emptyTable,
  stepTable: emptyTable,
};
/** The counts of a step before its first bucket. */
const emptyCounts = {
  canary: none,
  stable: none,
  coldCanary: none,
  coldStable: none,
  sickCanary: none,
  sickStable: none,
  sick: undefined,
};

/** The evidence before any bucket. */
export const noEvidence: Evidence = {
  baseline: noBaseline,
  metrics: byMetric(() => emptyMetric),
  untempered: emptyMetric.whole,
  begun: 0,
  alone: { failed: zeros(aloneAlternatives.length), p95: zeros(aloneAlternatives.length) },
  ...emptyCounts,
};

/**
 * Begins a step, counted from 0: its own counts start empty, and so does the evidence that looks for a fault which
 * begins with this step.
 *
 * A canary that was good for an hour has gathered much in its favour. A fault that shows only at a higher weight would
 * have to outweigh all of it; the evidence that begins here does not. A step that is entered again, after weights were
 * set back, is not a new one.
 */
export function beginStep(evidence: Evidence, step: number, steps: number): Evidence {
  const fresh = (metric: Metric): Metric => ({ ...metric, favour: emptyMetric.favour });
  if (step < evidence.begun)
    return { ...evidence, ...emptyCounts, metrics: byMetric((name) => fresh(evidence.metrics[name])) };
  const skipped = Math.max(0, Math.min(step, steps) - Math.max(1, evidence.begun));
  const ended = (metric: Metric): number =>
    roundLog(
      metric.settled + laterWeight(steps) * (skipped + (isLater(evidence, steps) ? Math.exp(mixed(metric.step)) : 0)),
    );
  return {
    ...evidence,
    ...emptyCounts,
    begun: step + 1,
    metrics: byMetric((name) => ({
      ...fresh(evidence.metrics[name]),
      step: emptyMetric.step,
      stepTable: emptyTable,
      settled: ended(evidence.metrics[name]),
    })),
  };
}

/**
 * Gives the evidence of a metric, as a logarithm: for a fault from the beginning, and for a fault from each later step
 * on. Steps that are still to come count as 1.
 */
export function metricEvidence(metric: Metric, evidence: Evidence, steps: number): number {
  const toCome = Math.max(0, steps - Math.max(1, evidence.begun));
  return logSum([
    Math.log(wholeWeight(steps)) + mixed(metric.whole),
    ...(isLater(evidence, steps) ? [Math.log(laterWeight(steps)) + mixed(metric.step)] : []),
    Math.log(metric.settled + laterWeight(steps) * toCome),
  ]);
}

/** Reports whether the present step has evidence of its own: after the first, and before 100 percent. */
const isLater = ({ begun }: Evidence, steps: number): boolean => begun >= 2 && begun <= steps;

/** The weight of a fault from the beginning, and of a fault from each later step on. */
const wholeWeight = (steps: number): number => (steps < 2 ? 1 : 0.85);
const laterWeight = (steps: number): number => (steps < 2 ? 0 : 0.15 / (steps - 1));

/** Adds buckets, oldest first. They must be complete, and each must be given once. */
export function gather(evidence: Evidence, buckets: readonly Bucket[], watch: Watch): Evidence {
  const first = buckets.findIndex(({ canary }) => canary.requests > 0);
  const history = first === -1 ? buckets.length : first;
  // All buckets before the canary's first request are known before the first bucket is weighed.
  let baseline = buckets
    .slice(0, history)
    .reduce(
      (known, { stable }) => (isSick(stable, known, watch.thresholds) ? known : learn(known, stable)),
      evidence.baseline,
    );
  baseline = findTails(baseline);
  let next = evidence;
  for (const [index, bucket] of buckets.entries()) {
    const sick = isSick(bucket.stable, baseline, watch.thresholds);
    const wasSick = next.sick !== undefined;
    next = sick ? addSick(next, bucket, baseline, watch) : { ...next, sick: undefined };
    if (!wasSick || baseline.incidents > incidentsMax) next = add(next, baseline, bucket, watch);
    const isOut = sick && bucket.stable.failed > ceilingOf(baseline, watch.thresholds) * bucket.stable.requests;
    if (isOut && !wasSick) baseline = { ...baseline, incidents: baseline.incidents + 1 };
    baseline =
      isOut && baseline.incidents <= incidentsMax
        ? { ...baseline, last: {}, before: {}, block: {}, blockBuckets: 0 }
        : measureNoise(baseline, bucket.stable);
    if (!sick && index >= history) baseline = findTails(learn(baseline, bucket.stable));
  }
  return { ...next, baseline };
}

function addSick(evidence: Evidence, bucket: Bucket, baseline: Baseline, { thresholds }: Watch): Evidence {
  const isShared = isSick(bucket.canary, baseline, thresholds);
  return {
    ...evidence,
    sickCanary: addCounts(evidence.sickCanary, bucket.canary),
    sickStable: addCounts(evidence.sickStable, bucket.stable),
    sick: isShared ? "shared-outage" : "stable-sick",
  };
}

function add(evidence: Evidence, baseline: Baseline, bucket: Bucket, watch: Watch): Evidence {
  const isCold = bucket.at + watch.intervalSeconds * 1000 > watch.warmFrom && bucket.at < watch.warmUntil;
  if (isCold)
    return {
      ...evidence,
      coldCanary: addCounts(evidence.coldCanary, bucket.canary),
      coldStable: addCounts(evidence.coldStable, bucket.stable),
    };
  const isOfStep = bucket.at >= watch.warmUntil;
  const isSound = isOfStep && evidence.sick === undefined;
  const weighed = addToMetrics(evidence, baseline, bucket, watch, { isOfStep, isSound });
  if (!isSound) return weighed;
  return {
    ...weighed,
    canary: addCounts(evidence.canary, bucket.canary),
    stable: addCounts(evidence.stable, bucket.stable),
    alone: watch.percent < 100 ? evidence.alone : weighAlone(evidence.alone, bucket.canary, baseline, watch.thresholds),
  };
}

function addToMetrics(
  evidence: Evidence,
  baseline: Baseline,
  bucket: Bucket,
  { thresholds }: Watch,
  { isOfStep, isSound }: { readonly isOfStep: boolean; readonly isSound: boolean },
): Evidence {
  if (bucket.canary.requests === 0) return evidence;
  const { oddsTolerated, slowdownTolerated } = thresholds;
  const tables = byMetric((name) => tableOf(bucket, name, baseline, slowdownTolerated));
  const odds = alternatives.map(([times]) => oddsTolerated * times);
  const against = byMetric((name) => ratios(tables[name], odds, oddsTolerated));
  const weighedBy = (name: MetricName): Metric => {
    const table = tables[name];
    if (table === undefined) return evidence.metrics[name];
    return weigh(evidence.metrics[name], table, against[name], {
      ...temper(baseline.noise[name], table),
      ...refusalOf(name, baseline, thresholds),
      isTail: metricSettings[name].tail !== undefined,
      isOfStep,
      isFavour: isSound && promising.includes(name),
    });
  };
  return {
    ...evidence,
    metrics: byMetric(weighedBy),
    untempered: addLogs(evidence.untempered, against.failed),
  };
}
