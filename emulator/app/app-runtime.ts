// What runs behind the stored container apps of one emulator: their runtimes, and how revisions start and end. Runtimes
// are kept beside the store, since a stored resource is only a body.
import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { Cloud } from "../arm/resource.ts";
import type { Platform } from "./container-process.ts";
import { type Reaper, startReaper } from "./reaper.ts";
import { type ReplicaLogs, replicaLogs } from "./replica-logs.ts";
import { planReplicas } from "./replica-plan.ts";
import { watchReplicas } from "./replica-samples.ts";
import { startReplicas } from "./replicas.ts";
import { type AppRuntime, isGivenUp, isSingle, latestOf, type Revision, readyReplicas } from "./revisions.ts";
import { watchReferences } from "./vault-references.ts";

/** What runs in one cloud. */
export interface Runtime {
  /** Container apps by lower-cased id. */
  readonly apps: Map<string, AppRuntime>;
  readonly logs: ReplicaLogs;
  readonly platform: Platform;
  /** Ends every process and resolves when none is left. A process that has not ended after five seconds is killed. */
  readonly close: () => Promise<void>;
  /** Aborts when `close` is called. From then on nothing starts. */
  readonly closing: AbortSignal;
  /** Replicas of deactivated revisions, and executions of jobs, that have not ended. */
  readonly ending: Set<Promise<void>>;
}

const runtimes = new WeakMap<Cloud, Runtime>();

/** Gives the runtime of a cloud; the first call makes it. */
export function runtimeOf(cloud: Cloud): Runtime {
  const known = runtimes.get(cloud);
  if (known) return known;
  const apps = new Map<string, AppRuntime>();
  const logs = replicaLogs();
  const reaper: Reaper = startReaper();
  const ending = new Set<Promise<void>>();
  const closing = new AbortController();
  const runtime: Runtime = {
    apps,
    logs,
    platform: { now: () => cloud.clock.now(), log: (line) => cloud.log(line), logs, reaper },
    async close() {
      closing.abort();
      const all = Promise.all([...apps.values()].map(stopApp)).then(() => Promise.all(ending));
      await Promise.race([all, pause(closeMilliseconds, undefined, { ref: false })]);
      reaper.close();
      await all;
    },
    closing: closing.signal,
    ending,
  };
  runtimes.set(cloud, runtime);
  watchReferences(cloud, apps);
  watchReplicas(cloud, apps, closing.signal);
  return runtime;
}

const closeMilliseconds = 5_000;

/** Ends every revision of an app. */
export const stopApp = (app: AppRuntime): Promise<unknown> =>
  Promise.all(app.revisions.map((each) => stopRevision(each)));

/** Starts a revision's processes. The revision is active from now on, whether they become ready or not. */
export function startRevision(
  cloud: Cloud,
  app: AppRuntime,
  revision: Revision,
  by: NonNullable<Revision["started"]>["by"] = "making",
): void {
  const runtime = runtimeOf(cloud);
  if (runtime.closing.aborted) return;
  revision.active = true;
  if (revision.set) return;
  const at = cloud.clock.now();
  Object.assign(revision, { wasReady: false, atZero: false, started: { by, at }, usedAt: at });
  delete revision.deactivatedAt;
  const plan = planReplicas(cloud, app, revision);
  if (!plan) return;
  revision.set = startReplicas(plan, runtime.platform, () => settle(app, revision, cloud.clock.now()));
  // Closing the emulator waits for the processes to end; deactivation does not.
  const ended = revision.set.ended.finally(() => runtime.ending.delete(ended));
  runtime.ending.add(ended);
}

/** Ends a revision's processes. They get no more requests from now on; traffic entries that name the revision stay. */
export async function stopRevision(revision: Revision, at?: number): Promise<void> {
  const { set } = revision;
  Object.assign(revision, { active: false, atZero: false, set: undefined });
  if (at !== undefined) revision.deactivatedAt ??= at;
  changesOf(revision).emit("change");
  await set?.stop();
}

const changes = new WeakMap<Revision, EventEmitter>();

function changesOf(revision: Revision): EventEmitter {
  const known = changes.get(revision) ?? new EventEmitter().setMaxListeners(0);
  changes.set(revision, known);
  return known;
}

/**
 * Waits until a replica is ready. Gives false when the revision is deactivated, at
 * zero or given up, or when `signal` aborts.
 */
export async function untilReady(revision: Revision, now: () => number, signal: AbortSignal): Promise<boolean> {
  while (readyReplicas(revision).length === 0) {
    if (!revision.active || revision.atZero || isGivenUp(revision, now())) return false;
    const changed = await once(changesOf(revision), "change", { signal }).catch(() => undefined);
    if (changed === undefined) return false;
  }
  return true;
}

/** Updates an app after a replica became ready or stopped being ready, or after the revision mode changed. */
export function settle(app: AppRuntime, revision: Revision, now: number): void {
  changesOf(revision).emit("change");
  if (readyReplicas(revision).length === 0) return;
  revision.wasReady = true;
  const index = app.revisions.indexOf(revision);
  if (!app.latestReady || index >= app.revisions.indexOf(app.latestReady)) app.latestReady = revision;
  if (!isSingle(app) || revision !== latestOf(app) || !app.quirks["single-takes-old-down"]) return;
  // In Single mode the latest revision replaces the others as soon as it is ready.
  for (const other of app.revisions) if (other !== revision && other.active) void stopRevision(other, now);
}
