// State → the next effect. Level-triggered: after a crash, fold the journal and ask here again. There is no clock; the
// time is that of the latest observation.
import { dueOf } from "../engine.ts";
import { after, type Instant, secondsBetween } from "../time.ts";
import { contenderEffect } from "./contenders.ts";
import type { ReleaseIntent, RolloutEffect, RolloutState } from "./vocabulary.ts";
import { sameName, wantedLabels, wantedWeights } from "./weights.ts";

/** Names the one effect that is missing now; `undefined` means finished. */
export function react(state: RolloutState): RolloutEffect | undefined {
  const { intent } = state;
  if (intent === undefined || state.phase === "waiting-for-request" || state.phase === "finished") return undefined;
  if (state.now < state.retryAt) return { kind: "Wait", until: state.retryAt };
  const contender = contenderEffect(state);
  const [first] = state.contenders;
  if (contender === undefined || first === undefined) return ownEffect(state, intent);
  const { target } = intent;
  if (state.now >= first.retryAt)
    return contender === "Inspect" ? inspection(intent) : { kind: "Deactivate", target, revision: first.revision };
  // However long Azure delays the answer to another release, this one's canary is watched meanwhile.
  const own = ownEffect(state, intent);
  if (own?.kind === "AwaitSignal") return { kind: "Wait", until: first.retryAt };
  return own?.kind === "Wait" ? { kind: "Wait", until: Math.min(own.until, first.retryAt) } : own;
}

const inspection = ({ target, credentialSlots }: ReleaseIntent): RolloutEffect => ({
  kind: "Inspect",
  target,
  ...(credentialSlots && { credentialSlots }),
});

/** Names the effect that the rollout itself needs, without regard to other releases of its app. */
function ownEffect(state: RolloutState, intent: ReleaseIntent): RolloutEffect | undefined {
  const { target, revision, strategy } = intent;
  const probe: RolloutEffect = {
    kind: "Probe",
    target,
    revision,
    path: intent.probePath,
    ...(intent.probe && { request: intent.probe }),
    timeoutSeconds: Math.min(strategy.probeSeconds * 2, 10),
    ...awake(state),
  };
  const shift = (overrideLock: boolean, waitsUntil?: Instant): RolloutEffect => ({
    kind: "ShiftTraffic",
    target,
    weights: wantedWeights(state),
    labels: wantedLabels(state),
    overrideLock,
    ...(waitsUntil === undefined ? {} : { waitsUntil }),
  });
  switch (state.phase) {
    case "repointing":
      return { kind: "Repoint", target, revision, purpose: intent.purpose! };
    case "inspecting":
      return inspection(intent);
    case "opening":
      return { kind: "OpenRole", rotation: state.opens!.rotation, revision };
    case "activating":
      return { kind: "Activate", target, revision };
    case "smoking":
      return soonest(state, [
        [state.probedAt < state.phaseAt ? state.now : after(state.probedAt, strategy.probeSeconds), probe],
      ]);
    case "shifting":
      if (!state.paused || state.beyondGate) return shift(false, shiftExpiresAt(state));
      // A canary that already has traffic is watched during a pause.
      return state.step > 0 ? soonest(state, [[probeAt(state), probe]]) : { kind: "AwaitSignal" };
    case "settling":
      return shift(false, after(state.phaseAt, strategy.maximumSeconds));
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
          Math.max(after(state.measuredAt, watchSeconds(state)), after(state.measuredTo, strategy.intervalSeconds)),
          {
            kind: "Measure",
            target,
            canary: revision,
            stable: state.stable,
            from: state.measuredTo,
            intervalSeconds: strategy.intervalSeconds,
          },
        ],
      ]);
    case "retiring": {
      const revisionToRetire = loser(state);
      return revisionToRetire === undefined ? undefined : { kind: "Deactivate", target, revision: revisionToRetire };
    }
  }
}

/**
 * Gives when the loop must act next; undefined for a rollout that has finished, and for one that only a signal moves.
 */
export const dueAt = (state: RolloutState): Instant | undefined => dueOf(react(state), state.now);

/** When a rollout has used up its time, as far as it knows of pauses and waits at its gate. */
export const expiresAt = ({ startedAt, paused, pausedAt, pausedSeconds, now, intent }: RolloutState): Instant =>
  after(startedAt, intent!.strategy.maximumSeconds + pausedSeconds + (paused ? secondsBetween(pausedAt, now) : 0));

/**
 * Gives when a shift is given up, if a lock or a failure delays it so long. A pause stops the rollout's time, but not
 * that of setting back weights which pass the gate: otherwise a locked app would keep them for as long as the pause.
 */
export const shiftExpiresAt = (state: RolloutState): Instant =>
  state.beyondGate
    ? Math.min(expiresAt(state), after(state.phaseAt, state.intent!.strategy.maximumSeconds))
    : expiresAt(state);

/** How many intervals pass between two measurements during a pause. All buckets are judged all the same. */
const pausedIntervals = 5;

const watchSeconds = ({ paused, intent }: RolloutState): number =>
  intent!.strategy.intervalSeconds * (paused ? pausedIntervals : 1);

/**
 * Gives when the canary is probed next. During a pause that is less often, with two exceptions: after a failed probe,
 * so that a dead canary is found nearly as soon as otherwise; and if probing keeps a revision from scaling to zero.
 */
function probeAt({ paused, probeFailures, probedAt, sleepers, intent }: RolloutState): Instant {
  const { probeSeconds, intervalSeconds } = intent!.strategy;
  return after(
    probedAt,
    paused && probeFailures === 0 && sleepers.length === 0
      ? Math.max(probeSeconds, intervalSeconds * pausedIntervals)
      : probeSeconds,
  );
}

/** Stable may have to take all traffic back at any moment, so probing also keeps it from scaling to zero. */
const awake = ({ stable, sleepers }: RolloutState): { readonly awake?: string } =>
  stable !== null && sleepers.some((name) => sameName(name, stable)) ? { awake: stable } : {};

/** Names the losing revision, which is deactivated; undefined if that would leave nothing to serve. */
export function loser(state: RolloutState): string | undefined {
  if (state.stable === null) return undefined;
  return state.ending?.result === "promoted" ? state.stable : state.intent?.revision;
}

/** Gives the effect that is due first, or the wait until then. */
function soonest(
  { now }: RolloutState,
  due: readonly (readonly [at: Instant, effect: RolloutEffect])[],
): RolloutEffect {
  const [at, effect] = due.reduce((first, next) => (next[0] < first[0] ? next : first), due[0]!);
  return at <= now ? effect : { kind: "Wait", until: at };
}
