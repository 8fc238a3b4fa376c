// Kayenta with its NetflixACAJudge: spinnaker/spinnaker@f8b98eb, kayenta/kayenta-judge (MannWhitneyClassifier,
// WeightedSumScorer, IQRDetector) and kayenta-standalone-canary-analysis (MonitorCanaryTask,
// GenerateCanaryAnalysisResultTask). It judges a growing window at each interval, by two metrics in a group each:
// the percentage of failed requests, and p99 in milliseconds. Each minute with requests is one point. Kayenta's
// baseline should be as large and as new as the canary; here it is a draw without replacement from stable's minute,
// seeded by the counts of both arms, separately for failures and durations. If stable has fewer requests than the
// canary, the baseline is stable's whole minute.
import { type Arm, type Contestant, durationBands, type Minute, type Move } from "../contestant.ts";
import { loadDice } from "../dice.ts";
import { mannWhitney } from "./mann-whitney.ts";
import { histogramQuantile } from "./quantile.ts";

/** Kayenta's labels for a metric of the canary compared with the baseline. */
export type Label = "Pass" | "High" | "Low" | "Nodata" | "Error";

/** How a metric is judged; absent settings have the judge's defaults. */
export interface MetricSettings {
  readonly direction: "increase" | "decrease" | "either";
  readonly tolerance?: number;
  readonly normalQuantile?: number;
  /** The lowest ratio of means that is High, and the highest that is Low. */
  readonly effect?: { readonly decrease: number; readonly increase: number };
  readonly withoutOutliers?: boolean;
}

/** The judge's defaults: an interval of 98 percent, which must lie beyond a quarter of the estimate. */
const judgeQuantile = 2.3263478740408408;
const judgeTolerance = 0.25;
const outlierFactor = 3;
const noiseScale = 1e-5;
const canaryWeight = 10;
const marginalScore = 75;
const passScore = 95;
const nodataPercentMaximum = 50;

const seedOf = (values: readonly number[]): number =>
  values.reduce((hash, value) => Math.imul(hash ^ Math.round(value * 1000), 16777619) >>> 0, 2166136261);

