// Stable's buckets → its baseline: how often it fails, where the tails of its durations begin, how unevenly bad
// requests arrive, and whether it is sick now.
import type { Count, Tally, Thresholds } from "../vocabulary.ts";
import { addCounts } from "./counts.ts";
import { bandsOf, durationsAbove, mergeDurations, tailOf } from "./durations.ts";
import type { Baseline, MetricName, Noise } from "./evidence.ts";
import { roundLog } from "./likelihood.ts";
import { byMetric, metricNames, metricSettings } from "./metrics.ts";

/** The baseline before any bucket. */
export const noBaseline: Baseline = {
  requests: 0,
  failed: 0,
  refused: 0,
  tails: {},
  noise: byMetric(() => ({ pairs: 0, sum: 0, requests: 0, bucketPairs: 0, bucketSum: 0 })),
  last: {},
  before: {},
  block: {},
  blockBuckets: 0,
  incidents: 0,
};

/** From this many requests on, stable's baseline of failures is known. */
const knownFrom = 500;
/** One or two outages are incidents; from the third on they are normal for stable. */
export const incidentsMax = 2;
/**
 * How many buckets make a block: bad minutes often come two or three in a row, which neighbouring minutes would hide.
 */
export const blockBuckets = 3;

/** Gives the share of requests that failed. */
export const failureShare = ({ requests, failed }: Count): number => (requests === 0 ? 0 : failed / requests);

/**
 * Reports whether an arm fails so much in a bucket that it cannot be compared with: far above the baseline and chance.
 *
 * A bucket of a sick stable makes the rollout wait and is no evidence in favour of the canary. The buckets after it are
 * left out, not the bucket itself: leaving out a bucket for what it shows would keep the storms that hit the canary and
 * drop those that hit stable. If stable is sick again and again, nothing is left out.
 */
export function isSick(arm: Tally, baseline: Baseline, thresholds: Thresholds): boolean {
  const share = failureShare(baseline);
  const expected = arm.requests * share;
  const ceiling = ceilingOf(baseline, thresholds);
  const most = baseline.requests < knownFrom ? ceiling : Math.min(ceiling, Math.max(3 * share, share + 0.02));
  return arm.failed >= 3 && arm.failed > most * arm.requests && arm.failed > expected + 4 * Math.sqrt(expected);
}

/** Gives the share of failures beyond which stable is sick in any case, unless its baseline is about as high. */
export const ceilingOf = (baseline: Baseline, thresholds: Thresholds): number =>
  Math.max(thresholds.stableFailurePercentMax / 100, 1.5 * failureShare(baseline));

/** Counts the requests of an arm that were bad by a metric, as if they were faster by the factor `slowdown`. */
export function badOf(tally: Tally, name: MetricName, { tails }: Baseline, slowdown = 1): number | undefined {
  if (name === "failed") return tally.failed;
  if (name === "refused") return tally.refused;
  const tail = tails[name];
  if (tail === undefined) return undefined;
  if (tally.durations !== undefined) return durationsAbove(tally.durations, tail + bandsOf(slowdown));
  return tally.requests === 0 ? 0 : undefined;
}

const areKnown = (tails: Baseline["tails"]): boolean =>
  metricNames.every((name) => metricSettings[name].tail === undefined || tails[name] !== undefined);

/** Adds a bucket of stable to its baseline. */
export const learn = (baseline: Baseline, stable: Tally): Baseline => ({
  ...baseline,
  ...addCounts(baseline, stable),
  refused: baseline.refused + (stable.refused ?? 0),
  ...(stable.durations === undefined || areKnown(baseline.tails)
    ? {}
    : { durations: mergeDurations(baseline.durations, stable.durations) }),
});

/**
 * Fixes where each tail begins as soon as enough requests are known. It stays for the whole rollout: evidence needs a
 * line that was known before the bucket.
 */
export function findTails(baseline: Baseline): Baseline {
  const { durations } = baseline;
  if (durations === undefined) return baseline;
  const total = durations.counts.reduce((sum, count) => sum + count, 0);
  const found = metricNames.filter((name) => {
    const { tail, learntFrom } = metricSettings[name];
    return tail !== undefined && baseline.tails[name] === undefined && total >= learntFrom!;
  });
  if (found.length === 0) return baseline;
  const tails = {
    ...baseline.tails,
    ...Object.fromEntries(found.map((name) => [name, tailOf(durations, metricSettings[name].tail!)])),
  };
  const { durations: _known, ...rest } = baseline;
  return { ...rest, tails, ...(areKnown(tails) ? {} : { durations }) };
}

/**
 * Compares each block of stable's buckets with the block before: a slow change of the baseline does not
 * count, bursts do.
 */
export function measureNoise(baseline: Baseline, stable: Tally): Baseline {
  if (stable.requests === 0) return baseline;
  const noise = { ...baseline.noise };
  const last = { ...baseline.last };
  const before = { ...baseline.before };
  const block = { ...baseline.block };
  const buckets = baseline.blockBuckets + 1;
  const isFull = buckets === blockBuckets;
  for (const name of metricNames) {
    const bad = badOf(stable, name, baseline);
    if (bad === undefined) continue;
    noise[name] = withBucket(noise[name], difference(last[name], [stable.requests, bad]));
    last[name] = [stable.requests, bad];
    const [requests, sum] = block[name] ?? [0, 0];
    const now = [requests + stable.requests, sum + bad] as const;
    block[name] = now;
    if (!isFull) continue;
    noise[name] = withBlock(noise[name], difference(before[name], now));
    before[name] = now;
  }
  return { ...baseline, noise, last, before, block: isFull ? {} : block, blockBuckets: isFull ? 0 : buckets };
}

interface Difference {
  /** The squared difference of two shares of bad requests, in units of chance. */
  readonly squared: number;
  /** The size of one stretch that would be as informative as both. */
  readonly requests: number;
}

/** Compares the shares of bad requests in two stretches of stable; undefined if they say nothing. */
function difference(
  before: readonly [number, number] | undefined,
  [requests, bad]: readonly [number, number],
): Difference | undefined {
  if (before === undefined || before[1] + bad === 0 || before[1] + bad === before[0] + requests) return undefined;
  const share = (before[1] + bad) / (before[0] + requests);
  const by = 1 / before[0] + 1 / requests;
  return { squared: (before[1] / before[0] - bad / requests) ** 2 / (share * (1 - share) * by), requests: 2 / by };
}

const withBucket = (noise: Noise, found: Difference | undefined): Noise =>
  found === undefined
    ? noise
    : { ...noise, bucketPairs: noise.bucketPairs + 1, bucketSum: roundLog(noise.bucketSum + found.squared) };

const withBlock = (noise: Noise, found: Difference | undefined): Noise =>
  found === undefined
    ? noise
    : {
        ...noise,
        pairs: noise.pairs + 1,
        sum: roundLog(noise.sum + found.squared),
        requests: roundLog(noise.requests + found.requests),
      };
