// State + observation → facts. The first fact holds the observation whole; the decisions that follow from it come
// after. Nothing happens here: react names the next effect once the facts are written.

import { answering } from "../answering.ts";
import { senderOf } from "../wording.ts";
import { concludeContender, contenderEffect, giveUpContender } from "./contenders.ts";
import { finish } from "./decisions/end.ts";
import { factOf } from "./decisions/fact-of.ts";
import { giveUp } from "./decisions/give-up.ts";
import { concludeMeasurement, overdue } from "./decisions/measurement.ts";
import { concludeProbe } from "./decisions/probe.ts";
import { concludeReadBack } from "./decisions/read-back.ts";
import { concludeRole } from "./decisions/role.ts";
import { start } from "./decisions/start.ts";
import { evolve } from "./evolve.ts";
import { loser } from "./react.ts";
import type { RolloutDecision, RolloutEvent, RolloutObservation, RolloutObserved, RolloutState } from "./vocabulary.ts";

/**
 * Answers one observation with the facts it adds to the journal.
 *
 * An observation that comes too late (the outcome of a phase already left, a second abort) adds a `Disregarded` fact
 * instead of failing: late answers are normal in a cloud, and the journal should show that one arrived.
 */
export function decide(state: RolloutState, observation: RolloutObservation): readonly RolloutEvent[] {
  const answer = answering<RolloutState, RolloutObserved | RolloutDecision, RolloutEvent>(
    evolve,
    state,
    observation.at,
  );
  const fact = factOf(state, observation);
  answer.add(fact);
  if (fact.kind === "Disregarded") return answer.facts;
  const other = contenderEffect(state);
  const decisions = other === effectIn(fact) ? concludeOther(answer.state(), fact) : conclude(answer.state(), fact);
  for (const decision of decisions) answer.add(decision);
  const concluded = answer.state();
  if (concluded.phase === "retiring" && loser(concluded) === undefined) answer.add(finish(concluded));
  return answer.facts;
}

/** Gives the effect whose outcome a fact holds, as far as another release may have asked for it. */
function effectIn(fact: RolloutObserved): string {
  if (fact.kind === "AttemptFailed") return fact.effect;
  return { Inspected: "Inspect", Deactivated: "Deactivate" }[fact.kind as string] ?? "";
}

/** Makes the decisions that follow from the outcome of an effect about another release. */
function concludeOther(state: RolloutState, fact: RolloutObserved): readonly RolloutDecision[] {
  if (fact.kind === "Inspected") return concludeContender(state, fact.view);
  return fact.kind === "AttemptFailed" ? giveUpContender(state, fact.message) : [];
}

/** Makes the decisions that follow from a fact, in the state that already holds it. */
function conclude(state: RolloutState, fact: RolloutObserved): readonly RolloutDecision[] {
  switch (fact.kind) {
    case "Planned":
    case "Repointed":
    case "Activated":
    case "TrafficShifted":
      return [];
    case "Inspected":
      return [start(state, fact.view)];
    case "RoleAsked":
      return concludeRole(state, fact);
    case "Probed":
      return concludeProbe(state, fact.detail, fact.good);
    case "TrafficRead":
      return concludeReadBack(state, fact.weights, fact.deactivated);
    case "Waited":
      return state.phase === "baking" ? overdue(state) : [];
    case "Measured":
      return concludeMeasurement(state);
    case "Deactivated":
      return [finish(state)];
    case "AttemptFailed":
      return giveUp(state, fact.effect, fact.message);
    case "Signalled":
      return fact.signal === "abort" || fact.signal === "supersede"
        ? [
            {
              kind: "Aborted",
              reason: fact.signal === "abort" ? "aborted-by-signal" : "superseded",
              message: `${fact.signal === "abort" ? "aborted" : "superseded"} by ${senderOf(fact)}: ${fact.message}`,
              by: fact.by,
            },
          ]
        : [];
  }
}
