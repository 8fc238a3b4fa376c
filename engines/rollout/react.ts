// State → the one effect that it now asks for. Level-triggered: whoever comes back after a crash folds the journal and
// asks here again. There is no clock; whether a moment has come is told by the latest observation.
import { after, type Instant } from "../time.ts";
import { sameName, wanted, wantedLabels } from "./evolve.ts";
import type { RolloutEffect, RolloutState } from "./vocabulary.ts";

/** Names the one thing now missing; `undefined` means finished. */
export function react(state: RolloutState): RolloutEffect | undefined {
  const { intent } = state;
  if (intent === undefined || state.phase === "waiting-for-request" || state.phase === "finished") return undefined;
  if (state.now < state.retryAt) return { kind: "Wait", until: state.retryAt };
  const { target, revision, pace } = intent;
  const probe: RolloutEffect = {
    kind: "Probe",
    target,
    revision,
    path: intent.probePath,
    timeoutSeconds: Math.min(pace.probeSeconds * 2, 10),
    ...awake(state),
  };
  const shift = (overrideHold: boolean): RolloutEffect => ({
    kind: "ShiftTraffic",
    target,
    weights: wanted(state),
    labels: wantedLabels(state),
    overrideHold,
  });
  switch (state.phase) {
    case "inspecting":
      return { kind: "Inspect", target };
    case "activating":
      return { kind: "Activate", target, revision };
    case "smoking":
      return soonest(state, [
        [state.probedAt < state.phaseAt ? state.now : after(state.probedAt, pace.probeSeconds), probe],
      ]);
    // A canary that has a share already is watched through a pause.
    case "shifting":
      return state.paused
        ? state.step > 0
          ? soonest(state, [[probeAt(state), probe]])
          : { kind: "AwaitSignal" }
        : shift(false);
    case "settling":
      return shift(false);
    case "reverting":
      return shift(true);
    case "verifying":
    case "confirming":
      return { kind: "VerifyTraffic", target };
    case "baking":
      return soonest(state, [
        [probeAt(state), probe],
        [after(state.readAt, watchSeconds(state)), { kind: "VerifyTraffic", target }],
        [
          Math.max(after(state.measuredAt, watchSeconds(state)), after(state.measuredTo, pace.tickSeconds)),
          {
            kind: "Measure",
            target,
            canary: revision,
            stable: state.stable,
            from: state.measuredTo,
            tickSeconds: pace.tickSeconds,
          },
        ],
      ]);
    case "retiring": {
      const revisionToRetire = loser(state);
      return revisionToRetire === undefined ? undefined : { kind: "Deactivate", target, revision: revisionToRetire };
    }
  }
}

/** A rollout that is paused goes nowhere, so it is looked at this much less often; its bins are judged all the same, none left out. */
const pausedTicks = 5;

const watchSeconds = ({ paused, intent }: RolloutState): number =>
  intent!.pace.tickSeconds * (paused ? pausedTicks : 1);

/**
 * When the canary is asked next. Through a pause less often, but not where its last answer was bad, so that one that dies is taken out
 * nearly as soon as any; nor where asking keeps somebody from falling asleep.
 */
function probeAt({ paused, probeFailures, probedAt, sleepers, intent }: RolloutState): Instant {
  const { probeSeconds, tickSeconds } = intent!.pace;
  return after(
    probedAt,
    paused && probeFailures === 0 && sleepers.length === 0
      ? Math.max(probeSeconds, tickSeconds * pausedTicks)
      : probeSeconds,
  );
}

/** Stable may have to take everything back at any moment, so it is kept from falling asleep by asking it, as the canary is by its probes. */
const awake = ({ stable, sleepers }: RolloutState): { readonly awake?: string } =>
  stable !== null && sleepers.some((name) => sameName(name, stable)) ? { awake: stable } : {};

/** Names the revision that has lost and is taken away; undefined where taking it away would leave nothing to serve. */
export function loser(state: RolloutState): string | undefined {
  if (state.stable === null) return undefined;
  return state.ending?.result === "promoted" ? state.stable : state.intent?.revision;
}

/** Gives the effect whose time has come first, or the wait until then. */
function soonest(
  { now }: RolloutState,
  due: readonly (readonly [at: Instant, effect: RolloutEffect])[],
): RolloutEffect {
  const [at, effect] = due.reduce((first, next) => (next[0] < first[0] ? next : first), due[0]!);
  return at <= now ? effect : { kind: "Wait", until: at };
}
