// Performs the effects of a rollout. A shift of traffic waits for locks and asks again before it is sent; what may
// still land is part of its outcome. call-rollout-port.ts makes the calls, and the engine decides when.
import type { Result } from "../../engines/engine.ts";
import type { RolloutEffect, RolloutOutcome, TrafficView } from "../../engines/rollout/vocabulary.ts";
import { appKey } from "../../engines/targets.ts";
import { after, type Instant } from "../../engines/time.ts";
import { systemTime } from "../runtime/clock.ts";
import { limitSecondsOf } from "../runtime/limits.ts";
import type { Performer, Within } from "../runtime/performer.ts";
import type { Claims } from "../runtime/ports.ts";
import { callRolloutPort, type RolloutCalls } from "./call-rollout-port.ts";
import { failure, watched } from "./watched-fence.ts";

/** After this many request limits since its fence, a write that was given up has either landed or never will. */
const requestsPerLanding = 4;

/** What effects need: the ports of a rollout with the limit of one request, and the locks. */
export interface RolloutWorld extends RolloutCalls {
  readonly claims: Pick<Claims, "lockOn">;
}

/** Reports whether an effect changes the world. A write is never cut short: it ends by its answer or at its limit. */
const isWrite = ({ kind }: RolloutEffect): boolean => writes.includes(kind);

const writes: readonly RolloutEffect["kind"][] = ["Repoint", "OpenRole", "Activate", "ShiftTraffic", "Deactivate"];

const lockPollMilliseconds = 500;

/**
 * Waits until the app is not locked, or until cancelled.
 *
 * Only a shift of traffic waits, because a `pulumi up` that writes the app would undo it unknowingly. A shift that
 * returns the traffic to stable does not wait: users come before a `pulumi up`. A lock that is taken again and again is
 * waited for until the rollout's time is up.
 */
async function untilUnlocked(
  effect: RolloutEffect,
  { claims, clock, time = systemTime }: Pick<RolloutWorld, "claims" | "clock" | "time">,
  cancel: AbortSignal,
): Promise<void> {
  if (effect.kind !== "ShiftTraffic" || effect.overrideLock) return;
  const app = appKey(effect.target);
  const isOver = () => effect.waitsUntil !== undefined && clock.now() >= effect.waitsUntil;
  while (!cancel.aborted && (await claims.lockOn(app)) && !isOver()) await time.nap(lockPollMilliseconds, cancel);
}

/** Makes the performer of rollouts. */
export const rolloutPerformer = (world: RolloutWorld): Performer<RolloutEffect, RolloutOutcome> => ({
  isWrite,
  limitSeconds: (effect) => {
    if (effect.kind === "Wait" || effect.kind === "AwaitSignal") return 0;
    const asleepSeconds = effect.kind === "Probe" ? effect.timeoutSeconds : 0;
    return limitSecondsOf(isWrite(effect), world.requestSeconds) + asleepSeconds;
  },
  ready: (effect, cancel) => untilUnlocked(effect, world, cancel),
  perform: (effect, within) => performEffect(effect, world, within),
});

/**
 * Performs an effect and gives its outcome. Trouble with the cloud is an outcome, whether the adapter returned or threw
 * it.
 */
async function performEffect(
  effect: RolloutEffect,
  world: RolloutWorld,
  { stream, fence, cancel }: Within,
): Promise<RolloutOutcome> {
  // A lock may be taken while a shift waits for the cloud: the traffic that its holder compares with must not change.
  const unlocked = async (): Promise<boolean> =>
    effect.kind !== "ShiftTraffic" ||
    effect.overrideLock ||
    (await world.claims.lockOn(appKey(effect.target))) === undefined;
  const sentAt: Instant[] = [];
  const asked = watched(async () => {
    const mayBeSent = (await unlocked()) && (await fence());
    if (mayBeSent) sentAt.push(world.clock.now());
    return mayBeSent;
  });
  // Asked before the read: what the holder writes later is seen by the read that follows the lock.
  const lock = effect.kind === "VerifyTraffic" ? await world.claims.lockOn(appKey(effect.target)) : undefined;
  const lockedUntil = lock && after(world.clock.now(), lock.seconds);
  const stillLocked = await lockedTooLong(effect, world);
  const over = new AbortController();
  const found =
    stillLocked ??
    (await callRolloutPort(effect, world, { stream, fence: asked.fence, cancel }, over.signal).catch(failure));
  over.abort();
  asked.rethrow();
  const seen =
    found.ok && lockedUntil !== undefined
      ? { ok: true, value: { ...(found.value as TrafficView), lockedUntil } }
      : found;
  // After one request that succeeded nothing is open. Of several requests, it is unknown which one landed.
  const givenUpAt = found.ok && sentAt.length < 2 ? undefined : sentAt.at(-1);
  const late =
    effect.kind === "ShiftTraffic" && givenUpAt !== undefined
      ? { mayLand: { weights: effect.weights, until: after(givenUpAt, requestsPerLanding * world.requestSeconds) } }
      : {};
  return { kind: "Outcome", of: effect.kind, at: world.clock.now(), found: seen, ...late } as RolloutOutcome;
}

/** Gives the failure of a shift whose time is up and whose app is still locked. */
async function lockedTooLong(effect: RolloutEffect, world: RolloutWorld): Promise<Result<never> | undefined> {
  const { claims, clock } = world;
  if (effect.kind !== "ShiftTraffic" || effect.overrideLock) return undefined;
  if (effect.waitsUntil === undefined || clock.now() < effect.waitsUntil) return undefined;
  const lock = await claims.lockOn(appKey(effect.target));
  return lock && { ok: false, reason: `the app is still locked by ${lock.by}` };
}
