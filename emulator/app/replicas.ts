// Replicas as real processes: started, probed, restarted when they die, and ended gracefully. Two things differ from
// the platform. A container that dies restarts after 0.2 s, doubling to 2 s, and not after 10 s, doubling to 5 minutes.
// The number of replicas is the template's minimum, at least one, whatever the load.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { type ProbePlan, watchContainer } from "./probes.ts";
import type { Reaper } from "./reaper.ts";
import type { LogLine, ReplicaLogs } from "./replica-logs.ts";

/** What a replica set runs. */
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

/** What replicas need from the emulator. */
export interface Platform {
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly logs: ReplicaLogs;
  readonly reaper: Reaper;
}

/** One replica. Its processes come one after another; the replica stays. */
export interface Replica {
  readonly name: string;
  readonly createdAt: number;
  port: number;
  pid: number | undefined;
  ready: boolean;
  restarts: number;
  lastEnd: string;
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
  /** Ends all replicas: SIGTERM once requests in progress are answered, SIGKILL after the grace period. */
  readonly stop: () => Promise<void>;
  /** Resolves when all replicas have ended. */
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
    recycle() {
      for (const each of supervised) each.recycle();
    },
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
      platform.log(`${replica.name} ended (${replica.lastEnd}) and is restarted`);
      if (current.signal.reason !== "recycled") {
        if (performance.now() - startedAt > steadyMilliseconds) backOff = backOffMilliseconds;
        await pause(backOff, undefined, { signal: stopping }).catch(() => undefined);
        backOff = Math.min(backOff * 2, backOffMillisecondsMax);
      }
      // As in Kubernetes, a restart counts when the next process starts: while it waits, the count is the old one.
      if (!stopping.aborted) replica.restarts += 1;
    }
  };
  return { recycle: () => current.abort("recycled"), ended: loop() };
}

/** Runs one process to its end and gives how it ended. Aborting `run` makes it end so that the next can start. */
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

/** Ends a process: it waits for requests in progress, sends SIGTERM, and sends SIGKILL after the grace period. */
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

/** Keeps the lines that a process writes, under the names of their writer. */
export function readLines(
  child: ChildProcess,
  writer: Pick<LogLine, "app" | "revision" | "replica">,
  { logs, now }: Platform,
): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", (text) => logs.add({ at: now(), ...writer, text }));
  }
}

/**
 * Sends a signal to a process, or to a group by its negative id; gives false when it does not
 * exist. Id 0 would be the emulator itself.
 */
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
