// State + observation → facts. The first fact holds the observation whole; the decisions that follow from it come
// after. Nothing happens here: react names the next effect once the facts are written.
import { answering } from "../answering.ts";
import { concludeAssessment } from "./decisions/assessment.ts";
import { begin, refuseUncovered } from "./decisions/begin.ts";
import { callPerson, finish } from "./decisions/end.ts";
import { factOf } from "./decisions/fact-of.ts";
import { giveUp } from "./decisions/give-up.ts";
import { concludeFollowed, concludeHalted, concludeUndone } from "./decisions/halt.ts";
import { concludeAction, concludeRows } from "./decisions/verify.ts";
import { evolve } from "./evolve.ts";
import type {
  RemediationDecision,
  RemediationEvent,
  RemediationObservation,
  RemediationObserved,
  RemediationState,
} from "./vocabulary.ts";

/** Answers one observation with the facts it adds to the journal. One that comes too late adds `Disregarded`. */
export function decide(state: RemediationState, observation: RemediationObservation): readonly RemediationEvent[] {
  const answer = answering<RemediationState, RemediationObserved | RemediationDecision, RemediationEvent>(
    evolve,
    state,
    observation.at,
  );
  const fact = factOf(state, observation);
  answer.add(fact);
  if (fact.kind === "Disregarded") return answer.facts;
  for (const decision of conclude(answer.state(), fact)) answer.add(decision);
  return answer.facts;
}

/** Makes the decisions that follow from a fact, in the state that already holds it. */
function conclude(state: RemediationState, fact: RemediationObserved): readonly RemediationDecision[] {
  switch (fact.kind) {
    case "Reported":
      return begin(state);
    case "PolicyLoaded":
      return refuseUncovered(state);
    case "Assessed":
      return concludeAssessment(state, fact.situation);
    case "Waited":
      return state.phase === "awaiting-approval" && state.now >= state.retryAt
        ? callPerson(state, "not-approved", "nobody approved the action in time")
        : [];
    case "Acted":
      return concludeAction(state);
    case "Followed":
      return concludeFollowed(state, fact.end);
    case "Measured":
      return concludeRows(state);
    case "Halted":
      return concludeHalted(state, fact.end);
    case "Undone":
      return concludeUndone(state, fact);
    case "AttemptFailed":
      return giveUp(state, fact.effect, fact.message);
    case "Signalled":
      return followSignal(state, fact.message);
  }
}

/** A person's word counts before the next effect. What has begun is left as it is, and the message says so. */
function followSignal(state: RemediationState, message: string): readonly RemediationDecision[] {
  if (state.asked === "reject") return callPerson(state, "rejected", `the action was rejected: ${message}`);
  if (state.asked !== "stop" || isWriting(state)) return [];
  return [finish("stopped", "stopped-by-signal", `stopped: ${message}; ${whatStays(state)}`)];
}

/** What a stop leaves as it is. */
function whatStays({ phase, action }: RemediationState): string {
  if (phase === "following") return "what the action began goes on";
  if (phase === "following-undo") return "its undo goes on";
  return action?.stage === "acted" ? "what was done stays" : "nothing was changed";
}

/** A write under way ends by its own answer, so that the journal knows what was done. */
const isWriting = ({ phase }: RemediationState): boolean =>
  phase === "acting" || phase === "halting" || phase === "undoing";
