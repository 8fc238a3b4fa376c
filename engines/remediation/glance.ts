// A remediation at a glance, folded fact by fact: what its summary and its notifications need beside its state.
import type { Glance } from "../kind.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { isNoteworthy, messageOf } from "./tell.ts";
import type { RemediationEvent, RemediationState } from "./vocabulary.ts";

/** What was seen of a remediation so far. */
export interface SeenRemediation {
  readonly state: RemediationState;
  readonly reported: Extract<RemediationEvent, { kind: "Reported" }> | undefined;
  readonly facts: number;
  /** The last fact that matters to people. */
  readonly last: RemediationEvent | undefined;
  /** What the person who was called is told. */
  readonly called: string | undefined;
}

/** The fold. */
export const glance: Glance<RemediationEvent, RemediationState, SeenRemediation> = {
  initial: { state: initialState, reported: undefined, facts: 0, last: undefined, called: undefined },
  evolve: (before, event) => ({
    state: evolve(before.state, event),
    reported: before.facts === 0 && event.kind === "Reported" ? event : before.reported,
    facts: before.facts + 1,
    last: isNoteworthy(event) ? event : before.last,
    called: event.kind === "PersonCalled" ? messageOf(event) : before.called,
  }),
};
