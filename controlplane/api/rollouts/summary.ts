// Makes the summary of a rollout, as callers see it, from its journal. Nothing is stored beside the facts.
import { fold } from "../../../engines/engine.ts";
import { standing } from "../../../engines/rollout/decisions/measurement.ts";
import { type Balance, balance } from "../../../engines/rollout/judge/judge.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutSummaryJson } from "../../../engines/rollout/summary.ts";
import { isNoteworthy, messageOf } from "../../../engines/rollout/tell.ts";
import type { RolloutEvent, RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { shareOf } from "../../../engines/rollout/weights.ts";
import type { Fact } from "../../runtime/ports.ts";

/** Gives the summary of a rollout; undefined if its journal does not begin with a plan. */
export function summaryOf(stream: string, facts: readonly Fact[]): RolloutSummaryJson | undefined {
  const events = facts.map(({ event }) => event);
  const [planned] = events;
  if (planned?.kind !== "Planned") return undefined;
  const { target, revision, release } = planned.intent;
  const state = fold(rollout, events);
  const end = endOf(state);
  const last = events.findLast(isNoteworthy) ?? planned;
  return {
    id: stream,
    target,
    revision,
    release,
    phase: state.phase,
    percent: percentOf(events, revision),
    attempt: state.attempt,
    result: end?.result ?? null,
    reason: end?.reason ?? state.waiting ?? null,
    message: end?.message ?? messageOf(last),
    evidence: evidenceOf(state),
    startedAt: planned.at,
    facts: facts.length,
  };
}

/** Gives how a rollout ended; undefined while it is in flight, a retry included. */
export const endOf = ({ phase, ending }: RolloutState): RolloutState["ending"] =>
  phase === "finished" ? ending : undefined;

const evidenceOf = (state: RolloutState): Balance | null =>
  state.intent === undefined || state.stable === null || state.evidence.begun === 0
    ? null
    : balance(state.evidence, state.intent.thresholds, standing(state));

function percentOf(events: readonly RolloutEvent[], revision: string): number {
  const seen = events.findLast((event) => event.kind === "TrafficRead" || event.kind === "TrafficShifted");
  return shareOf(seen?.weights ?? [], revision) ?? 0;
}
