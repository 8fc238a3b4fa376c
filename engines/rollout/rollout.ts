// Assembles the rollout engine, and replays a journal.
import type { Engine } from "../engine.ts";
import { failureIn } from "../outcome.ts";
import { type Divergence, replay as replayed } from "../replay.ts";
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

/** Compares a journal with today's decisions; see `replay` of engines/replay.ts. */
export const replay = (journal: readonly RolloutEvent[]): Divergence<RolloutEvent> | undefined =>
  replayed(rollout, observationOf, journal);

/** Gives the observation that a fact holds; undefined for a decision. */
function observationOf(event: RolloutEvent): RolloutObservation | undefined {
  const { at } = event;
  const came = <Found>(found: Found) => ({ kind: "Outcome" as const, at, found: { ok: true as const, value: found } });
  switch (event.kind) {
    case "Planned":
      return { kind: "Request", at, intent: event.intent, again: true };
    case "Signalled":
      return { ...event, kind: "Signal" };
    case "Repointed":
      return { ...came(null), of: "Repoint" };
    case "Inspected":
      return { ...came(event.view), of: "Inspect" };
    case "RoleAsked":
      return { ...came({ standing: event.standing, message: event.message }), of: "OpenRole" };
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
      return { kind: "Outcome", at, of: event.effect, found: failureIn(event), ...landing(event) };
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

const landing = ({ mayLand }: { readonly mayLand?: Landing }) => (mayLand === undefined ? {} : { mayLand });
