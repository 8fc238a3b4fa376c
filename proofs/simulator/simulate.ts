// Runs one drawn world from its first second to its end and gives what happened.
// The same draw always gives the same run.
import type { PersonalSignal } from "../../engines/rollout/vocabulary.ts";
import { createCloud } from "./cloud.ts";
import { type Behaviour, type Drawn, type Fault, faultsEndSeconds } from "./draw.ts";
import { createLoop } from "./loop.ts";
import { portal, press, pulumiUp, release, resumeForever, type Town } from "./people.ts";
import { boot } from "./replica.ts";
import { createStore } from "./store.ts";
import { createTrouble } from "./trouble.ts";
import { leaseSeconds, type Replica, type World } from "./world.ts";

export const start = Date.UTC(2026, 0, 5, 9);
/** When every run must have ended: the last fault, plus the longest rollout and the longest revert. */
const limitSeconds = faultsEndSeconds + 8 * 3_600;

/** What happened in a run. */
export interface Run extends Omit<Town, "note"> {
  /** Lines of virtual time, who and what; empty unless requested. */
  readonly story: readonly string[];
  readonly ended: boolean;
  /** How many events the virtual clock had. */
  readonly events: number;
  readonly seconds: number;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
}

/** Runs what was drawn. With `withStory` it keeps the story, which costs time. */
export async function simulate(drawn: Drawn, withStory = false): Promise<Run> {
  const story: string[] = [];
  const loop = createLoop(start);
  const cloud = createCloud(drawn, loop, start);
  const store = createStore(loop, leaseSeconds);
  const note = (who: string, what: string): void => {
    if (withStory) story.push(`${clockOf(loop.now())}  ${who.padEnd(12)} ${what}`);
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
  }));
  const kill = (host: Pick<Replica, "name" | "life" | "up">, down: number): void => {
    const replica = replicas.find(({ name }) => name === host.name)!;
    if (!replica.up) return;
    note(replica.process, `dies, for ${down} s`);
    Object.assign(replica, { up: false, life: replica.life + 1, asleepUntil: 0, orchestrator: undefined });
    loop.at(loop.now() + down * 1000, () => {
      Object.assign(replica, { up: true, process: `${replica.name}.${replica.life}` });
      loop.run(boot(world, replica), replica);
    });
  };
  const send = (signal: PersonalSignal): void => loop.run(press(town, { kind: "signal", at: 0, signal, times: 1 }));
  const trouble = createTrouble(drawn, loop, start, kill, send);
  const world: World = { loop, cloud, store, trouble, writes: [], recorded: [], note };
  const town: Town = { ...world, drawn, replicas, asked: [], refused: [] };
  for (const replica of replicas) loop.run(boot(world, replica), replica);
  loop.at(start + 20_000, () => loop.run(release(town, "shop--2", false)));
  schedule(town, kill);
  loop.at(start + faultsEndSeconds * 1000, () => loop.run(resumeForever(town)));
  const lastFault = Math.max(60, ...drawn.faults.map(endOf));
  // The run goes on a little after the last fact, because a request that was sent may still land.
  let quietSince = Number.POSITIVE_INFINITY;
  const isOver = (): boolean => {
    const finished =
      loop.now() > start + lastFault * 1000 &&
      store.streams.size > 0 &&
      [...store.streams.values()].every(({ facts }) => facts.at(-1)?.state.phase === "finished");
    quietSince = finished ? Math.min(quietSince, loop.now()) : Number.POSITIVE_INFINITY;
    return loop.now() > quietSince + 120_000;
  };
  const events = await loop.until(start + limitSeconds * 1000, isOver);
  const { note: _note, ...rest } = town;
  return {
    ...rest,
    story,
    ended:
      store.streams.size > 0 &&
      [...store.streams.values()].every(({ facts }) => facts.at(-1)?.state.phase === "finished"),
    events,
    seconds: (loop.now() - start) / 1000,
    behaviours: new Map([...cloud.revisions].map(([name, { behaviour }]) => [name, behaviour])),
  };
}

/** Gives the second by which a fault is over; 0 if it has no time of its own. */
function endOf(fault: Fault): number {
  if (!("at" in fault)) return 0;
  return fault.at + 60 + (fault.kind === "up" ? fault.plan + fault.put : 0);
}

function schedule(town: Town, kill: (host: Replica, down: number) => void): void {
  const { loop, drawn, replicas, trouble, note } = town;
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
          note(replica.process, `sleeps for ${fault.lasts} s`);
          return void Object.assign(replica, { sleptAt: loop.now(), asleepUntil: loop.now() + fault.lasts * 1000 });
        }
        case "skew":
          return void Object.assign(replicas[fault.replica % replicas.length]!, { skew: fault.by * 1000 });
        case "portal":
          return portal(town, fault);
        case "up":
          return loop.run(pulumiUp(town, fault));
        case "signal":
          return loop.run(press(town, fault));
        default:
          return note("fault", JSON.stringify(fault));
      }
    });
  }
}

const clockOf = (at: number): string => {
  const seconds = (at - start) / 1000;
  return `${String(Math.floor(seconds / 60)).padStart(4)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
};
