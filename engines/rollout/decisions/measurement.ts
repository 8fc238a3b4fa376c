// A measurement → whether the rollout goes on: the verdict of the thresholds and of the dry run, the gate, and
// the time limit.
import { duration, secondsBetween } from "../../time.ts";
import { judge, judgeWarmUp, type Standing } from "../judge/judge.ts";
import { keyOfVerdict } from "../judge/key-of-verdict.ts";
import type { RolloutDecision, RolloutState, Verdict } from "../vocabulary.ts";
import { percentOf } from "../weights.ts";
import { abort } from "./end.ts";
import { gateOf } from "./gate.ts";

/** Concludes from new buckets: first what the dry run says, then what is done. */
export function concludeMeasurement(state: RolloutState): readonly RolloutDecision[] {
  return [...concludeDryRun(state), ...concludeVerdict(state)];
}

function concludeVerdict(state: RolloutState): readonly RolloutDecision[] {
  const verdict = verdictOf(state);
  if (verdict.verdict === "fail") return [abort("worse-than-stable", verdict.message)];
  if (!isBaked(state)) return waiting(state, judgeWarmUp(state.evidence));
  if (verdict.verdict !== "pass") return waiting(state, verdict);
  if (state.paused) return [];
  const gate = gateOf(state);
  if (gate !== undefined)
    return waiting(state, {
      verdict: "inconclusive",
      reason: "unapproved",
      message:
        `a person must approve ${gate.percent} percent within ${duration(gate.expiresSeconds)}; ` +
        `${verdict.message}`,
    });
  return [{ kind: "StepPassed", percent: percentOf(state), message: verdict.message }];
}

/** Reports once why the rollout waits. */
function waiting(state: RolloutState, verdict: Verdict | undefined): readonly RolloutDecision[] {
  const late = overdue(state);
  if (late.length > 0 || verdict?.verdict !== "inconclusive" || state.waiting === verdict.reason) return late;
  return [{ kind: "Waiting", reason: verdict.reason, message: verdict.message }];
}

/** Reports what the dry-run thresholds would decide, if that has changed. It stops nothing and moves nothing. */
function concludeDryRun(state: RolloutState): readonly RolloutDecision[] {
  const verdict = dryRunVerdict(state);
  return verdict === undefined || keyOfVerdict(verdict) === state.dryRun?.reported
    ? []
    : [{ kind: "DryRunJudged", ...verdict }];
}

/** Gives the verdict of the dry-run thresholds, if there are any. Before the bake is over, only a failure counts. */
export function dryRunVerdict(state: RolloutState): Verdict | undefined {
  if (state.dryRun === undefined) return undefined;
  const verdict = withhold(state, judge(state.dryRun.evidence, state.intent!.dryRun!, standing(state)));
  return verdict.verdict === "fail" || isBaked(state) ? verdict : undefined;
}

/** Reports whether all buckets of the step's bake are measured. */
const isBaked = (state: RolloutState): boolean =>
  state.measuredTo >= state.warmUntil + state.intent!.strategy.bakeSeconds * 1000;

/** Gives what the judge needs to know about the progress of the rollout. */
export const standing = (state: RolloutState): Standing => ({
  percent: percentOf(state),
  steps: state.steps,
  isSilent: state.probeFailures >= silentFrom,
});

/** From so many probes without an answer in a row on a canary is silent: one may get lost on its way. */
const silentFrom = 2;

const verdictOf = (state: RolloutState): Verdict =>
  withhold(state, judge(state.evidence, state.intent!.thresholds, standing(state)));

/**
 * Turns a pass into a wait if a probe found the canary unwell after the last measured request. Rows arrive minutes
 * late, so those that speak for a canary may be older than its crash.
 */
function withhold({ unwell, measuredTo }: RolloutState, verdict: Verdict): Verdict {
  if (verdict.verdict !== "pass" || unwell === undefined || unwell.at < measuredTo) return verdict;
  return {
    verdict: "inconclusive",
    reason: "canary-unwell",
    message: `canary was good so far, but ${unwell.symptom}; waits until the requests up to then are measured`,
  };
}

/** Aborts a rollout that has used up its time: missing evidence must not end in a promotion. */
export function overdue(state: RolloutState): readonly RolloutDecision[] {
  if (state.paused) return [];
  const gate = state.awaitedAt > 0 ? gateOf(state) : undefined;
  if (gate !== undefined)
    return secondsBetween(state.awaitedAt, state.now) < gate.expiresSeconds
      ? []
      : [abort("not-approved", `${gate.percent} percent was not approved within ${duration(gate.expiresSeconds)}`)];
  const { maximumSeconds } = state.intent!.strategy;
  if (secondsBetween(state.startedAt, state.now) - state.pausedSeconds <= maximumSeconds) return [];
  const verdict = verdictOf(state);
  const why = verdict.verdict === "inconclusive" ? `; ${verdict.message}` : "";
  return [abort("time-expired", `not enough evidence within ${duration(maximumSeconds)}${why}`)];
}
