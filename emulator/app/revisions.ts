// Revisions of container apps: their names, their states, who of them gets how much traffic.
// One `AppRuntime` a container app, held in memory beside the store; what runs in a revision is replicas.ts's.
import { createHash, randomBytes } from "node:crypto";
import { ArmError, type Body } from "../arm/resource.ts";
import type { Truths } from "../controls/quirks.ts";
import type { Replica, ReplicaSet } from "./replicas.ts";

export interface Revision {
  readonly name: string;
  readonly createdAt: number;
  /** Normalised, so that equal templates are equal text. */
  readonly template: Body;
  active: boolean;
  set: ReplicaSet | undefined;
  /** Whether a replica was ever ready since the revision was last started. */
  wasReady: boolean;
  /** Why and when it was last started: its making, an activation, or a request that found it at zero. */
  started?: { readonly by: "making" | "activation" | "request"; readonly at: number };
  /** Active, but without a replica until somebody asks for it. */
  atZero?: boolean;
  /** When it last had a request, or was started. */
  usedAt?: number;
  deactivatedAt?: number;
}

/** One container app as it runs. */
export interface AppRuntime {
  readonly id: string;
  readonly name: string;
  /** Environment's default domain; addresses of the app and of its revisions lie in it. */
  readonly domain: string;
  readonly environmentId: string;
  readonly environmentName: string;
  readonly truths: Truths;
  readonly revisions: Revision[];
  /** The configuration in force: that of the last PUT or PATCH whose operation came to its end. */
  configuration: Body;
  /** Suffixes ever used: they stay taken for the app's lifetime. */
  readonly takenSuffixes: Set<string>;
  deployments: number;
  operating: boolean;
  /** `latestRevision` in traffic waits for readiness, so it is remembered who became ready last. */
  latestReady: Revision | undefined;
}

export interface TrafficEntry {
  readonly revision: Revision | undefined;
  readonly weight: number;
  readonly label: string | undefined;
}

export const latestOf = (app: AppRuntime): Revision | undefined => app.revisions.at(-1);
export const findRevision = (app: AppRuntime, name: string): Revision | undefined =>
  app.revisions.find((each) => each.name === name.toLowerCase());
/** Gives where an app's addresses end: those of an internal app lie apart. */
export const zoneOf = (app: AppRuntime): string =>
  `${app.configuration["ingress"]?.external ? "" : "internal."}${app.domain}`;
export const revisionHost = (app: AppRuntime, revision: string): string => `${revision}.${zoneOf(app)}`;
export const appHost = (app: AppRuntime): string => `${app.name}.${zoneOf(app)}`;
export const isSingle = (app: AppRuntime): boolean =>
  String(app.configuration["activeRevisionsMode"] ?? "Single").toLowerCase() === "single";

/** Gives the replicas that may be sent requests. */
export const readyReplicas = (revision: Revision | undefined): readonly Replica[] =>
  revision?.set?.replicas.filter(({ ready }) => ready) ?? [];

/** Names the next revision as Azure does: seven random characters the first time, a counter later, or what the template asks for. */
export function nextRevisionName(app: AppRuntime, template: Body): string {
  const asked: unknown = template["revisionSuffix"];
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const random = () => [...randomBytes(7)].map((byte, index) => letters[byte % (index === 0 ? 26 : 36)]).join("");
  const counted = () => (app.deployments === 0 ? random() : String(app.deployments).padStart(7, "0"));
  const hashed = () => `h${createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 6)}`;
  const suffix = asked ? String(asked) : app.truths["names-by-counter"] ? counted() : hashed();
  return `${app.name}--${suffix}`;
}

/** Refuses at the door what can never be a revision's name. */
export function checkRevisionName(app: string, template: Body): void {
  const suffix = String(template["revisionSuffix"] ?? "");
  if (!suffix) return;
  const name = `${app}--${suffix}`;
  if (/^[a-z0-9](?!.*-{2})([-a-z0-9]*[a-z0-9])?$/.test(suffix) && name.length <= 54) return;
  throw new ArmError(
    400,
    "ContainerAppInvalidRevisionName",
    `Invalid revision name '${name}'. A revision name must consist of lower case alphanumeric characters or '-', start with a letter, end with an alphanumeric character, and must not be longer than 54 characters.`,
  );
}

/**
 * Says who gets what, now. Entries that name a revision hold whether it is ready, unhealthy or deactivated; `latestRevision` means the latest that
 * became ready, and, while none ever was, the latest.
 */
export function trafficOf(app: AppRuntime): readonly TrafficEntry[] {
  const latest = (app.truths["latest-waits"] ? app.latestReady : undefined) ?? latestOf(app);
  const entries: readonly Body[] = app.configuration["ingress"]?.traffic ?? [];
  if (isSingle(app) || entries.length === 0) return [{ revision: latest, weight: 100, label: undefined }];
  return entries.map((entry) => ({
    revision: entry["latestRevision"]
      ? latest
      : entry["revisionName"]
        ? findRevision(app, String(entry["revisionName"]))
        : undefined,
    weight: Number(entry["weight"] ?? 0),
    label:
      entry["label"] && (entry["weight"] || app.truths["labels-last-at-zero"])
        ? String(entry["label"]).toLowerCase()
        : undefined,
  }));
}

/**
 * Refuses traffic that Azure refuses: weights that do not add up to 100, revisions that there are not, a label on two of them.
 *
 * `find` gives a revision by its whole name, or `"made"` for the one that the very same request makes. The codes are ours, unverified on Azure.
 */
