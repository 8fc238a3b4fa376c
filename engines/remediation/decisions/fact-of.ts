// Observation → the fact that holds it, or the reason why it is disregarded.
import type { Signal } from "../../engine.ts";
import { keptFailure, valueOf } from "../../outcome.ts";
import { senderOf } from "../../wording.ts";
import type {
  Phase,
  RemediationDecision,
  RemediationObservation,
  RemediationObserved,
  RemediationOutcome,
  RemediationState,
  SignalName,
} from "../vocabulary.ts";
import { effectWords } from "../wording.ts";

type Disregarded = Extract<RemediationDecision, { kind: "Disregarded" }>;

/** The outcome that each phase waits for; any other is late. */
const awaited: { readonly [P in Phase]: RemediationOutcome["of"] | undefined } = {
  "waiting-for-request": undefined,
  preparing: "LoadPolicy",
  assessing: "Assess",
  holding: undefined,
  "awaiting-approval": undefined,
  checking: "Assess",
  acting: "Act",
  following: "Follow",
  verifying: "Measure",
  halting: "Halt",
  undoing: "Undo",
  "following-undo": "Follow",
  finished: undefined,
};

/** Turns an observation into the fact that holds it. */
export function factOf(
  state: RemediationState,
  observation: RemediationObservation,
): RemediationObserved | Disregarded {
  switch (observation.kind) {
    case "Request":
      return state.phase === "waiting-for-request"
        ? { kind: "Reported", incident: observation.intent }
        : { kind: "Disregarded", what: "a second report of the same incident" };
    case "Signal": {
      const why = refusal(state, observation);
      const { kind: _signal, at: _at, ...sent } = observation;
      return why === undefined ? { kind: "Signalled", ...sent } : { kind: "Disregarded", what: why };
    }
    case "Outcome":
      return factOfOutcome(state, observation);
  }
}

function factOfOutcome(state: RemediationState, outcome: RemediationOutcome): RemediationObserved | Disregarded {
  if (state.phase === "finished" || (outcome.of !== "Wait" && awaited[state.phase] !== outcome.of))
    return { kind: "Disregarded", what: `the result of ${effectWords[outcome.of]} came too late` };
  if (!outcome.found.ok) return { kind: "AttemptFailed", effect: outcome.of, ...keptFailure(outcome.found) };
  switch (outcome.of) {
    case "LoadPolicy":
      return { kind: "PolicyLoaded", ...valueOf(outcome.found) };
    case "Assess":
      return { kind: "Assessed", situation: valueOf(outcome.found) };
    case "Wait":
      return { kind: "Waited" };
    case "Act":
      return { kind: "Acted", receipt: valueOf(outcome.found) };
    case "Follow":
      return { kind: "Followed", end: valueOf(outcome.found) };
    case "Measure":
      return { kind: "Measured", ...valueOf(outcome.found) };
    case "Halt":
      return { kind: "Halted", end: valueOf(outcome.found) };
    case "Undo":
      return { kind: "Undone", ...valueOf(outcome.found) };
  }
}

/** Gives the reason why a signal cannot be followed now, if there is one. */
function refusal(state: RemediationState, sent: Signal<SignalName>): string | undefined {
  const { signal, by, mayApprove } = sent;
  if (state.phase === "finished") return `${signal} came too late: the remediation has ended`;
  switch (signal) {
    case "approve":
    case "reject":
      if (state.phase !== "awaiting-approval") return "the remediation is not waiting for an approval";
      if (signal === "reject") return undefined;
      if (!mayApprove) return `${senderOf(sent)} does not have the right to approve`;
      return state.incident?.requestedBy === by ? "whoever asked for a remediation cannot approve it" : undefined;
    case "pause":
      return state.paused ? "the remediation is already paused" : undefined;
    case "resume":
      return state.paused ? undefined : "the remediation is not paused";
    case "stop":
      return state.asked === "stop" ? "the remediation is already being stopped" : undefined;
    case "look":
      return state.phase === "holding" ? undefined : "the remediation is not waiting";
  }
}
