// Evidence → may the rollout go on? Weighs what was gathered against the thresholds and explains the verdict
// in one message.
import type { Count, Thresholds, Verdict, WaitReason } from "../vocabulary.ts";
import type { Evidence, MetricName } from "./evidence.ts";
import { favourNeeded, missingStrict, suspectOf, unprovenMost, weighFavour } from "./favour.ts";
import { metricEvidence } from "./gather.ts";
import { logMisshared, logSum } from "./likelihood.ts";
import {
  aloneAlternatives,
  aloneNames,
  clearestTable,
  lostWeight,
  metricNames,
  metricSettings,
  mixed,
} from "./metrics.ts";
import {
  describeAlone,
  describeMetric,
  failuresOf,
  lostRequests,
  missingEvidence,
  percentage,
  ratio,
  requestCount,
} from "./wording.ts";

/** Fewer bad requests than this never abort a canary, however small the sample. */
const badRequestsMin = 3;
/** A step needs at least this many judged requests of each arm. */
export const stepRequestsMin = 20;
/**
 * With more evidence against it than this, the canary gets no higher weight; 1 means that nothing is known. A good
 * canary at little traffic is above 1 for half of its time: a limit next to 1 costs it an hour and protects nobody,
 * since more than half of the traffic needs evidence in its favour anyway.
 */
const suspicion = 1.5;
/** Up to here a ratio reads as 1 : 1. */
const unseen = 1.05;

/** Where the rollout is when it is judged. */
export interface Standing {
  /** The canary's percentage. */
  readonly percent: number;
  /** The percentages of the plan, the last one 100. */
  readonly steps: readonly number[];
  /** Whether the latest probes of the canary's own address failed, two or more in a row. */
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
 * after every bucket, since all of it together has the mean 1 while the canary is good. It gets most of the traffic
 * only on evidence in its favour. Otherwise it waits: missing requests are never good news, and a sick stable is a
 * reason neither to promote nor to roll back.
 */
export function judge(evidence: Evidence, thresholds: Thresholds, standing: Standing): Verdict {
  const { sick } = evidence;
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
  if (standing.percent === 100) return judgeAlone(evidence, limit);
  if (found.log < limit && mixed(evidence.untempered) >= limit)
    return wait("noisy", `${found.message}; failures come in bursts, so this is weaker than it looks: ${budget}`);
  if (found.log >= Math.log(suspicion))
    return wait("unsettled", `not clear yet whether canary is worse: ${found.message}; ${budget}`);
  const amount = found.log < Math.log(unseen) ? "no" : "little";
  const balanced = `${amount} evidence against canary (${ratio(found.log)}; rolls back at ${ratio(limit)})`;
  return judgeFavour(evidence, thresholds, standing, balanced);
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
        : `no request reached the canary while stable had ${requestCount(stable.requests)}`,
    );
  if (isLosing(evidence, thresholds, standing))
    return wait("lost-requests", `${lostRequests(evidence, standing.percent)}; the others may be hanging`);
  if (!isAlone && stable.requests === 0)
    return wait(
      "no-traffic",
      `canary had ${requestCount(canary.requests)} and stable none, so there is nothing to compare`,
    );
  if (canary.requests < stepRequestsMin)
    return wait(
      "too-few-requests",
      `canary has answered ${canary.requests} of the ${stepRequestsMin} requests that a step needs`,
    );
  if (standing.percent <= unprovenMost && stable.requests < stepRequestsMin)
    return wait(
      "too-few-requests",
      `stable has answered ${stable.requests} of the ${stepRequestsMin} requests that a comparison needs`,
    );
  return undefined;
}

/**
 * Passes a canary at 100 percent, or waits while it does far worse than stable did before. Nothing serves beside it
 * that could tell its fault from a blip that stable would have shared, so this is no reason to roll back.
 */
function judgeAlone(evidence: Evidence, limit: number): Verdict {
  const weighed = aloneNames.map((name) => ({
    name,
    log: logSum(evidence.alone[name]) - Math.log(aloneAlternatives.length * aloneNames.length),
  }));
  const worst = largest(weighed, ({ log }) => log);
  return worst.log >= limit
    ? wait(
        "unsettled",
        `not clear yet whether canary is worse: ${describeAlone(worst.name, evidence)}; ` +
          "nothing serves beside it to compare with",
      )
    : { verdict: "pass", message: describeAlone("failed", evidence) };
}

