// Journal → a rollout as callers see it. Everything is folded from the facts; nothing is kept beside them.
import { fold } from "../../../engines/engine.ts";
import { standing } from "../../../engines/rollout/decide.ts";
import { shareOf } from "../../../engines/rollout/evolve.ts";
import { type Balance, balance } from "../../../engines/rollout/judge/judge.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { isWorthTelling, tell } from "../../../engines/rollout/tell.ts";
import type { RolloutEvent, RolloutResult, RolloutState, Target } from "../../../engines/rollout/vocabulary.ts";
import type { Fact } from "../../runtime/ports.ts";

/** One rollout at a glance. */
export interface Shown {
  readonly id: string;
  readonly target: Target;
  readonly revision: string;
  readonly release: string;
  readonly phase: string;
  /** What the canary was last seen to have of the traffic. */
  readonly percent: number;
  readonly attempt: number;
  /** Null while the rollout is in flight. */
  readonly result: RolloutResult | null;
  readonly sentence: string;
  /** How far the present step, or the one that the rollout ended in, has come towards either verdict; null before the first, and where nothing served before. */
  readonly evidence: Balance | null;
  readonly startedAt: number;
  readonly facts: number;
}

/** Shows a rollout; undefined where its journal does not begin with a plan. */
export function shown(stream: string, facts: readonly Fact[]): Shown | undefined {
  const events = facts.map(({ event }) => event);
  const [planned] = events;
  if (planned?.kind !== "Planned") return undefined;
  const { target, revision, release } = planned.intent;
  const state = fold(rollout, events);
  const end = endOf(state);
  const last = events.findLast(isWorthTelling) ?? planned;
  return {
    id: stream,
    target,
    revision,
    release,
    phase: state.phase,
    percent: percentOf(events, revision),
    attempt: state.attempt,
    result: end?.result ?? null,
    sentence: end?.sentence ?? tell(last),
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
    : balance(state.evidence, state.intent.limits, standing(state));

function percentOf(events: readonly RolloutEvent[], revision: string): number {
  const seen = events.findLast((event) => event.kind === "TrafficRead" || event.kind === "TrafficShifted");
  return shareOf(seen?.weights ?? [], revision) ?? 0;
}
