// A failed effect → whether it is tried again, or the remediation gives up on it.
import { followedUntil } from "../react.ts";
import type { RemediationDecision, RemediationEffect, RemediationState } from "../vocabulary.ts";
import { effectWords } from "../wording.ts";
import { callPerson } from "./end.ts";
import { abandon, haltFailed } from "./halt.ts";
import { concludeRows } from "./verify.ts";

/** How often an effect is tried in a row before the remediation gives up on it. */
const attemptsMax = 5;
/** An action is tried less often: each try may have had its effect without an answer. */
const actionAttemptsMax = 3;

/** Gives up on an effect that has failed too often; an empty list means another try. */
export function giveUp(
  state: RemediationState,
  effect: RemediationEffect["kind"],
  reason: string,
): readonly RemediationDecision[] {
  const message = `${effectWords[effect]} failed ${state.failures} times in a row: ${reason}`;
  switch (state.phase) {
    case "acting":
      return state.failures >= actionAttemptsMax ? abandon(state, message) : [];
    case "following":
    case "following-undo":
      return state.now >= followedUntil(state) ? abandon(state, reason) : [];
    case "verifying":
      return concludeRows(state);
    case "halting":
      return state.failures >= attemptsMax ? haltFailed(state, message) : [];
    case "undoing":
      return state.failures >= attemptsMax ? callPerson(state, "undo-failed", message) : [];
    default:
      return state.failures >= attemptsMax ? callPerson(state, "effect-failed", message) : [];
  }
}