/** Fails a canary at its ceiling, which needs no comparison unless stable is sick too. */
function judgeOutright({ canary, sickCanary, sickStable }: Evidence, thresholds: Thresholds): Verdict | undefined {
  const { ceilingPercent, ceilingRequests } = thresholds;
  const isOver = ({ requests, failed }: Count): boolean =>
    requests >= ceilingRequests && failed >= badRequestsMin && 100 * failed >= ceilingPercent * requests;
  const over = `which is at or above the ceiling of ${ceilingPercent} %`;
  if (
    isOver(sickCanary) &&
    sickCanary.failed / sickCanary.requests > sickStable.failed / sickStable.requests + ceilingPercent / 200
  ) {
    return {
      verdict: "fail",
      message:
        `canary fails ${failuresOf(sickCanary)}, ${over}; ` +
        `stable has trouble too, but fails only ${failuresOf(sickStable)}`,
    };
  }
  return isOver(canary) ? { verdict: "fail", message: `canary fails ${failuresOf(canary)}, ${over}` } : undefined;
}

function waitForSickness({ sick, sickCanary, sickStable, baseline }: Evidence): Verdict {
  if (sick === "shared-outage")
    return wait(
      "shared-outage",
      `canary and stable fail together, so they cannot be compared: ` +
        `canary fails ${failuresOf(sickCanary)}, stable ${failuresOf(sickStable)}`,
    );
  const known =
    baseline.failed === 0
      ? `after none of ${requestCount(baseline.requests)} before`
      : `far above its baseline of ${percentage(baseline.failed, baseline.requests)}`;
  return wait(
    "stable-sick",
    `stable itself fails ${failuresOf(sickStable)}, ${known}, so the canary cannot be compared with it`,
  );
}

/** Reports that the canary does worse than stable during warm-up, if it does. Its requests there do not count. */
export function judgeWarmUp({ coldCanary, coldStable }: Evidence): Verdict | undefined {
  const isWorse =
    coldCanary.failed >= badRequestsMin &&
    coldCanary.failed / coldCanary.requests > 2 * (coldStable.failed / Math.max(1, coldStable.requests)) + 0.01;
  return isWorse
    ? wait(
        "warming-up",
        `canary fails ${failuresOf(coldCanary)} during its warm-up, ` +
          `stable ${coldStable.requests === 0 ? "got no requests" : failuresOf(coldStable)}; ` +
          "requests in the warm-up do not count",
      )
    : undefined;
}

/**
 * Weighs all evidence against the canary together, and describes the part that speaks most against it: the one that has
 * grown most beyond the weight that it began with.
 */
function weighAgainst(
  evidence: Evidence,
  thresholds: Thresholds,
  standing: Standing,
): { readonly log: number; readonly bad: number; readonly message: string } {
  const steps = standing.steps.length - 1;
  const parts = metricNames.map((name) => {
    const { weight } = metricSettings[name];
    return { name, weight, log: Math.log(weight) + metricEvidence(evidence.metrics[name], evidence, steps) };
  });
  // Lost requests count against a canary that fails its probes too; by themselves they only make the rollout wait.
  const lost =
    Math.log(lostWeight) + (standing.isSilent ? logLost(evidence, standing) - Math.log(Math.max(1, steps)) : 0);
  const tableOf = (name: MetricName) => clearestTable(evidence.metrics[name]);
  const heaviest = largest(parts, ({ log }) => log);
  const isMetric = heaviest.log >= lost;
  const worst = largest(
    [
      ...parts.map(({ name, ...part }) => ({
        ...part,
        describe: () => describeMetric(name, tableOf(name), evidence, thresholds),
      })),
      {
        log: lost,
        weight: lostWeight,
        describe: () => `${lostRequests(evidence, standing.percent)}, and fails its probes`,
      },
    ],
    growthOf,
  );
  return {
    log: logSum(parts.map(({ log }) => log).concat(lost)),
    bad: isMetric ? tableOf(heaviest.name).canaryBad : badRequestsMin,
    message: worst.describe(),
  };
}

