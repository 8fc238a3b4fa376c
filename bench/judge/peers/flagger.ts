// Flagger as its documentation configures it: fluxcd/flagger@15bd6ad, pkg/controller/scheduler.go
// (advanceCanary, runCanary) and scheduler_metrics.go, with the queries of
// pkg/metrics/observers/istio.go. It has no baseline. Each query looks at the minute that has just ended;
// a minute that is not visible yet has no value, which is a failed check.
import { type Arm, type Contestant, durationBands, type Move } from "../contestant.ts";
import { histogramQuantile } from "./quantile.ts";

/** The analysis in a Canary resource of Flagger. */
export interface FlaggerAnalysis {
  readonly threshold: number;
  readonly stepWeight: number;
  readonly maxWeight: number;
}

/** The status of a Canary resource. */
export interface FlaggerStatus {
  readonly weight: number;
  /** Failed checks of the whole rollout; a check that passes does not reduce them. */
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

/**
 * The band of ours in which each of Istio's bounds falls, and the part of it below, assuming evenly spread requests.
 */
const places = istioBounds.map((bound) => {
  const band = Math.max(0, Math.floor(8 * Math.log2(bound)));
  if (band >= durationBands) return { band: durationBands, part: 0 };
  const low = band === 0 ? 0 : 2 ** (band / 8);
  return { band, part: (bound - low) / (2 ** ((band + 1) / 8) - low) };
});

function istioHistogram(durations: readonly number[]): readonly number[] {
  const cumulative: number[] = [];
  let next = 0;
  let below = 0;
  for (const { band, part } of places) {
    for (; next < band; next++) below += durations[next]!;
    cumulative.push(part === 0 ? below : below + part * durations[band]!);
  }
  return cumulative;
}

/**
 * Reports whether a minute of the canary passes both of Flagger's built-in checks:
 * success rate, and p99 cut to milliseconds.
 *
 * A minute that is not visible or has no requests has no value, which fails the
 * check (`Halt advancement no values found`).
 */
export function passesChecks(canary: Arm | undefined): boolean {
  if (canary === undefined || canary.requests === 0) return false;
  if ((100 * (canary.requests - canary.failed)) / canary.requests < successRateMinimum) return false;
  return Math.trunc(histogramQuantile(0.99, istioBounds, istioHistogram(canary.durations))) <= durationMaximumMs;
}

/**
 * Advances a Canary resource by one interval, as `advanceCanary` does.
 *
 * The number of failed checks is read before the checks run, so the rollback comes one interval after the threshold is
 * reached. The first interval only shifts traffic. A canary that passes at the full weight is promoted.
 */
export function advance(analysis: FlaggerAnalysis, state: FlaggerStatus, passes: () => boolean): Move<FlaggerStatus> {
  const to = (weight: number): Move<FlaggerStatus> => ({ state: { ...state, weight }, weight });
  if (state.failedChecks >= analysis.threshold) return { state, weight: 0, ending: "rolled-back" };
  if (state.weight === 0) return to(analysis.stepWeight);
  if (!passes())
    return {
      state: { ...state, failedChecks: state.failedChecks + 1 },
      weight: state.weight,
      waiting: "halt advancement",
    };
  return state.weight >= analysis.maxWeight
    ? { state, weight: 100, ending: "promoted" }
    : to(state.weight + analysis.stepWeight);
}

/** Gives Flagger with a threshold: one look per minute, steps of 5 up to 50. */
export function flagger(threshold: number): Contestant<FlaggerStatus> {
  const analysis = { threshold, stepWeight: 5, maxWeight: 50 };
  return {
    name: `Flagger ${threshold}`,
    about:
      "Flagger's documented checks of the canary each minute (99 % success, p99 at most 500 ms); " +
      `${threshold} failed checks roll back`,
    start: () => ({ weight: 0, failedChecks: 0 }),
    look: (state, now, arrived) =>
      advance(analysis, state, () => passesChecks(arrived.findLast(({ at }) => at === now)?.canary)),
  };
}
