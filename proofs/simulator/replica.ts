// A model of one process of the control plane: runtime/orchestrate.ts (start, signal, sweep), drive.ts (turn after turn under a lease),
// turns.ts (a turn as a durable orchestration) and perform.ts (one effect), as tasks of virtual time. Each function says what it stands for.
// The engine and the claims' rule are the real ones; what is decided is not known here.

import type { Claim } from "../../controlplane/runtime/ports.ts";
import type { Result } from "../../engines/engine.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEffect, RolloutObservation, RolloutOutcome, Weight } from "../../engines/rollout/vocabulary.ts";
import * as azure from "./azure.ts";
import type { Cloud } from "./cloud.ts";
import { type Cue, createCue, type Host, type Loop, type Task } from "./loop.ts";
import type { Store } from "./store.ts";
import type { Trouble } from "./trouble.ts";

export const leaseSeconds = 60;
const requestsPerLanding = 4;

/** One write of ours at the moment at which it was sent. */
export interface Write {
  readonly at: number;
  readonly stream: string;
  /** Length of the journal on which it was asked for. */
  readonly length: number;
  readonly epoch: number;
  readonly kind: RolloutEffect["kind"];
  readonly weights: readonly Weight[];
  readonly process: string;
  /** How long the claim had been lost, in milliseconds; 0 where it held. */
  readonly lateBy: number;
  /** Whether the process slept between its fence and this. */
  readonly sleptThere: boolean;
}

/** What all replicas share. */
export interface World {
  readonly loop: Loop;
  readonly cloud: Cloud;
  readonly store: Store;
  readonly trouble: Trouble;
  readonly writes: Write[];
  readonly tell: (who: string, what: string) => void;
}

export interface Replica extends Host {
  readonly index: number;
  /** Its own clock is wrong by so many milliseconds. */
  skew: number;
  process: string;
  readonly driven: Set<string>;
}

class StoreLost extends Error {}

interface Lease {
  readonly claim: Claim;
  readonly gone: Cue;
  lost: boolean;
  renewedAt: number;
  ended: boolean;
}

const isWrite = ({ kind }: RolloutEffect): boolean =>
  kind === "Activate" || kind === "ShiftTraffic" || kind === "Deactivate";
const freshness = ({ loop }: World, lease: Lease): boolean =>
  !lease.lost && loop.now() - lease.renewedAt < leaseSeconds * 1000;

/** One call of the database: it may be lost before it was made, or after. */
function* query<Value>({ loop, trouble }: World, act: () => Value): Task<Value> {
  const lost = trouble.store();
  yield { until: loop.now() + 3 };
  if (lost === "before") throw new StoreLost("the database is away");
  const value = act();
  if (lost === "after") throw new StoreLost("the connection was lost after the commit");
  return value;
}

/** claims.ts `keepLease`: renewed at each third; a store that does not answer for a whole lease loses it. */
function* keepLease(world: World, lease: Lease): Task<void> {
  for (;;) {
    yield { until: world.loop.now() + (leaseSeconds * 1000) / 3 };
    if (lease.ended || lease.lost) return;
    if (!freshness(world, lease)) return lose(lease);
    try {
      yield* confirm(world, lease);
    } catch {
      /* Asked again at the next beat. */
    }
  }
}

function lose(lease: Lease): void {
  lease.lost = true;
  lease.gone.give();
}

/** claims.ts `confirm`. */
function* confirm(world: World, lease: Lease): Task<boolean> {
  const askedAt = world.loop.now();
  if (lease.lost) return false;
  if (yield* query(world, () => world.store.renew(lease.claim))) lease.renewedAt = Math.max(lease.renewedAt, askedAt);
  else lose(lease);
  return freshness(world, lease);
}

/** drive.ts `oneRun` and `turnAfterTurn`. */
function* drive(world: World, me: Replica, stream: string, claim: Claim, askedAt: number): Task<void> {
  const { loop, store } = world;
  const lease: Lease = { claim, gone: createCue(), lost: false, renewedAt: askedAt, ended: false };
  loop.run(keepLease(world, lease), me);
  let carriedOn = false;
  let taken = -1;
  for (let failures = 0; freshness(world, lease); ) {
    try {
      if (!carriedOn && !(yield* carryOn(world, me, stream, lease))) break;
      carriedOn = true;
      const length = yield* query(world, () => store.streams.get(stream)?.facts.length ?? 0);
      if (length === taken) throw new StoreLost("a turn came to nothing");
      if (rollout.react(store.stateAt(stream, length)) === undefined) {
        yield* query(world, () => store.streams.get(stream)?.turns.clear());
        yield* query(world, () => store.release(claim));
        break;
      }
      taken = length;
      if (!(yield* turn(world, me, stream, length, lease))) break;
      failures = 0;
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      failures++;
      yield { until: loop.now() + Math.min(250 * 2 ** failures, 30_000), cues: [lease.gone] };
      if (taken >= 0 && !lease.lost)
        try {
          yield* query(world, () => store.streams.get(stream)?.turns.delete(taken));
        } catch {
          /* The next turn meets it again. */
        }
      taken = -1;
    }
  }
  lease.ended = true;
  me.driven.delete(stream);
}

