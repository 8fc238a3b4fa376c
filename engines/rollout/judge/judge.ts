// Evidence → may the rollout go on? Weighs what was gathered against the thresholds and explains the verdict
// in one message.
import type { Count, Thresholds, Verdict, WaitReason } from "../vocabulary.ts";
import { bandsOf, endOf } from "./durations.ts";
import type { AloneName, Evidence, MetricName, Table } from "./evidence.ts";
import { metricEvidence } from "./gather.ts";
import { logMisshared, logSum } from "./likelihood.ts";
import {
  aloneAlternatives,
  aloneNames,
  aloneWeight,
  lostWeight,
  metricNames,
  metricSettings,
  mixed,
  promising,
} from "./metrics.ts";
import { aloneSlowdown, aloneSlowMost } from "./weigh.ts";

/** Fewer bad requests than this never abort a canary, however small the sample. */
const badRequestsMin = 3;
/** A step needs at least this many judged requests of each arm. */
export const stepRequestsMin = 20;
/** With more evidence against it than this, the canary gets no higher weight; 1 means that nothing is known. */
const suspicion = 1.05;

/** Where the rollout is when it is judged. */
export interface Standing {
  /** The canary's percentage. */
  readonly percent: number;
  /** The percentages of the plan, the last one 100. */
  readonly steps: readonly number[];
  /** Whether the latest probe of the canary's own address failed. */
  readonly isSilent: boolean;
}

/** The evidence against a canary and in its favour, as ratios to one up to a billion, and what a verdict needs. */
export interface Balance {
  readonly against: number;
  readonly againstMax: number;
  /** In favour, in the present step: the least of what must be shown. Null at 100 percent, with nothing to compare. */
  readonly favour: number | null;
  readonly favourMin: number;
}

/**
 * Judges the canary by the gathered evidence.
 *
 * It fails on evidence of more than 1/α to one that its odds are worse than tolerated. The evidence may be checked
 * after every bucket, since all of it together has the mean 1 while the canary is good. It passes the last step before
 * 100 percent only on evidence in its favour. Otherwise it waits: missing requests are never good news, and a sick
 * stable is a reason neither to promote nor to roll back.
 */
export function judge(evidence: Evidence, thresholds: Thresholds, standing: Standing): Verdict {
  const { canary, sick } = evidence;
  const outright = judgeOutright(evidence, thresholds);
  if (outright !== undefined) return outright;
  if (sick !== undefined) return waitForSickness(evidence);
  const found = weighAgainst(evidence, thresholds, standing);
  const limit = Math.log(100 / thresholds.falseRollbackPercentMax);
  const budget = `evidence ${ratio(found.log)} against canary, rolls back at ${ratio(limit)}`;
  if (found.log >= limit && found.bad >= badRequestsMin)
    return { verdict: "fail", message: `${found.message}; ${budget}` };
  const lacking = judgeRequests(evidence, thresholds, standing);
  if (lacking !== undefined) return lacking;
  if (standing.percent === 100)
    return {
      verdict: "pass",
      message: `canary fails ${share(canary)}; ${baselineFailures(evidence)}`,
    };
  if (found.log < limit && mixed(evidence.untempered) >= limit)
    return wait("noisy", `${found.message}; failures come in bursts, so this is weaker than it looks: ${budget}`);
  if (found.log >= Math.log(suspicion)) return wait("unsettled", `${found.message}; ${budget}`);
  return judgeFavour(evidence, thresholds, standing, `${ratio(found.log)}; rolls back at ${ratio(limit)}`);
}

/** Waits if the requests are too few, or too unevenly split, for a verdict. */
function judgeRequests(evidence: Evidence, thresholds: Thresholds, standing: Standing): Verdict | undefined {
  const { canary, stable } = evidence;
  const isAlone = standing.percent === 100;
  if (canary.requests === 0)
    return wait(
      "no-traffic",
      stable.requests === 0
        ? "no requests arrived, so there is nothing to judge"
        : `no request reached the canary while stable had ${count(stable.requests)}`,
    );
  if (isLosing(evidence, thresholds, standing))
    return wait("lost-requests", `canary has ${lostRequests(evidence, standing)}, so some may be hanging`);
  if (!isAlone && stable.requests === 0)
    return wait(
      "no-traffic",
      `canary had ${count(canary.requests)} requests and stable none, so there is nothing to compare`,
    );
  if (canary.requests < stepRequestsMin)
    return wait(
      "too-few-requests",
      `canary has answered ${count(canary.requests)} of the ${stepRequestsMin} requests that a step needs`,
    );
  if (!isAlone && stable.requests < stepRequestsMin)
    return wait(
      "too-few-requests",
      `stable has answered ${count(stable.requests)} of the ${stepRequestsMin} requests that a comparison needs`,
    );
  return undefined;
}

