// Assembles the rollout engine, and replays a journal.
import { canonical } from "../canonical.ts";
import type { Engine, Signal } from "../engine.ts";
import { decide } from "./decide.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { react } from "./react.ts";
import type { Landing, RolloutEffect, RolloutEvent, RolloutObservation, RolloutState } from "./vocabulary.ts";

/** The rollout engine: a release, from intent to result. */
export const rollout: Engine<RolloutObservation, RolloutEvent, RolloutState, RolloutEffect> = {
  initial: initialState,
  decide,
  evolve,
  react,
};

/** The first difference between a journal and today's decisions. */
export interface Divergence {
  readonly index: number;
  readonly written: RolloutEvent | undefined;
  readonly decided: RolloutEvent | undefined;
}

/**
 * Decides a journal again from the observations it holds, and gives the first place where today's decisions differ,
 * byte for byte; undefined means that all are equal.
 */
export function replay(journal: readonly RolloutEvent[]): Divergence | undefined {
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
function observationOf(event: RolloutEvent): RolloutObservation | undefined {
  const { at } = event;
  const came = <Found>(found: Found) => ({ kind: "Outcome" as const, at, found: { ok: true as const, value: found } });
  switch (event.kind) {
    case "Planned":
      return { kind: "Request", at, intent: event.intent };
    case "Signalled":
      return { kind: "Signal", at, signal: event.signal, by: event.by, message: event.message, ...sender(event) };
    case "Repointed":
      return { ...came(null), of: "Repoint" };
    case "Inspected":
      return { ...came(event.view), of: "Inspect" };
    case "Activated":
      return { ...came(null), of: "Activate" };
    case "Probed":
      return { ...came(probe(event)), of: "Probe" };
    case "TrafficShifted":
      return { ...came({ weights: event.weights }), of: "ShiftTraffic", ...landing(event) };
    case "TrafficRead":
      return { ...came(traffic(event)), of: "VerifyTraffic" };
    case "Waited":
      return { ...came(null), of: "Wait" };
    case "Measured":
      return { ...came(measurement(event)), of: "Measure" };
    case "Deactivated":
      return { ...came(null), of: "Deactivate" };
    case "AttemptFailed":
      return { kind: "Outcome", at, of: event.effect, found: { ok: false, reason: event.message }, ...landing(event) };
    default:
      return undefined;
  }
}

const probe = ({ good, detail, running, restarts }: Extract<RolloutEvent, { kind: "Probed" }>) => ({
  good,
  detail,
  running,
  ...(restarts === undefined ? {} : { restarts }),
});

const traffic = ({ weights, deactivated, lockedUntil }: Extract<RolloutEvent, { kind: "TrafficRead" }>) => ({
  weights,
  ...(deactivated === undefined ? {} : { deactivated }),
  ...(lockedUntil === undefined ? {} : { lockedUntil }),
});

const measurement = ({ buckets, answers, to }: Extract<RolloutEvent, { kind: "Measured" }>) => ({
  buckets,
  ...(answers === undefined ? {} : { answers }),
  to,
});

const sender = ({ byName, about, mayApprove }: Pick<Signal<string>, "byName" | "about" | "mayApprove">) => ({
  ...(byName === undefined ? {} : { byName }),
  ...(about === undefined ? {} : { about }),
  ...(mayApprove === undefined ? {} : { mayApprove }),
});

const landing = ({ mayLand }: { readonly mayLand?: Landing }) => (mayLand === undefined ? {} : { mayLand });