/** turns.ts `carryOn`: every turn that another process left open. False: the stream must be left. */
function* carryOn(world: World, me: Replica, stream: string, lease: Lease): Task<boolean> {
  const open = yield* query(world, () =>
    [...(world.store.streams.get(stream)?.turns ?? [])].filter(([, { done }]) => !done).map(([length]) => length),
  );
  for (const length of open) if (!(yield* takeTurn(world, me, stream, length, lease))) return false;
  return true;
}

/** turns.ts `turn`: begun once; one that came to nothing is forgotten and asked for again. */
function* turn(world: World, me: Replica, stream: string, length: number, lease: Lease): Task<boolean> {
  const { turns } = world.store.streams.get(stream)!;
  const isDone = yield* query(world, () => {
    const found = turns.get(length);
    if (found?.done) turns.delete(length);
    else if (found === undefined) turns.set(length, { done: false, outcome: undefined });
    return found?.done === true;
  });
  return isDone || (yield* takeTurn(world, me, stream, length, lease));
}

/** turns.ts `takeTurn`: perform, recorded once; append, which is harmless to repeat. False: left open. */
function* takeTurn(world: World, me: Replica, stream: string, length: number, lease: Lease): Task<boolean> {
  const { store, trouble } = world;
  const { turns } = store.streams.get(stream)!;
  const recorded = turns.get(length);
  const effect = rollout.react(store.stateAt(stream, length));
  if (recorded === undefined || effect === undefined) return true;
  if (recorded.outcome === undefined) {
    const outcome = yield* performUncut(world, me, stream, length, effect, lease);
    if (outcome === "left") return false;
    yield* trouble.pass(me, "before-record");
    yield* query(world, () => {
      recorded.outcome ??= outcome;
      recorded.epoch ??= lease.claim.epoch;
    });
  }
  const counts = isWrite(effect) || recorded.epoch === lease.claim.epoch; // what another has merely seen is not news any more
  if (
    recorded.outcome &&
    counts &&
    !(yield* record(world, me, stream, length, recorded.outcome, isWrite(effect), lease))
  )
    return false;
  recorded.done = true;
  return true;
}

/** turns.ts `performUncut`: a signal cuts what is no write; what was asked for before it came is not begun. */
function* performUncut(
  world: World,
  me: Replica,
  stream: string,
  length: number,
  effect: RolloutEffect,
  lease: Lease,
): Task<RolloutOutcome | null | "left"> {
  const { loop, store } = world;
  const { facts, grown } = store.streams.get(stream)!;
  const write = isWrite(effect);
  const isCut = (): boolean => facts.length > length;
  if (isCut()) return null;
  if (effect.kind === "ShiftTraffic" && !effect.overrideHold) {
    while (!isCut() && !lease.lost && (yield* query(world, store.held)) !== undefined)
      yield { until: loop.now() + 500, cues: [grown, lease.gone] };
  }
  if (lease.lost) return "left";
  if (isCut()) return null;
  const outcome = yield* perform(world, me, stream, length, effect, lease, [grown, lease.gone], isCut);
  if (!freshness(world, lease)) return "left";
  return isCut() && !write ? null : outcome;
}

/** perform.ts `perform`: one effect, its fence, its hold; trouble with the cloud is an outcome, with the database it is thrown. */
function* perform(
  world: World,
  me: Replica,
  stream: string,
  length: number,
  effect: RolloutEffect,
  lease: Lease,
  cues: readonly Cue[],
  isCut: () => boolean,
): Task<RolloutOutcome> {
  const { loop, store, cloud, trouble, writes } = world;
  const shutAt = loop.now() + 30 * azure.requestSeconds * 1000;
  const sentAt: number[] = [];
  const call: azure.Call = {
    loop,
    cloud,
    trouble,
    host: me,
    fence: function* () {
      if (effect.kind === "ShiftTraffic" && !effect.overrideHold && (yield* query(world, store.held)) !== undefined)
        return false;
      const mayBeSent = loop.now() < shutAt && (yield* confirm(world, lease));
      if (mayBeSent) sentAt.push(clock());
      return mayBeSent;
    },
    sent: (fencedAt) => {
      const lateBy = store.stillOurs(lease.claim) ? 0 : loop.now() - store.endedAt(lease.claim);
      const weights = effect.kind === "ShiftTraffic" ? effect.weights : [];
      writes.push({
        at: loop.now(),
        stream,
        length,
        epoch: lease.claim.epoch,
        kind: effect.kind,
        weights,
        process: me.process,
        lateBy,
        sleptThere: me.sleptAt >= fencedAt,
      });
      world.tell(
        me.process,
        `sends ${effect.kind} ${weights.map(({ revision, percent }) => `${revision} ${percent}`).join(", ")}`,
      );
    },
  };
  const hold = effect.kind === "VerifyTraffic" ? yield* query(world, store.held) : undefined;
  const clock = (): number => loop.now() + me.skew;
  const found = yield* carryOut(call, effect, clock, cues, () => isCut() || lease.lost);
  const seen =
    found.ok && hold
      ? { ok: true, value: { ...(found.value as object), heldUntil: clock() + hold.until - loop.now() } }
      : found;
  const givenUpAt = found.ok && sentAt.length < 2 ? undefined : sentAt.at(-1);
  const late =
    effect.kind === "ShiftTraffic" && givenUpAt !== undefined
      ? { mayLand: { weights: effect.weights, until: givenUpAt + requestsPerLanding * azure.requestSeconds * 1000 } }
      : {};
  return { kind: "Outcome", of: effect.kind, at: clock(), found: seen, ...late } as RolloutOutcome;
}

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

