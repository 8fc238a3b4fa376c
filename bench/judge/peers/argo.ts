// Argo Rollouts with background analysis over Prometheus: argoproj/argo-rollouts@9f8d111, analysis/analysis.go (assessMetricStatus),
// utils/evaluate/evaluate.go, and the example of docs/features/analysis.md. It compares with no baseline.
// `irate` takes the last two scrapes of the five minutes before now; a scrape a minute is Prometheus' default, so that is the last minute visible.
import type { Contestant, Minute, Move } from "../contestant.ts";

/** What Argo keeps of a metric's measurements. */
export interface MetricResult {
  readonly measurements: number;
  /** Counted over the whole run: a measurement that succeeds takes none of them back. */
  readonly failed: number;
  readonly consecutiveErrors: number;
}

const consecutiveErrorLimit = 4;
const rangeMinutes = 5;

/**
 * Gives the phase of a metric that has no end of its own, as `assessMetricStatus` does.
 *
 * A limit of 3 is passed by the fourth failure, whatever the documentation says of three.
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
 * Adds a measurement of a success rate, as the condition `result[0] >= minimum` judges it.
 *
 * `undefined` is an empty vector, whose `result[0]` is an error; one is tried again every ten seconds, so that the same minute answers five
 * times before the next one is there. NaN (no request in the minute) is not at least anything, and so a failure.
 */
export function measure(result: MetricResult, rate: number | undefined, minimum: number): MetricResult {
  const measurements = result.measurements + 1;
  if (rate === undefined)
    return { ...result, measurements, consecutiveErrors: result.consecutiveErrors + consecutiveErrorLimit + 1 };
  return { measurements, failed: result.failed + (rate >= minimum ? 0 : 1), consecutiveErrors: 0 };
}

/** How an analysis is configured. */
interface Template {
  readonly of: "service" | "canary";
  readonly minimum: number;
  readonly failureLimit: number;
  readonly intervalMinutes: number;
  /** Minutes into the rollout at which the first measurement is taken. */
  readonly delayMinutes: number;
}

/** What the rollout and its analysis run hold, and what Prometheus has scraped. */
interface ArgoState {
  readonly began: number | undefined;
  readonly measuredAt: number;
  readonly result: MetricResult;
  readonly newest: Minute | undefined;
  /** Whether the series of requests that did not fail is there; without it the query's answer is empty. */
  readonly served: boolean;
}

const weights = [20, 40, 60, 80];
const pauseMinutes = 10;

function argo(name: string, template: Template): Contestant<ArgoState> {
  const counts = ({ canary, stable }: Minute): { requests: number; good: number } => {
    const requests = canary.requests + (template.of === "service" ? stable.requests : 0);
    return { requests, good: requests - canary.failed - (template.of === "service" ? stable.failed : 0) };
  };
  const served = (minutes: readonly Minute[]): boolean => minutes.some((minute) => counts(minute).good > 0);
  /** `irate` needs two scrapes within its range, so what is four minutes old has none. */
  const rate = ({ newest, served }: ArgoState, now: number): number | undefined => {
    if (newest === undefined || !served || now - newest.at >= rangeMinutes - 1) return undefined;
    const { requests, good } = counts(newest);
    return good / requests;
  };
  return {
    name,
    start: (history) => ({
      began: undefined,
      measuredAt: -Infinity,
      result: { measurements: 0, failed: 0, consecutiveErrors: 0 },
      newest: undefined,
      served: served(history),
    }),
    look: (before, now, arrived): Move<ArgoState> => {
      const began = before.began ?? now;
      const newest = arrived.reduce(
        (last, minute) => (last !== undefined && last.at > minute.at ? last : minute),
        before.newest,
      );
      let state: ArgoState = { ...before, began, newest, served: before.served || served(arrived) };
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
};

/** The documentation's example of background analysis: the whole service, from 40 percent on, every five minutes. */
export const argoDocs = argo("Argo docs", example);

/** The same, asking for the canary's requests alone. */
export const argoDocsCanary = argo("Argo docs, canary only", { ...example, of: "canary" });

/** A careful configuration of the same steps: the canary alone, every minute from the first one that it has served, 99 percent at least. */
export const argoTuned = argo("Argo tuned", {
  of: "canary",
  minimum: 0.99,
  failureLimit: 3,
  intervalMinutes: 1,
  delayMinutes: 1,
});