/** Gives the percentile as commons-math does, by R's seventh rule. */
function percentile(sorted: readonly number[], percent: number): number {
  const place = ((sorted.length - 1) * percent) / 100;
  const low = Math.floor(place);
  return sorted[low]! + (place - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}

/** Removes outliers by the quartiles. `reduced`, as in the judge, always keeps the first to the 99th percentile. */
export function withoutOutliers(values: readonly number[], factor: number, reduced: boolean): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const q1 = percentile(sorted, 25);
  const q3 = percentile(sorted, 75);
  let low = q1 - factor * (q3 - q1);
  let high = q3 + factor * (q3 - q1);
  if (reduced) [low, high] = [Math.min(low, percentile(sorted, 1)), Math.max(high, percentile(sorted, 99))];
  return values.filter((value) => value >= low && value <= high);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const isConstant = (values: readonly number[]): boolean => values.every((value) => value === values[0]);

/** Adds a little noise in proportion to each value, as Kayenta does because two constants have no interval. */
function shaken(values: readonly number[], next: () => number): readonly number[] {
  return values.map(
    (value) => value + value * noiseScale * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/**
 * Classifies the canary's values of a metric against the baseline's, as MannWhitneyClassifier does with NaN removed.
 *
 * The whole interval must lie beyond a fraction of the estimate, and the means must
 * differ in the same direction, unless one is 0.
 */
export function classify(experiment: readonly number[], control: readonly number[], settings: MetricSettings): Label {
  const clean = (values: readonly number[]): readonly number[] => {
    const numbers = values.filter((value) => !Number.isNaN(value));
    return settings.withoutOutliers && numbers.length > 0 ? withoutOutliers(numbers, outlierFactor, true) : numbers;
  };
  let x = clean(experiment);
  let y = clean(control);
  if (x.length === 0 || y.length === 0) return "Nodata";
  const xs = x.toSorted((a, b) => a - b);
  const ys = y.toSorted((a, b) => a - b);
  if (xs.length === ys.length && xs.every((value, index) => value === ys[index])) return "Pass";
  if (isConstant([...x, ...y])) return "Pass";
  if (isConstant(x) && isConstant(y)) {
    const { next } = loadDice(seedOf([x.length, x[0]!, y.length, y[0]!]));
    x = shaken(x, next);
    y = shaken(y, next);
  }
  const shift = mannWhitney(x, y, settings.normalQuantile ?? judgeQuantile);
  if (shift === undefined) return "Error";
  const bound = (settings.tolerance ?? judgeTolerance) * Math.abs(shift.estimate);
  const xMean = mean(x);
  const yMean = mean(y);
  const ratio = xMean === 0 || yMean === 0 ? NaN : xMean / yMean;
  const { increase, decrease } = settings.effect ?? { increase: 1, decrease: 1 };
  if (settings.direction !== "decrease" && shift.low > bound && !(ratio < increase)) return "High";
  if (settings.direction !== "increase" && shift.high < -bound && !(ratio > decrease)) return "Low";
  return "Pass";
}

/** A classified metric and its group. */
export interface Classified {
  readonly group: string;
  readonly label: Label;
  readonly critical?: boolean;
}

/**
 * Gives a score from 0 to 100, as WeightedSumScorer does: groups by weight, with the
 * rest shared among groups without a weight.
 *
 * If half the metrics or more have no values, the score is 0. A group in which no
 * metric counts, for example by an error, is 100.
 */
export function score(metrics: readonly Classified[], weights: Readonly<Record<string, number>> = {}): number {
  if (metrics.some(({ critical, label }) => critical && label !== "Pass")) return 0;
  if ((100 * metrics.filter(({ label }) => label === "Nodata").length) / metrics.length >= nodataPercentMaximum)
    return 0;
  const groups = [...new Set(metrics.map(({ group }) => group))];
  const unweighted = groups.filter((group) => weights[group] === undefined);
  const share = (100 - Object.values(weights).reduce((sum, weight) => sum + weight, 0)) / unweighted.length;
  const total = groups.reduce((sum, group) => {
    const counted = metrics.filter(
      (metric) => metric.group === group && ["Pass", "High", "Low"].includes(metric.label),
    );
    const passed =
      counted.length === 0 ? 100 : (100 * counted.filter(({ label }) => label === "Pass").length) / counted.length;
    return sum + (passed * (weights[group] ?? share)) / 100;
  }, 0);
  return Math.round(total * 100) / 100;
}

/** Draws without replacement from items counted by kind, and counts the draws by kind. */
export function thin(counts: readonly number[], draws: number, next: () => number): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (draws >= total) return counts;
  const leaveOut = draws > total / 2;
  const drawn = new Array<number>(counts.length).fill(0);
  const taken = new Uint8Array(total);
  const kinds = new Uint16Array(total);
  let filled = 0;
  for (const [kind, count] of counts.entries()) {
    kinds.fill(kind, filled, filled + count);
    filled += count;
  }
  for (let left = leaveOut ? total - draws : draws; left > 0; ) {
    const place = Math.floor(next() * total);
    if (taken[place] === 1) continue;
    taken[place] = 1;
    drawn[kinds[place]!]!++;
    left--;
  }
  return leaveOut ? counts.map((count, kind) => count - drawn[kind]!) : drawn;
}

/** A minute of both arms in Kayenta's metrics. */
interface Point {
  readonly at: number;
  readonly errors: readonly [canary: number, baseline: number];
  readonly p99: readonly [canary: number, baseline: number];
}

const bounds = Array.from({ length: durationBands }, (_, band) =>
  band === durationBands - 1 ? Infinity : 2 ** ((band + 1) / 8),
);

function p99Of(durations: readonly number[]): number {
  const cumulative: number[] = [];
  for (const count of durations) cumulative.push((cumulative.at(-1) ?? 0) + count);
  return histogramQuantile(0.99, bounds, cumulative);
}

function baselineOf(
  stable: Arm,
  canary: Arm,
  at: number,
): { readonly requests: number; readonly failed: number; readonly durations: readonly number[] } {
  const { next } = loadDice(
    seedOf([
      at,
      canary.requests,
      canary.failed,
      stable.requests,
      stable.failed,
      ...stable.durations.filter((count) => count > 0),
    ]),
  );
  const requests = Math.min(stable.requests, canary.requests);
  return {
    requests,
    failed: thin([stable.failed, stable.requests - stable.failed], requests, next)[0]!,
    durations: thin(stable.durations, requests, next),
  };
}

function pointOf({ at, canary, stable }: Minute): Point {
  const baseline = baselineOf(stable, canary, at);
  const percent = ({ requests, failed }: { requests: number; failed: number }): number => (100 * failed) / requests;
  return {
    at,
    errors: [percent(canary), percent(baseline)],
    p99: [p99Of(canary.durations), p99Of(baseline.durations)],
  };
}

/** What Kayenta's queries would find: minutes that were not queried yet, and the points of those that were. */
interface KayentaState {
  readonly began: number | undefined;
  readonly fresh: readonly Minute[];
  readonly points: readonly Point[];
}

const scoreOf = (points: readonly Point[]): number =>
  score(
    (["errors", "p99"] as const).map((group) => ({
      group,
      label: classify(
        points.map((point) => point[group][0]),
        points.map((point) => point[group][1]),
        { direction: "increase" },
      ),
    })),
  );

/**
 * Gives the ending for a score: up to the marginal score it always fails, and
 * the last score must reach the passing one.
 */
export function conclude(reached: number, isLast: boolean): Move<KayentaState>["ending"] {
  if (reached <= marginalScore) return "rolled-back";
  if (!isLast) return undefined;
  return reached >= passScore ? "promoted" : "rolled-back";
}

/**
 * Gives Kayenta at a fixed tenth of the traffic for a lifetime, judged at each interval.
 *
 * A minute that arrives after an interval is missing there and counts at the next one;
 * a minute that arrives twice is one point.
 */
export function kayenta(name: string, lifetimeMinutes: number, intervalMinutes: number): Contestant<KayentaState> {
  return {
    name,
    about:
      `Kayenta's Netflix judge on failures and p99, at a tenth of the traffic for ${lifetimeMinutes} minutes, ` +
      `judged every ${intervalMinutes}`,
    leastMinutes: lifetimeMinutes,
    start: () => ({ began: undefined, fresh: [], points: [] }),
    look: (before, now, arrived): Move<KayentaState> => {
      const began = before.began ?? now;
      const known = (at: number): boolean =>
        before.fresh.some((minute) => minute.at === at) || before.points.some((point) => point.at === at);
      const fresh = [
        ...before.fresh,
        ...arrived.filter(
          ({ at }, index) => at > began && !known(at) && arrived.findIndex((other) => other.at === at) === index,
        ),
      ];
      const lived = now - began;
      if (lived === 0 || lived % intervalMinutes !== 0)
        return { state: { began, fresh, points: before.points }, weight: canaryWeight };
      const points = [...before.points, ...fresh.map(pointOf)];
      const ending = conclude(scoreOf(points), lived >= lifetimeMinutes);
      const state = { began, fresh: [], points };
      if (ending === undefined) return { state, weight: canaryWeight };
      return { state, weight: ending === "promoted" ? 100 : 0, ending };
    },
  };
}
