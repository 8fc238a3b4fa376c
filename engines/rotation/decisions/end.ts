// The decisions that end a rotation, each with what was left and the ways on.
import { waysOn } from "../gates.ts";
import { isFirst, isTouched, roleOf } from "../progress.ts";
import type { EndReason, RotationDecision, RotationState } from "../vocabulary.ts";

type Finished = Extract<RotationDecision, { kind: "Finished" }>;

/** Ends a rotation that cannot go on. What is left depends on how far it came. */
export function stop(state: RotationState, reason: EndReason, why: string): Finished {
  const role = roleOf(state, state.live);
  if (state.renewing || !state.login)
    return {
      kind: "Finished",
      result: "degraded",
      reason,
      message: `degraded: ${why}; the new version serves, but ${role} may be unable to log in; ${waysOn(state)}`,
    };
  if (reason === "changed-elsewhere" && state.old.version !== "")
    return { kind: "Finished", result: "stopped", reason, message: `stopped: ${why}; nothing was changed since` };
  // A cut-over that failed gave the traffic back, but its app may have been left half-way by a degraded rollout.
  const isHalfway = isTouched(state) || state.direction === "back" || reason === "cut-over-failed";
  return isHalfway
    ? {
        kind: "Finished",
        result: "stopped",
        reason,
        message: `stopped: ${why}; both versions are valid; ${waysOn(state)}`,
      }
    : { kind: "Finished", result: "rejected", reason, message: `rejected: ${why}; ${whatServes(state)}` };
}

function whatServes(state: RotationState): string {
  if (isFirst(state)) return "nothing is published";
  return state.old.version === "" ? "nothing was changed" : "the old version serves as before";
}

/** Ends a rotation that has nothing to do. */
export const unchanged = (why: string): Finished => ({
  kind: "Finished",
  result: "unchanged",
  reason: "already-rotated",
  message: `unchanged: ${why}`,
});

/** Ends a rotation that has reached its goal. */
export const rotated = (state: RotationState): Finished => ({
  kind: "Finished",
  result: "rotated",
  reason: "rotated",
  message:
    `rotated: ${roleOf(state, state.published)} serves, and ${roleOf(state, state.live)} has a password that ` +
    "nobody has used yet",
});

/** Ends a return. */
export const returned = (state: RotationState): Finished => ({
  kind: "Finished",
  result: "returned",
  reason: "returned-by-signal",
  message: `returned: ${roleOf(state, state.live)} serves again, with the old version`,
});
