// Journals → how late each tick was, and how rollouts ended. A rollout asks to be woken at a moment; what it then saw is a fact that was written
// at another. Between the two lie the wait's own fact, the next turn, the question to Azure and the answer's fact. Pure.
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutState } from "../../engines/rollout/vocabulary.ts";

/** One fact, and when the database wrote it, by the clock that rollouts wait by. */
export interface WrittenFact {
  readonly event: RolloutEvent;
  readonly writtenAt: number;
}

/** What one journal tells. */
export interface Told {
  /** Milliseconds from the moment that was waited for until the observation of that moment was in the journal, a tick each. */
  readonly lags: readonly number[];
  readonly result: string;
}

const observations = new Set<RolloutEvent["kind"]>([
  "Probed",
  "Measured",
  "TrafficRead",
  "TrafficShifted",
  "AttemptFailed",
]);

/** Folds a journal again and measures each of its waits. */
export function tell(facts: readonly WrittenFact[]): Told {
  const lags: number[] = [];
  let state: RolloutState = rollout.initial;
  let waitedFor: number | undefined;
  let due: number | undefined;
  for (const { event, writtenAt } of facts) {
    if (event.kind === "Waited") due = waitedFor;
    else if (due !== undefined && observations.has(event.kind)) {
      lags.push(writtenAt - due);
      due = undefined;
    }
    state = rollout.evolve(state, event);
    const effect = rollout.react(state);
    waitedFor = effect?.kind === "Wait" ? effect.until : undefined; // A wait that a signal cuts short is none.
  }
  return { lags, result: state.phase === "finished" ? (state.ending?.result ?? "finished") : "in flight" };
}
