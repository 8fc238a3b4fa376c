// The metrics: how each one is judged, how much of the evidence it has, and which faults are weighed against "no
// worse than tolerated".
import type { AloneName, Metric, MetricName, Table } from "./evidence.ts";

/** How one metric is judged. */
interface MetricSettings {
  /** Its part of the evidence against a canary; lost requests have the rest. */
  readonly weight: number;
  /** The share of stable's requests that are in the tail. */
  readonly tail?: number;
  /** How many requests of stable must be known before the tail is. */
  readonly learntFrom?: number;
  /**
   * A promotion needs evidence that the canary has less than this many points more; absent if that would take too many
   * requests.
   */
  readonly pointsMax?: number;
}

export const metricSettings: { readonly [Name in MetricName]: MetricSettings } = {
  failed: { weight: 0.64 },
  refused: { weight: 0.05, pointsMax: 5 },
  p50: { weight: 0.03, tail: 0.5, learntFrom: 200, pointsMax: 10 },
  p75: { weight: 0.03, tail: 0.25, learntFrom: 200 },
  p95: { weight: 0.07, tail: 0.05, learntFrom: 200, pointsMax: 5 },
  p99: { weight: 0.08, tail: 0.01, learntFrom: 1_000 },
  p999: { weight: 0.05, tail: 0.001, learntFrom: 10_000 },
};
export const metricNames = Object.keys(metricSettings) as readonly MetricName[];

/** The part of the evidence for lost requests. */
export const lostWeight = 0.05;

/** The metrics that are judged at 100 percent. */
export const aloneNames: readonly AloneName[] = ["failed", "p95"];

/** The metrics that must be shown to be good before a promotion. */
export const promising: readonly MetricName[] = metricNames.filter(
  (name) => name === "failed" || metricSettings[name].pointsMax !== undefined,
);

/** Makes a value for each metric. */
export const byMetric = <Value>(of: (name: MetricName) => Value): { readonly [Name in MetricName]: Value } => ({
  failed: of("failed"),
  refused: of("refused"),
  p50: of("p50"),
  p75: of("p75"),
  p95: of("p95"),
  p99: of("p99"),
  p999: of("p999"),
});

/**
 * The faults that are weighed: how many times worse than tolerated a canary may be, in odds, and how likely that is
 * before anything is seen. Most faults double or triple the failures.
 */
export const alternatives: readonly (readonly [times: number, prior: number])[] = [
  [1.12, 0.05],
  [1.33, 0.06],
  [1.83, 0.24],
  [2.6, 0.34],
  [4.2, 0.17],
  [8.3, 0.09],
  [25, 0.05],
];
/** The faults that are weighed at 100 percent, as multiples of what is tolerated there. */
export const aloneAlternatives = [1.5, 3, 10] as const;

/** Weighs the alternatives together: the logarithm of their mean. */
export function mixed(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log, index) => sum + alternatives[index]![1] * Math.exp(log - most), 0));
}

/**
 * Gives the counts in which a metric speaks most clearly against the canary: those of the present step, or of all. A
 * step without requests of stable compares nothing.
 */
export const clearestTable = ({ whole, step, wholeTable, stepTable }: Metric): Table =>
  mixed(step) > mixed(whole) && stepTable.stable > 0 ? stepTable : wholeTable;
