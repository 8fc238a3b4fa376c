// State → the next effect. Level-triggered: after a crash, fold the journal and ask here again. There is no clock; the
// time is that of the latest observation.
import { dueOf } from "../engine.ts";
import { streamOf as rolloutOf } from "../rollout/names.ts";
import { after, type Instant } from "../time.ts";
import { cutOverRelease, cutOverRevision } from "./cut-over-names.ts";
import { otherSlot, slotSecret } from "./declaration.ts";
import { refusalSlackSeconds } from "./gates.ts";
import { consumerAt, goal, isLeaked, keepsValues, slotAtWork, versionAtWork } from "./progress.ts";
import type { Credential, RotationEffect, RotationIntent, RotationState } from "./vocabulary.ts";

/** Phases that go on during a pause: a rollout is heard to its end, and a role that a reader needs is opened. */
const unpaused: readonly RotationState["phase"][] = ["awaiting", "gracing", "opening"];

/** Names the one effect that is missing now; `undefined` means finished. */
export function react(state: RotationState): RotationEffect | undefined {
  const { intent, phase, declaration } = state;
  if (intent === undefined || phase === "waiting-for-request" || phase === "finished") return undefined;
  if (state.paused && !unpaused.includes(phase)) return { kind: "AwaitSignal" };
  if (state.now < state.retryAt) return { kind: "Wait", until: state.retryAt };
  const { vault, credential } = intent;
  if (phase === "inspecting" || declaration === undefined)
    return { kind: "Inspect", credential: { vault, credential } };
  return effectIn(state, intent, declaration);
}

function effectIn(state: RotationState, intent: RotationIntent, credential: Credential): RotationEffect {
  const slot = slotAtWork(state);
  const { version, url } = versionAtWork(state) ?? { version: "", url: "" };
  const { rotation } = intent;
  switch (state.phase) {
    case "making":
      return {
        kind: "MakeVersion",
        credential,
        slot,
        rotation,
        generation: state.generation + 1,
        keeps: keepsValues(state),
      };
    case "setting":
      return { kind: "SetVerifier", credential, slot, version, url };
    case "proving":
      return { kind: "Prove", credential, slot, version, url };
    case "cutting":
      return requestRollout(state, intent, credential);
    case "awaiting":
      return { kind: "AwaitRollout", stream: state.rollout, until: cutOverExpiresAt(state) };
    case "publishing":
      return { kind: "Publish", credential, slot: goal(state), version, rotation };
    case "draining":
      if (isLeaked(state) || state.now >= after(state.phaseAt, credential.timings.drainSeconds))
        return { kind: "EndSessions", credential, slot: state.live };
      return readReaders(state, credential);
    case "closing":
      return { kind: "SetLogin", credential, slot: state.live, login: false };
    case "opening":
      return { kind: "SetLogin", credential, slot: state.live, login: true };
    case "moving":
      return {
        kind: "MoveSecret",
        consumer: credential.consumers[state.moved]!,
        secret: slotSecret(credential.credential, state.live),
        url: state.renewed?.url ?? "",
      };
    default:
      return readReaders(state, credential);
  }
}

/** Reads who logs in with the old role, once in each interval. */
function readReaders(state: RotationState, credential: Credential): RotationEffect {
  const readersAt = state.readAt === 0 ? state.now : after(state.readAt, credential.timings.intervalSeconds);
  return state.now >= readersAt
    ? {
        kind: "ReadReaders",
        credential,
        slot: state.live,
        from: readersFrom(state),
        neededBy: state.neededBy,
        looksAtConsumers: state.phase !== "quieting",
      }
    : { kind: "Wait", until: readersAt };
}

/** Refusals count a little earlier than logins: see `readerIn`. */
const readersFrom = (state: RotationState): Instant =>
  Math.max(after(state.readersFrom, -refusalSlackSeconds(state)), state.readersTo);

/** Asks for a release of the next consumer that names the goal's slot. */
function requestRollout(state: RotationState, intent: RotationIntent, { credential }: Credential): RotationEffect {
  const { consumer: index, slot } = state.cutOver!;
  const consumer = consumerAt(state, index)!;
  const { resourceGroup, app, strategy, thresholds, probePath, probe } = consumer;
  const target = { resourceGroup, app };
  const revision = cutOverRevision(app, slot, intent.rotation, state.rollouts + 1);
  return {
    kind: "RequestRollout",
    stream: rolloutOf(target, revision),
    intent: {
      target,
      revision,
      release: cutOverRelease(credential, slot),
      strategy,
      thresholds,
      probePath,
      ...(probe && { probe }),
      purpose: {
        secret: slotSecret(credential, slot),
        replaces: slotSecret(credential, otherSlot(slot)),
        url: (slot === state.live ? state.old : state.made)?.url ?? "",
      },
      // What an alert was fired for fails on stable, so a canary that is judged beside it would wait in vain.
      ...(intent.repairs === undefined ? {} : { repairs: intent.repairs }),
      requestedBy: intent.requestedBy,
      ...(intent.requestedByName === undefined ? {} : { requestedByName: intent.requestedByName }),
      ...(intent.trace === undefined ? {} : { trace: intent.trace }),
    },
  };
}

/** How much longer than its own maximum a rollout may take, for pauses and for giving the traffic back. */
const cutOverSlackSeconds = 3_600;

/** Gives when a rollout that was asked for is no longer waited for. */
export function cutOverExpiresAt(state: RotationState): Instant {
  const seconds = consumerAt(state, state.cutOver?.consumer ?? 0)?.strategy.maximumSeconds ?? 0;
  return after(state.phaseAt, seconds + cutOverSlackSeconds);
}

/**
 * Gives when the loop must act next; undefined for a rotation that has finished, and for one that only a signal moves.
 */
export const dueAt = (state: RotationState): Instant | undefined => dueOf(react(state), state.now);
