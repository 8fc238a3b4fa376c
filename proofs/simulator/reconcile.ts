// A model of drive.ts and reconcile.ts: a process drives a stream, pass after pass, under its lease.
// Each pass performs one effect, records its outcome once and appends what the real engine decides.
// Each function names the one that it models.
import type { Claim } from "../../controlplane/runtime/ports.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEffect, RolloutEvent, RolloutOutcome } from "../../engines/rollout/vocabulary.ts";
import { confirm, isFresh, keepLease, type Lease, leaseOf, query, StoreLost } from "./lease.ts";
import type { Task } from "./loop.ts";
import { isWrite, type Pass, perform } from "./perform.ts";
import type { Replica, World } from "./world.ts";

/** drive.ts `oneRun` and `reconcileUntilDone`. */
export function* drive(world: World, me: Replica, stream: string, claim: Claim, askedAt: number): Task<void> {
  const { loop, store } = world;
  const lease = leaseOf(claim, askedAt);
  loop.run(keepLease(world, lease), me);
  let resumed = false;
  let taken = -1;
  for (let failures = 0; isFresh(world, lease); ) {
    try {
      if (!resumed && !(yield* resumeOpen(world, me, stream, lease))) break;
      resumed = true;
      const length = yield* query(world, () => store.streams.get(stream)?.facts.length ?? 0);
      if (length === taken) throw new StoreLost("a reconcile pass wrote nothing");
      if (rollout.react(store.stateAt(stream, length)) === undefined) {
        yield* query(world, () => store.streams.get(stream)?.passes.clear());
        yield* query(world, () => store.release(claim));
        break;
      }
      taken = length;
      if (!(yield* reconcile({ world, me, stream, length, lease }))) break;
      failures = 0;
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      failures++;
      yield { until: loop.now() + Math.min(250 * 2 ** failures, 30_000), cues: [lease.gone] };
      if (taken >= 0 && !lease.lost) yield* forget(world, stream, taken);
      taken = -1;
    }
  }
  lease.ended = true;
  me.driven.delete(stream);
}

/** reconcile.ts `forget`; if the store fails, the next pass meets the stored one again. */
function* forget(world: World, stream: string, length: number): Task<void> {
  try {
    yield* query(world, () => world.store.streams.get(stream)?.passes.delete(length));
  } catch {
    /* Tried again by the next pass. */
  }
}

/** reconcile.ts `resumeOpen`: resumes each pass that another process left open. False: the stream must be left. */
function* resumeOpen(world: World, me: Replica, stream: string, lease: Lease): Task<boolean> {
  const open = yield* query(world, () =>
    [...(world.store.streams.get(stream)?.passes ?? [])].filter(([, { done }]) => !done).map(([length]) => length),
  );
  for (const length of open) if (!(yield* writePass({ world, me, stream, length, lease }))) return false;
  return true;
}

/** reconcile.ts `reconcile`: begins a pass once; one that is done but wrote nothing is forgotten and begun again. */
function* reconcile(pass: Pass): Task<boolean> {
  const { world, stream, length } = pass;
  const { passes } = world.store.streams.get(stream)!;
  const isDone = yield* query(world, () => {
    const found = passes.get(length);
    if (found?.done) passes.delete(length);
    else if (found === undefined) passes.set(length, { done: false, outcome: undefined });
    return found?.done === true;
  });
  return isDone || (yield* writePass(pass));
}

/** reconcile.ts `writePass`: performs and records once, then appends, which is safe to repeat. False: left open. */
function* writePass(pass: Pass): Task<boolean> {
  const { world, me, stream, length, lease } = pass;
  const { store, trouble } = world;
  const stored = store.streams.get(stream)!.passes.get(length);
  const effect = rollout.react(store.stateAt(stream, length));
  if (stored === undefined || effect === undefined) return true;
  if (stored.outcome === undefined) {
    const outcome = yield* performUnlessCut(pass, effect);
    if (outcome === "left") return false;
    yield* trouble.pass(me, "before-record");
    yield* query(world, () => {
      stored.outcome ??= outcome;
      stored.epoch ??= lease.claim.epoch;
    });
  }
  // What a dead process merely read is out of date.
  const counts = isWrite(effect) || stored.epoch === lease.claim.epoch;
  if (stored.outcome && counts && !(yield* record(pass, stored.outcome, isWrite(effect)))) return false;
  stored.done = true;
  return true;
}

/** reconcile.ts `performUnlessCut`: a signal cuts an effect that is not a write, and stops one that has not begun. */
function* performUnlessCut(pass: Pass, effect: RolloutEffect): Task<RolloutOutcome | null | "left"> {
  const { world, stream, length, lease } = pass;
  const { loop, store } = world;
  const { facts, grown } = store.streams.get(stream)!;
  const isCut = (): boolean => facts.length > length;
  if (isCut()) return null;
  if (effect.kind === "ShiftTraffic" && !effect.overrideLock) {
    while (!isCut() && !lease.lost && (yield* query(world, store.currentLock)) !== undefined)
      yield { until: loop.now() + 500, cues: [grown, lease.gone] };
  }
  if (lease.lost) return "left";
  if (isCut()) return null;
  const outcome = yield* perform(pass, effect, [grown, lease.gone], isCut);
  if (!isFresh(world, lease)) return "left";
  return isCut() && !isWrite(effect) ? null : outcome;
}

/** reconcile.ts `record`: decides on the current state and appends under the claim. False: the claim is lost. */
function* record(pass: Pass, outcome: RolloutOutcome, write: boolean): Task<boolean> {
  const { world, me, stream, length, lease } = pass;
  const { store, trouble, loop } = world;
  const { facts } = store.streams.get(stream)!;
  for (let failures = 0, known = facts.length; ; ) {
    if (facts.slice(length, known).some(({ epoch }) => epoch > 0)) return true;
    if (known > length && !write) return true;
    const events = rollout.decide(store.stateAt(stream, known), outcome);
    yield* trouble.pass(me, "before-append");
    try {
      const appended = yield* query(world, () => store.append(stream, known, events, me.process, lease.claim));
      if (appended === "appended") {
        noteWritten(pass, events);
        yield* trouble.pass(me, "after-append");
        return true;
      }
      if (appended === "fenced") {
        yield* confirm(world, lease);
        return false;
      }
      known = facts.length;
    } catch (error) {
      if (!(error instanceof StoreLost) || ++failures >= 5) throw error;
      yield { until: loop.now() + 500 * 2 ** failures };
      known = facts.length;
    }
  }
}

function noteWritten({ world, me }: Pass, events: readonly RolloutEvent[]): void {
  for (const event of events) world.note(me.process, `writes ${describe(event)}`);
}

function describe(event: RolloutEvent): string {
  if ("message" in event) return `${event.kind}: ${event.message}`;
  return "percent" in event ? `${event.kind} ${event.percent}` : event.kind;
}
