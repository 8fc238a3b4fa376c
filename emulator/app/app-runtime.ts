// What runs behind the stored container apps of one emulator: their runtimes, and how revisions start and end. Runtimes
// are kept beside the store, since a stored resource is only a body.
import { EventEmitter, once } from "node:events";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Body, Cloud } from "../arm/resource.ts";
import { planProbes } from "./probes.ts";
import { type Reaper, startReaper } from "./reaper.ts";
import { type ReplicaLogs, replicaLogs } from "./replica-logs.ts";
import { type Platform, startReplicas } from "./replicas.ts";
import {
  type AppRuntime,
  isGivenUp,
  isSingle,
  latestOf,
  type Revision,
  readyReplicas,
  revisionHost,
} from "./revisions.ts";

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
  return runtime;
}

const closeMilliseconds = 5_000;

/** Ends every revision of an app. */
export const stopApp = (app: AppRuntime): Promise<unknown> =>
  Promise.all(app.revisions.map((each) => stopRevision(each)));

/** Gives the name of an image in the emulator's options: `storefront` for `registry.example/shop/storefront:2`. */
export const imageName = (image: unknown): string => (String(image).split("/").at(-1) ?? "").split(/[:@]/)[0] ?? "";

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
  const container: Body = revision.template["containers"][0];
  const image = cloud.options.images[imageName(container["image"])];
  if (!image) return;
  const ingress: Body | undefined = app.configuration["ingress"];
  const targetPort = ingress?.["targetPort"] == null ? undefined : Number(ingress["targetPort"]);
  const port = app.quirks["wrong-port-never-healthy"] ? listeningPort(container, targetPort) : undefined;
  revision.set = startReplicas(
    {
      app: app.name,
      revision: revision.name,
      folder: image.folder,
      entry: path.resolve(image.folder, image.entry),
      args: container["args"] ?? [],
      count: Math.max(1, Number(revision.template["scale"]?.minReplicas ?? 0)),
      probes: planProbes(container, ingress ? (targetPort ?? 80) : undefined, port),
      graceSeconds: Number(revision.template["terminationGracePeriodSeconds"] ?? 30),
      environment: (replica, ownPort) => environmentOf(cloud, app, revision, replica, ownPort),
    },
    runtime.platform,
    () => settle(app, revision, cloud.clock.now()),
  );
  // Closing the emulator waits for the processes to end; deactivation does not.
  const ended = revision.set.ended.finally(() => runtime.ending.delete(ended));
  runtime.ending.add(ended);
}

/**
 * Gives the port that a program listens on inside its container: the template's PORT, or else the target port.
 *
 * The process itself gets a free port of this machine. A probe or an ingress that uses
 * another port than this one must reach nothing.
 */
export function listeningPort(container: Body, targetPort: number | undefined): number | undefined {
  const port = ((container["env"] ?? []) as Body[]).find(({ name }) => name === "PORT")?.["value"];
  return port == null ? targetPort : Number(port);
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

/**
 * Gives a container the variables to reach the cloud and, if the app or job with this id has identities, to sign in.
 */
export function platformEnvironment(cloud: Cloud, id: string): Record<string, string> {
  const identity: Body = cloud.store.get(id)?.body["identity"] ?? {};
  const identities =
    /SystemAssigned/.test(identity["type"] ?? "") || Object.keys(identity["userAssignedIdentities"] ?? {});
  return {
    ...machinesOwn(process.env),
    ...cloud.replicaEnvironment(identities === true || identities.length > 0 ? identities : false),
  };
}

/** Picks the variables that say where this machine has its programs, and the compiled form of those that Node runs. */
const machinesOwn = ({ PATH, NODE_COMPILE_CACHE }: NodeJS.ProcessEnv): Record<string, string> => ({
  ...(PATH ? { PATH } : {}),
  ...(NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}),
});

/** Gives the variables of a container, with the values of secrets. */
export const variablesOf = (container: Body, secrets: readonly Body[]): Record<string, string> =>
  Object.fromEntries(
    ((container["env"] ?? []) as Body[]).map(({ name, value, secretRef }) => [
      name,
      secretRef ? String(secrets.find((secret) => secret["name"] === secretRef)?.["value"] ?? "") : String(value ?? ""),
    ]),
  );

/** Gives a replica's variables: Azure's and the template's, and none of the emulator's own. */
function environmentOf(
  cloud: Cloud,
  app: AppRuntime,
  revision: Revision,
  replica: string,
  port: number,
): Record<string, string> {
  const targetPort = app.configuration["ingress"]?.targetPort;
  return {
    ...platformEnvironment(cloud, app.id),
    CONTAINER_APP_NAME: app.name,
    CONTAINER_APP_REVISION: revision.name,
    CONTAINER_APP_REPLICA_NAME: replica,
    CONTAINER_APP_HOSTNAME: revisionHost(app, revision.name),
    ...(targetPort ? { CONTAINER_APP_PORT: String(targetPort) } : {}),
    ...variablesOf(revision.template["containers"][0], app.configuration["secrets"] ?? []),
    PORT: String(port),
  };
}