export function checkTraffic(
  entries: readonly Body[] | undefined,
  truths: Truths,
  find: (name: string) => Revision | "made" | undefined,
): void {
  if (!entries || entries.length === 0) return;
  const refuse = (code: string, message: string): never => {
    throw new ArmError(400, code, message);
  };
  for (const entry of entries) {
    const weight: unknown = entry["weight"] ?? 0;
    if (typeof weight !== "number" || !Number.isInteger(weight) || weight < 0 || weight > 100)
      refuse("ContainerAppInvalidTrafficWeight", `Traffic weight '${weight}' is not a whole number from 0 to 100.`);
    if (entry["latestRevision"] && entry["revisionName"])
      refuse("ContainerAppInvalidTraffic", "A traffic entry names either a revision or latestRevision, not both.");
    if (!entry["latestRevision"] && !entry["revisionName"])
      refuse("ContainerAppInvalidTraffic", "A traffic entry names a revision or latestRevision.");
    if (!entry["revisionName"]) continue;
    const found = find(String(entry["revisionName"]));
    if (!found && truths["weights-name-known-revisions"])
      refuse(
        "ContainerAppRevisionNotFound",
        `Revision '${entry["revisionName"]}' of a traffic entry does not exist. A revision is named in full.`,
      );
    if (found && found !== "made" && !found.active && weight && !truths["deactivated-may-have-weight"])
      refuse("ContainerAppInvalidTraffic", `Revision '${found.name}' is not active, so it cannot be given traffic.`);
  }
  const labels = entries.flatMap(({ label }) => (label ? [String(label).toLowerCase()] : []));
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice) refuse("ContainerAppInvalidTraffic", `The label '${twice}' stands on more than one traffic entry.`);
  const sum = entries.reduce((total, entry) => total + Number(entry["weight"] ?? 0), 0);
  if (sum !== 100 && truths["weights-sum-to-100"])
    refuse("ContainerAppInvalidTrafficWeight", `Traffic weights add up to ${sum}; they must add up to 100.`);
}

// How many times a container that was never ready is started anew, or for how long it is waited for, until its revision is called failed.
const failedRestarts = 3;
const progressDeadlineMilliseconds = 261_000;

interface States {
  readonly provisioningState: string;
  readonly runningState: string;
  readonly healthState: string;
  readonly provisioningError?: string;
}

/** Says whether a revision that never was ready is not waited for any longer. */
export const isGivenUp = (revision: Revision, now: number): boolean =>
  (revision.set?.replicas ?? []).some(({ restarts }) => restarts >= failedRestarts) ||
  now - (revision.started?.at ?? revision.createdAt) > progressDeadlineMilliseconds;

/** Gives a revision's states as the platform words them. */
function statesOf(revision: Revision, now: number, open: boolean): States {
  if (!revision.active) return { provisioningState: "Deprovisioned", runningState: "Stopped", healthState: "None" };
  if (revision.atZero)
    return { provisioningState: "Provisioned", runningState: open ? "ScaledToZero" : "Running", healthState: "None" };
  const replicas = revision.set?.replicas ?? [];
  const ready = replicas.filter((replica) => replica.ready).length;
  const sick = replicas.some((replica) => !replica.ready && replica.restarts > 0);
  const atMax = open && replicas.length >= Number(revision.template["scale"]?.maxReplicas ?? 10);
  if (ready > 0)
    return {
      provisioningState: "Provisioned",
      runningState: sick ? "Degraded" : atMax ? "RunningAtMaxScale" : "Running",
      healthState: sick ? "Unhealthy" : "Healthy",
    };
  if (revision.wasReady)
    return { provisioningState: "Provisioned", runningState: "Degraded", healthState: "Unhealthy" };
  const by = revision.started?.by ?? "making";
  return isGivenUp(revision, now)
    ? {
        provisioningState: "Failed",
        runningState: "Failed",
        healthState: "Unhealthy",
        provisioningError: "Deployment Progress Deadline Exceeded. 0/1 replicas ready.",
      }
    : {
        provisioningState: by === "request" ? "Provisioned" : "Provisioning",
        runningState: open && by !== "making" ? "Activating" : "Processing",
        healthState: "None",
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
      ...(labels.length > 0 && !app.truths["revision-hides-its-labels"] ? { labels } : {}),
      ...statesOf(revision, now, app.truths["open-enums"] !== false),
    },
  };
}

/** Gives a replica as `/replicas/<name>` answers it. */
export function presentReplica(app: AppRuntime, revision: Revision, replica: Replica): Body {
  const container = revision.template["containers"]?.[0] ?? {};
  return {
    id: `${app.id}/revisions/${revision.name}/replicas/${replica.name}`,
    name: replica.name,
    type: "Microsoft.App/containerApps/revisions/replicas",
    properties: {
      createdTime: new Date(replica.createdAt).toISOString(),
      runningState: replica.pid === undefined ? "NotRunning" : "Running",
      runningStateDetails: replica.lastEnd,
      containers: [
        {
          name: container["name"],
          containerId: `process://${replica.pid ?? 0}`,
          ready: replica.ready,
          started: replica.pid !== undefined,
          restartCount: replica.restarts,
          runningState: replica.pid === undefined ? "Waiting" : "Running",
        },
      ],
    },
  };
}
