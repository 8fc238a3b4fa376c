// The gate: which step of a rollout needs a person's approval.

import type { RolloutState } from "../vocabulary.ts";
import { percentOf } from "../weights.ts";

/** Gives the percentage of the next step and the time to approve it; undefined if it needs no approval. */
export function gateOf(state: RolloutState): { readonly percent: number; readonly expiresSeconds: number } | undefined {
  const { gate } = state.intent!;
  const now = percentOf(state);
  const percent = state.steps.find((next) => next > now);
  if (
    gate === undefined ||
    state.approved ||
    percent === undefined ||
    now >= gate.beforePercent ||
    percent < gate.beforePercent
  )
    return undefined;
  return { percent, expiresSeconds: gate.expiresSeconds };
}
