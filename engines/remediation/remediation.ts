// Assembles the remediation engine, and replays a journal.
import { canonical } from "../canonical.ts";
import type { Engine, Signal } from "../engine.ts";
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

/** The first difference between a journal and today's decisions. */
export interface Divergence {
  readonly index: number;
  readonly written: RemediationEvent | undefined;
  readonly decided: RemediationEvent | undefined;
}

/** Decides a journal again from the observations it holds, and gives the first place where today's decisions differ. */
export function replay(journal: readonly RemediationEvent[]): Divergence | undefined {
  let state = initialState;
  for (let index = 0; index < journal.length; ) {
    const observation = observationOf(journal[index]!);
    const decided = observation === undefined ? [journal[index]!] : decide(state, observation);
    for (const [offset, event] of decided.entries()) {
      const written = journal[index + offset];
      if (canonical(written) !== canonical(event)) return { index: index + offset, written, decided: event };
      state = evolve(state, event);
    }
    index += decided.length;
    const next = journal[index];
    if (next !== undefined && observationOf(next) === undefined && next.kind !== "Disregarded")
      return { index, written: next, decided: undefined };
  }
  return undefined;
}

/** Gives the observation that a fact holds; undefined for a decision. */
function observationOf(event: RemediationEvent): RemediationObservation | undefined {
  const { at } = event;
  const came = <Found>(found: Found) => ({ kind: "Outcome" as const, at, found: { ok: true as const, value: found } });
  switch (event.kind) {
    case "Reported":
      return { kind: "Request", at, intent: event.incident };
    case "Signalled":
      return { kind: "Signal", at, signal: event.signal, by: event.by, message: event.message, ...sender(event) };
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
    case "Undone":
      return { ...came(event.message), of: "Undo" };
    case "AttemptFailed": {
      const { effect, message: reason, retryAfterSeconds } = event;
      const rest = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
      return { kind: "Outcome", at, of: effect, found: { ok: false, reason, ...rest } };
    }
    default:
      return undefined;
  }
}

const sender = ({ byName, about, mayApprove }: Pick<Signal<string>, "byName" | "about" | "mayApprove">) => ({
  ...(byName === undefined ? {} : { byName }),
  ...(about === undefined ? {} : { about }),
  ...(mayApprove === undefined ? {} : { mayApprove }),
});
