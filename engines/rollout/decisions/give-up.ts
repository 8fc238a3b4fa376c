// A failed effect → whether it is tried again, or the rollout gives up on it.
import { shiftExpiresAt } from "../react.ts";
import type { RolloutDecision, RolloutEffect, RolloutState } from "../vocabulary.ts";
import { effectWords } from "../wording.ts";
import { abort, degrade, finish } from "./end.ts";
import { overdue } from "./measurement.ts";
import { concludeProbe } from "./probe.ts";

/** How often an effect is tried in a row before the rollout gives up on it. */
export const attemptsMax = 5;
/** Giving the traffic back to stable is tried for more than half an hour, since users are affected. */
export const revertAttemptsMax = 60;

/** Gives up on an effect that has failed too often; an empty list means another try. */
export function giveUp(state: RolloutState, effect: RolloutEffect["kind"], reason: string): readonly RolloutDecision[] {
  const failed = `${effectWords[effect]} failed ${state.failures} times in a row: ${reason}`;
  switch (state.phase) {
    case "smoking":
      return concludeProbe(state, reason, false);
    case "baking":
      return overdue(state);
    case "reverting":
    case "confirming":
      return state.failures >= revertAttemptsMax ? [degrade(state, reason)] : [];
    // The release is proven; a label that cannot be moved is no reason to undo it.
    case "settling":
      return state.failures >= attemptsMax ? [{ kind: "StepReached", percent: 100 }] : [];
    case "inspecting":
      return giveUpInspection(state, failed, reason);
    case "shifting":
      if (state.now >= shiftExpiresAt(state))
        return [abort("time-expired", `the traffic could not be shifted in time: ${reason}`)];
      return state.failures >= attemptsMax ? [abort("effect-failed", failed)] : [];
    default:
      return state.failures >= attemptsMax ? [abort("effect-failed", failed)] : [];
  }
}

/** An app that cannot be read is not released; if its rollout was already aborted, nothing is deactivated either. */
function giveUpInspection(state: RolloutState, failed: string, reason: string): readonly RolloutDecision[] {
  if (state.ending === undefined) return state.failures >= attemptsMax ? [abort("effect-failed", failed)] : [];
  if (state.ending.result === "rejected")
    return state.failures >= attemptsMax
      ? [finish(state, "; the app could not be read, so nothing was deactivated")]
      : [];
  return state.failures >= revertAttemptsMax ? [degrade(state, reason)] : [];
}
