// Journal + other thresholds → what they would have decided at each step, beside what was decided. They judge as the
// dry run of the recorded rollout, so they see exactly its requests. What another decision would have led to was never
// observed, and is not guessed.

import type { Instant } from "../../time.ts";
import { dryRunVerdict } from "../decisions/measurement.ts";
import { rollout } from "../rollout.ts";
import type { RolloutEvent, RolloutState, Thresholds, Verdict } from "../vocabulary.ts";

/** A judgement of a step, and when it was made. */
export interface Judged {
  readonly at: Instant;
  readonly message: string;
}

/** One step of a recorded rollout. */
export interface BacktestStep {
  readonly attempt: number;
  readonly percent: number;
  readonly reachedAt: Instant;
  /** How the step ended; undefined if the journal ends before. */
  readonly decided: (Judged & { readonly verdict: "passed" | "aborted" }) | undefined;
  /**
   * The first failure or pass by the other thresholds, else why they were waiting when the step ended. Undefined if
   * they had no verdict by then, and for each step behind one that they fail.
   */
  readonly would: (Judged & { readonly verdict: Verdict["verdict"] }) | undefined;
}

/** Judges a recorded rollout by other thresholds, step by step; a recorded dry run is ignored. */
export function backtest(journal: readonly RolloutEvent[], thresholds: Thresholds): readonly BacktestStep[] {
  const steps: BacktestStep[] = [];
  let state = rollout.initial;
  for (const event of journal) {
    if (event.kind === "DryRunJudged") continue;
    const judged = event.kind === "Planned" ? { ...event, intent: { ...event.intent, dryRun: thresholds } } : event;
    state = rollout.evolve(state, judged);
    if (event.kind === "StepReached" && state.ending === undefined && !isSame(steps.at(-1), state, event.percent))
      steps.push(openStep(state, event.percent, event.at));
    else amendLast(steps, event, state);
  }
  return steps;
}

const openStep = ({ attempt }: RolloutState, percent: number, reachedAt: Instant): BacktestStep => ({
  attempt,
  percent,
  reachedAt,
  decided: undefined,
  would: undefined,
});

/** Adds to the last step, unless it is over, what a fact says of it. */
function amendLast(steps: BacktestStep[], event: RolloutEvent, state: RolloutState): void {
  const last = steps.at(-1);
  if (last === undefined || last.decided !== undefined) return;
  const amend = (change: Partial<BacktestStep>): void => void steps.splice(-1, 1, { ...last, ...change });
  if (event.kind === "StepPassed" || event.kind === "Aborted")
    amend({
      decided: { at: event.at, verdict: event.kind === "Aborted" ? "aborted" : "passed", message: event.message },
    });
  if (event.kind !== "Measured" || isSettled(steps, state.attempt)) return;
  const verdict = dryRunVerdict(state);
  if (verdict !== undefined) amend({ would: { at: event.at, verdict: verdict.verdict, message: verdict.message } });
}

/** A step that is reached again, after weights were set back, is not a new one. */
const isSame = (last: BacktestStep | undefined, { attempt }: RolloutState, percent: number): boolean =>
  last !== undefined && last.attempt === attempt && last.percent === percent && last.decided === undefined;

/** Reports whether the other thresholds have passed the present step, or failed any step of the attempt. */
const isSettled = (steps: readonly BacktestStep[], attempt: number): boolean =>
  steps.at(-1)?.would?.verdict === "pass" ||
  steps.some(({ attempt: of, would }) => of === attempt && would?.verdict === "fail");
