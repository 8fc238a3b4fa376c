// Performs one effect: the only switch over effects that touches the world, one line for each effect. The adapters know
// how a call is sent and what its answers mean; the engine decides when it is made.
import type { Result } from "../../engines/engine.ts";
import type { RolloutEffect, RolloutOutcome, TrafficView } from "../../engines/rollout/vocabulary.ts";
import { after, type Instant } from "../../engines/time.ts";
import { aborted } from "./clock.ts";
import { readWithin, requestsPerRead, writeWithin } from "./limits.ts";
import type { Apps, Claims, Clock, Fence, Requests } from "./ports.ts";

/**
 * After this multiple of a request's limit since its fence, a write that was given up has either landed or never will.
 */
const requestsPerLanding = 4;

/** What effects need: the ports except the journal, and the limit of one request. */
export interface World {
  readonly apps: Apps;
  readonly requests: Requests;
  readonly claims: Pick<Claims, "lockOn">;
  readonly clock: Clock;
  /** The limit of a single request to the cloud; shorter than the lease. */
  readonly requestSeconds: number;
}

/** Reports whether an effect changes the world. A write is never cut short: it ends by its answer or at its limit. */
export const isWrite = (effect: RolloutEffect): boolean =>
  effect.kind === "Activate" || effect.kind === "ShiftTraffic" || effect.kind === "Deactivate";

/**
 * Performs an effect and gives its outcome.
 *
 * Trouble with the cloud is an outcome, whether the adapter returned or threw it. Trouble with the journal's database
 * is thrown, because then nothing can be concluded, not even that the effect failed.
 */
export async function performEffect(
  effect: RolloutEffect,
  world: World,
  fence: Fence,
  cancel: AbortSignal,
): Promise<RolloutOutcome> {
  const lost: unknown[] = [];
  // A lock may be taken while a shift waits for the cloud: the traffic that its holder compares with must not change.
  const unlocked = async (): Promise<boolean> =>
    effect.kind !== "ShiftTraffic" || effect.overrideLock || (await world.claims.lockOn(effect.target)) === undefined;
  const sentAt: Instant[] = [];
  const asked: Fence = () =>
    (async () => {
      const mayBeSent = (await unlocked()) && (await fence());
      if (mayBeSent) sentAt.push(world.clock.now());
      return mayBeSent;
    })().catch((error: unknown) => {
      lost.push(error);
      throw error;
    });
  // Asked before the read: what the holder writes later is seen by the read that follows the lock.
  const lock = effect.kind === "VerifyTraffic" ? await world.claims.lockOn(effect.target) : undefined;
  const lockedUntil = lock && after(world.clock.now(), lock.seconds);
  const over = new AbortController();
  const found = await callPort(effect, world, asked, cancel, over.signal).catch(failure);
  over.abort();
  if (lost.length > 0) throw lost[0];
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

async function callPort(
  effect: RolloutEffect,
  world: World,
  fence: Fence,
  cancel: AbortSignal,
  over: AbortSignal,
): Promise<Result<unknown>> {
  const { apps, requests, clock } = world;
  const read = <Value>(
    call: (cancel: AbortSignal) => Promise<Result<Value>>,
    seconds = world.requestSeconds * requestsPerRead,
  ) => readWithin(call, seconds, cancel, over);
  const write = <Value>(call: (fence: Fence) => Promise<Result<Value>>) =>
    writeWithin(call, world.requestSeconds, fence, over);
  switch (effect.kind) {
    case "Inspect":
      return read((late) => apps.inspect(effect.target, late));
    case "Activate":
      return write((asked) => apps.activate(effect, asked));
    case "Probe":
      return read((late) => apps.probe(effect, late), effect.timeoutSeconds + world.requestSeconds * requestsPerRead);
    case "ShiftTraffic":
      return write((asked) => apps.shift(effect, asked));
    case "VerifyTraffic":
      return read((late) => apps.readTraffic(effect.target, late));
    case "Wait":
      return clock.until(effect.until, cancel).then(nothing);
    case "AwaitSignal":
      return aborted(cancel).then(nothing);
    case "Measure":
      return read((late) => requests.measure(effect, clock.now(), late));
    case "Deactivate":
      return write((asked) => apps.deactivate(effect, asked));
  }
}

const nothing = (): Result<null> => ({ ok: true, value: null });
const failure = (error: unknown): Result<never> => ({
  ok: false,
  reason: error instanceof Error ? error.message : String(error),
});
