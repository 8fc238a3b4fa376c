// Evidence → may we go on? It weighs what was gathered against the limits and says so in one sentence. It knows no time and
// no effect; what is done with a verdict is decide's business.

import type { Count, HoldReason, Limits, Verdict } from "../vocabulary.ts";
import { bucketsOf, endOf } from "./durations.ts";
import type { Evidence, StrandName, Table } from "./evidence.ts";
import {
  aloneAlternatives,
  aloneNames,
  aloneSlowdown,
  aloneSlowMost,
  aloneWeight,
  lostWeight,
  mixed,
  promising,
  strandEvidence,
  strandNames,
  weightOf,
} from "./gather.ts";
import { logMisshared, logSum } from "./likelihood.ts";

/** Fewer bad requests than this never take a canary out, however small the sample. */
const badRequestsMin = 3;
/** A step that fewer requests of either arm were judged in was not watched at all. */
export const stepRequestsMin = 20;
/** With more evidence against it than for it the canary gets no higher weight; a little more than 1, which is where nothing is known. */
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

/** What speaks against a canary and for it, as ratios to one and a billion at the most, beside what it would take. */
export interface Balance {
  readonly against: number;
  readonly againstMax: number;
  /** In favour in the present step; the least of what must be shown. Null at 100 percent, where nobody is left to compare with. */
  readonly favour: number | null;
  readonly favourMin: number;
}

/**
 * Judges the canary by what was gathered.
 *
 * It fails on evidence of more than 1/α to one that its odds are worse than tolerated; the evidence may be looked at after every bin, since all of it
 * together has the mean 1 while the canary is good. It passes the last step before 100 percent on evidence in its favour alone. In between it
 * holds: silence is never good news, and a sick stable is no reason to promote, nor to roll back.
 */
export function judge(evidence: Evidence, limits: Limits, standing: Standing): Verdict {
  const { canary, stable, sick } = evidence;
  const alone = standing.percent === 100;
  const outright = judgeOutright(evidence, limits);
  if (outright !== undefined) return outright;
  if (sick !== undefined) return holdForSickness(evidence);
  const found = weighAgainst(evidence, limits, standing);
  const limit = Math.log(100 / limits.falseRollbackPercentMax);
  const budget = `evidence ${ratio(found.log)} against, limit ${ratio(limit)}`;
  if (found.log >= limit && found.bad >= badRequestsMin)
    return { verdict: "fail", sentence: `${found.sentence}; ${budget}` };
  if (canary.requests === 0)
    return hold(
      "no-traffic",
      stable.requests === 0
        ? "no request came at all, so nothing could be judged"
        : `no request reached the canary while stable had ${count(stable.requests)}`,
    );
  if (isLosing(evidence, limits, standing))
    return hold(
      "lost-requests",
      `canary was given ${standing.percent} % of the requests and has ended ${percentOf(canary.requests, canary.requests + stable.requests)} of ${count(canary.requests + stable.requests)}, so some may hang`,
    );
  if (!alone && stable.requests === 0)
    return hold(
      "no-traffic",
      `canary had ${count(canary.requests)} requests and stable none, so nothing can be compared`,
    );
  if (canary.requests < stepRequestsMin)
    return hold(
      "too-few-requests",
      `canary has answered ${count(canary.requests)} of the ${stepRequestsMin} requests that a step needs`,
    );
  if (alone)
    return {
      verdict: "pass",
      sentence: `canary fails ${percentOf(canary.failed, canary.requests)} of ${count(canary.requests)} requests, where stable usually fails ${percentOf(evidence.usual.failed, evidence.usual.requests)}`,
    };
  if (stable.requests < stepRequestsMin)
    return hold(
      "too-few-requests",
      `stable has answered ${count(stable.requests)} of the ${stepRequestsMin} requests that a comparison needs`,
    );
  if (found.log < limit && mixed(evidence.untempered) >= limit)
    return hold("noisy", `${found.sentence}; bad answers come in bursts, so this speaks less than it seems: ${budget}`);
  if (found.log >= Math.log(suspicion)) return hold("unsettled", `${found.sentence}; ${budget}`);
  return judgeFavour(evidence, limits, standing, budget);
}

