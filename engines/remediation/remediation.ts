// Assembles the remediation engine, and replays a journal.
import type { Engine } from "../engine.ts";
import { failureIn } from "../outcome.ts";
import { type Divergence, replay as replayed } from "../replay.ts";
import { decide } from "./decide.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { react } from "./react.ts";
import type { RemediationEffect, RemediationEvent, RemediationObservation, RemediationState } from "./vocabulary.ts";

/** The remediation engine: an incident, from its alert to a verified repair or a person who is called. */
export const remediation: Engine<RemediationObservation, RemediationEvent, RemediationState, RemediationEffect> = {
  initial: initialState,
  decide,
  evolve,
  react,
};

/** Compares a journal with today's decisions; see `replay` of engines/replay.ts. */
export const replay = (journal: readonly RemediationEvent[]): Divergence<RemediationEvent> | undefined =>
  replayed(remediation, observationOf, journal);

/** Gives the observation that a fact holds; undefined for a decision. */
function observationOf(event: RemediationEvent): RemediationObservation | undefined {
  const { at } = event;
  const came = <Found>(found: Found) => ({ kind: "Outcome" as const, at, found: { ok: true as const, value: found } });
  switch (event.kind) {
    case "Reported":
      return { kind: "Request", at, intent: event.incident };
    case "Signalled":
      return { ...event, kind: "Signal" };
    case "PolicyLoaded":
      return { ...came({ policy: event.policy, graph: event.graph }), of: "LoadPolicy" };
    case "Assessed":
      return { ...came(event.situation), of: "Assess" };
    case "Waited":
      return { ...came(null), of: "Wait" };
    case "Acted":
      return { ...came(event.receipt), of: "Act" };
    case "Followed":
      return { ...came(event.end), of: "Follow" };
    case "Measured":
      return { ...came({ samples: event.samples, bad: event.bad, to: event.to }), of: "Measure" };
    case "Halted":
      return { ...came(event.end), of: "Halt" };
    case "Undone":
      return { ...came({ message: event.message, ...(event.follow && { follow: event.follow }) }), of: "Undo" };
    case "AttemptFailed":
      return { kind: "Outcome", at, of: event.effect, found: failureIn(event) };
    default:
      return undefined;
  }
}
