// The answer of a rotation about the role by which the canary logs in → whether the rollout waits for it or gives up.
import { duration } from "../../time.ts";
import { expiresAt } from "../react.ts";
import type { AdmissionView, RolloutDecision, RolloutState } from "../vocabulary.ts";
import { abort } from "./end.ts";

/** Waits for the role, within the rollout's own time. A role that stays closed ends the rollout before any traffic. */
export function concludeRole(state: RolloutState, { standing, message }: AdmissionView): readonly RolloutDecision[] {
  if (standing === "open") return [];
  if (standing === "never") return [abort("role-closed", message)];
  const { maximumSeconds } = state.intent!.strategy;
  if (state.now >= expiresAt(state)) return [abort("time-expired", `${message}; waited ${duration(maximumSeconds)}`)];
  return state.waiting === "role-closed" ? [] : [{ kind: "Waiting", reason: "role-closed", message }];
}
