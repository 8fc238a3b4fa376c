// Evidence + buckets → evidence. Each bucket is taken once, in order, and is weighed only with what was known before
// it: the tails, the noise and the baseline of stable. judge.ts decides what follows from the sum.
import type { Instant } from "../../time.ts";
import type { Bucket, Thresholds } from "../vocabulary.ts";
import {
  breakBlocks,
  ceilingOf,
  failureShare,
  findTails,
  incidentsMax,
  isSick,
  learn,
  measureNoise,
  noBaseline,
  usualShare,
} from "./baseline.ts";
import { addCounts, type Count } from "./counts.ts";
import type { Baseline, Evidence, Metric, MetricName, Table } from "./evidence.ts";
import { logSum, roundLog } from "./likelihood.ts";
import { aloneAlternatives, alternatives, byMetric, metricSettings, mixed, promising } from "./metrics.ts";
import { addLogs, excessOf, ratios, tableOf, temper, toleratedOdds, weigh, weighAlone } from "./weigh.ts";

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
  favour: 0,
  favourTable: emptyTable,
  usual: 0,
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
  intervals: 0,
};

/** The evidence before any bucket. */
export const noEvidence: Evidence = {
  baseline: noBaseline,
  metrics: byMetric(() => emptyMetric),
  untempered: emptyMetric.whole,
  begun: 0,
  startUntil: 0,
  alone: { failed: zeros(aloneAlternatives.length), p95: zeros(aloneAlternatives.length) },
  ...emptyCounts,
};

/**
 * Begins a step, counted from 0: its own counts start empty, and so does the evidence that looks for a fault which
 * begins with this step.
 *
 * A canary that was good for an hour has gathered much in its favour. A fault that shows only at a higher weight would
 * have to outweigh all of it; the evidence that begins here does not. A step that is entered again, after weights were
 * set back, is not a new one: what was shown in it stands, since a second attempt would be a second chance of a wrong
 * promotion.
 */
export function beginStep(evidence: Evidence, step: number, steps: number): Evidence {
  // The evidence in favour stays, and with it the number of intervals in which it was gathered.
  if (step < evidence.begun) return { ...evidence, ...emptyCounts, intervals: evidence.intervals };
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
      ...evidence.metrics[name],
      favour: 0,
      favourTable: isProven(evidence.metrics[name]) ? bothAsStable(evidence.metrics[name].favourTable) : emptyTable,
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

/** With so much in its favour a canary was shown to be good in a step, and what is normal under such load is known. */
const provenFrom = Math.log(20);
const isProven = ({ favour }: Metric): boolean => favour >= provenFrom;

/**
 * Lets what both arms did in a step stand beside stable in the next one. Five percent of a small service are few
 * requests to compare with, and a canary that was shown to be good is as good a measure of what is normal as stable.
 */
const bothAsStable = ({ canary, canaryBad, stable, stableBad }: Table): Table => ({
  ...emptyTable,
  stable: roundLog(canary + stable),
  stableBad: roundLog(canaryBad + stableBad),
});

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
  const before = buckets.slice(0, history).map(({ stable }) => stable);
  const usual = usualShare(before);
  let baseline = before.reduce<Baseline>(
    (known, stable) => (isSick(stable, known, watch.thresholds, usual) ? known : learn(known, stable)),
    evidence.baseline,
  );
  baseline = findTails(baseline);
  let next = { ...evidence, startUntil: startOf(evidence, watch) };
  for (const [index, bucket] of buckets.entries()) {
    const sick = isSick(bucket.stable, baseline, watch.thresholds, recentShare(next, watch.thresholds));
    const wasSick = next.sick !== undefined;
    next = sick ? addSick(next, bucket, baseline, watch) : { ...next, sick: undefined };
    if (!wasSick || baseline.incidents > incidentsMax) next = add(next, baseline, bucket, watch);
    const ceiling = ceilingOf(failureShare(baseline), watch.thresholds);
    const isOut = sick && bucket.stable.failed > ceiling * bucket.stable.requests;
    if (isOut && !wasSick) baseline = { ...baseline, incidents: baseline.incidents + 1 };
    baseline =
      isOut && baseline.incidents <= incidentsMax ? breakBlocks(baseline) : measureNoise(baseline, bucket.stable);
    if (!isOut && index >= history) baseline = findTails(learn(baseline, bucket.stable));
  }
  return { ...next, baseline };
}

/** From so many requests to stable in this rollout on its share of failures is known. */
const recentFrom = 500;

/**
 * Gives stable's share of failures in this rollout. If the base has risen, the hour before the rollout says too little,
 * and each minute that is a little bad would count as sick: what is left would look better than stable is. It counts up
 * to half of `stableFailurePercentMax`, so that no canary that drags stable down makes this look usual.
 */
function recentShare({ metrics }: Evidence, { stableFailurePercentMax }: Thresholds): number {
  const { stable, stableBad } = metrics.failed.wholeTable;
  return stable < recentFrom ? 0 : Math.min(stableBad / stable, stableFailurePercentMax / 200);
}

function addSick(evidence: Evidence, bucket: Bucket, baseline: Baseline, { thresholds }: Watch): Evidence {
  const isShared = isSick(bucket.canary, baseline, thresholds, recentShare(evidence, thresholds));
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
    intervals: evidence.intervals + 1,
    canary: addCounts(evidence.canary, bucket.canary),
    stable: addCounts(evidence.stable, bucket.stable),
    alone: watch.percent < 100 ? evidence.alone : weighAlone(evidence.alone, bucket.canary, baseline, watch.thresholds),
  };
}

function addToMetrics(
  evidence: Evidence,
  baseline: Baseline,
  bucket: Bucket,
  watch: Watch,
  { isOfStep, isSound }: { readonly isOfStep: boolean; readonly isSound: boolean },
): Evidence {
  if (bucket.canary.requests === 0) return evidence;
  const { thresholds } = watch;
  const isStart = bucket.at < evidence.startUntil;
  const tables = byMetric((name) => tableOf(bucket, name, baseline, thresholds.slowdownTolerated));
  const against = byMetric((name) => {
    const tolerated = toleratedOdds(name, baseline, thresholds);
    return ratios(
      tables[name],
      alternatives.map(([times]) => tolerated * times),
      tolerated,
    );
  });
  const weighedBy = (name: MetricName): Metric => {
    const table = tables[name];
    if (table === undefined) return evidence.metrics[name];
    const { tail } = metricSettings[name];
    return weigh(evidence.metrics[name], table, against[name], {
      ...temper(baseline.noise[name], table),
      excess: excessOf(name, { baseline, metrics: evidence.metrics }, thresholds),
      isOfDurations: tail !== undefined,
      isOfStep,
      isFavour: isSound && promising.includes(name),
      ceiling: isStart && tail !== undefined && tail < bodyFrom ? startMost : Infinity,
    });
  };
  return {
    ...evidence,
    metrics: byMetric(weighedBy),
    untempered: addLogs(evidence.untempered, against.failed),
  };
}

/** A start takes so many times the warm-up after it at most: caches fill, code is compiled. */
const startWarmUps = 3;
/** A cold start slows many requests down, but hardly the half that a service answers fastest. */
const bodyFrom = 0.5;
/** What slow requests of a start may count against a canary: it waits, and a slowness that ends is soon forgotten. */
const startMost = 1;

/** Gives until when a canary may still answer some requests slowly because it has just started. */
const startOf = ({ begun, startUntil }: Evidence, { warmFrom, warmUntil }: Watch): Instant =>
  begun <= 1 ? warmUntil + startWarmUps * (warmUntil - warmFrom) : startUntil;
