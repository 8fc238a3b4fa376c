// Numbers and evidence as words, for the messages of the judge and of the facts. A count stands beside each percentage,
// because "0.0 %" of twelve requests and of twelve thousand are different news.
import type { Count, Thresholds } from "../vocabulary.ts";
import { endOf, toleratedBand } from "./durations.ts";
import type { AloneName, Evidence, MetricName, Table } from "./evidence.ts";
import { aloneSlowdown, aloneSlowMost } from "./weigh.ts";

/** Formats a whole number: `12,000`. */
const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** Formats a number of requests: `1 request`, `12,000 requests`. */
export const requestCount = (n: number): string => `${count(n)} request${n === 1 ? "" : "s"}`;

/** Formats a share: `none of 120 requests`, `3 of 120 requests (2.5 %)`, `all 120 requests`. */
export function share(part: number, whole: number, noun: "requests" | "" = ""): string {
  const all = noun === "" ? count(whole) : requestCount(whole);
  if (part === 0) return `none of ${all}`;
  return part === whole ? `all ${all}` : `${count(part)} of ${all} (${percentage(part, whole)})`;
}

/** Formats a part as a percentage. Something is never written as nothing, nor nearly all as all. */
export function percentage(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  if (percent < 0.01) return "under 0.01 %";
  if (percent < 0.095) return `${percent.toFixed(2)} %`;
  return part < whole && percent > 99.9 ? "over 99.9 %" : `${percent.toFixed(1)} %`;
}

/** Formats the failures of an arm. */
export const failuresOf = ({ requests, failed }: Count): string => share(failed, requests, "requests");

/** Formats evidence as odds, `260 : 1`; below one it is evidence for the other side, `0.4 : 1`. */
export function ratio(log: number): string {
  const times = Math.exp(log);
  if (times > 1e9) return "more than 1,000,000,000 : 1";
  if (times >= 10) return `${count(Math.round(times))} : 1`;
  return times >= 0.05 ? `${times.toFixed(1)} : 1` : "less than 0.1 : 1";
}

/** Gives where a tail begins. */
export const tailOf = ({ baseline: { tails } }: Evidence, name: MetricName, slowdown = 1): string =>
  `${count(Math.round(endOf(toleratedBand(tails[name] ?? 0, slowdown))))} ms`;

/** Describes both arms by a metric. */
export function describeMetric(
  name: MetricName,
  { canary, canaryBad, stable, stableBad }: Table,
  evidence: Evidence,
  { slowdownTolerated }: Thresholds,
): string {
  const mine = share(canaryBad, canary, "requests");
  const theirs = `${share(stableBad, stable)} over the same period`;
  switch (name) {
    case "failed":
      return `canary fails ${mine}, stable ${theirs}`;
    case "refused":
      return `canary answers ${mine} with 4xx, stable ${theirs}`;
    default:
      return (
        `canary takes more than ${tailOf(evidence, name, slowdownTolerated)} for ${mine}, ` +
        `stable more than ${tailOf(evidence, name)} for ${theirs}`
      );
  }
}

/** Describes a canary at 100 percent, where only stable's baseline is left to compare with. */
export function describeAlone(name: AloneName, evidence: Evidence): string {
  const { canary } = evidence;
  if (name === "failed") return `canary fails ${failuresOf(canary)}; ${baselineFailures(evidence)}`;
  return (
    `canary takes more than ${tailOf(evidence, name, aloneSlowdown)} for more than ` +
    `${100 * aloneSlowMost} % of its ${requestCount(canary.requests)}; ` +
    `in stable's baseline 5 % take more than ${tailOf(evidence, name)}`
  );
}

/** Describes how often stable usually fails. */
const baselineFailures = ({ baseline }: Evidence): string =>
  baseline.failed === 0
    ? `stable failed none of ${requestCount(baseline.requests)} before`
    : `stable's baseline is ${percentage(baseline.failed, baseline.requests)}`;

/** Describes a canary that completes fewer requests than it gets. */
export const lostRequests = ({ canary, stable }: Evidence, percent: number): string =>
  `canary gets ${percent} percent of the traffic but has completed ` +
  `${canary.requests === 0 ? "" : "only "}${share(canary.requests, canary.requests + stable.requests, "requests")}`;

/**
 * Describes what evidence is still missing, as odds and, once there is some, as requests. Each request brings about as
 * much as the ones before it.
 */
export function missingEvidence(log: number, needed: number, requests: number): string {
  const odds = `${ratio(log)} in its favour, ${ratio(needed)} needed`;
  const more = Math.ceil(requests * (needed / log - 1));
  return log < needed / 20
    ? odds
    : `${odds}, which takes about ${count(roundedUp(more))} more ${more === 1 ? "request" : "requests"}`;
}

/** Rounds up to two digits. */
function roundedUp(n: number): number {
  const unit = 10 ** Math.max(0, String(n).length - 2);
  return Math.ceil(n / unit) * unit;
}