/** Looks at what needs no comparison, or is so plain that none is needed. */
function judgeOutright({ canary, sickCanary, sickStable }: Evidence, limits: Limits): Verdict | undefined {
  const { ceilingPercent, ceilingRequests } = limits;
  const isOver = ({ requests, failed }: Count): boolean =>
    requests >= ceilingRequests && failed >= badRequestsMin && 100 * failed >= ceilingPercent * requests;
  if (
    isOver(sickCanary) &&
    sickCanary.failed / sickCanary.requests > sickStable.failed / sickStable.requests + ceilingPercent / 200
  ) {
    return {
      verdict: "fail",
      sentence: `canary fails ${share(sickCanary)}, over the ceiling of ${ceilingPercent} %, while stable, sick as it is, fails ${share(sickStable)}`,
    };
  }
  return isOver(canary)
    ? { verdict: "fail", sentence: `canary fails ${share(canary)}, over the ceiling of ${ceilingPercent} %` }
    : undefined;
}

function holdForSickness({ sick, sickCanary, sickStable, usual }: Evidence): Verdict {
  return sick === "shared-outage"
    ? hold(
        "shared-outage",
        `canary and stable fail together, ${share(sickCanary)} and ${share(sickStable)}, so nothing can be compared`,
      )
    : hold(
        "stable-sick",
        `stable itself fails ${share(sickStable)}, far more than its usual ${percentOf(usual.failed, usual.requests)}, so nothing can be compared with it`,
      );
}

/** Says, while the canary warms up, that it does worse than stable; undefined where it does not. These minutes count for nothing. */
export function judgeWarmUp({ coldCanary, coldStable }: Evidence): Verdict | undefined {
  const worse =
    coldCanary.failed >= badRequestsMin &&
    coldCanary.failed / coldCanary.requests > 2 * (coldStable.failed / Math.max(1, coldStable.requests)) + 0.01;
  return worse
    ? hold(
        "warming-up",
        `canary fails ${share(coldCanary)} while it warms up, and stable ${share(coldStable)}; these minutes do not count`,
      )
    : undefined;
}

/** Weighs all kinds of evidence against the canary together, and puts the heaviest into words. */
function weighAgainst(
  evidence: Evidence,
  limits: Limits,
  standing: Standing,
): { readonly log: number; readonly bad: number; readonly sentence: string } {
  const steps = standing.steps.length - 1;
  const parts = strandNames.map((name) => ({
    name,
    log: Math.log(weightOf(name)) + strandEvidence(evidence.strands[name], evidence, steps),
  }));
  const alone = aloneNames.map((name) => ({
    name,
    log: Math.log(aloneWeight / aloneNames.length) + logSum(evidence.alone[name]) - Math.log(aloneAlternatives.length),
  }));
  // Requests that vanish speak against a canary that does not answer its probes either; alone they only hold it.
  const lost =
    Math.log(lostWeight) + (standing.isSilent ? logLost(evidence, standing) - Math.log(Math.max(1, steps)) : 0);
  const log = logSum([...parts, ...alone].map((part) => part.log).concat(lost));
  const heaviest = largest(parts);
  const worstAlone = largest(alone);
  const { canary, usual } = evidence;
  if (worstAlone.log > heaviest.log && worstAlone.log > lost) {
    const sentence =
      worstAlone.name === "failed"
        ? `canary fails ${share(canary)}, where stable usually fails ${percentOf(usual.failed, usual.requests)}`
        : `canary takes over ${tailOf(evidence, worstAlone.name, aloneSlowdown)} for more than ${100 * aloneSlowMost} % of its ${count(canary.requests)} requests, where stable usually takes over ${tailOf(evidence, worstAlone.name)} for 5 %`;
    return { log, bad: badRequestsMin, sentence };
  }
  if (lost > heaviest.log)
    return {
      log,
      bad: badRequestsMin,
      sentence: `canary was given ${standing.percent} % of the requests, has ended ${percentOf(canary.requests, canary.requests + evidence.stable.requests)} of ${count(canary.requests + evidence.stable.requests)}, and does not answer its probes`,
    };
  const { whole, step, wholeTable, stepTable } = evidence.strands[heaviest.name];
  const table = mixed(step) > mixed(whole) ? stepTable : wholeTable;
  return { log, bad: table.canaryBad, sentence: inWords(heaviest.name, table, evidence, limits) };
}

const largest = <Part extends { readonly log: number }>(parts: readonly Part[]): Part =>
  parts.reduce((most, next) => (next.log > most.log ? next : most));