/** Fails a canary at its ceiling, which needs no comparison unless stable is sick too. */
function judgeOutright({ canary, sickCanary, sickStable }: Evidence, thresholds: Thresholds): Verdict | undefined {
  const { ceilingPercent, ceilingRequests } = thresholds;
  const isOver = ({ requests, failed }: Count): boolean =>
    requests >= ceilingRequests && failed >= badRequestsMin && 100 * failed >= ceilingPercent * requests;
  const over = `over the ceiling of ${ceilingPercent} %`;
  if (
    isOver(sickCanary) &&
    sickCanary.failed / sickCanary.requests > sickStable.failed / sickStable.requests + ceilingPercent / 200
  ) {
    return {
      verdict: "fail",
      message: `canary fails ${share(sickCanary)}, ${over}; stable, although sick, fails only ${share(sickStable)}`,
    };
  }
  return isOver(canary) ? { verdict: "fail", message: `canary fails ${share(canary)}, ${over}` } : undefined;
}

function waitForSickness({ sick, sickCanary, sickStable, baseline }: Evidence): Verdict {
  if (sick === "shared-outage")
    return wait(
      "shared-outage",
      `canary and stable fail together (${share(sickCanary)}, ${share(sickStable)}), so they cannot be compared`,
    );
  const known = percentOf(baseline.failed, baseline.requests);
  return wait(
    "stable-sick",
    `stable itself fails ${share(sickStable)}, far above its baseline of ${known}, ` +
      "so the canary cannot be compared with it",
  );
}

/** Reports that the canary does worse than stable during warm-up, if it does. These minutes do not count. */
export function judgeWarmUp({ coldCanary, coldStable }: Evidence): Verdict | undefined {
  const isWorse =
    coldCanary.failed >= badRequestsMin &&
    coldCanary.failed / coldCanary.requests > 2 * (coldStable.failed / Math.max(1, coldStable.requests)) + 0.01;
  return isWorse
    ? wait(
        "warming-up",
        `canary fails ${share(coldCanary)} during warm-up, stable ${share(coldStable)}; these minutes do not count`,
      )
    : undefined;
}

/** Weighs all evidence against the canary together, and describes the heaviest part. */
function weighAgainst(
  evidence: Evidence,
  thresholds: Thresholds,
  standing: Standing,
): { readonly log: number; readonly bad: number; readonly message: string } {
  const steps = standing.steps.length - 1;
  const parts = metricNames.map((name) => ({
    name,
    log: Math.log(metricSettings[name].weight) + metricEvidence(evidence.metrics[name], evidence, steps),
  }));
  const alone = aloneNames.map((name) => ({
    name,
    log: Math.log(aloneWeight / aloneNames.length) + logSum(evidence.alone[name]) - Math.log(aloneAlternatives.length),
  }));
  // Lost requests count against a canary that fails its probes too; by themselves they only make the rollout wait.
  const lost =
    Math.log(lostWeight) + (standing.isSilent ? logLost(evidence, standing) - Math.log(Math.max(1, steps)) : 0);
  const log = logSum([...parts, ...alone].map((part) => part.log).concat(lost));
  const heaviest = largest(parts);
  const worstAlone = largest(alone);
  if (worstAlone.log > heaviest.log && worstAlone.log > lost)
    return { log, bad: badRequestsMin, message: describeAlone(worstAlone.name, evidence) };
  if (lost > heaviest.log)
    return {
      log,
      bad: badRequestsMin,
      message: `canary has ${lostRequests(evidence, standing)}, and does not answer its probes`,
    };
  const { whole, step, wholeTable, stepTable } = evidence.metrics[heaviest.name];
  const table = mixed(step) > mixed(whole) ? stepTable : wholeTable;
  return { log, bad: table.canaryBad, message: describeMetric(heaviest.name, table, evidence, thresholds) };
}

const largest = <Part extends { readonly log: number }>(parts: readonly Part[]): Part =>
  parts.reduce((most, next) => (next.log > most.log ? next : most));

const logLost = ({ canary, stable }: Evidence, { percent }: Standing): number => {
  const together = canary.requests + stable.requests;
  return percent === 100 || together === 0 || canary.requests >= 0.8 * (percent / 100) * together
    ? 0
    : Math.max(0, logMisshared(canary.requests, stable.requests, percent / 100));
};

const isLosing = (evidence: Evidence, thresholds: Thresholds, standing: Standing): boolean =>
  logLost(evidence, standing) - Math.log(Math.max(1, standing.steps.length - 1)) >=
  Math.log(100 / thresholds.falseRollbackPercentMax);

