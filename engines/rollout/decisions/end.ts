// The decisions that end a rollout: an abort, and each result with its message.

import type { EndReason, RolloutDecision, RolloutState } from "../vocabulary.ts";
import { percentOf } from "../weights.ts";

/** Aborts the rollout by the judge's own decision. */
export const abort = (reason: EndReason, message: string): RolloutDecision => ({
  kind: "Aborted",
  reason,
  message,
  by: "the judge",
});

/** Ends a rollout whose last weights could not be set or confirmed: a person must look. */
export const degrade = ({ ending }: RolloutState, why: string): RolloutDecision => ({
  kind: "Finished",
  result: "degraded",
  reason: ending?.reason ?? "effect-failed",
  message:
    ending?.result === "promoted"
      ? `degraded: canary was promoted, but its traffic could not be confirmed (${why}); ${ending.message}`
      : `degraded: the traffic could not be given back to stable (${why})${ending ? `; ${ending.message}` : ""}`,
});

/** Ends the rollout in the result that was carried out. A person's reason is kept as given. */
export function finish(state: RolloutState, more = ""): RolloutDecision {
  const { result, reason, message } = state.ending!;
  const heads = {
    promoted: state.stable === null ? "promoted without judgement: " : "promoted: ",
    "rolled-back": `rolled back at ${percentOf(state)} percent: `,
    rejected: "rejected before any traffic: ",
    unchanged: "unchanged: ",
    degraded: "",
  };
  return { kind: "Finished", result, reason, message: `${heads[result]}${message}${more}` };
}
