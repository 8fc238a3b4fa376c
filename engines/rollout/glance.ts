// A rollout at a glance, folded fact by fact: what its summary and its notifications need beside its state. A journal
// of hours is therefore never searched from its start again.
import type { Glance } from "../kind.ts";
import { senderOf } from "../wording.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { isNoteworthy } from "./tell.ts";
import type { AppView, RolloutEvent, RolloutState } from "./vocabulary.ts";
import { sameName, shareOf } from "./weights.ts";

/** Who paused a rollout, and why. */
export interface Pause {
  readonly by: string;
  readonly message: string;
}

/** What was seen of a rollout so far. */
export interface SeenRollout {
  readonly state: RolloutState;
  /** The last plan: a rollout may begin again. Undefined if the first fact is none. */
  readonly planned: Extract<RolloutEvent, { kind: "Planned" }> | undefined;
  readonly facts: number;
  /** The last fact that matters to people. */
  readonly last: RolloutEvent | undefined;
  /** The images of the revision when the app was last inspected; undefined if it was not, or had no such revision. */
  readonly images: readonly string[] | undefined;
  /** The canary's share of the traffic when it was last read or written. */
  readonly percent: number;
  /** The last pause, which may be over. */
  readonly paused: Pause | undefined;
  /** The share of the last step that was reached since the start. */
  readonly reachedPercent: number;
}

/** The fold. */
export const glance: Glance<RolloutEvent, RolloutState, SeenRollout> = {
  initial: {
    state: initialState,
    planned: undefined,
    facts: 0,
    last: undefined,
    images: undefined,
    percent: 0,
    paused: undefined,
    reachedPercent: 0,
  },
  evolve: (before, event) => {
    const isPlan = event.kind === "Planned" && (before.facts === 0 || before.planned !== undefined);
    const planned = isPlan ? event : before.planned;
    return {
      state: evolve(before.state, event),
      planned,
      facts: before.facts + 1,
      last: isNoteworthy(event) ? event : before.last,
      images: event.kind === "Inspected" ? imagesIn(event.view, planned?.intent.revision) : before.images,
      percent:
        event.kind === "TrafficRead" || event.kind === "TrafficShifted"
          ? (shareOf(event.weights, planned?.intent.revision ?? "") ?? 0)
          : before.percent,
      paused:
        event.kind === "Signalled" && event.signal === "pause"
          ? { by: senderOf(event), message: event.message }
          : before.paused,
      reachedPercent: reachedPercentAfter(before, event),
    };
  },
};

const imagesIn = ({ revisions }: AppView, revision = ""): readonly string[] | undefined =>
  revisions.find(({ name }) => sameName(name, revision))?.images;

function reachedPercentAfter({ reachedPercent }: SeenRollout, event: RolloutEvent): number {
  if (event.kind === "StepReached") return event.percent;
  return event.kind === "Started" ? 0 : reachedPercent;
}
