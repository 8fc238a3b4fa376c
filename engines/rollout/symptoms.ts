// An answer to a probe → what is wrong with the canary at that moment, if anything. A symptom aborts nothing by itself.
// The canary gets no more traffic until the requests up to that moment are measured, because they show what it did to
// users.
import type { ProbeView, Restart, RolloutState } from "./vocabulary.ts";

/** The platform's words for a revision of which it knows that something is wrong. Unknown words mean nothing. */
const sickStates: readonly string[] = ["Degraded", "Failed"];

/** Adds an answer to a probe to the state. */
export function probed(state: RolloutState, probe: ProbeView): RolloutState {
  const symptom = symptomOf(probe, state.restarts);
  return {
    ...state,
    probedAt: state.now,
    probeFailures: probe.good ? 0 : state.probeFailures + 1,
    restarts: probe.restarts ?? state.restarts,
    unwell: symptom === undefined ? state.unwell : { at: state.now, symptom },
    failures: 0,
    retryAt: 0,
  };
}

/**
 * Describes what is wrong with the canary, as the rest of a sentence about it; undefined if nothing is.
 *
 * @param known The restarts as seen before. Without them no restart is new: it may be older than the rollout.
 */
export function symptomOf(probe: ProbeView, known: readonly Restart[] | undefined): string | undefined {
  if (!probe.good) return `its own address failed a probe (${probe.detail})`;
  const restarted = known === undefined ? [] : (probe.restarts ?? []).filter((restart) => isMore(restart, known));
  if (restarted.length > 0)
    return restarted.length === 1 ? "a replica restarted" : `${restarted.length} replicas restarted`;
  return sickStates.includes(probe.running) ? `the platform reports it as ${probe.running}` : undefined;
}

const isMore = ({ replica, times }: Restart, known: readonly Restart[]): boolean =>
  times > (known.find((before) => before.replica === replica)?.times ?? 0);
