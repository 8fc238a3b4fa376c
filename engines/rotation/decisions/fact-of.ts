// Observation → the fact that holds it, or the reason why it is disregarded.
import { keptFailure, valueOf } from "../../outcome.ts";
import { consumerAt, slotAtWork } from "../progress.ts";
import type {
  Phase,
  RotationDecision,
  RotationObservation,
  RotationObserved,
  RotationOutcome,
  RotationState,
} from "../vocabulary.ts";
import { effectWords } from "../wording.ts";
import { refusal } from "./refusal.ts";

type Disregarded = Extract<RotationDecision, { kind: "Disregarded" }>;

/** The outcomes that each phase waits for; any other is late. */
const awaited: { readonly [P in Phase]: readonly RotationOutcome["of"][] } = {
  "waiting-for-request": [],
  inspecting: ["Inspect"],
  making: ["MakeVersion"],
  setting: ["SetVerifier"],
  proving: ["Prove"],
  cutting: ["RequestRollout"],
  awaiting: ["AwaitRollout"],
  publishing: ["Publish"],
  quieting: ["ReadReaders"],
  draining: ["ReadReaders", "EndSessions"],
  closing: ["SetLogin"],
  gracing: ["ReadReaders"],
  opening: ["SetLogin"],
  moving: ["MoveSecret"],
  returned: [],
  finished: [],
};

/** Turns an observation into the fact that holds it. */
export function factOf(state: RotationState, observation: RotationObservation): RotationObserved | Disregarded {
  switch (observation.kind) {
    case "Request":
      return state.phase === "waiting-for-request"
        ? { kind: "Requested", intent: observation.intent }
        : { kind: "Disregarded", what: "a second request for the same rotation" };
    case "Signal": {
      const why = refusal(state, observation.signal);
      if (why !== undefined) return { kind: "Disregarded", what: why };
      const { signal, by, byName, message, about } = observation;
      return {
        kind: "Signalled",
        signal,
        by,
        ...(byName === undefined ? {} : { byName }),
        message,
        ...(about === undefined ? {} : { about }),
      };
    }
    case "Outcome":
      return factOfOutcome(state, observation);
  }
}

function factOfOutcome(state: RotationState, outcome: RotationOutcome): RotationObserved | Disregarded {
  const isWait = outcome.of === "Wait" || outcome.of === "AwaitSignal";
  if (state.phase === "finished" || (!isWait && !awaited[state.phase].includes(outcome.of)))
    return { kind: "Disregarded", what: `the result of ${effectWords[outcome.of]} came too late` };
  if (!outcome.found.ok) return { kind: "AttemptFailed", effect: outcome.of, ...keptFailure(outcome.found) };
  const slot = slotAtWork(state);
  switch (outcome.of) {
    case "Inspect":
      return { kind: "Inspected", view: valueOf(outcome.found) };
    case "MakeVersion":
      return { kind: "VersionMade", slot, generation: state.generation + 1, version: valueOf(outcome.found) };
    case "SetVerifier":
      return { kind: "VerifierSet", slot };
    case "Prove":
      return { kind: "Probed", slot, ...valueOf(outcome.found) };
    case "RequestRollout":
      return { kind: "RolloutRequested", ...valueOf(outcome.found) };
    case "AwaitRollout":
      return { kind: "RolloutEnded", stream: state.rollout, ...valueOf(outcome.found) };
    case "Publish":
      return { kind: "Published", ...valueOf(outcome.found) };
    case "ReadReaders":
      return { kind: "ReadersSeen", ...valueOf(outcome.found) };
    case "EndSessions":
      return { kind: "SessionsEnded", ...valueOf(outcome.found) };
    case "SetLogin":
      return { kind: "LoginSet", slot: state.live, ...valueOf(outcome.found) };
    case "MoveSecret":
      return { kind: "SecretMoved", app: consumerAt(state, state.moved)?.app ?? "" };
    case "Wait":
    case "AwaitSignal":
      return { kind: "Waited" };
  }
}
