// The verdict of a gate that does not open → the decision that follows.
import type { RotationDecision, RotationState, Verdict } from "../vocabulary.ts";
import { stop } from "./end.ts";

/** Reports once why a gate waits, or ends the rotation because it failed. */
export function conclude(
  state: RotationState,
  verdict: Exclude<Verdict, { verdict: "pass" }>,
): readonly RotationDecision[] {
  if (verdict.verdict === "fail") return [stop(state, verdict.reason, verdict.message)];
  return state.waiting === verdict.reason
    ? []
    : [{ kind: "Waiting", reason: verdict.reason, message: verdict.message }];
}
