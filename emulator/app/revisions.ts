// Revisions of container apps: their names, their states and their shares of the traffic. There is one `AppRuntime` for
// each container app, in memory beside the store. Replicas, which run in a revision, are in replicas.ts.
import { createHash, randomBytes } from "node:crypto";
import type { Body } from "../arm/resource.ts";
import type { Quirks } from "../controls/quirks.ts";
import type { ContainerState } from "./container-process.ts";
import type { Replica, ReplicaSet } from "./replicas.ts";

/** One revision of a container app. */
export interface Revision {
  readonly name: string;
  readonly createdAt: number;
  /** Normalised, so that equal templates have equal text. */
  readonly template: Body;
  active: boolean;
  set: ReplicaSet | undefined;
  /** True when a replica has been ready since the revision was last started. */
  wasReady: boolean;
  /** Why and when it was last started: its creation, an activation, or a request that found it at zero replicas. */
  started?: { readonly by: "making" | "activation" | "request"; readonly at: number };
  /** True for an active revision that has no replica until the next request. */
  atZero?: boolean;
  /** The time of its last request or start. */
  usedAt?: number;
  /** The latest time at which its replicas were not too many for its requests. */
  busyAt?: number;
  deactivatedAt?: number;
}

/** What the platform fetched last for a secret by reference. */
export type Fetched = { readonly url: string; readonly value: string };

/** One container app as it runs. */
export interface AppRuntime {
  readonly id: string;
  readonly name: string;
  /** The environment's default domain, in which the addresses of the app and its revisions are. */
  readonly domain: string;
  readonly environmentId: string;
  readonly environmentName: string;
  readonly quirks: Quirks;
  readonly revisions: Revision[];
  /** The configuration in force: that of the last PUT or PATCH whose operation ended. */
  configuration: Body;
  /** By the names of the secrets that refer to a vault. */
  fetched: { readonly [secret: string]: Fetched };
  /** Every suffix that was ever used. */
  readonly takenSuffixes: Set<string>;
  deployments: number;
  operating: boolean;
  /** The latest revision that became ready; `latestRevision` in traffic means it. */
  latestReady: Revision | undefined;
}

/** One entry of the traffic, with its revision found. */
export interface TrafficEntry {
  readonly revision: Revision | undefined;
  readonly weight: number;
  readonly label: string | undefined;
}

export const latestOf = (app: AppRuntime): Revision | undefined => app.revisions.at(-1);
export const findRevision = (app: AppRuntime, name: string): Revision | undefined =>
  app.revisions.find((each) => each.name === name.toLowerCase());
/** Gives the domain in which an app's addresses are; an internal app has another one. */
export const zoneOf = (app: AppRuntime): string =>
  `${app.configuration["ingress"]?.external ? "" : "internal."}${app.domain}`;
export const revisionHost = (app: AppRuntime, revision: string): string => `${revision}.${zoneOf(app)}`;
export const appHost = (app: AppRuntime): string => `${app.name}.${zoneOf(app)}`;
export const isSingle = (app: AppRuntime): boolean =>
  String(app.configuration["activeRevisionsMode"] ?? "Single").toLowerCase() === "single";

/** Gives the replicas that may get requests. */
export const readyReplicas = (revision: Revision | undefined): readonly Replica[] =>
  revision?.set?.replicas.filter(({ ready }) => ready) ?? [];

/** Gives the containers of all replicas of a revision. */
const containersOf = (revision: Revision): readonly ContainerState[] =>
  (revision.set?.replicas ?? []).flatMap(({ containers }) => containers);

/**
 * Names the next revision as Azure does: by the template's suffix, or else by seven random characters
 * for the first and a counter for later ones.
 */
export function nextRevisionName(app: AppRuntime, template: Body): string {
  const asked: unknown = template["revisionSuffix"];
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const random = () => [...randomBytes(7)].map((byte, index) => letters[byte % (index === 0 ? 26 : 36)]).join("");
  const counted = () => (app.deployments === 0 ? random() : String(app.deployments).padStart(7, "0"));
  const hashed = () => `h${createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 6)}`;
  const made = () => (app.quirks["names-by-counter"] ? counted() : hashed());
  return `${app.name}--${asked ? String(asked) : made()}`;
}

/**
 * Gives each revision's share of the traffic now.
 *
 * An entry that names a revision applies whether the revision is ready, unhealthy or deactivated. `latestRevision`
 * means the latest one that became ready, or the latest one while none has.
 */
export function trafficOf(app: AppRuntime): readonly TrafficEntry[] {
  const latest = (app.quirks["latest-waits"] ? app.latestReady : undefined) ?? latestOf(app);
  const entries: readonly Body[] = app.configuration["ingress"]?.traffic ?? [];
  if (isSingle(app) || entries.length === 0) return [{ revision: latest, weight: 100, label: undefined }];
  const revisionOf = ({ latestRevision, revisionName }: Body): Revision | undefined => {
    if (latestRevision) return latest;
    return revisionName ? findRevision(app, String(revisionName)) : undefined;
  };
  return entries.map((entry) => ({
    revision: revisionOf(entry),
    weight: Number(entry["weight"] ?? 0),
    label:
      entry["label"] && (entry["weight"] || app.quirks["labels-last-at-zero"])
        ? String(entry["label"]).toLowerCase()
        : undefined,
  }));
}

