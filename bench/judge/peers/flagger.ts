// Flagger as its documentation configures it: fluxcd/flagger@15bd6ad, pkg/controller/scheduler.go (advanceCanary, runCanary) and
// scheduler_metrics.go, with the queries of pkg/metrics/observers/istio.go. It compares with no baseline.
// Every query looks at the minute that has just ended: one that is not visible yet has no value, and no value is a failed check.
import { type Arm, type Contestant, durationBuckets, type Move } from "../contestant.ts";
import { histogramQuantile } from "./quantile.ts";

/** What a Canary resource of Flagger says of its analysis. */
export interface FlaggerAnalysis {
  readonly threshold: number;
  readonly stepWeight: number;
  readonly maxWeight: number;
}

/** What Flagger keeps in the status of a Canary resource. */
export interface FlaggerStatus {
  readonly weight: number;
  /** Counted over the whole rollout: a check that passes takes none of them back. */
  readonly failedChecks: number;
}

const successRateMinimum = 99;
const durationMaximumMs = 500;

/** Istio's bounds for request durations, in milliseconds (Envoy's defaults, which Istio keeps). */
const istioBounds = [
  0.5,
  1,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1e3,
  2.5e3,
  5e3,
  1e4,
  3e4,
  6e4,
  3e5,
  6e5,
  1.8e6,
  3.6e6,
  Infinity,
];

/** Where each of Istio's bounds falls among ours: the bucket, and how much of it lies below, as if requests were spread evenly in it. */
const places = istioBounds.map((bound) => {
  const bucket = Math.max(0, Math.floor(8 * Math.log2(bound)));
  if (bucket >= durationBuckets) return { bucket: durationBuckets, part: 0 };
  const low = bucket === 0 ? 0 : 2 ** (bucket / 8);
  return { bucket, part: (bound - low) / (2 ** ((bucket + 1) / 8) - low) };
});

function istioHistogram(durations: readonly number[]): readonly number[] {
  const cumulative: number[] = [];
  let next = 0;
  let below = 0;
  for (const { bucket, part } of places) {
    while (next < bucket) below += durations[next++]!;
    cumulative.push(part === 0 ? below : below + part * durations[bucket]!);
  }
  return cumulative;
}

/**
 * Says whether both of Flagger's built-in checks pass for a minute of the canary: success rate and p99, which is cut to whole milliseconds.
 *
 * A minute that is not visible, or without a request, has no value, which is a failed check as in `Halt advancement no values found`.
 */
export function passesChecks(canary: Arm | undefined): boolean {
  if (canary === undefined || canary.requests === 0) return false;
  if ((100 * (canary.requests - canary.failed)) / canary.requests < successRateMinimum) return false;
  return Math.trunc(histogramQuantile(0.99, istioBounds, istioHistogram(canary.durations))) <= durationMaximumMs;
}

/**
 * Advances a Canary resource by one tick, as `advanceCanary` does.
 *
 * The number of failed checks is looked at before the checks are made, so that the one that reaches the threshold is acted on a tick later; the
 * first tick only moves traffic. What passes at the full weight is promoted and not looked at any more.
 */
export function advance(analysis: FlaggerAnalysis, state: FlaggerStatus, passes: () => boolean): Move<FlaggerStatus> {
  const to = (weight: number): Move<FlaggerStatus> => ({ state: { ...state, weight }, weight });
  if (state.failedChecks >= analysis.threshold) return { state, weight: 0, ending: "rolled-back" };
  if (state.weight === 0) return to(analysis.stepWeight);
  if (!passes())
    return {
      state: { ...state, failedChecks: state.failedChecks + 1 },
      weight: state.weight,
      held: "halt advancement",
    };
  return state.weight >= analysis.maxWeight
    ? { state, weight: 100, ending: "promoted" }
    : to(state.weight + analysis.stepWeight);
}

/** Gives Flagger with the threshold given: a look a minute, steps of 5 up to 50. */
export function flagger(threshold: number): Contestant<FlaggerStatus> {
  const analysis = { threshold, stepWeight: 5, maxWeight: 50 };
  return {
    name: `Flagger ${threshold}`,
    start: () => ({ weight: 0, failedChecks: 0 }),
    look: (state, now, arrived) =>
      advance(analysis, state, () => passesChecks(arrived.findLast(({ at }) => at === now)?.canary)),
  };
}
