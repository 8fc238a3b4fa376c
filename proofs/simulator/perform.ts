// A model of performers/rollout.ts: carries out one effect of a rollout on the cloud and checks lock and fence before
// each write. Each function names the one that it models.
import type { Result } from "../../engines/engine.ts";
import type { RolloutEffect, RolloutOutcome } from "../../engines/rollout/vocabulary.ts";
import * as azure from "./azure.ts";
import { confirm, type Lease, query } from "./lease.ts";
import type { Cue, Task } from "./loop.ts";
import type { Replica, World } from "./world.ts";

const requestsPerLanding = 4;

/** One reconcile pass of a process over a stream, under a lease. */
export interface Pass {
  readonly world: World;
  readonly me: Replica;
  readonly stream: string;
  /** The length of the journal at which the pass began. */
  readonly length: number;
  readonly lease: Lease;
}

/** performers/rollout.ts `isWrite`. */
export const isWrite = ({ kind }: RolloutEffect): boolean =>
  kind === "Activate" || kind === "ShiftTraffic" || kind === "Deactivate";

/** performers/rollout.ts `performEffect`: a failure of the cloud is an outcome; a failure of the database is thrown. */
export function* perform(
  pass: Pass,
  effect: RolloutEffect,
  cues: readonly Cue[],
  isCut: () => boolean,
): Task<RolloutOutcome> {
  const { world, me, lease } = pass;
  const { loop, store } = world;
  const clock = (): number => loop.now() + me.skew;
  const fencedAt: number[] = [];
  const call = callFor(pass, effect, () => fencedAt.push(clock()));
  const lock = effect.kind === "VerifyTraffic" ? yield* query(world, store.currentLock) : undefined;
  const found = yield* carryOut(call, effect, clock, cues, () => isCut() || lease.lost);
  const seen =
    found.ok && lock
      ? { ok: true, value: { ...(found.value as object), lockedUntil: clock() + lock.until - loop.now() } }
      : found;
  const mayLandSince = found.ok && fencedAt.length < 2 ? undefined : fencedAt.at(-1);
  const late =
    effect.kind === "ShiftTraffic" && mayLandSince !== undefined
      ? { mayLand: { weights: effect.weights, until: mayLandSince + requestsPerLanding * azure.requestSeconds * 1000 } }
      : {};
  return { kind: "Outcome", of: effect.kind, at: clock(), found: seen, ...late } as RolloutOutcome;
}

/** The adapter's view of the pass: its fence, and a log of each write that is sent. */
function callFor({ world, me, stream, length, lease }: Pass, effect: RolloutEffect, fenced: () => void): azure.Call {
  const { loop, store, cloud, trouble, writes } = world;
  const shutAt = loop.now() + 30 * azure.requestSeconds * 1000;
  const weights = effect.kind === "ShiftTraffic" ? effect.weights : [];
  return {
    loop,
    cloud,
    trouble,
    host: me,
    fence: function* () {
      if (effect.kind === "ShiftTraffic" && !effect.overrideLock) {
        if ((yield* query(world, store.currentLock)) !== undefined) return false;
      }
      const mayBeSent = loop.now() < shutAt && (yield* confirm(world, lease));
      if (mayBeSent) fenced();
      return mayBeSent;
    },
    sent: (fencedAt) => {
      writes.push({
        at: loop.now(),
        stream,
        length,
        epoch: lease.claim.epoch,
        kind: effect.kind,
        weights,
        process: me.process,
        lateBy: store.stillOurs(lease.claim) ? 0 : loop.now() - store.endedAt(lease.claim),
        sleptThere: me.sleptAt >= fencedAt,
      });
      const shares = weights.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");
      world.note(me.process, `sends ${effect.kind} ${shares}`);
    },
  };
}

/** performers/call-rollout-port.ts `callRolloutPort`. */
function* carryOut(
  call: azure.Call,
  effect: RolloutEffect,
  clock: () => number,
  cues: readonly Cue[],
  isOver: () => boolean,
): Task<Result<unknown>> {
  const nothing = { ok: true as const, value: null };
  switch (effect.kind) {
    case "Inspect":
      return yield* azure.inspect(call);
    case "Activate":
      return yield* azure.activate(call, effect.revision);
    case "Probe":
      return yield* azure.probe(call, effect.revision);
    case "ShiftTraffic":
      return yield* azure.shift(call, effect);
    case "VerifyTraffic":
      return yield* azure.readTraffic(call);
    case "Deactivate":
      return yield* azure.deactivate(call, effect.revision);
    case "Measure":
      return yield* azure.measure(call, effect, clock());
    case "Wait":
      while (!isOver() && clock() < effect.until)
        yield { until: call.loop.now() + Math.min(effect.until - clock(), 60_000), cues };
      return nothing;
    case "AwaitSignal":
      while (!isOver()) yield { until: Number.POSITIVE_INFINITY, cues };
      return nothing;
  }
}
