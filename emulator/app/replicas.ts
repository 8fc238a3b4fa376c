// Replicas as real processes: started, probed, restarted when they die, ended gracefully.
// Knows a program, its environment and its probes; nothing of apps, revisions' states or traffic.
// Two things differ from the platform: a container that dies is back after 0.2 s doubling to 2 s, not after 10 s doubling to
// 5 minutes, and as many replicas run as the template's minimum says, one at least: more load does not bring more.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { type ProbePlan, watchContainer } from "./probes.ts";
import type { Reaper } from "./reaper.ts";
import type { LogLine, ReplicaLogs } from "./replica-logs.ts";

/** What runs, and how. */
export interface ReplicaPlan {
  readonly app: string;
  readonly revision: string;
  readonly folder: string;
  /** Absolute path of the program. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly count: number;
  readonly probes: ProbePlan;
  readonly graceSeconds: number;
  readonly environment: (replica: string, port: number) => Record<string, string>;
}

/** What replicas need of the stand-in. */
export interface Platform {
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly logs: ReplicaLogs;
  readonly reaper: Reaper;
}

/** One replica. It outlives the processes that run in it one after another. */
export interface Replica {
  readonly name: string;
  readonly createdAt: number;
  port: number;
  pid: number | undefined;
  ready: boolean;
  restarts: number;
  lastEnd: string;
  /** Requests that the ingress has under way; an ending replica is given a moment to finish them. */
  inFlight: number;
}

export interface ReplicaSet {
  readonly replicas: readonly Replica[];
  /** Sends a signal to each process, as a person with a shell would; gives their ids. */
  readonly kill: (signal: NodeJS.Signals) => readonly number[];
  /** Ends each process gracefully and starts another in its place. */
  readonly recycle: () => void;
  /** Ends all for good: SIGTERM once requests under way are answered, SIGKILL after the grace period. */
  readonly stop: () => Promise<void>;
  /** Resolves when all have ended for good. */
  readonly ended: Promise<void>;
}

const backOffMilliseconds = 200;
const backOffMillisecondsMax = 2_000;
const steadyMilliseconds = 10_000;
const drainMilliseconds = 2_000;

/** Starts the replicas of a revision and keeps them running until `stop`. */
export function startReplicas(plan: ReplicaPlan, platform: Platform, changed: () => void): ReplicaSet {
  const stopping = new AbortController();
  const pod = randomBytes(5).toString("hex").slice(0, 9);
  const supervised = Array.from({ length: plan.count }, () => {
    const name = `${plan.revision}-${pod}-${randomBytes(4).toString("hex").slice(0, 5)}`;
    const replica: Replica = {
      name,
      createdAt: platform.now(),
      port: 0,
      pid: undefined,
      ready: false,
      restarts: 0,
      lastEnd: "",
      inFlight: 0,
    };
    return { replica, ...supervise(replica, plan, platform, changed, stopping.signal) };
  });
  const replicas = supervised.map(({ replica }) => replica);
  const ended = Promise.all(supervised.map((each) => each.ended)).then(() => undefined);
  return {
    replicas,
    ended,
    kill: (signal) => replicas.flatMap(({ pid }) => (pid !== undefined && signalled(pid, signal) ? [pid] : [])),
    recycle: () => supervised.forEach(({ recycle }) => recycle()),
    async stop() {
      stopping.abort();
      for (const replica of replicas) replica.ready = false;
      await ended;
    },
  };
}

/** Runs one process after another in a replica. */
function supervise(
  replica: Replica,
  plan: ReplicaPlan,
  platform: Platform,
  changed: () => void,
  stopping: AbortSignal,
): { recycle: () => void; ended: Promise<void> } {
  let current = new AbortController();
  const loop = async (): Promise<void> => {
    let backOff = backOffMilliseconds;
    while (!stopping.aborted) {
      current = new AbortController();
      const startedAt = performance.now();
      replica.lastEnd = await runOnce(replica, plan, platform, changed, stopping, current);
      changed();
      if (stopping.aborted) return;
      platform.log(`${replica.name} ended (${replica.lastEnd}) and is started again`);
      replica.restarts += 1;
      if (current.signal.reason === "recycled") continue;
      if (performance.now() - startedAt > steadyMilliseconds) backOff = backOffMilliseconds;
      await pause(backOff, undefined, { signal: stopping }).catch(() => undefined);
      backOff = Math.min(backOff * 2, backOffMillisecondsMax);
    }
  };
  return { recycle: () => current.abort("recycled"), ended: loop() };
}

/** Runs one process to its end; gives how it ended. `run` aborted means that it must end and make room for the next. */
async function runOnce(
  replica: Replica,
  plan: ReplicaPlan,
  platform: Platform,
  changed: () => void,
  stopping: AbortSignal,
  run: AbortController,
): Promise<string> {
  const port = await freePort();
  if (stopping.aborted) return "stopped before its start";
  const child = spawn(process.execPath, [plan.entry, ...plan.args], {
    cwd: plan.folder,
    env: plan.environment(replica.name, port),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ? `killed by ${signal}` : `exited with ${code}`));
  });
  if (child.pid === undefined) return ended;
  platform.reaper.add(child.pid);
  Object.assign(replica, { port, pid: child.pid });
  readLines(child, { app: plan.app, revision: plan.revision, replica: replica.name }, platform);

  const watched = new AbortController();
  const ready = (value: boolean) => {
    replica.ready = value && !stopping.aborted;
    changed();
  };
  void watchContainer(plan.probes, port, { ready, failed: (reason) => run.abort(reason) }, watched.signal);
  const mustEnd = AbortSignal.any([stopping, run.signal]);
  const end = (): void => {
    watched.abort();
    ready(false);
    void terminate(child, replica, plan.graceSeconds, ended);
  };
  if (mustEnd.aborted) end();
  else mustEnd.addEventListener("abort", end, { once: true });

  const how = await ended;
  watched.abort();
  mustEnd.removeEventListener("abort", end);
  signalled(-child.pid, "SIGKILL");
  platform.reaper.remove(child.pid);
  Object.assign(replica, { pid: undefined, ready: false });
  return typeof run.signal.reason === "string" ? `${run.signal.reason}, ${how}` : how;
}

/** Lets requests under way come to their end, then asks, then insists. */
async function terminate(
  child: ChildProcess,
  replica: Replica,
  graceSeconds: number,
  ended: Promise<string>,
): Promise<void> {
  const drainedBy = performance.now() + drainMilliseconds;
  while (replica.inFlight > 0 && performance.now() < drainedBy) await pause(20);
  child.kill("SIGTERM");
  const grace = new AbortController();
  void ended.then(() => grace.abort());
  await pause(graceSeconds * 1000, undefined, { signal: grace.signal }).then(
    () => signalled(-(child.pid ?? 0), "SIGKILL"),
    () => undefined,
  );
}

/** Keeps what a process writes, under the names of whose it is. */
export function readLines(
  child: ChildProcess,
  writer: Pick<LogLine, "app" | "revision" | "replica">,
  { logs, now }: Platform,
): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", (text) => logs.add({ at: now(), ...writer, text }));
  }
}

/** Sends a signal; false where nobody is there to get it. A group id of 0 or -0 would be ourselves. */
export function signalled(id: number, signal: NodeJS.Signals): boolean {
  if (id === 0) return false;
  try {
    return process.kill(id, signal);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
