// One run of one container as a real process: started, its lines read, probed, and ended gracefully. What runs when is
// decided in replicas.ts.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { type ProbePlan, watchContainer } from "./probes.ts";
import type { Reaper } from "./reaper.ts";
import type { LogLine, ReplicaLogs } from "./replica-logs.ts";

/** What processes need from the emulator. */
export interface Platform {
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly logs: ReplicaLogs;
  readonly reaper: Reaper;
}

/** What a container runs. */
export interface ContainerPlan {
  readonly name: string;
  readonly folder: string;
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly args: readonly string[];
  readonly probes: ProbePlan;
  /** @throws when a secret has no value */
  readonly environment: (place: Place) => Record<string, string>;
}

/** Where a container runs: its replica, with the ports and volumes that it shares with the others. */
export interface Place {
  readonly replica: string;
  /** By the port inside of the replica. */
  readonly ports: ReadonlyMap<number, number>;
  /** The folder of each volume. */
  readonly volumes: ReadonlyMap<string, string>;
}

/** One container of a replica, as it is now. */
export interface ContainerState {
  readonly name: string;
  readonly isInit: boolean;
  /** The port of this machine on which its process should listen. */
  readonly port: number;
  pid: number | undefined;
  ready: boolean;
  restarts: number;
  lastEnd: string;
}

/** How one run of a container ended. */
export interface RunEnd {
  readonly how: string;
  /** True for the exit code 0. */
  readonly good: boolean;
}

/** What a run hears and does while it lasts. */
export interface Run {
  readonly state: ContainerState;
  readonly place: Place;
  readonly writer: Pick<LogLine, "app" | "revision" | "replica" | "container">;
  readonly graceSeconds: number;
  /** Called after `state` has changed. */
  readonly changed: () => void;
  /** Resolves when no request is in progress, or after a while. */
  readonly drained: () => Promise<void>;
  /** Aborted when the process must end; a text as its reason becomes part of how it ended. */
  readonly mustEnd: AbortSignal;
}

/** Runs a process to its end. */
export async function runContainer(plan: ContainerPlan, run: Run, platform: Platform): Promise<RunEnd> {
  const { state, place, mustEnd } = run;
  if (mustEnd.aborted) return { how: "stopped before its start", good: false };
  let env: Record<string, string>;
  try {
    env = plan.environment(place);
  } catch (error) {
    return { how: (error as Error).message, good: false };
  }
  const child = startProcess([...plan.command, ...plan.args], plan.folder, env);
  if (typeof child === "string") return { how: child, good: false };
  const ended = new Promise<RunEnd>((resolve) => {
    child.once("error", (error) => resolve({ how: error.message, good: false }));
    child.once("exit", (code, signal) =>
      resolve({ how: signal ? `killed by ${signal}` : `exited with ${code}`, good: code === 0 }),
    );
  });
  if (child.pid === undefined) return ended;
  platform.reaper.add(child.pid);
  state.pid = child.pid;
  readLines(child, run.writer, platform);
  const failed = new AbortController();
  const how = await watched(plan, run, child, failed, ended);
  signalled(-child.pid, "SIGKILL");
  platform.reaper.remove(child.pid);
  Object.assign(state, { pid: undefined, ready: false });
  const reason: unknown = failed.signal.reason ?? mustEnd.reason;
  return typeof reason === "string" ? { ...how, how: `${reason}, ${how.how}` } : how;
}

/**
 * Starts a process in a group of its own. A text says why it cannot even be tried; it repeats no argument and no
 * variable, which may be a secret.
 */
export function startProcess(
  [program, ...args]: readonly [string, ...string[]],
  folder: string,
  env: Record<string, string>,
): ChildProcessByStdio<null, Readable, Readable> | string {
  try {
    return spawn(program, args, { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "E2BIG") return "not started: its arguments and variables are too long";
    return code.startsWith("ERR_INVALID_ARG")
      ? "not started: its program is empty, or an argument or a variable has a NUL character"
      : `not started: ${code}`;
  }
}

/** Probes a process while it runs, and ends it when a probe or its replica says so. */
async function watched(
  { probes }: ContainerPlan,
  { state, place, graceSeconds, changed, drained, mustEnd }: Run,
  child: ChildProcess,
  failed: AbortController,
  ended: Promise<RunEnd>,
): Promise<RunEnd> {
  const watching = new AbortController();
  const ready = (value: boolean): void => {
    state.ready = value && !mustEnd.aborted;
    changed();
  };
  const listener = { ready, failed: (reason: string) => failed.abort(reason) };
  if (!state.isInit) void watchContainer(probes, place.ports, listener, watching.signal);
  const stop = AbortSignal.any([mustEnd, failed.signal]);
  const end = (): void => {
    watching.abort();
    ready(false);
    void terminate(child, graceSeconds, drained, ended);
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });
  const how = await ended;
  watching.abort();
  stop.removeEventListener("abort", end);
  return how;
}

/** Ends a process: it waits for requests in progress, sends SIGTERM, and sends SIGKILL after the grace period. */
async function terminate(
  child: ChildProcess,
  graceSeconds: number,
  drained: () => Promise<void>,
  ended: Promise<RunEnd>,
): Promise<void> {
  await drained();
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
  writer: Pick<LogLine, "app" | "revision" | "replica" | "container">,
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
