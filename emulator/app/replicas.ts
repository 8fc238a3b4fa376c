// Replicas of a revision: each with its containers as processes, which share ports and volumes. Init containers run
// first, one after another, and one that fails keeps its replica from starting. Then all containers run, and one that
// dies restarts alone. Two things differ from the platform: a container that dies restarts after 0.2 s, doubling to
// 2 s, and not after 10 s, doubling to 5 minutes; and without an HTTP rule the number of replicas is the minimum.
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import {
  type ContainerPlan,
  type ContainerState,
  type Platform,
  runContainer,
  signalled,
} from "./container-process.ts";
import { releasePort, reservePort } from "./ports.ts";
import type { Volumes } from "./volumes.ts";

/** What a replica set runs. */
export interface ReplicaPlan {
  readonly app: string;
  readonly revision: string;
  readonly initContainers: readonly ContainerPlan[];
  readonly containers: readonly ContainerPlan[];
  /** The port that each container listens on first, inside of the replica. */
  readonly mainPorts: readonly number[];
  /** Every port that the containers or the ingress name. */
  readonly ports: readonly number[];
  readonly count: number;
  readonly graceSeconds: number;
  /** Makes the volumes of one replica. @throws when a secret has no value */
  readonly volumes: () => Promise<Volumes>;
}

/** One replica. Its processes come one after another; the replica stays. */
export interface Replica {
  readonly name: string;
  readonly createdAt: number;
  /** The ports of this machine, by the ports inside of the replica. */
  readonly ports: ReadonlyMap<number, number>;
  /** The containers, init containers first. */
  readonly containers: readonly ContainerState[];
  ready: boolean;
  /** Requests in progress. An ending replica gets a moment to finish them. */
  inFlight: number;
}

/** The replicas of one revision. */
export interface ReplicaSet {
  readonly replicas: readonly Replica[];
  /** Sends a signal to each process and gives their ids. */
  readonly kill: (signal: NodeJS.Signals) => readonly number[];
  /** Replaces each process by a new one, gracefully. */
  readonly recycle: () => void;
  /** Starts replicas or ends the youngest ones until this many run. */
  readonly scaleTo: (count: number) => void;
  /** Ends all replicas: SIGTERM once requests in progress are answered, SIGKILL after the grace period. */
  readonly stop: () => Promise<void>;
  /** Resolves when all replicas have ended. */
  readonly ended: Promise<void>;
}

const backOffMilliseconds = 200;
const backOffMillisecondsMax = 2_000;
const steadyMilliseconds = 10_000;
const drainMilliseconds = 2_000;

/** One replica with what keeps it running. */
interface Supervised {
  readonly replica: Replica;
  readonly recycle: () => void;
  readonly stop: () => void;
  readonly ended: Promise<void>;
}

/** Starts the replicas of a revision and keeps them running until `stop`. */
export function startReplicas(plan: ReplicaPlan, platform: Platform, changed: () => void): ReplicaSet {
  const pod = randomBytes(5).toString("hex").slice(0, 9);
  const running: Supervised[] = [];
  const ending = new Set<Promise<void>>();
  let finish!: () => void;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const start = (): void => {
    const name = `${plan.revision}-${pod}-${randomBytes(4).toString("hex").slice(0, 5)}`;
    const supervised = supervise(makeReplica(name, plan, platform), plan, platform, changed);
    running.push(supervised);
    const over = supervised.ended.then(() => void ending.delete(over));
    ending.add(over);
  };
  const end = (each: Supervised): void => {
    running.splice(running.indexOf(each), 1);
    each.stop();
  };
  for (let index = 0; index < plan.count; index++) start();
  let stopped = false;
  return {
    get replicas() {
      return running.map(({ replica }) => replica);
    },
    ended,
    kill: (signal) =>
      running
        .flatMap(({ replica }) => replica.containers)
        .flatMap(({ pid }) => (pid !== undefined && signalled(pid, signal) ? [pid] : [])),
    recycle() {
      for (const each of running) each.recycle();
    },
    scaleTo(count) {
      if (stopped) return;
      while (running.length < count) start();
      while (running.length > count) end(running.at(-1)!);
    },
    async stop() {
      stopped = true;
      for (const each of [...running]) each.stop();
      await Promise.all(ending);
      running.length = 0;
      finish();
    },
  };
}

function makeReplica(name: string, plan: ReplicaPlan, platform: Platform): Replica & { ports: Map<number, number> } {
  const ports = new Map<number, number>();
  const state = ({ name: container }: ContainerPlan, isInit: boolean, main: number | undefined): ContainerState => ({
    name: container,
    isInit,
    get port() {
      return main === undefined ? 0 : (ports.get(main) ?? 0);
    },
    pid: undefined,
    ready: false,
    restarts: 0,
    lastEnd: "",
  });
  return {
    name,
    createdAt: platform.now(),
    ports,
    containers: [
      ...plan.initContainers.map((each) => state(each, true, undefined)),
      ...plan.containers.map((each, index) => state(each, false, plan.mainPorts[index])),
    ],
    ready: false,
    inFlight: 0,
  };
}