// A revision that was never ready has failed after this many restarts of a container, or after this time.
const failedRestarts = 3;
export const progressDeadlineMilliseconds = 261_000;

interface States {
  readonly provisioningState: string;
  readonly runningState: string;
  readonly healthState: string;
  readonly provisioningError?: string;
}

/** Reports whether the platform has stopped waiting for a revision that was never ready. */
export const isGivenUp = (revision: Revision, now: number): boolean =>
  containersOf(revision).some(({ restarts }) => restarts >= failedRestarts) ||
  now - (revision.started?.at ?? revision.createdAt) > progressDeadlineMilliseconds;

/** Gives a revision's states in the platform's words; with `open`, also those that the specification does not list. */
function statesOf(revision: Revision, now: number, open: boolean): States {
  if (!revision.active) return { provisioningState: "Deprovisioned", runningState: "Stopped", healthState: "None" };
  if (revision.atZero)
    return { provisioningState: "Provisioned", runningState: open ? "ScaledToZero" : "Running", healthState: "None" };
  if (readyReplicas(revision).length > 0) return servingStates(revision, open);
  if (revision.wasReady)
    return { provisioningState: "Provisioned", runningState: "Degraded", healthState: "Unhealthy" };
  if (isGivenUp(revision, now))
    return {
      provisioningState: "Failed",
      runningState: "Failed",
      healthState: "Unhealthy",
      provisioningError: "Deployment Progress Deadline Exceeded. 0/1 replicas ready.",
    };
  const by = revision.started?.by ?? "making";
  return {
    provisioningState: by === "request" ? "Provisioned" : "Provisioning",
    runningState: open && by !== "making" ? "Activating" : "Processing",
    healthState: "None",
  };
}

function servingStates(revision: Revision, open: boolean): States {
  const { set, template } = revision;
  const replicas = set?.replicas ?? [];
  if (containersOf(revision).some(({ ready, restarts }) => !ready && restarts > 0))
    return { provisioningState: "Provisioned", runningState: "Degraded", healthState: "Unhealthy" };
  const atMax = open && replicas.length >= Number(template["scale"]?.maxReplicas ?? 10);
  return {
    provisioningState: "Provisioned",
    runningState: atMax ? "RunningAtMaxScale" : "Running",
    healthState: "Healthy",
  };
}

/** Gives a revision as `/revisions/<name>` answers it. */
export function presentRevision(app: AppRuntime, revision: Revision, now: number): Body {
  const entries = trafficOf(app).filter((entry) => entry.revision === revision);
  const labels = entries.flatMap(({ label }) => (label ? [label] : []));
  return {
    id: `${app.id}/revisions/${revision.name}`,
    name: revision.name,
    type: "Microsoft.App/containerApps/revisions",
    properties: {
      createdTime: new Date(revision.createdAt).toISOString(),
      fqdn: app.configuration["ingress"] ? revisionHost(app, revision.name) : "",
      template: structuredClone(revision.template),
      active: revision.active,
      replicas: revision.set?.replicas.length ?? 0,
      trafficWeight: entries.reduce((sum, { weight }) => sum + weight, 0),
      ...(labels.length > 0 && !app.quirks["revision-hides-its-labels"] ? { labels } : {}),
      ...statesOf(revision, now, app.quirks["open-enums"] !== false),
    },
  };
}

/** Gives a replica as `/replicas/<name>` answers it. The streams of its logs are below the app's address for them. */
export function presentReplica(app: AppRuntime, revision: Revision, replica: Replica, streams: string): Body {
  const address = `${streams}/revisions/${revision.name}/replicas/${replica.name}`;
  const shown = replica.containers.map((each) => ({
    ...presentContainer(each),
    logStreamEndpoint: `${address}/containers/${each.name}/logstream`,
  }));
  const main = replica.containers.filter(({ isInit }) => !isInit);
  return {
    id: `${app.id}/revisions/${revision.name}/replicas/${replica.name}`,
    name: replica.name,
    type: "Microsoft.App/containerApps/revisions/replicas",
    properties: {
      createdTime: new Date(replica.createdAt).toISOString(),
      runningState: main.every(({ pid }) => pid !== undefined) ? "Running" : "NotRunning",
      runningStateDetails: replica.containers.find(({ lastEnd }) => lastEnd !== "")?.lastEnd ?? "",
      containers: shown.filter((_, index) => !replica.containers[index]!.isInit),
      ...(main.length < shown.length
        ? { initContainers: shown.filter((_, index) => replica.containers[index]!.isInit) }
        : {}),
    },
  };
}

const presentContainer = ({ name, isInit, pid, ready, restarts }: ContainerState): Body => ({
  name,
  containerId: `process://${pid ?? 0}`,
  ready,
  started: pid !== undefined,
  restartCount: restarts,
  runningState: runningStateOf(isInit && ready, pid),
});

function runningStateOf(isOver: boolean, pid: number | undefined): string {
  if (isOver) return "Terminated";
  return pid === undefined ? "Waiting" : "Running";
}
