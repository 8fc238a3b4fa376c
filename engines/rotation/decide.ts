// State + observation → facts. The first fact holds the observation whole; the decisions that follow from it come
// after. Nothing happens here: react names the next effect once the facts are written.
import { answering } from "../answering.ts";
import { secondsBetween } from "../time.ts";
import { conclude as concludeGate } from "./decisions/conclude.ts";
import { returned, rotated, stop } from "./decisions/end.ts";
import { factOf } from "./decisions/fact-of.ts";
import { giveUp } from "./decisions/give-up.ts";
import { start } from "./decisions/start.ts";
import { evolve } from "./evolve.ts";
import { judgeAdoption, judgeDrain, judgeGrace, judgeProof, judgeQuiet, readerIn } from "./gates.ts";
import { consumerAt, goal, isFirst, isLeaked, roleOf } from "./progress.ts";
import type {
  Login,
  RotationDecision,
  RotationEvent,
  RotationObservation,
  RotationObserved,
  RotationState,
  Verdict,
} from "./vocabulary.ts";
import { slotServed } from "./wording.ts";

/**
 * Answers one observation with the facts it adds to the journal.
 *
 * An observation that comes too late adds a `Disregarded` fact instead of failing: late answers are normal in a cloud,
 * and the journal should show that one arrived.
 */
export function decide(state: RotationState, observation: RotationObservation): readonly RotationEvent[] {
  const answer = answering<RotationState, RotationObserved | RotationDecision, RotationEvent>(
    evolve,
    state,
    observation.at,
  );
  const fact = factOf(state, observation);
  answer.add(fact);
  if (fact.kind === "Disregarded") return answer.facts;
  for (const decision of conclude(answer.state(), fact)) answer.add(decision);
  if (answer.state().phase === "returned") answer.add(returned(answer.state()));
  return answer.facts;
}

/** Makes the decisions that follow from a fact, in the state that already holds it. */
function conclude(state: RotationState, fact: RotationObserved): readonly RotationDecision[] {
  switch (fact.kind) {
    case "Inspected":
      return [start(state, fact.view)];
    case "Probed":
      return concludeProof(state, fact);
    case "RolloutEnded":
      return concludeRollout(state, fact);
    case "ReadersSeen":
      return concludeReaders(state, fact);
    case "SecretMoved":
      return state.moved < state.consumers.length ? [] : [rotated(state)];
    case "AttemptFailed":
      return giveUp(state, fact.effect, fact.message);
    default:
      return [];
  }
}

function concludeProof(
  state: RotationState,
  fact: Extract<RotationObserved, { kind: "Probed" }>,
): readonly RotationDecision[] {
  const verdict = judgeProof(state, fact);
  if (verdict === undefined) return [];
  if (verdict === "again") return [{ kind: "VersionRejected", message: `another version is made: ${fact.detail}` }];
  if (verdict.verdict !== "pass") return concludeGate(state, verdict);
  const proven = { kind: "Proven", message: verdict.message } as const;
  // The apps of a new credential have no secret of it yet.
  return isFirst(state) && state.renewing ? [proven, rotated(state)] : [proven];
}

function concludeRollout(
  state: RotationState,
  fact: Extract<RotationObserved, { kind: "RolloutEnded" }>,
): readonly RotationDecision[] {
  const { consumer, slot } = state.cutOver!;
  // A return was asked for meanwhile: however this rollout ended, the state goes back from there.
  if (slot !== goal(state)) return [];
  const { app } = consumerAt(state, consumer)!;
  const verdict = judgeAdoption(app, fact);
  if (verdict.verdict !== "pass") return concludeGate(state, verdict);
  return [{ kind: "Adopted", app, seconds: secondsBetween(state.madeAt, state.now), message: verdict.message }];
}

function concludeReaders(
  state: RotationState,
  { logins, astray = [] }: Extract<RotationObserved, { kind: "ReadersSeen" }>,
): readonly RotationDecision[] {
  // The role of a slot that an app serves from is never closed, and a closed one is opened first.
  const [app] = isLeaked(state) ? [] : astray;
  if (app !== undefined && state.login) return [stop(state, "consumers-split", `${slotServed(app, state.live)} again`)];
  const serving = app === undefined ? undefined : { who: app, at: state.now, refused: true };
  const found = state.phase === "quieting" ? undefined : (readerIn(state, logins) ?? serving);
  if (found !== undefined) {
    const role = roleOf(state, state.live);
    const what = describeReader(found, serving, role);
    return [
      {
        kind: "ReaderFound",
        who: found.who,
        seenAt: found.at,
        message: `${found.who} ${what}; the quiet time starts again`,
      },
    ];
  }
  switch (state.phase) {
    case "quieting":
      return passing(state, judgeQuiet(state), "ReadersQuiet");
    case "draining":
      return passing(state, judgeDrain(state), "SessionsDrained");
    default:
      return state.paused ? [] : passing(state, judgeGrace(state), "GraceOver");
  }
}

/** Says what was seen of a reader of the old role. */
function describeReader(found: Login, serving: Login | undefined, role: string): string {
  if (found === serving) return `serves from the old slot again, so ${role} gets its login back`;
  if (found.inFlight) return `is in flight and needs ${role}`;
  return found.refused ? `was refused with ${role}, which gets its login back` : `logged in with ${role}`;
}

/** Makes the decision of a gate that passes, and reports once why one waits. */
function passing(
  state: RotationState,
  verdict: Verdict | undefined,
  kind: "ReadersQuiet" | "SessionsDrained" | "GraceOver",
): readonly RotationDecision[] {
  if (verdict === undefined) return [];
  return verdict.verdict === "pass" ? [{ kind, message: verdict.message }] : concludeGate(state, verdict);
}
