// Computes from journals how late each interval was, and how rollouts ended. A rollout waits until a moment, and later
// its next observation is written as a fact. The lag between the two contains the wait's own fact, the next pass, the
// request to Azure and the write of the answer.
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutState } from "../../engines/rollout/vocabulary.ts";

/** One fact and when the database wrote it, by the clock that rollouts use for waiting. */
export interface WrittenFact {
  readonly event: RolloutEvent;
  readonly writtenAt: number;
}

/** The lags and the result of one journal. */
export interface Lagged {
  /** For each interval, the milliseconds from the end of the wait until its observation was in the journal. */
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

/** Folds a journal and measures the lag of each wait. */
export function lagsOf(facts: readonly WrittenFact[]): Lagged {
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
    waitedFor = effect?.kind === "Wait" ? effect.until : undefined; // A wait that a signal cuts short is not counted.
  }
  return { lags, result: state.phase === "finished" ? (state.ending?.result ?? "finished") : "in flight" };
}
