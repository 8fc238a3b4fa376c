// A model of orchestrate.ts, the entry of one control plane process: it accepts requests and signals, and recovers
// streams that no process drives. The engine and the rule of claims are the real ones.
import type { Claim } from "../../controlplane/runtime/ports.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutObservation } from "../../engines/rollout/vocabulary.ts";
import { query, StoreLost } from "./lease.ts";
import type { Task } from "./loop.ts";
import { drive } from "./reconcile.ts";
import { leaseSeconds, type Replica, type World } from "./world.ts";

/**
 * orchestrate.ts `start` (for a request) and `signal` (for the rest): decides, appends without a claim, and
 * starts driving if the stream begins or revives.
 */
export function* accept(
  world: World,
  me: Replica,
  stream: string,
  observation: RolloutObservation,
  answer: (text: string) => void,
): Task<void> {
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const text = yield* acceptOnce(world, me, stream, observation);
      if (text !== "conflict") return answer(text);
    }
  } catch (error) {
    if (!(error instanceof StoreLost)) throw error;
    answer("lost");
  }
}

function* acceptOnce(world: World, me: Replica, stream: string, observation: RolloutObservation): Task<string> {
  const { store, trouble, loop } = world;
  const length = yield* query(world, () => store.streams.get(stream)?.facts.length ?? 0);
  if ((observation.kind === "Request") !== (length === 0)) return length === 0 ? "unknown" : "exists";
  const state = store.stateAt(stream, length);
  const events = rollout.decide(state, observation);
  const revives =
    rollout.react(state) === undefined && rollout.react(events.reduce(rollout.evolve, state)) !== undefined;
  const askedAt = loop.now();
  const claim = revives ? yield* query(world, () => store.take(stream, me.process)) : undefined;
  if (claim !== undefined && "heldBy" in claim && claim.heldBy !== stream) return claim.heldBy;
  if (claim !== undefined) yield* trouble.pass(me, "after-claim");
  const appended = yield* query(world, () => store.append(stream, length, events, me.process, undefined));
  if (claim !== undefined && !("heldBy" in claim)) begin(world, me, stream, claim, askedAt);
  if (appended !== "appended") return "conflict";
  const name = observation.kind === "Signal" ? observation.signal : observation.kind;
  world.note(me.process, `accepts ${name} for ${stream}`);
  return "accepted";
}

function begin(world: World, me: Replica, stream: string, claim: Claim, askedAt: number): void {
  if (me.driven.has(stream)) return;
  me.driven.add(stream);
  world.loop.run(drive(world, me, stream, claim, askedAt), me);
}

/** orchestrate.ts `recoverForever`: recovers streams that no process drives, at each third of the lease. */
export function* recoverForever(world: World, me: Replica): Task<void> {
  const { store, loop } = world;
  for (;;) {
    try {
      const unfinished = yield* query(
        world,
        () =>
          new Set([
            ...store.abandoned(),
            ...[...store.streams]
              .filter(([, { facts }]) => facts.at(-1)?.state.phase !== "finished")
              .map(([name]) => name),
          ]),
      );
      for (const stream of unfinished) if (!me.driven.has(stream)) yield* recover(world, me, stream);
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
    }
    yield { until: loop.now() + (leaseSeconds * 1000) / 3 };
  }
}

function* recover(world: World, me: Replica, stream: string): Task<void> {
  const askedAt = world.loop.now();
  const claim = yield* query(world, () => world.store.take(stream, me.process));
  if ("heldBy" in claim) return;
  world.note(me.process, `recovers ${stream} under epoch ${claim.epoch}`);
  yield* world.trouble.pass(me, "after-claim");
  begin(world, me, stream, claim, askedAt);
}
