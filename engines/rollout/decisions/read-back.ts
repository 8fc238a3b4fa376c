// Weights as read back → whether they are as wanted, have drifted, or were moved by another client whose
// change is adopted.
import { whyUnjudged } from "../intent.ts";
import type { RolloutDecision, RolloutState, Weight } from "../vocabulary.ts";
import { percentOf, sameName, sameWeights, shareOf, wantedWeights } from "../weights.ts";
import { abort, degrade, finish } from "./end.ts";
import { isBehindGate } from "./gate.ts";
import { attemptsMax, revertAttemptsMax } from "./give-up.ts";
import { overdue } from "./measurement.ts";

/** Concludes from the weights of the app and from the deactivated revisions that still have weight. */
export function concludeReadBack(
  state: RolloutState,
  weights: readonly Weight[],
  deactivated: readonly string[] = [],
): readonly RolloutDecision[] {
  const matches = sameWeights(weights, wantedWeights(state)) && deactivated.length === 0;
  if (!matches) return concludeMove(state, weights, deactivated) ?? concludeDrift(state, weights, deactivated);
  const percent = shareOf(wantedWeights(state), state.intent!.revision) ?? 0;
  const reached: RolloutDecision = { kind: "StepReached", percent };
  if (state.phase === "confirming") return concludeConfirmation(state, reached);
  if (state.phase === "baking") return overdue(state);
  if (percent < 100) return [reached];
  if (state.stable === null) return [reached, { kind: "StepPassed", percent, message: "no other revision serves" }];
  if (!state.promoted) return [reached];
  const message = whyUnjudged(state.intent!) ?? "requested by a person";
  return [reached, { kind: "StepPassed", percent, message }];
}

/** Weights that have drifted are set again; after too many times the rollout gives up. */
function concludeDrift(
  state: RolloutState,
  weights: readonly Weight[],
  deactivated: readonly string[],
): readonly RolloutDecision[] {
  const drifted: RolloutDecision = {
    kind: "TrafficDrifted",
    percent: shareOf(wantedWeights(state), state.intent!.revision) ?? 0,
    seenPercent: shareOf(weights, state.intent!.revision) ?? 0,
    ...(deactivated.length > 0 ? { deactivated } : {}),
  };
  const message = "the weights keep changing after they are set";
  if (state.phase === "confirming")
    return state.failures >= revertAttemptsMax ? [drifted, degrade(state, message)] : [drifted];
  return state.failures + 1 >= attemptsMax ? [drifted, abort("weights-drifted", message)] : [drifted];
}

/**
 * Adopts weights that another client has set, if the release says so; undefined means that they are set back.
 *
 * They count when they are seen a second time, since a single answer may be stale. All traffic at stable is a person's
 * rollback, and so is a deactivated canary. A share for a third revision cannot be adopted, nor one that needs an
 * approval which no person has given.
 */
function concludeMove(
  state: RolloutState,
  weights: readonly Weight[],
  deactivated: readonly string[],
): readonly RolloutDecision[] | undefined {
  const { revision, outsideWeights = "restore" } = state.intent!;
  const { stable } = state;
  if (outsideWeights === "restore" || state.phase !== "baking" || stable === null) return undefined;
  if (
    deactivated.some((name) => !sameName(name, revision)) ||
    weights.some((weight) => !sameName(weight.revision, revision) && !sameName(weight.revision, stable))
  )
    return undefined;
  const seenPercent = deactivated.length > 0 ? 0 : (shareOf(weights, revision) ?? 0);
  if (isBehindGate(state, seenPercent)) return undefined;
  if (state.moved !== seenPercent) return [{ kind: "TrafficMoved", percent: percentOf(state), seenPercent }];
  return seenPercent === 0
    ? [
        {
          kind: "Aborted",
          reason: "traffic-moved-back",
          message: "another client gave all traffic back to stable",
          by: "another client",
        },
      ]
    : [{ kind: "TrafficAdopted", percent: seenPercent }];
}

/**
 * The final weights are right. A client that locks the app may still write them, and so may a write that was given up:
 * then they are read again when that is over.
 */
function concludeConfirmation(state: RolloutState, reached: RolloutDecision): readonly RolloutDecision[] {
  if (state.retryAt > state.now) return [];
  if (state.retireFailures >= attemptsMax)
    return [finish(state, "; the losing revision could not be deactivated and is still active")];
  return [state.ending?.result === "promoted" ? reached : { kind: "Reverted" }];
}
