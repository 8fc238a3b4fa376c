// Journal + other limits → what they would have said at each measurement, beside what was decided. The limits judge in the shadow of the recorded
// rollout, so that they see the requests it had and no others: what comes after another decision was never observed, and is not guessed here.

import type { Instant } from "../../time.ts";
import { shadowVerdict } from "../decide.ts";
import { rollout } from "../rollout.ts";
import type { Limits, RolloutEvent, RolloutState, Verdict } from "../vocabulary.ts";

/** What was said of a step, and when. */
export interface Said {
  readonly at: Instant;
  readonly sentence: string;
}

/** One step of a recorded rollout. */
export interface StepInHindsight {
  readonly attempt: number;
  readonly percent: number;
  readonly reachedAt: Instant;
  /** How the step ended; undefined where the journal goes no further. */
  readonly decided: (Said & { readonly verdict: "passed" | "aborted" }) | undefined;
  /**
   * What the other limits said of it first, a failure or a pass; else what they held for when it ended. Undefined where they had said nothing by then, and
   * for each step behind one that fails by them.
   */
  readonly would: (Said & { readonly verdict: Verdict["verdict"] }) | undefined;
}

/** Judges a recorded rollout by other limits, step by step; a recorded shadow is left aside. */
export function inHindsight(journal: readonly RolloutEvent[], limits: Limits): readonly StepInHindsight[] {
  const steps: StepInHindsight[] = [];
  const amend = (change: Partial<StepInHindsight>): void => void steps.splice(-1, 1, { ...steps.at(-1)!, ...change });
  let state = rollout.initial;
  for (const event of journal) {
    if (event.kind === "ShadowJudged") continue;
    state = rollout.evolve(
      state,
      event.kind === "Planned" ? { ...event, intent: { ...event.intent, shadow: limits } } : event,
    );
    const last = steps.at(-1);
    if (event.kind === "StepReached" && state.ending === undefined && !isSame(last, state, event.percent))
      steps.push({
        attempt: state.attempt,
        percent: event.percent,
        reachedAt: event.at,
        decided: undefined,
        would: undefined,
      });
    else if (last === undefined || last.decided !== undefined) continue;
    else if (event.kind === "StepPassed" || event.kind === "Aborted")
      amend({
        decided: { at: event.at, verdict: event.kind === "Aborted" ? "aborted" : "passed", sentence: event.sentence },
      });
    else if (event.kind === "Measured" && !isSettled(steps, state.attempt)) {
      const verdict = shadowVerdict(state);
      if (verdict !== undefined)
        amend({ would: { at: event.at, verdict: verdict.verdict, sentence: verdict.sentence } });
    }
  }
  return steps;
}

/** A step that is reached again, after weights were put right, is no new one. */
const isSame = (last: StepInHindsight | undefined, { attempt }: RolloutState, percent: number): boolean =>
  last !== undefined && last.attempt === attempt && last.percent === percent && last.decided === undefined;

/** Whether the other limits have passed the present step, or have failed any of the attempt's. */
const isSettled = (steps: readonly StepInHindsight[], attempt: number): boolean =>
  steps.at(-1)?.would?.verdict === "pass" ||
  steps.some(({ attempt: of, would }) => of === attempt && would?.verdict === "fail");
