// Argo Rollouts with background analysis over Prometheus: argoproj/argo-rollouts@9f8d111, analysis/analysis.go
// (assessMetricStatus), utils/evaluate/evaluate.go, and the example of docs/features/analysis.md. It has no
// baseline. `irate` takes the last two scrapes of the five minutes before now; Prometheus scrapes once a minute by
// default, so that is the last visible minute. `rate` takes all scrapes of the five minutes, so that is four minutes.
import type { Contestant, Minute, Move } from "../contestant.ts";

/** The state that Argo keeps of a metric's measurements. */
export interface MetricResult {
  readonly measurements: number;
  /** Failures of the whole run; a measurement that succeeds does not reduce them. */
  readonly failed: number;
  readonly consecutiveErrors: number;
}

const consecutiveErrorLimit = 4;
const rangeMinutes = 5;

/**
 * Gives the phase of a metric without a count, as `assessMetricStatus` does.
 *
 * The fourth failure exceeds a limit of 3, although the documentation says the third.
 */
export function assess(
  { measurements, failed, consecutiveErrors }: MetricResult,
  failureLimit: number,
  terminating: boolean,
): "Pending" | "Running" | "Successful" | "Failed" | "Error" {
  if (measurements === 0) return terminating ? "Successful" : "Pending";
  if (consecutiveErrors > consecutiveErrorLimit) return "Error";
  if (failed > failureLimit) return "Failed";
  return terminating ? "Successful" : "Running";
}

/**
 * Adds a measurement of a success rate, judged by the condition `result[0] >= minimum`.
 *
 * `undefined` is an empty vector, whose `result[0]` is an error. Argo retries an error every ten seconds, so the same
 * minute answers five times. NaN (no requests in the minute) does not satisfy the condition, so it is a failure.
 */
export function measure(result: MetricResult, rate: number | undefined, minimum: number): MetricResult {
  const measurements = result.measurements + 1;
  if (rate === undefined)
    return { ...result, measurements, consecutiveErrors: result.consecutiveErrors + consecutiveErrorLimit + 1 };
  return { measurements, failed: result.failed + (rate >= minimum ? 0 : 1), consecutiveErrors: 0 };
}

/** The configuration of an analysis. */
interface Template {
  readonly of: "service" | "canary";
  readonly minimum: number;
  readonly failureLimit: number;
  readonly intervalMinutes: number;
  /** The minute of the rollout in which the first measurement is taken. */
  readonly delayMinutes: number;
  /** The minutes whose requests a rate covers: one with `irate`, four with `rate`. */
  readonly rateMinutes: number;
}

/** The state of the rollout and its analysis run, and the scrapes of Prometheus. */
interface ArgoState {
  readonly began: number | undefined;
  readonly measuredAt: number;
  readonly result: MetricResult;
  /** The newest visible minutes, oldest first. */
  readonly newest: readonly Minute[];
  /** Whether the series of successful requests exists; without it the query's answer is empty. */
  readonly served: boolean;
}

const weights = [20, 40, 60, 80];
const pauseMinutes = 10;

function argo(name: string, about: string, template: Template): Contestant<ArgoState> {
  const counts = ({ canary, stable }: Minute): { requests: number; good: number } => {
    const requests = canary.requests + (template.of === "service" ? stable.requests : 0);
    return { requests, good: requests - canary.failed - (template.of === "service" ? stable.failed : 0) };
  };
  const hasServed = (minutes: readonly Minute[]): boolean => minutes.some((minute) => counts(minute).good > 0);
  /** A rate needs two scrapes within its range, so minutes that are four minutes old give none. */
  const rate = ({ newest, served }: ArgoState, now: number): number | undefined => {
    const visible = newest
      .filter(({ at }) => now - at < rangeMinutes - 1)
      .slice(-template.rateMinutes)
      .map(counts);
    if (visible.length === 0 || !served) return undefined;
    const sum = (of: (one: ReturnType<typeof counts>) => number): number =>
      visible.reduce((total, one) => total + of(one), 0);
    return sum(({ good }) => good) / sum(({ requests }) => requests);
  };
  return {
    name,
    about,
    start: (history) => ({
      began: undefined,
      measuredAt: -Infinity,
      result: { measurements: 0, failed: 0, consecutiveErrors: 0 },
      newest: [],
      served: hasServed(history),
    }),
    look: (before, now, arrived): Move<ArgoState> => {
      const began = before.began ?? now;
      const visible = new Map([...before.newest, ...arrived].map((minute) => [minute.at, minute]));
      const newest = [...visible.values()].toSorted((one, other) => one.at - other.at).slice(1 - rangeMinutes);
      let state: ArgoState = { ...before, began, newest, served: before.served || hasServed(arrived) };
      const step = Math.floor((now - began) / pauseMinutes);
      if (step >= weights.length) return { state, weight: 100, ending: "promoted" };
      if (now - began >= template.delayMinutes && now - state.measuredAt >= template.intervalMinutes) {
        state = { ...state, measuredAt: now, result: measure(state.result, rate(state, now), template.minimum) };
        const phase = assess(state.result, template.failureLimit, false);
        if (phase === "Failed" || phase === "Error") return { state, weight: 0, ending: "rolled-back" };
      }
      return { state, weight: weights[step]! };
    },
  };
}

const example: Template = {
  of: "service",
  minimum: 0.95,
  failureLimit: 3,
  intervalMinutes: 5,
  delayMinutes: pauseMinutes,
  rateMinutes: 1,
};

/** The documentation's example of background analysis: the whole service, from 40 percent on, every five minutes. */
export const argoDocs = argo(
  "Argo docs",
  "Argo Rollouts' documented example: 95 % success of the whole service, checked every five minutes",
  example,
);

/** The same with only the canary's requests. */
export const argoDocsCanary = argo("Argo docs, canary only", "the same example, of the canary's requests only", {
  ...example,
  of: "canary",
});

/** As its best users would write it: only the canary, every minute, at least 99 percent over the last minutes. */
export const argoTuned = argo(
  "Argo tuned",
  "Argo Rollouts with 99 % success of the canary's requests of the last minutes, checked every minute",
  {
    of: "canary",
    minimum: 0.99,
    failureLimit: 3,
    intervalMinutes: 1,
    delayMinutes: 1,
    rateMinutes: 4,
  },
);