/** Passes a step; the last one before 100 percent only once the canary is shown to be good. */
function judgeFavour(
  evidence: Evidence,
  thresholds: Thresholds,
  { percent, steps }: Standing,
  balanced: string,
): Verdict {
  const seen = describeMetric("failed", evidence.metrics.failed.stepTable, evidence, thresholds);
  const unjudged = evidence.baseline.tails.p95 === undefined ? "; latency could not be judged" : "";
  if (percent < (steps.at(-2) ?? 100))
    return { verdict: "pass", message: `${seen}; no evidence against canary (${balanced})${unjudged}` };
  const shown = weighFavour(evidence);
  const needed = Math.log(100 / thresholds.falsePromotionPercentMax);
  const favour = `evidence ${ratio(shown.log)} in favour of canary, ${ratio(needed)} needed`;
  if (shown.log >= needed) return { verdict: "pass", message: `${seen}; ${favour}${unjudged}` };
  const { whole, stepTable } = evidence.metrics[shown.name];
  const reason = mixed(whole) > 0 ? "unsettled" : "too-few-requests";
  return wait(reason, `${describeMetric(shown.name, stepTable, evidence, thresholds)}; ${favour}`);
}

/** Finds the metric with the least evidence in favour: each must be shown by itself. */
function weighFavour(evidence: Evidence): { readonly name: MetricName; readonly log: number } {
  const shown = promising
    .filter((name) => name === "failed" || evidence.metrics[name].stepTable.canary > 0)
    .map((name) => ({ name, log: favourOf(evidence.metrics[name].favour) }));
  return shown.reduce((least, next) => (next.log < least.log ? next : least));
}

/** The mean of the evidence by odds and by its own share. */
const favourOf = (logs: readonly number[]): number => logSum(logs) - Math.log(logs.length);

/** Gives the evidence for and against a canary as it stands. */
export function balance(evidence: Evidence, thresholds: Thresholds, standing: Standing): Balance {
  const times = (log: number): number => Math.min(1e9, Math.exp(log));
  return {
    against: times(weighAgainst(evidence, thresholds, standing).log),
    againstMax: 100 / thresholds.falseRollbackPercentMax,
    favour: standing.percent === 100 ? null : times(weighFavour(evidence).log),
    favourMin: 100 / thresholds.falsePromotionPercentMax,
  };
}

const wait = (reason: WaitReason, message: string): Verdict => ({ verdict: "inconclusive", reason, message });

/** Gives where a tail begins. */
const tailOf = ({ baseline: { tails } }: Evidence, name: MetricName, slowdown = 1): string =>
  `${count(Math.round(endOf((tails[name] ?? 0) + bandsOf(slowdown))))} ms`;

function describeMetric(
  name: MetricName,
  { canary, canaryBad, stable, stableBad }: Table,
  evidence: Evidence,
  { slowdownTolerated }: Thresholds,
): string {
  const mine = percentOf(canaryBad, canary);
  const theirs = `${percentOf(stableBad, stable)} of ${count(stable)} in the same minutes`;
  switch (name) {
    case "failed":
      return `canary fails ${mine} of ${count(canary)} requests, stable ${theirs}`;
    case "refused":
      return `canary answers ${mine} of ${count(canary)} requests with 4xx, stable ${theirs}`;
    default:
      return (
        `canary takes more than ${tailOf(evidence, name, slowdownTolerated)} for ` +
        `${mine} of ${count(canary)} requests, stable more than ${tailOf(evidence, name)} for ${theirs}`
      );
  }
}

function describeAlone(name: AloneName, evidence: Evidence): string {
  const { canary } = evidence;
  if (name === "failed") return `canary fails ${share(canary)}; ${baselineFailures(evidence)}`;
  return (
    `canary takes more than ${tailOf(evidence, name, aloneSlowdown)} for more than ` +
    `${100 * aloneSlowMost} % of its ${count(canary.requests)} requests; ` +
    `in stable's baseline 5 % take more than ${tailOf(evidence, name)}`
  );
}

const baselineFailures = ({ baseline }: Evidence): string =>
  `stable's baseline is ${percentOf(baseline.failed, baseline.requests)}`;

function lostRequests({ canary, stable }: Evidence, { percent }: Standing): string {
  const together = canary.requests + stable.requests;
  const completed = `${percentOf(canary.requests, together)} of ${count(together)} requests`;
  return `${percent} % of the traffic but completed ${completed}`;
}

/** Formats evidence as odds, `260 : 1`; below one it is evidence for the other side, `0.4 : 1`. */
export function ratio(log: number): string {
  const times = Math.exp(log);
  if (times > 1e9) return "more than 1,000,000,000 : 1";
  if (times >= 10) return `${count(Math.round(times))} : 1`;
  return times >= 0.05 ? `${times.toFixed(1)} : 1` : "less than 0.1 : 1";
}

const percentOf = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)} %`;
const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const share = ({ requests, failed }: Count): string => `${percentOf(failed, requests)} of ${count(requests)} requests`;
