// What an action or its undo began → its end, or its halt. What may go on must meet neither its undo nor the next rung,
// so it is halted first, and counted once that is seen.
import { runbookOf } from "../runbooks.ts";
import type { FollowedEnd, HaltedEnd, RemediationDecision, RemediationState, UndoReceipt } from "../vocabulary.ts";
import { callPerson, finish } from "./end.ts";
import { failed, leaveRung, withEnded } from "./verify.ts";

/** What was begun has ended by itself: an action is verified if it ended well, and an undo is done. */
export const concludeFollowed = (state: RemediationState, end: FollowedEnd): readonly RemediationDecision[] =>
  state.action!.undone ? concludeUndoEnd(state, end) : concludeEnd(state, end);

/** What was halted is taken as followed to its end: it may have ended well before the halt reached it. */
export function concludeHalted(state: RemediationState, end: HaltedEnd): readonly RemediationDecision[] {
  if (state.asked === "stop")
    return [finish("stopped", "stopped-by-signal", `stopped after a halt of what was begun: ${end.message}`)];
  return concludeFollowed(state, end);
}

const concludeEnd = (state: RemediationState, { good, message }: FollowedEnd): readonly RemediationDecision[] =>
  good ? [] : failed(state, message);

/** What is not undone is as the action left it, so nothing is tried on top of it. */
const concludeUndoEnd = (state: RemediationState, { good, message }: FollowedEnd): readonly RemediationDecision[] =>
  good ? afterUndo(state, message) : callPerson(state, "undo-failed", `the undo did not end well: ${message}`);

/** Concludes from the answer of an undo. The end of what it began is waited for. */
export const concludeUndone = (
  state: RemediationState,
  { message, follow }: UndoReceipt,
): readonly RemediationDecision[] => (follow === undefined ? afterUndo(state, message) : []);

const afterUndo = (state: RemediationState, message: string): readonly RemediationDecision[] =>
  state.asked === "stop"
    ? [finish("stopped", "stopped-by-signal", `stopped after the undo: ${message}`)]
    : leaveRung(state, `undone: ${message}`);

/** Gives up on what has no good end. A drill began nothing. */
export function abandon(state: RemediationState, message: string): readonly RemediationDecision[] {
  const { action, incident } = state;
  const { outlasts } = runbookOf(action!.runbook);
  if (outlasts && incident!.origin !== "drill")
    return [{ kind: "HaltBegun", message: `what ${action!.undone ? "the undo" : "it"} began is halted: ${message}` }];
  return concludeFollowed(state, { good: false, message });
}

/** What cannot be halted may still run, so nothing more is done: a person is called. */
export function haltFailed(state: RemediationState, message: string): readonly RemediationDecision[] {
  const why = `${message}; what was begun may still run`;
  if (state.action!.undone) return callPerson(state, "halt-failed", why);
  return [{ kind: "Judged", result: "did-not", message: why }, ...callPerson(withEnded(state), "halt-failed", why)];
}
