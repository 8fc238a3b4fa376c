// Carries one effect out: the only switch over effects that touches the world, one line each. Everything else about a
// call, how it is sent and what its answers mean, lies in the adapters; when it is made lies in the engine.
import type { Result } from "../../engines/engine.ts";
import type { RolloutEffect, RolloutOutcome, TrafficView } from "../../engines/rollout/vocabulary.ts";
import { after, type Instant } from "../../engines/time.ts";
import { aborted, nap } from "./clock.ts";
import type { Apps, Claims, Clock, Fence, Requests } from "./ports.ts";

/** A read may last as long as so many requests, retries included, before we stop waiting for it; a write, which polls, as so many. */
const requestsPerRead = 10;
const requestsPerWrite = 30;
/** A write that was given up is taken to have landed, or never to do so, so many requests' time after its fence. */
const requestsPerLanding = 4;

/** What effects are carried out on and with: the ports, but for the journal, and how long a request may last. */
export interface World {
  readonly apps: Apps;
  readonly requests: Requests;
  readonly claims: Pick<Claims, "held">;
  readonly clock: Clock;
  /** The limit of a single request to the cloud; shorter than the lease. */
  readonly requestSeconds: number;
}

/** Says whether an effect changes the world. Such a one is never cut short: it ends by its answer or its limit. */
export const isWrite = (effect: RolloutEffect): boolean =>
  effect.kind === "Activate" || effect.kind === "ShiftTraffic" || effect.kind === "Deactivate";

/**
 * Carries an effect out and gives what it came to.
 *
 * Trouble with the cloud is an outcome, whatever form the adapter gave it. Trouble with the journal's database is
 * thrown, since then nothing can be concluded, not even that the effect failed.
 */
export async function perform(
  effect: RolloutEffect,
  world: World,
  fence: Fence,
  cancel: AbortSignal,
): Promise<RolloutOutcome> {
  const lost: unknown[] = [];
  // A hold may be taken while a shift waits for the cloud: what the holder has compared with must not change under its hands.
  const unheld = async (): Promise<boolean> =>
    effect.kind !== "ShiftTraffic" || effect.overrideHold || (await world.claims.held(effect.target)) === undefined;
  const sentAt: Instant[] = [];
  const asked: Fence = () =>
    (async () => {
      const mayBeSent = (await unheld()) && (await fence());
      if (mayBeSent) sentAt.push(world.clock.now());
      return mayBeSent;
    })().catch((error: unknown) => {
      lost.push(error);
      throw error;
    });
  // Asked before the read: what the holder writes after it will be seen by the read that follows the hold.
  const hold = effect.kind === "VerifyTraffic" ? await world.claims.held(effect.target) : undefined;
  const heldUntil = hold && after(world.clock.now(), hold.seconds);
  const over = new AbortController();
  const found = await carryOut(effect, world, asked, cancel, over.signal).catch(failure);
  over.abort();
  if (lost.length > 0) throw lost[0];
  const seen =
    found.ok && heldUntil !== undefined ? { ok: true, value: { ...(found.value as TrafficView), heldUntil } } : found;
  // One sending and its success are all there is; of several, nobody knows which one has landed.
  const givenUpAt = found.ok && sentAt.length < 2 ? undefined : sentAt.at(-1);
  const late =
    effect.kind === "ShiftTraffic" && givenUpAt !== undefined
      ? { mayLand: { weights: effect.weights, until: after(givenUpAt, requestsPerLanding * world.requestSeconds) } }
      : {};
  return { kind: "Outcome", of: effect.kind, at: world.clock.now(), found: seen, ...late } as RolloutOutcome;
}

async function carryOut(
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
  ) => limitRead(call, seconds, cancel, over);
  const write = <Value>(call: (fence: Fence) => Promise<Result<Value>>) =>
    limitWrite(call, world.requestSeconds, fence, over);
  switch (effect.kind) {
    case "Inspect":
      return read((cut) => apps.inspect(effect.target, cut));
    case "Activate":
      return write((held) => apps.activate(effect, held));
    case "Probe":
      return read((cut) => apps.probe(effect, cut), effect.timeoutSeconds + world.requestSeconds * requestsPerRead);
    case "ShiftTraffic":
      return write((held) => apps.shift(effect, held));
    case "VerifyTraffic":
      return read((cut) => apps.readTraffic(effect.target, cut));
    case "Wait":
      return clock.until(effect.until, cancel).then(nothing);
    case "AwaitSignal":
      return aborted(cancel).then(nothing);
    case "Measure":
      return read((cut) => requests.measure(effect, clock.now(), cut));
    case "Deactivate":
      return write((held) => apps.deactivate(effect, held));
  }
}

/** Ends a read at its limit even where the adapter does not hear its cancellation. */
function limitRead<Value>(
  call: (cancel: AbortSignal) => Promise<Result<Value>>,
  seconds: number,
  cancel: AbortSignal,
  over: AbortSignal,
): Promise<Result<Value>> {
  const late = new AbortController();
  const cut = AbortSignal.any([cancel, late.signal]);
  void nap(seconds * 1000, over).then(() => late.abort());
  return Promise.race([
    call(cut),
    aborted(cut).then(() => ({
      ok: false as const,
      reason: cancel.aborted ? "cut short" : `no answer within ${seconds} s`,
    })),
  ]);
}

/** Ends a write at its limit: first its fence shuts, so that nothing more is sent, then what was sent has time to end. */
function limitWrite<Value>(
  call: (fence: Fence) => Promise<Result<Value>>,
  requestSeconds: number,
  fence: Fence,
  over: AbortSignal,
): Promise<Result<Value>> {
  const seconds = requestSeconds * requestsPerWrite;
  let shut = false;
  const late = async (): Promise<Result<Value>> => {
    await nap(seconds * 1000, over);
    shut = true;
    await nap(requestSeconds * 1000, over);
    return { ok: false, reason: `no answer within ${seconds} s` };
  };
  return Promise.race([call(async () => !shut && (await fence())), late()]);
}

const nothing = (): Result<null> => ({ ok: true, value: null });
const failure = (error: unknown): Result<never> => ({
  ok: false,
  reason: error instanceof Error ? error.message : String(error),
});
