// Assembles the rollout from its files and decides a journal all over again.
import { canonical } from "../canonical.ts";
import type { Engine } from "../engine.ts";
import { decide } from "./decide.ts";
import { evolve, initial } from "./evolve.ts";
import { react } from "./react.ts";
import type { Landing, RolloutEffect, RolloutEvent, RolloutObservation, RolloutState } from "./vocabulary.ts";

/** The rollout engine: a release, from intent to verdict. */
export const rollout: Engine<RolloutObservation, RolloutEvent, RolloutState, RolloutEffect> = {
  initial,
  decide,
  evolve,
  react,
};

/** Where a journal and today's decisions part: the fact as written, and what would be decided now. */
export interface Divergence {
  readonly index: number;
  readonly written: RolloutEvent | undefined;
  readonly decided: RolloutEvent | undefined;
}

/**
 * Decides a journal all over again from the observations that it holds, and gives the first place where today's
 * decisions differ, byte for byte; undefined means that all are equal.
 */
export function replay(journal: readonly RolloutEvent[]): Divergence | undefined {
  let state = initial;
  for (let index = 0; index < journal.length; ) {
    const observation = observed(journal[index]!);
    const decided = observation === undefined ? [journal[index]!] : decide(state, observation);
    for (const [offset, event] of decided.entries()) {
      const written = journal[index + offset];
      if (canonical(written) !== canonical(event)) return { index: index + offset, written, decided: event };
      state = evolve(state, event);
    }
    index += decided.length;
    const next = journal[index];
    if (next !== undefined && observed(next) === undefined && next.kind !== "Disregarded")
      return { index, written: next, decided: undefined };
  }
  return undefined;
}

/** Gives the observation that a fact holds; undefined for a decision, which holds none. */
function observed(event: RolloutEvent): RolloutObservation | undefined {
  const { at } = event;
  const came = <Found>(found: Found) => ({ kind: "Outcome" as const, at, found: { ok: true as const, value: found } });
  switch (event.kind) {
    case "Planned":
      return { kind: "Request", at, intent: event.intent };
    case "Signalled":
      return { kind: "Signal", at, signal: event.signal, by: event.by, reason: event.reason };
    case "Inspected":
      return { ...came(event.view), of: "Inspect" };
    case "Activated":
      return { ...came(null), of: "Activate" };
    case "Probed":
      return { ...came({ good: event.good, detail: event.detail, running: event.running }), of: "Probe" };
    case "TrafficShifted":
      return { ...came({ weights: event.weights }), of: "ShiftTraffic", ...landing(event) };
    case "TrafficRead":
      return { ...came(traffic(event)), of: "VerifyTraffic" };
    case "Waited":
      return { ...came(null), of: "Wait" };
    case "Measured":
      return { ...came({ bins: event.bins, to: event.to }), of: "Measure" };
    case "Deactivated":
      return { ...came(null), of: "Deactivate" };
    case "AttemptFailed":
      return { kind: "Outcome", at, of: event.effect, found: { ok: false, reason: event.reason }, ...landing(event) };
    default:
      return undefined;
  }
}

const traffic = ({ weights, deactivated, heldUntil }: Extract<RolloutEvent, { kind: "TrafficRead" }>) => ({
  weights,
  ...(deactivated === undefined ? {} : { deactivated }),
  ...(heldUntil === undefined ? {} : { heldUntil }),
});

const landing = ({ mayLand }: { readonly mayLand?: Landing }) => (mayLand === undefined ? {} : { mayLand });
