// Runs one drawn world from its first second to its end and gives what happened. The same draw gives the same run, always.
import { createCloud } from "./cloud.ts";
import { type Behaviour, type Drawn, faultsEndSeconds } from "./draw.ts";
import { createLoop } from "./loop.ts";
import { portal, press, pulumiUp, release, resumeForever, type Town } from "./people.ts";
import { leaseSeconds, type Replica, sweepForever, type World } from "./replica.ts";
import { createStore } from "./store.ts";
import { createTrouble } from "./trouble.ts";

export const start = Date.UTC(2026, 0, 5, 9);
/** So long after the last fault everything must have come to an end: the longest rollout, and the longest giving back. */
const limitSeconds = faultsEndSeconds + 8 * 3_600;

/** What happened in a run. */
export interface Run extends Omit<Town, "tell"> {
  /** Virtual time, who, what; empty unless it was asked for. */
  readonly story: readonly string[];
  readonly ended: boolean;
  readonly seconds: number;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
}

/** Runs what was drawn. With `tells` it keeps the story, which costs time. */
export function simulate(drawn: Drawn, tells = false): Run {
  const story: string[] = [];
  const loop = createLoop(start);
  const cloud = createCloud(drawn, loop, start);
  const store = createStore(loop, leaseSeconds);
  const tell = (who: string, what: string): void => {
    if (tells) story.push(`${clockOf(loop.now())}  ${who.padEnd(12)} ${what}`);
  };
  const replicas: Replica[] = Array.from({ length: drawn.replicas }, (_, index) => ({
    name: `replica-${index}`,
    index,
    life: 0,
    up: true,
    asleepUntil: 0,
    sleptAt: -1,
    skew: 0,
    process: `replica-${index}.0`,
    driven: new Set(),
  }));
  const kill = (host: Pick<Replica, "name" | "life" | "up">, down: number): void => {
    const replica = replicas.find(({ name }) => name === host.name)!;
    if (!replica.up) return;
    tell(replica.process, `dies, for ${down} s`);
    Object.assign(replica, { up: false, life: replica.life + 1, asleepUntil: 0 });
    replica.driven.clear();
    loop.at(loop.now() + down * 1000, () => {
      Object.assign(replica, { up: true, process: `${replica.name}.${replica.life}` });
      loop.run(sweepForever(world, replica), replica);
    });
  };
  const trouble = createTrouble(drawn, loop, start, kill);
  const world: World = { loop, cloud, store, trouble, writes: [], tell };
  const town: Town = { ...world, drawn, replicas, asked: [] };
  for (const replica of replicas) loop.run(sweepForever(world, replica), replica);
  loop.at(start + 20_000, () => loop.run(release(town, "shop--2", false)));
  schedule(town, kill);
  loop.at(start + faultsEndSeconds * 1000, () => loop.run(resumeForever(town)));
  let lastUp = start + 60_000;
  for (const fault of drawn.faults)
    if ("at" in fault)
      lastUp = Math.max(
        lastUp,
        start + fault.at * 1000 + (fault.kind === "up" ? (fault.plan + fault.put + 60) * 1000 : 60_000),
      );
  // A little longer than the last fact, since a request that was sent may still land.
  let quietSince = Number.POSITIVE_INFINITY;
  const isOver = (): boolean => {
    const finished =
      loop.now() > lastUp &&
      store.streams.size > 0 &&
      [...store.streams.values()].every(({ facts }) => facts.at(-1)?.state.phase === "finished");
    quietSince = finished ? Math.min(quietSince, loop.now()) : Number.POSITIVE_INFINITY;
    return loop.now() > quietSince + 120_000;
  };
  loop.until(start + limitSeconds * 1000, isOver);
  const { tell: _told, ...rest } = town;
  return {
    ...rest,
    story,
    ended:
      store.streams.size > 0 &&
      [...store.streams.values()].every(({ facts }) => facts.at(-1)?.state.phase === "finished"),
    seconds: (loop.now() - start) / 1000,
    behaviours: new Map([...cloud.revisions].map(([name, { behaviour }]) => [name, behaviour])),
  };
}

function schedule(town: Town, kill: (host: Replica, down: number) => void): void {
  const { loop, drawn, replicas, trouble, tell } = town;
  for (const fault of drawn.faults) {
    if (!("at" in fault)) continue;
    loop.at(start + fault.at * 1000, () => {
      if (fault.kind !== "cloud" && !fault.kind.startsWith("store"))
        trouble.met[fault.kind] = (trouble.met[fault.kind] ?? 0) + 1;
      switch (fault.kind) {
        case "crash":
          return kill(replicas[fault.replica % replicas.length]!, fault.down);
        case "sleep": {
          const replica = replicas[fault.replica % replicas.length]!;
          tell(replica.process, `sleeps for ${fault.lasts} s`);
          return void Object.assign(replica, { sleptAt: loop.now(), asleepUntil: loop.now() + fault.lasts * 1000 });
        }
        case "skew":
          return void (replicas[fault.replica % replicas.length]!.skew = fault.by * 1000);
        case "portal":
          return portal(town, fault);
        case "up":
          return loop.run(pulumiUp(town, fault));
        case "signal":
          return loop.run(press(town, fault));
        default:
          return tell("fault", JSON.stringify(fault));
      }
    });
  }
}

const clockOf = (at: number): string => {
  const seconds = (at - start) / 1000;
  return `${String(Math.floor(seconds / 60)).padStart(4)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
};