const logLost = ({ canary, stable }: Evidence, { percent }: Standing): number => {
  const together = canary.requests + stable.requests;
  return percent === 100 || together === 0 || canary.requests >= 0.8 * (percent / 100) * together
    ? 0
    : Math.max(0, logMisshared(canary.requests, stable.requests, percent / 100));
};

const isLosing = (evidence: Evidence, limits: Limits, standing: Standing): boolean =>
  logLost(evidence, standing) - Math.log(Math.max(1, standing.steps.length - 1)) >=
  Math.log(100 / limits.falseRollbackPercentMax);

/** Passes a step; the last one before 100 percent only when it is shown that the canary is good. */
function judgeFavour(evidence: Evidence, limits: Limits, { percent, steps }: Standing, budget: string): Verdict {
  const seen = inWords("failed", evidence.strands.failed.stepTable, evidence, limits);
  const unheard = evidence.usual.tails.p95 === undefined ? "; how long requests took could not be judged" : "";
  if (percent < (steps.at(-2) ?? 100)) return { verdict: "pass", sentence: `${seen}; ${budget}${unheard}` };
  const shown = weighFavour(evidence);
  const needed = Math.log(100 / limits.falsePromotionPercentMax);
  const favour = `evidence ${ratio(shown.log)} in favour, ${ratio(needed)} needed`;
  if (shown.log >= needed) return { verdict: "pass", sentence: `${seen}; ${favour}${unheard}` };
  return hold(
    mixed(evidence.strands[shown.name].whole) > 0 ? "unsettled" : "too-few-requests",
    `${shown.name === "failed" ? seen : inWords(shown.name, evidence.strands[shown.name].stepTable, evidence, limits)}; ${favour}`,
  );
}

/** Finds the kind of badness of which least is shown: each must be shown by itself. */
function weighFavour(evidence: Evidence): { readonly name: StrandName; readonly log: number } {
  const shown = promising
    .filter((name) => name === "failed" || evidence.strands[name].stepTable.canary > 0)
    .map((name) => ({ name, log: favourOf(evidence.strands[name].favour) }));
  return shown.reduce((least, next) => (next.log < least.log ? next : least));
}

/** By odds or by its own share, half the weight each. */
const favourOf = (logs: readonly number[]): number => logSum(logs) - Math.log(logs.length);

/** Gives the evidence for and against a canary as it stands. */
export function balance(evidence: Evidence, limits: Limits, standing: Standing): Balance {
  const times = (log: number): number => Math.min(1e9, Math.exp(log));
  return {
    against: times(weighAgainst(evidence, limits, standing).log),
    againstMax: 100 / limits.falseRollbackPercentMax,
    favour: standing.percent === 100 ? null : times(weighFavour(evidence).log),
    favourMin: 100 / limits.falsePromotionPercentMax,
  };
}

const hold = (reason: HoldReason, sentence: string): Verdict => ({ verdict: "inconclusive", reason, sentence });

/** Says where a tail begins. */
const tailOf = ({ usual: { tails } }: Evidence, name: StrandName, slowdown = 1): string =>
  `${count(Math.round(endOf((tails[name] ?? 0) + bucketsOf(slowdown))))} ms`;

function inWords(
  name: StrandName,
  { canary, canaryBad, stable, stableBad }: Table,
  evidence: Evidence,
  { slowdownTolerated }: Limits,
): string {
  const mine = percentOf(canaryBad, canary);
  const theirs = percentOf(stableBad, stable);
  switch (name) {
    case "failed":
      return `canary fails ${mine} of ${count(canary)} requests where stable fails ${theirs} of ${count(stable)} in the same minutes`;
    case "refused":
      return `canary answers ${mine} of ${count(canary)} requests with 4xx where stable does so for ${theirs} of ${count(stable)} in the same minutes`;
    default:
      return `canary takes over ${tailOf(evidence, name, slowdownTolerated)} for ${mine} of ${count(canary)} requests where stable takes over ${tailOf(evidence, name)} for ${theirs} of ${count(stable)} in the same minutes`;
  }
}

/** Writes evidence as odds, `1 : 260`; what speaks for the other side is `1 : 0.4`. */
export function ratio(log: number): string {
  const times = Math.exp(log);
  return `1 : ${times > 1e9 ? "1,000,000,000 and more" : times >= 10 ? count(Math.round(times)) : times >= 0.05 ? times.toFixed(1) : "0"}`;
}

const percentOf = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)} %`;
const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
const share = ({ requests, failed }: Count): string => `${percentOf(failed, requests)} of ${count(requests)} requests`;
