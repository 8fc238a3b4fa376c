// Observation → the fact that holds it, or the reason why it is disregarded.
import type { Signal } from "../../engine.ts";
import { keptFailure, valueOf } from "../../outcome.ts";
import { answerTo, contenderEffect } from "../contenders.ts";
import { plan } from "../plan.ts";
import type {
  Phase,
  RolloutDecision,
  RolloutObservation,
  RolloutObserved,
  RolloutOutcome,
  RolloutResult,
  RolloutState,
  SignalName,
} from "../vocabulary.ts";
import { effectWords } from "../wording.ts";
import { gateOf, isBehindGate, whyNotApprover } from "./gate.ts";

type Disregarded = Extract<RolloutDecision, { kind: "Disregarded" }>;

/** The outcomes that each phase waits for; any other is late. */
const awaited: { readonly [P in Phase]: readonly RolloutOutcome["of"][] } = {
  "waiting-for-request": [],
  repointing: ["Repoint"],
  inspecting: ["Inspect"],
  opening: ["OpenRole"],
  activating: ["Activate"],
  smoking: ["Probe"],
  shifting: ["ShiftTraffic", "Probe"],
  verifying: ["VerifyTraffic"],
  baking: ["Probe", "Measure", "VerifyTraffic"],
  reverting: ["ShiftTraffic"],
  confirming: ["VerifyTraffic"],
  settling: ["ShiftTraffic", "Deactivate"],
  retiring: ["Deactivate"],
  finished: [],
};

/** Turns an observation into the fact that holds it. */
export function factOf(state: RolloutState, observation: RolloutObservation): RolloutObserved | Disregarded {
  switch (observation.kind) {
    case "Request":
      return state.phase === "waiting-for-request" || (state.phase === "finished" && observation.again === true)
        ? { kind: "Planned", intent: observation.intent, steps: plan(observation.intent.strategy) }
        : { kind: "Disregarded", what: "a second request for the same release" };
    case "Signal": {
      const why = refusal(state, observation);
      const { kind: _signal, at: _at, ...sent } = observation;
      return why === undefined ? { kind: "Signalled", ...sent } : { kind: "Disregarded", what: why };
    }
    case "Outcome":
      return factOfOutcome(state, observation);
  }
}

function factOfOutcome(state: RolloutState, outcome: RolloutOutcome): RolloutObserved | Disregarded {
  const isWait = outcome.of === "Wait" || outcome.of === "AwaitSignal";
  const isAwaited = awaited[state.phase].includes(outcome.of) || contenderEffect(state) === outcome.of;
  if (state.phase === "finished" || (!isWait && !isAwaited))
    return { kind: "Disregarded", what: `the result of ${effectWords[outcome.of]} came too late` };
  const late = outcome.of === "ShiftTraffic" && outcome.mayLand !== undefined ? { mayLand: outcome.mayLand } : {};
  if (!outcome.found.ok) return { kind: "AttemptFailed", effect: outcome.of, ...keptFailure(outcome.found), ...late };
  switch (outcome.of) {
    case "Repoint":
      return { kind: "Repointed" };
    case "Inspect":
      return { kind: "Inspected", view: valueOf(outcome.found) };
    case "OpenRole":
      return { kind: "RoleAsked", ...valueOf(outcome.found) };
    case "Activate":
      return { kind: "Activated" };
    case "Probe":
      return { kind: "Probed", ...valueOf(outcome.found) };
    case "ShiftTraffic":
      return { kind: "TrafficShifted", ...valueOf(outcome.found), ...late };
    case "VerifyTraffic":
      return { kind: "TrafficRead", ...valueOf(outcome.found) };
    case "Measure":
      return { kind: "Measured", ...valueOf(outcome.found) };
    case "Deactivate":
      return { kind: "Deactivated" };
    case "Wait":
    case "AwaitSignal":
      return { kind: "Waited" };
  }
}

const alreadyWords: { readonly [Result in RolloutResult]: string } = {
  promoted: "the rollout is already promoted",
  "rolled-back": "the rollout is already rolled back",
  rejected: "the rollout is already rejected",
  unchanged: "the rollout has already ended, because nothing has changed",
  degraded: "the rollout has already ended as degraded",
};

/** Gives the reason why a signal cannot be followed now, if there is one. The first decision wins. */
function refusal(state: RolloutState, sent: Signal<SignalName>): string | undefined {
  const { signal } = sent;
  const decided = state.ending && `${signal} came too late: ${alreadyWords[state.ending.result]}`;
  switch (signal) {
    case "retry":
      return refusalOfRetry(state);
    case "pause":
      return decided ?? (state.paused ? "the rollout is already paused" : undefined);
    case "resume":
      return decided ?? (state.paused ? undefined : "the rollout is not paused");
    case "approve": {
      const isAwaited = state.awaitedAt > 0 && gateOf(state) !== undefined;
      return decided ?? (isAwaited ? whyNotApprover(state, sent) : "the rollout is not waiting for an approval");
    }
    case "promote":
      return decided ?? (state.promoted ? "a promotion was already requested" : refusalAtGate(state, sent));
    case "compare": {
      const isAnswered = sent.about === undefined || answerTo(state, sent.about) !== undefined;
      return decided ?? (isAnswered ? "the other release was already answered" : undefined);
    }
    case "abort":
    case "supersede":
      return decided;
  }
}

/** A promotion passes the gate, so whoever asks for it must be allowed to approve, or a person has approved before. */
function refusalAtGate(state: RolloutState, sent: Signal<SignalName>): string | undefined {
  const why = isBehindGate(state, 100) ? whyNotApprover(state, sent) : undefined;
  return (
    why && `a promotion passes the gate at ${state.intent!.gate!.beforePercent} percent, which is not approved: ${why}`
  );
}

function refusalOfRetry({ phase, ending, superseded }: RolloutState): string | undefined {
  if (superseded) return "a superseded release cannot be retried";
  const needed = "retry needs a rollout that was rolled back, rejected or degraded";
  if (phase !== "finished") return `${needed}; this one is still in progress`;
  const result = ending?.result;
  return result === "promoted" || result === "unchanged" ? `${needed}; this one is ${result}` : undefined;
}
