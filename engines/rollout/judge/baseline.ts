// Stable's buckets → its baseline: how often it fails, where the tails of its durations begin, how unevenly bad
// requests arrive, and whether it is sick now.
import type { Count, Tally, Thresholds } from "../vocabulary.ts";
import { addCounts } from "./counts.ts";
import { bandOf, durationsAbove, mergeDurations, tailOf, toleratedBand } from "./durations.ts";
import type { Baseline, Counted, MetricName, Noise } from "./evidence.ts";
import { roundLog } from "./likelihood.ts";
import { byMetric, metricNames, metricSettings } from "./metrics.ts";

/**
 * How many buckets make a block, by the scale at which noise is measured. Bad minutes often come two or three in a row,
 * which neighbouring minutes would hide, and some noise lasts for a good part of a rollout.
 */
export const blockLengths = [1, 3, 9] as const;

/** The baseline before any bucket. */
export const noBaseline: Baseline = {
  requests: 0,
  failed: 0,
  refused: 0,
  tails: {},
  noise: byMetric(() => blockLengths.map(() => ({ pairs: 0, sum: 0, requests: 0 }))),
  blockBuckets: 0,
  long: 0,
  incidents: 0,
};

/** From this many requests on, stable's baseline of failures is known. */
const knownFrom = 500;
/** One or two outages are incidents; from the third on they are normal for stable. */
export const incidentsMax = 2;
/** Gives the share of requests that failed. */
export const failureShare = ({ requests, failed }: Count): number => (requests === 0 ? 0 : failed / requests);

/**
 * Reports whether an arm fails so much in a bucket that it cannot be compared with: far above the baseline and chance.
 *
 * A bucket of a sick stable makes the rollout wait and is no evidence in favour of the canary. The buckets after it are
 * left out, not the bucket itself: leaving out a bucket for what it shows would keep the storms that hit the canary and
 * drop those that hit stable. If stable is sick again and again, nothing is left out. `usual` is what is known of the
 * share of failures besides the baseline.
 */
export function isSick(arm: Tally, baseline: Baseline, thresholds: Thresholds, usual = 0): boolean {
  const isKnown = baseline.requests >= knownFrom;
  const share = Math.max(usual, failureShare(baseline));
  const expected = arm.requests * share;
  const ceiling = ceilingOf(isKnown ? failureShare(baseline) : share, thresholds);
  const most = isKnown ? Math.min(ceiling, Math.max(3 * share, share + 0.02)) : ceiling;
  return arm.failed >= 3 && arm.failed > most * arm.requests && arm.failed > expected + 4 * Math.sqrt(expected);
}

/** Gives the share of failures beyond which stable is sick in any case, unless its baseline is about as high. */
export const ceilingOf = (share: number, thresholds: Thresholds): number =>
  Math.max(thresholds.stableFailurePercentMax / 100, 1.5 * share);

/**
 * Gives the usual share of failures of some buckets: that of the middle one, so that an outage among them does not
 * count. Without it, a service that usually fails more than `stableFailurePercentMax` would be sick from its first
 * bucket on, and nothing could ever be learnt.
 */
export function usualShare(arms: readonly Tally[]): number {
  const shares = arms.filter(({ requests }) => requests > 0).map(failureShare);
  return shares.toSorted((one, other) => one - other)[Math.floor(shares.length / 2)] ?? 0;
}

/** Counts the requests of an arm that were bad by a metric, as if they were faster by the factor `slowdown`. */
export function badOf(tally: Tally, name: MetricName, { tails }: Baseline, slowdown = 1): number | undefined {
  if (name === "failed") return tally.failed;
  if (name === "refused") return tally.refused;
  const tail = tails[name];
  if (tail === undefined) return undefined;
  if (tally.durations !== undefined) return durationsAbove(tally.durations, toleratedBand(tail, slowdown));
  return tally.requests === 0 ? 0 : undefined;
}

/** From this band on a request is long: it may begin in one step and end in another. */
const longBand = bandOf(60_000);

const areKnown = (tails: Baseline["tails"]): boolean =>
  metricNames.every((name) => metricSettings[name].tail === undefined || tails[name] !== undefined);

/** Adds a bucket of stable to its baseline. */
export const learn = (baseline: Baseline, stable: Tally): Baseline => ({
  ...baseline,
  ...addCounts(baseline, stable),
  refused: baseline.refused + (stable.refused ?? 0),
  long: baseline.long + (stable.durations === undefined ? 0 : durationsAbove(stable.durations, longBand - 1)),
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
  const blockBuckets = baseline.blockBuckets + 1;
  const measure = (name: MetricName): readonly Noise[] => {
    const bad = badOf(stable, name, baseline);
    return bad === undefined
      ? baseline.noise[name]
      : baseline.noise[name].map((noise, scale) =>
          addToBlock(noise, [stable.requests, bad], blockLengths[scale]!, blockBuckets),
        );
  };
  return { ...baseline, noise: byMetric(measure), blockBuckets: blockBuckets % blockLengths.at(-1)! };
}

/** Forgets the blocks around an outage: they say nothing about what is normal. */
export const breakBlocks = (baseline: Baseline): Baseline => ({
  ...baseline,
  noise: byMetric((name) => baseline.noise[name].map(({ pairs, sum, requests }) => ({ pairs, sum, requests }))),
  blockBuckets: 0,
});

/** From this length on a block is long, and from so many times the mean on a difference is an outlier. */
const longFrom = 9;
const outlierFrom = 4;

/** Adds a bucket to the open block, and compares the block with the one before if it is full. */
function addToBlock(noise: Noise, [requests, bad]: Counted, length: number, buckets: number): Noise {
  const open: Counted = [requests + (noise.open?.[0] ?? 0), bad + (noise.open?.[1] ?? 0)];
  if (buckets % length !== 0) return { ...noise, open };
  const { before, open: _full, ...sums } = noise;
  const found = difference(before, open);
  if (found === undefined) return { ...sums, before: open };
  // A base that moves once makes two long blocks differ as nothing else does; that is no noise.
  const most = length < longFrom ? Infinity : outlierFrom * Math.max(1, sums.sum / Math.max(1, sums.pairs));
  return {
    pairs: sums.pairs + 1,
    sum: roundLog(sums.sum + Math.min(most, found.squared)),
    requests: roundLog(sums.requests + found.requests),
    before: open,
  };
}

interface Difference {
  /** The squared difference of two shares of bad requests, in units of chance. */
  readonly squared: number;
  /** The size of one stretch that would be as informative as both. */
  readonly requests: number;
}

/** Compares the shares of bad requests in two stretches of stable; undefined if they say nothing. */
function difference(before: Counted | undefined, [requests, bad]: Counted): Difference | undefined {
  if (before === undefined || before[1] + bad === 0 || before[1] + bad === before[0] + requests) return undefined;
  const share = (before[1] + bad) / (before[0] + requests);
  const by = 1 / before[0] + 1 / requests;
  return { squared: (before[1] / before[0] - bad / requests) ** 2 / (share * (1 - share) * by), requests: 2 / by };
}
