// The ports of the loop for one life of a process, over the models of the store and the cloud. Calls to the store take
// a moment, and may be lost before or after they take effect. Points at which a process may die lie around each of
// them. The passes are in orchestrations.ts.
import { clockOf } from "../../controlplane/runtime/clock.ts";
import type { Claims, Clock, Fact, Journal } from "../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import type { Point } from "./draw.ts";
import type { Task } from "./loop.ts";
import type { Kept } from "./store.ts";
import { cueOf, type Life } from "./virtual-time.ts";
import type { Replica, World } from "./world.ts";

/** A call to the database failed, before or after the commit. */
export class StoreLost extends Error {}

/** What a port needs: the world, the process, and its present life. */
export interface Place {
  readonly world: World;
  readonly me: Replica;
  readonly life: Life;
}

const storeMilliseconds = 3;

/** Makes one call to the database, with a point that the process passes right after it took effect. */
export function query<Value>({ world, me, life }: Place, act: () => Value, after?: Point): Promise<Value> {
  const { loop, trouble } = world;
  return life.promise(function* () {
    const lost = trouble.store();
    yield { until: loop.now() + storeMilliseconds };
    if (lost === "before") throw new StoreLost("the database is down");
    const value = act();
    if (after !== undefined) yield* trouble.pass(me, after);
    if (lost === "after") throw new StoreLost("the connection was lost after the commit");
    return value;
  });
}

/** Passes a point at which the process may die. */
export const pass = ({ world, me, life }: Place, point: Point): Promise<void> =>
  life.promise(() => world.trouble.pass(me, point));

/** The clock of the process, which may be wrong. */
export const clockFor = ({ world, me, life }: Place): Clock => clockOf(() => world.loop.now() + me.skew, life.time);

/** Facts are made once, since the loop keeps the state that it folded up to a fact. */
const factOf = new WeakMap<Kept, Fact<RolloutEvent>>();

function shown(kept: Kept, stream: string, index: number): Fact<RolloutEvent> {
  const known = factOf.get(kept);
  if (known !== undefined) return known;
  const { event, process, epoch } = kept;
  const fact = { stream, index, event, process, epoch, hash: `${stream}#${index}` };
  factOf.set(kept, fact);
  return fact;
}

/** The journal. */
export function journalFor(place: Place): Journal<RolloutEvent> {
  const { world, life } = place;
  const { store } = world;
  const factsOf = (stream: string): readonly Kept[] => store.streams.get(stream)?.facts ?? [];
  return {
    read: (stream) => query(place, () => factsOf(stream).map((kept, index) => shown(kept, stream, index))),
    append: async (stream, on, events, { process, claim }) => {
      if (claim !== undefined) await pass(place, "before-append");
      const write = () => {
        const appended = store.append(stream, on.length, events, process, claim);
        if (appended === "appended") for (const event of events) world.note(process, `writes ${describe(event)}`);
        return appended;
      };
      return query(place, write, claim === undefined ? undefined : "after-append");
    },
    grown: (stream, length, cancel) =>
      life.promise(function* () {
        const cut = cueOf(cancel);
        while (!cancel.aborted && factsOf(stream).length <= length)
          yield { until: Number.POSITIVE_INFINITY, cues: [store.grown(stream), cut] };
        cut.forget();
      }),
    streams: () =>
      query(place, () =>
        [...store.streams]
          .filter(([, { facts }]) => facts.at(-1)?.state.phase !== "finished")
          .map(([stream]) => stream),
      ),
    // The heartbeat adds no draw, so that a seed means the same whether or not a process looks.
    looked: async () => undefined,
    stuck: async () => undefined,
    after: unused,
    outlines: unused,
    list: unused,
    show: unused,
    underWay: unused,
    pulse: unused,
  };
}

function describe(event: RolloutEvent): string {
  if ("message" in event) return `${event.kind}: ${event.message}`;
  return "percent" in event ? `${event.kind} ${event.percent}` : event.kind;
}

const unused = (): Promise<never> => Promise.reject(new Error("the loop does not call this"));

/** The claims. The one under which processes start one after another is always free. */
export function claimsFor(place: Place): Claims {
  const { store, loop } = place.world;
  const isStart = (targets: readonly string[]): boolean => targets.every((target) => target.startsWith("once/"));
  return {
    take: async (targets, stream, process) => {
      if (isStart(targets)) return { claim: { targets, holder: stream, process, epoch: 1 } };
      const taken = await query(place, () => store.take(stream, process), "after-claim");
      return "heldBy" in taken ? taken : { claim: taken };
    },
    renew: async (claim) => isStart(claim.targets) || query(place, () => store.renew(claim)),
    release: async (claim) => {
      if (!isStart(claim.targets)) await query(place, () => store.release(claim));
    },
    expired: () => query(place, store.abandoned),
    keptElsewhere: () => query(place, () => []),
    lockOn: () =>
      query(place, () => {
        const lock = store.currentLock();
        return lock && { id: lock.id, by: lock.by, seconds: (lock.until - loop.now()) / 1000 };
      }),
    lapse: unused,
    holders: unused,
    lock: unused,
    unlock: unused,
  };
}

/** Runs a task for a port of the cloud. */
export const inTask = <Value>({ life }: Place, task: () => Task<Value>): Promise<Value> => life.promise(task);
