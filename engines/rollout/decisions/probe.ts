// A probe of the canary's own address → whether the smoke test has passed, or the canary no longer answers.
import { duration, secondsBetween } from "../../time.ts";
import { many } from "../../wording.ts";
import type { RolloutDecision, RolloutState } from "../vocabulary.ts";
import { abort } from "./end.ts";
import { overdue } from "./measurement.ts";

/** Concludes from the answer to a probe. While stable itself is sick, failed probes do not abort. */
export function concludeProbe(state: RolloutState, detail: string, good: boolean): readonly RolloutDecision[] {
  const { strategy, thresholds } = state.intent!;
  if (state.phase === "smoking") {
    if (good) return [{ kind: "SmokePassed" }];
    // A canary whose own probes allow it more time to start gets that time.
    const patience = Math.max(strategy.smokeSeconds, state.startupSeconds);
    if (secondsBetween(state.phaseAt, state.now) < patience) return [];
    const message = `canary did not pass its smoke test within ${duration(patience)}; the last probe: ${detail}`;
    return [abort("smoke-test-failed", `${message}${describeKills(state)}`)];
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

/** Says that replicas restarted before they ever answered, mostly because a startup probe gave them too little time. */
function describeKills({ restarts = [], startupSeconds }: RolloutState): string {
  const times = restarts.reduce((sum, restart) => sum + restart.times, 0);
  if (times === 0) return "";
  const allowed = startupSeconds === 0 ? "" : `, which allows ${duration(startupSeconds)}`;
  return `; replicas restarted ${many(times, "time")} before an answer, by a crash or by their startup probe${allowed}`;
}