/** Runs a replica until it is stopped. */
function supervise(
  replica: Replica & { ports: Map<number, number> },
  plan: ReplicaPlan,
  platform: Platform,
  changed: () => void,
): Supervised {
  const stopping = new AbortController();
  let round = new AbortController();
  const main = replica.containers.filter(({ isInit }) => !isInit);
  const refresh = (): void => {
    replica.ready = !stopping.signal.aborted && !round.signal.aborted && main.every(({ ready }) => ready);
    changed();
  };
  const live = async (): Promise<void> => {
    for (const port of plan.ports) replica.ports.set(port, await reservePort());
    while (!stopping.signal.aborted) {
      round = new AbortController();
      await runRound({ replica, plan, platform, refresh, stopping: stopping.signal, round: round.signal });
      refresh();
    }
    for (const port of replica.ports.values()) releasePort(port);
  };
  return {
    replica,
    recycle: () => round.abort("recycled"),
    stop: () => {
      replica.ready = false;
      stopping.abort();
    },
    ended: live(),
  };
}

/** What one round of a replica needs: from its init containers to the end of all its containers. */
interface Round {
  readonly replica: Replica;
  readonly plan: ReplicaPlan;
  readonly platform: Platform;
  readonly refresh: () => void;
  readonly stopping: AbortSignal;
  /** Aborted when the round must end and the next one begin. */
  readonly round: AbortSignal;
}

async function runRound(at: Round): Promise<void> {
  const { replica, plan, stopping, round } = at;
  let volumes: Volumes;
  try {
    volumes = await plan.volumes();
  } catch (error) {
    for (const state of replica.containers) noteEnd(at, state, (error as Error).message);
    await pause(backOffMillisecondsMax, undefined, { signal: stopping }).catch(() => undefined);
    for (const state of replica.containers) noteRestart(at, state);
    return;
  }
  const states = replica.containers;
  const over = AbortSignal.any([stopping, round]);
  if (await runInitContainers(at, volumes, over))
    await Promise.all(
      plan.containers.map((container, index) =>
        keepRunning(at, container, states[plan.initContainers.length + index]!, volumes, over),
      ),
    );
  await volumes.remove();
}

/** Runs the init containers one after another, each until it succeeds. Gives false when the round ended before that. */
async function runInitContainers(at: Round, volumes: Volumes, over: AbortSignal): Promise<boolean> {
  for (const [index, container] of at.plan.initContainers.entries()) {
    const state = at.replica.containers[index]!;
    let backOff = backOffMilliseconds;
    for (;;) {
      const { good, how } = await runOnce(at, container, state, volumes, over);
      state.lastEnd = how;
      if (over.aborted) return false;
      if (good) break;
      noteEnd(at, state, how);
      await pause(backOff, undefined, { signal: over }).catch(() => undefined);
      noteRestart(at, state);
      backOff = Math.min(backOff * 2, backOffMillisecondsMax);
    }
    state.ready = true;
  }
  return !over.aborted;
}

/** Runs a container again and again until the round ends. */
async function keepRunning(
  at: Round,
  container: ContainerPlan,
  state: ContainerState,
  volumes: Volumes,
  over: AbortSignal,
): Promise<void> {
  let backOff = backOffMilliseconds;
  while (!over.aborted) {
    const startedAt = performance.now();
    const { how } = await runOnce(at, container, state, volumes, over);
    if (at.stopping.aborted) {
      state.lastEnd = how;
      return at.refresh();
    }
    noteEnd(at, state, how);
    if (performance.now() - startedAt > steadyMilliseconds) backOff = backOffMilliseconds;
    // A recycled container has no pause: the next round starts at once.
    await pause(backOff, undefined, { signal: over }).catch(() => undefined);
    noteRestart(at, state);
    backOff = Math.min(backOff * 2, backOffMillisecondsMax);
  }
}

function noteEnd({ replica, platform, refresh }: Round, state: ContainerState, how: string): void {
  Object.assign(state, { lastEnd: how, ready: false });
  refresh();
  platform.log(`${replica.name} ended (${how}) and is restarted`);
}

/** As in Kubernetes, a restart counts when the next process starts: while it waits, the count is the old one. */
function noteRestart({ stopping, refresh }: Round, state: ContainerState): void {
  if (stopping.aborted) return;
  state.restarts += 1;
  refresh();
}

const runOnce = (
  { replica, plan, platform, refresh }: Round,
  container: ContainerPlan,
  state: ContainerState,
  volumes: Volumes,
  mustEnd: AbortSignal,
): ReturnType<typeof runContainer> =>
  runContainer(
    container,
    {
      state,
      place: { replica: replica.name, ports: replica.ports, volumes: volumes.folders },
      writer: { app: plan.app, revision: plan.revision, replica: replica.name, container: container.name },
      graceSeconds: plan.graceSeconds,
      changed: refresh,
      drained: async () => {
        const drainedBy = performance.now() + drainMilliseconds;
        while (replica.inFlight > 0 && performance.now() < drainedBy) await pause(20);
      },
      mustEnd,
    },
    platform,
  );
