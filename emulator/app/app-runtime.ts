// What runs behind the stored container apps of one stand-in: their runtimes, and the starting and ending of revisions.
// Kept beside the store and found by cloud, since a stored resource is a body and nothing more. Knows no HTTP.
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

export interface Runtime {
  /** By lower-cased id. */
  readonly apps: Map<string, AppRuntime>;
  readonly logs: ReplicaLogs;
  readonly platform: Platform;
  /** Ends every process and resolves when none is left; what has not ended by itself after five seconds is killed. */
  readonly close: () => Promise<void>;
  /** Aborts when `close` is called: from then on nothing is started. */
  readonly closing: AbortSignal;
  /** Replicas of deactivated revisions and executions of jobs that are still to end. */
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

/** Gives the name under which an image is known to the stand-in: `storefront` for `registry.example/shop/storefront:2`. */
export const imageName = (image: unknown): string => (String(image).split("/").at(-1) ?? "").split(/[:@]/)[0] ?? "";

/** Starts a revision's processes. It is active from now on, whether they come up or not. */
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
  const port = app.truths["wrong-port-never-healthy"] ? listeningPort(container, targetPort) : undefined;
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
      environment: (replica, port) => environmentOf(cloud, app, revision, replica, port),
    },
    runtime.platform,
    () => settle(app, revision, cloud.clock.now()),
  );
  // Whoever deactivates does not wait for the processes to end; who closes the stand-in does.
  const ended = revision.set.ended.finally(() => runtime.ending.delete(ended));
  runtime.ending.add(ended);
}

/**
 * Gives the port that a program listens on inside its container: what the template's own PORT says, or else the one that it is asked at.
 *
 * On this machine it listens on a free port whatever it says, but who asks at another port than this must find nobody.
 */
export function listeningPort(container: Body, targetPort: number | undefined): number | undefined {
  const said = ((container["env"] ?? []) as Body[]).find(({ name }) => name === "PORT")?.["value"];
  return said == null ? targetPort : Number(said);
}

/** Ends a revision's processes. Nothing is routed to them from this very moment; traffic entries that name it stay as they are. */
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

/** Waits until a replica is ready; false when the revision is deactivated, at zero or given up first, or when `signal` aborts. */
export async function untilReady(revision: Revision, now: () => number, signal: AbortSignal): Promise<boolean> {
  while (readyReplicas(revision).length === 0) {
    if (!revision.active || revision.atZero || isGivenUp(revision, now())) return false;
    const changed = await once(changesOf(revision), "change", { signal }).catch(() => undefined);
    if (changed === undefined) return false;
  }
  return true;
}

/** Draws the consequences of a replica that became ready or ceased to be, or of another revision mode. */
export function settle(app: AppRuntime, revision: Revision, now: number): void {
  changesOf(revision).emit("change");
  if (readyReplicas(revision).length === 0) return;
  revision.wasReady = true;
  const index = app.revisions.indexOf(revision);
  if (!app.latestReady || index >= app.revisions.indexOf(app.latestReady)) app.latestReady = revision;
  if (!isSingle(app) || revision !== latestOf(app) || !app.truths["single-takes-old-down"]) return;
  // Single mode: the latest takes over as soon as it is ready, and the others are taken down.
  for (const other of app.revisions) if (other !== revision && other.active) void stopRevision(other, now);
}

/** Gives every container what it needs to find the cloud and, where the app or job of that id has identities, to sign in. */
export function platformEnvironment(cloud: Cloud, id: string): Record<string, string> {
  const identity: Body = cloud.store.get(id)?.body["identity"] ?? {};
  const identities =
    /SystemAssigned/.test(identity["type"] ?? "") || Object.keys(identity["userAssignedIdentities"] ?? {});
  return {
    ...(process.env["PATH"] ? { PATH: process.env["PATH"] } : {}),
    ...cloud.replicaEnvironment(identities === true || identities.length > 0 ? identities : false),
  };
}

/** Gives the variables of a container, those from secrets filled in. */
export const variablesOf = (container: Body, secrets: readonly Body[]): Record<string, string> =>
  Object.fromEntries(
    ((container["env"] ?? []) as Body[]).map(({ name, value, secretRef }) => [
      name,
      secretRef ? String(secrets.find((secret) => secret["name"] === secretRef)?.["value"] ?? "") : String(value ?? ""),
    ]),
  );

/** Gives a replica what Azure injects, what the template says, and nothing of the stand-in's own environment. */
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
