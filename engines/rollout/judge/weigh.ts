// One bucket → its evidence by one metric: the table of both arms, the likelihood ratios against the canary and in its
// favour, and how far bursts of bad requests weaken them.
import type { Bucket, Tally, Thresholds } from "../vocabulary.ts";
import { badOf, blockLengths, failureShare } from "./baseline.ts";
import type { AloneName, Baseline, Evidence, Metric, MetricName, Noise, Table } from "./evidence.ts";
import { type Excess, isTelling, logBelow, logLikelihood, logShareRatio, roundLog } from "./likelihood.ts";
import { aloneAlternatives, metricSettings } from "./metrics.ts";

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
export interface Weighing extends Tempering {
  /** What must be excluded before a promotion. */
  readonly excess: Excess;
  /**
   * Whether the metric is one of durations. Slow requests always come in bursts on a busy machine: evidence in favour
   * is weakened for that but not capped, or there would never be enough.
   */
  readonly isOfDurations: boolean;
  readonly isOfStep: boolean;
  /** Whether it may count in the canary's favour. */
  readonly isFavour: boolean;
  /** The most that the evidence against the canary may amount to after this bucket, as a logarithm. */
  readonly ceiling: number;
}

/**
 * Adds a bucket to a metric. A likelihood ratio to a power below one, or capped, has a mean of at most
 * 1: still evidence.
 */
export function weigh(metric: Metric, table: Table, against: readonly number[], how: Weighing): Metric {
  const { power, most, isOfStep, isFavour, ceiling } = how;
  const tempered = against.map((log) => Math.min(most, power * log));
  const capped = (logs: readonly number[]): readonly number[] => logs.map((log) => Math.min(ceiling, log));
  return {
    ...metric,
    whole: capped(addLogs(metric.whole, tempered)),
    wholeTable: addTables(metric.wholeTable, table),
    ...(isOfStep
      ? { step: capped(addLogs(metric.step, tempered)), stepTable: addTables(metric.stepTable, table) }
      : {}),
    ...(isFavour ? addFavour(metric, table, how) : {}),
  };
}

/** Adds a bucket to the evidence in the canary's favour. */
function addFavour(
  { favour, favourTable, usual: before }: Metric,
  { canary, canaryBad, stable, stableBad }: Table,
  { power, most, isOfDurations, excess }: Weighing,
): Pick<Metric, "favour" | "favourTable" | "usual"> {
  // What the evidence expects must not depend on what it is made of.
  const usual = favourTable.canary === 0 ? Number(excess.usual.toPrecision(3)) : before;
  // Rounded, so that the state stays short.
  const part = (count: number): number => Math.round(100 * power * count) / 100;
  const sum = addTables(favourTable, {
    canary: part(canary),
    canaryBad: part(canaryBad),
    stable: part(stable),
    stableBad: part(stableBad),
  });
  const log = logBelow(sum, { ...excess, usual });
  return { usual, favourTable: sum, favour: roundLog(isOfDurations ? log : Math.min(log, favour + most)) };
}

/** Adds the evidence of a bucket to the evidence so far. */
export const addLogs = (logs: readonly number[], more: readonly number[]): readonly number[] =>
  logs.map((log, index) => roundLog(log + more[index]!));

const addTables = (a: Table, b: Table): Table => ({
  canary: roundLog(a.canary + b.canary),
  canaryBad: roundLog(a.canaryBad + b.canaryBad),
  stable: roundLog(a.stable + b.stable),
  stableBad: roundLog(a.stableBad + b.stableBad),
});

/** Gives the logarithms of how much likelier a bucket is at each of some odds than at others; 0 if it says nothing. */
export function ratios(table: Table | undefined, odds: readonly number[], than: number): readonly number[] {
  if (table === undefined || !isTelling(table)) return odds.map(() => 0);
  const base = logLikelihood(table, than);
  return odds.map((each) => logLikelihood(table, each) - base);
}

/** The line of a quantile is known as if so many requests had shown how many lie beyond it. */
const learntAs = 10;