/** turns.ts `record`: decided on the state as it is by now, under the claim. False: the claim is lost. */
function* record(
  world: World,
  me: Replica,
  stream: string,
  length: number,
  outcome: RolloutOutcome,
  write: boolean,
  lease: Lease,
): Task<boolean> {
  const { store, trouble, loop } = world;
  const { facts } = store.streams.get(stream)!;
  for (let failures = 0, known = facts.length; ; ) {
    for (let index = length; index < known; index++) if (facts[index]!.epoch > 0) return true;
    if (known > length && !write) return true;
    const events = rollout.decide(store.stateAt(stream, known), outcome);
    yield* trouble.pass(me, "before-append");
    try {
      const appended = yield* query(world, () => store.append(stream, known, events, me.process, lease.claim));
      if (appended === "appended") {
        for (const event of events)
          world.tell(
            me.process,
            `writes ${event.kind}${"sentence" in event ? `: ${event.sentence}` : "percent" in event ? ` ${event.percent}` : ""}`,
          );
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

/** orchestrate.ts `start` (a request) and `signal` (anything else) in one: decide, append without a claim, drive where it begins or revives. */
export function* hear(
  world: World,
  me: Replica,
  stream: string,
  observation: RolloutObservation,
  came: (answer: string) => void,
): Task<void> {
  const { store, trouble, loop } = world;
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const length = yield* query(world, () => store.streams.get(stream)?.facts.length ?? 0);
      if ((observation.kind === "Request") !== (length === 0)) return came(length === 0 ? "unknown" : "exists");
      const state = store.stateAt(stream, length);
      const events = rollout.decide(state, observation);
      const revives =
        rollout.react(state) === undefined && rollout.react(events.reduce(rollout.evolve, state)) !== undefined;
      const askedAt = loop.now();
      const claim = revives ? yield* query(world, () => store.take(stream, me.process)) : undefined;
      if (claim !== undefined && "heldBy" in claim && claim.heldBy !== stream) return came(claim.heldBy);
      if (claim !== undefined) yield* trouble.pass(me, "after-claim");
      const appended = yield* query(world, () => store.append(stream, length, events, me.process, undefined));
      if (claim !== undefined && !("heldBy" in claim)) begin(world, me, stream, claim, askedAt);
      if (appended !== "appended") continue;
      world.tell(
        me.process,
        `hears ${observation.kind === "Signal" ? observation.signal : observation.kind} for ${stream}`,
      );
      return came("heard");
    }
  } catch (error) {
    if (!(error instanceof StoreLost)) throw error;
    came("lost");
  }
}

function begin(world: World, me: Replica, stream: string, claim: Claim, askedAt: number): void {
  if (me.driven.has(stream)) return;
  me.driven.add(stream);
  world.loop.run(drive(world, me, stream, claim, askedAt), me);
}

/** orchestrate.ts `sweepForever`: takes over what nobody drives, at each third of the lease. */
export function* sweepForever(world: World, me: Replica): Task<void> {
  const { store, loop, trouble } = world;
  for (;;) {
    try {
      const found = yield* query(
        world,
        () =>
          new Set([
            ...store.abandoned(),
            ...[...store.streams]
              .filter(([, { facts }]) => facts.at(-1)?.state.phase !== "finished")
              .map(([name]) => name),
          ]),
      );
      for (const stream of found) {
        if (me.driven.has(stream)) continue;
        const askedAt = loop.now();
        const claim = yield* query(world, () => store.take(stream, me.process));
        if ("heldBy" in claim) continue;
        world.tell(me.process, `takes ${stream} over under epoch ${claim.epoch}`);
        yield* trouble.pass(me, "after-claim");
        begin(world, me, stream, claim, askedAt);
      }
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
    }
    yield { until: loop.now() + (leaseSeconds * 1000) / 3 };
  }
}
