// A probe of the canary's own address → whether the smoke test has passed, or the canary no longer answers.
import { duration, secondsBetween } from "../../time.ts";
import type { RolloutDecision, RolloutState } from "../vocabulary.ts";
import { abort } from "./end.ts";
import { overdue } from "./measurement.ts";

/** Concludes from the answer to a probe. While stable itself is sick, failed probes do not abort. */
export function concludeProbe(state: RolloutState, detail: string, good: boolean): readonly RolloutDecision[] {
  const { strategy, thresholds } = state.intent!;
  if (state.phase === "smoking") {
    if (good) return [{ kind: "SmokePassed" }];
    return secondsBetween(state.phaseAt, state.now) >= strategy.smokeSeconds
      ? [
          abort(
            "smoke-test-failed",
            `canary did not pass its smoke test within ${duration(strategy.smokeSeconds)}; the last probe: ${detail}`,
          ),
        ]
      : [];
  }
  if (state.probeFailures < thresholds.probeFailuresMax) return state.phase === "baking" ? overdue(state) : [];
  const probes = state.probeFailures === 1 ? "a probe" : `${state.probeFailures} probes in a row`;
  const message = `canary's own address failed ${probes}: ${detail}`;
  const { sick } = state.evidence;
  if (sick === undefined) return [abort("probes-failed", message)];
  return state.waiting === sick
    ? overdue(state)
    : [
        {
          kind: "Waiting",
          reason: sick,
          message: `${message}; stable itself has trouble, so canary is not rolled back for that`,
        },
      ];
}