/** A canary whose odds are at least so many times stable's is not one that is tolerated. */
export const oddsExcluded = ({ oddsTolerated }: Thresholds): number => oddsTolerated + 0.1;

/** How much worse a canary must be shown not to be, by a metric, before it is promoted. */
export function excessOf(
  name: MetricName,
  { baseline, metrics }: Pick<Evidence, "baseline" | "metrics">,
  thresholds: Thresholds,
): Excess {
  const { failurePointsMax } = thresholds;
  const { tail, pointsMax = failurePointsMax } = metricSettings[name];
  const bad = name === "failed" ? baseline.failed : baseline.refused;
  // Durations in whole milliseconds leave far fewer requests beyond the line than the name of the quantile says.
  const { stable, stableBad } = metrics[name].wholeTable;
  return {
    points: pointsMax / 100,
    oddsLeast: oddsExcluded(thresholds),
    usual:
      tail === undefined
        ? (bad + 0.5) / (baseline.requests + 100)
        : (stableBad + learntAs * tail) / (stable + learntAs),
  };
}

/** The part of `failurePointsMax` that is tolerated however often stable fails. */
const pointsTolerated = 0.25;

/**
 * Gives the odds that are tolerated by a metric. At a high baseline the same odds are many points, so failures are
 * tolerated up to a few points only.
 */
export function toleratedOdds(
  name: MetricName,
  baseline: Baseline,
  { failurePointsMax, oddsTolerated }: Thresholds,
): number {
  if (name !== "failed") return oddsTolerated;
  const share = Math.max(1e-6, Math.min(0.5, failureShare(baseline)));
  const more = share + (pointsTolerated * failurePointsMax) / 100;
  return Math.min(oddsTolerated, more / (1 - more) / (share / (1 - share)));
}

/** At 100 percent a request is slow beyond this multiple of where stable's tail begins, and this share may be slow. */
export const aloneSlowdown = 3,
  aloneSlowMost = 0.3;

/** What speaks against a canary at 100 percent grows no further than this logarithm, so that it soon shrinks again. */
const aloneMost = 10;

/**
 * Weighs a bucket at 100 percent. There is no stable in the same minutes, so its baseline must do: three times its
 * failures, and slowness that no busy hour explains. A blip that stable would have shared looks the same, so this makes
 * the rollout wait and does not roll back.
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
          roundLog(
            Math.min(
              aloneMost,
              log + logShareRatio(canary.requests, bad, Math.min(0.9, most * aloneAlternatives[index]!), most),
            ),
          ),
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

/** Gives how much more blocks differ than by chance. What chance itself does to that estimate is subtracted. */
const dispersionOf = ({ pairs, sum }: Noise): number =>
  pairs === 0 ? 1 : Math.max(1, sum / pairs - Math.sqrt(2 / pairs));

/**
 * Gives how far a bucket can be trusted: how much more the difference of two shares varies than by chance, judging by
 * neighbouring blocks of stable's buckets. Some noise lasts for minutes, some for longer: the blocks that show most of
 * it decide.
 */
export function temper(noise: readonly Noise[], { canary, stable }: Table): Tempering {
  const [buckets, blocks] = noise;
  if (buckets === undefined || blocks === undefined || canary === 0 || stable === 0)
    return { power: 1, most: Infinity };
  const spreads = noise.slice(1).map((scale, index) => {
    const together = (dispersionOf(scale) - 1) / Math.max(1, scale.requests / Math.max(1, scale.pairs) - 1);
    const length = blockLengths[index + 1]!;
    const apart = (count: number): number => (1 + Math.max(0, length * count - 1) * together) / count;
    return apart(canary) + apart(stable);
  });
  const isLasting =
    buckets.pairs > 0 && blocks.pairs > 0 && blocks.sum / blocks.pairs > lastingFrom * (buckets.sum / buckets.pairs);
  const cap = isLasting ? burstMost / 2 : burstMost;
  return {
    power: 1 / Math.max(1, Math.max(...spreads) / (1 / canary + 1 / stable)),
    most: dispersionOf(blocks) < burstyFrom ? Infinity : cap,
  };
}
