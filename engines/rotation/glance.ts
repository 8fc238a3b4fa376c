// A rotation at a glance, folded fact by fact: what its summary and its notifications need beside its state.
import type { Glance } from "../kind.ts";
import { senderOf } from "../wording.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { isNoteworthy } from "./tell.ts";
import type { RotationEvent, RotationState } from "./vocabulary.ts";

/** Who paused a rotation, and why. */
export interface Pause {
  readonly by: string;
  readonly message: string;
}

/** What was seen of a rotation so far. */
export interface SeenRotation {
  readonly state: RotationState;
  /** The first fact; undefined if it is no request. */
  readonly requested: Extract<RotationEvent, { kind: "Requested" }> | undefined;
  readonly facts: number;
  /** The last fact that matters to people. */
  readonly last: RotationEvent | undefined;
  /** The last pause, which may be over. */
  readonly paused: Pause | undefined;
}

/** The fold. */
export const glance: Glance<RotationEvent, RotationState, SeenRotation> = {
  initial: { state: initialState, requested: undefined, facts: 0, last: undefined, paused: undefined },
  evolve: (before, event) => ({
    state: evolve(before.state, event),
    requested: before.facts === 0 && event.kind === "Requested" ? event : before.requested,
    facts: before.facts + 1,
    last: isNoteworthy(event) ? event : before.last,
    paused:
      event.kind === "Signalled" && event.signal === "pause"
        ? { by: senderOf(event), message: event.message }
        : before.paused,
  }),
};