/** From this logarithm on, what a part began with no longer matters. */
const largeLog = 20;
const growthOf = ({ log, weight }: { readonly log: number; readonly weight: number }): number =>
  log < largeLog ? Math.exp(log) - weight : Math.exp(largeLog) + log;

const largest = <Part>(parts: readonly Part[], sizeOf: (part: Part) => number): Part =>
  parts.reduce((most, next) => (sizeOf(next) > sizeOf(most) ? next : most));

/**
 * Gives the evidence that requests to the canary get no answer. Those that take minutes cannot have ended yet in a step
 * that began minutes ago, and they are as many as for stable.
 */
const logLost = ({ canary, stable, baseline }: Evidence, { percent }: Standing): number => {
  const together = canary.requests + stable.requests;
  const due = (percent / 100) * (1 - baseline.long / Math.max(1, baseline.requests));
  return percent === 100 || together === 0 || canary.requests >= 0.8 * due * together
    ? 0
    : Math.max(0, logMisshared(canary.requests, stable.requests, due));
};

const isLosing = (evidence: Evidence, thresholds: Thresholds, standing: Standing): boolean =>
  logLost(evidence, standing) - Math.log(Math.max(1, standing.steps.length - 1)) >=
  Math.log(100 / thresholds.falseRollbackPercentMax);

/**
 * Passes a step; before the canary gets most of the traffic, it must be shown to be good.
 *
 * Above that it must be shown again, because some faults begin only under such load.
 */
function judgeFavour(
  evidence: Evidence,
  thresholds: Thresholds,
  { percent, steps }: Standing,
  balanced: string,
): Verdict {
  const seen = describeMetric("failed", evidence.metrics.failed.stepTable, evidence, thresholds);
  const unjudged = evidence.baseline.tails.p95 === undefined ? "; latency could not be judged" : "";
  if ((steps.find((step) => step > percent) ?? 100) <= unprovenMost)
    return { verdict: "pass", message: `${seen}; ${balanced}${unjudged}` };
  // The few minutes in which a stable that is mostly sick is not would show a better canary than there is.
  if (evidence.sickStable.requests > evidence.stable.requests) return waitForSickness(evidence);
  const suspect = suspectOf(evidence);
  if (suspect !== undefined)
    return wait(
      "unsettled",
      "not clear yet whether canary is worse: " +
        `${describeMetric(suspect.name, evidence.metrics[suspect.name].wholeTable, evidence, thresholds)}; ` +
        `evidence ${ratio(suspect.log)} against canary by this alone`,
    );
  const shown = weighFavour(evidence);
  const needed = Math.log(favourNeeded(thresholds));
  const strict = shown.log < needed ? undefined : missingStrict(evidence, thresholds, percent);
  if (strict !== undefined)
    return wait(
      "unsettled",
      "canary is not shown to be good yet by the stricter proof that this traffic allows: " +
        `${missingEvidence(strict, needed, evidence.metrics.failed.stepTable.canary)}; ${seen}`,
    );
  if (shown.log >= needed)
    return {
      verdict: "pass",
      message: `${seen}; evidence ${ratio(shown.log)} in favour of canary, ${ratio(needed)} needed${unjudged}`,
    };
  const { whole, stepTable } = evidence.metrics[shown.name];
  const isWorse = mixed(whole) > 0;
  const lead =
    isWorse || shown.log < 0
      ? "canary is not shown to be good yet"
      : "canary is good so far, but the evidence is not enough yet";
  return wait(
    isWorse ? "unsettled" : "too-few-requests",
    `${lead}: ${missingEvidence(shown.log, needed, stepTable.canary)}; ` +
      describeMetric(shown.name, stepTable, evidence, thresholds),
  );
}

/** Gives the evidence for and against a canary as it stands. */
export function balance(evidence: Evidence, thresholds: Thresholds, standing: Standing): Balance {
  const times = (log: number): number => Math.min(1e9, Math.exp(log));
  return {
    against: times(weighAgainst(evidence, thresholds, standing).log),
    againstMax: 100 / thresholds.falseRollbackPercentMax,
    favour: standing.percent === 100 ? null : times(weighFavour(evidence).log),
    favourMin: favourNeeded(thresholds),
  };
}

const wait = (reason: WaitReason, message: string): Verdict => ({ verdict: "inconclusive", reason, message });
