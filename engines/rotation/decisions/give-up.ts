// A failed effect → whether it is tried again, or the rotation gives up on it.
import { duration, secondsBetween } from "../../time.ts";
import { judgeBusy } from "../gates.ts";
import { consumerAt } from "../progress.ts";
import { cutOverExpiresAt } from "../react.ts";
import type { RotationDecision, RotationEffect, RotationState } from "../vocabulary.ts";
import { effectWords } from "../wording.ts";
import { conclude } from "./conclude.ts";
import { stop } from "./end.ts";

/** How often an effect is tried in a row before the rotation gives up on it. */
const attemptsMax = 8;
/** Giving a role its login back is tried for half an hour, since a reader needs it. */
const openingAttemptsMax = 60;

/** Gives up on an effect that has failed too often or for too long; an empty list means another try. */
export function giveUp(
  state: RotationState,
  effect: RotationEffect["kind"],
  reason: string,
): readonly RotationDecision[] {
  const failed = `${effectWords[effect]} failed ${state.failures} times in a row: ${reason}`;
  switch (effect) {
    case "RequestRollout": {
      const { app } = consumerAt(state, state.cutOver?.consumer ?? 0)!;
      return state.phase === "cutting" ? conclude(state, judgeBusy(state, app, reason)) : [];
    }
    case "AwaitRollout":
      return state.now < cutOverExpiresAt(state) ? [] : [stop(state, "cut-over-failed", reason)];
    case "ReadReaders": {
      const { graceSeconds, readersSeconds } = state.declaration!.timings;
      const limit = readersSeconds + (state.phase === "gracing" ? graceSeconds : 0);
      return secondsBetween(state.phaseAt, state.now) < limit
        ? []
        : [stop(state, "login-log-silent", `${failed}; waited ${duration(limit)}`)];
    }
    default: {
      const most = state.phase === "opening" ? openingAttemptsMax : attemptsMax;
      return state.failures < most ? [] : [stop(state, "effect-failed", failed)];
    }
  }
}
