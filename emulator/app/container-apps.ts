// Microsoft.App/containerApps: what a PUT or PATCH carries out, and what GET shows of an app. It keeps the dangerous
// quirks of the platform, since products must live with them: an operation succeeds although its container never
// starts, weights may name a revision that is deactivated or not yet ready, and a changed secret makes no revision.
import { setTimeout as pause } from "node:timers/promises";
import { ArmError, type Body, type Cloud, type PutContext, type Resource, type ResourceType } from "../arm/resource.ts";
import { refuseImage } from "../containerregistry/registries.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { warmParser } from "../kql/syntax.ts";
import { canonical, dropAbsent, environmentIdOf, environmentOf, normaliseTemplate } from "./app-bodies.ts";
import { runtimeOf, settle, startRevision, stopApp, stopRevision, untilReady } from "./app-runtime.ts";
import { checkApp } from "./contract/configuration.ts";
import { containerAppFields } from "./contract/fields.ts";
import { keepPrincipal, presentIdentity } from "./contract/identity.ts";
import { refuseBrokenNumbers } from "./contract/types.ts";
import { authToken, streamAddress } from "./log-stream.ts";
import { requestRows } from "./request-rows.ts";
import { revisionRoutes } from "./revision-routes.ts";
import {
  type AppRuntime,
  appHost,
  findRevision,
  isSingle,
  latestOf,
  nextRevisionName,
  progressDeadlineMilliseconds,
  type Revision,
  revisionHost,
} from "./revisions.ts";
import { closePorts, openPorts } from "./tcp-ports.ts";
import { fetchReferences, forgetSync, namesSecret, planSync, restartWith } from "./vault-references.ts";

// A write takes a moment, as it does on Azure; a second write meanwhile is refused with 409.
const operationMilliseconds = 60;

/** Container apps, as Resource Manager serves them. */
export const containerAppType: ResourceType = {
  type: "Microsoft.App/containerApps",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
  fields: containerAppFields,
  checkSent: refuseBrokenNumbers,
  parentMustExist: (body, store) =>
    environmentOf(body, store)
      ? undefined
      : new ArmError(
          400,
          "ManagedEnvironmentNotFound",
          `The managed environment '${environmentIdOf(body)}' of the container app does not exist.`,
        ),
  onPut,
  onDelete: async (resource, cloud) => {
    const { apps } = runtimeOf(cloud);
    const app = apps.get(resource.id.toLowerCase());
    apps.delete(resource.id.toLowerCase());
    if (!app) return;
    closePorts(app);
    forgetSync(cloud, app);
    await stopApp(app);
  },
  present,
  actions: {
    getauthtoken: authToken,
    listsecrets: async (resource, cloud) => {
      const fetched = runtimeOf(cloud).apps.get(resource.id.toLowerCase())?.fetched ?? {};
      const secrets: readonly Body[] = resource.body["properties"]?.configuration?.secrets ?? [];
      return {
        status: 200,
        body: {
          value: secrets.map(({ name, value = fetched[name]?.value, keyVaultUrl, identity }) =>
            dropAbsent({ name, value, keyVaultUrl, identity }),
          ),
        },
      };
    },
  },
  children: revisionRoutes,
};

async function onPut({ id, wanted, previous, merge, sent, cloud }: PutContext): Promise<void> {
  const { apps } = runtimeOf(cloud);
  const known = apps.get(id.toLowerCase());
  const name = id.split("/").at(-1) ?? "";
  const properties: Body = wanted["properties"] ?? {};
  const configuration: Body = properties["configuration"] ?? {};
  const quirks = quirksOf(cloud);
  if (known?.operating && quirks["one-write-at-a-time"])
    throw new ArmError(
      409,
      "ContainerAppOperationInProgress",
      `Cannot modify container app '${name}' because another operation is in progress.`,
    );
  const template = normaliseTemplate(properties["template"] ?? {});
  if (!quirks["put-repeats-secrets"]) keepSecrets(configuration, previous);
  // Traffic may name the revision that the same request makes, if the template gives its suffix. azd does so.
  const made = template["revisionSuffix"] ? `${name}--${template["revisionSuffix"]}` : undefined;
  checkApp({
    id,
    name,
    wanted,
    previous,
    environmentId: environmentOf(wanted, cloud.store)?.id ?? environmentIdOf(wanted),
    cloud,
    quirks,
    findRevision: (revision) => (revision === made ? "made" : known && findRevision(known, revision)),
  });
  keepPrincipal(wanted, previous);

  // A patch that leaves the template alone makes no revision, even if the last write of a template failed.
  const untouched =
    merge && canonical(normaliseTemplate(previous?.body["properties"]?.template ?? {})) === canonical(template);
  const sameSecrets = merge && sent !== undefined && !isSent(sent, ["properties", "configuration", "secrets"]);

  const app = known ?? createRuntime(id, name, wanted, cloud);
  if (quirks["revisions-hold-their-secrets"] === "refused") refuseTakenSecrets(app, configuration);
  apps.set(id.toLowerCase(), app);
  app.operating = true;
  const acceptedAt = cloud.clock.now();
  if (requestRows(cloud).workspacesOf(app.environmentId).length > 0) warmParser();
  try {
    await pause(operationMilliseconds);
    await apply(cloud, app, { wanted, configuration, template, untouched, sameSecrets, acceptedAt });
  } finally {
    app.operating = false;
  }
}

/** Reports whether a body has a value at a path. Names are read without regard to case. */
function isSent(body: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  const found = Object.entries((body ?? {}) as Body).find(([name]) => name.toLowerCase() === first);
  return found !== undefined && isSent(found[1], rest);
}

/** A write that was accepted. */
interface Write {
  readonly wanted: Body;
  readonly configuration: Body;
  readonly template: Body;
  /** True when the write leaves the template alone. */
  readonly untouched: boolean;
  /** True for a patch that does not name the secrets. */
  readonly sameSecrets: boolean;
  readonly acceptedAt: number;
}

/**
 * Puts a write's configuration into force, and starts a revision when its template differs from the latest revision's.
 */
async function apply(
  cloud: Cloud,
  app: AppRuntime,
  { wanted, configuration, template, untouched, sameSecrets, acceptedAt }: Write,
): Promise<void> {
  const { quirks } = app;
  await holdSecrets(cloud, app, configuration, acceptedAt + expiryMilliseconds);
  const fetchedBefore = app.fetched;
  const fetched = sameSecrets ? fetchedBefore : fetchReferences(cloud, wanted, configuration, fetchedBefore);
  const latest = latestOf(app);
  const same = latest && (untouched || canonical(latest.template) === canonical(template));
  const revision = same ? latest : (createRevision(app, template, wanted, cloud) ?? latest!);
  const secretsBefore = canonical(app.configuration["secrets"] ?? []);
  app.configuration = structuredClone(configuration);
  app.fetched = fetched;
  planSync(cloud, app);
  restartWith(cloud, app, fetchedBefore);
  await openPorts(cloud, app);
  if (revision !== latest) {
    app.revisions.push(revision);
    startRevision(cloud, app, revision);
  }
  settle(app, revision, cloud.clock.now());
  if (!quirks["secret-makes-no-revision"] && canonical(configuration["secrets"] ?? []) !== secretsBefore)
    for (const { set } of app.revisions) set?.recycle();
  if (!quirks["succeeds-unstarted"] && revision !== latest) await requireReadiness(app, revision, cloud);
}

/** Gives the secrets that a write takes away although a revision names them, which only Multiple mode minds. */
function takenSecrets(app: AppRuntime, configuration: Body): readonly string[] {
  if (isSingle(app)) return [];
  const kept = new Set(((configuration["secrets"] ?? []) as Body[]).map(({ name }) => name));
  const before: readonly string[] = ((app.configuration["secrets"] ?? []) as Body[]).map(({ name }) => name);
  return before.filter((name) => !kept.has(name) && app.revisions.some((revision) => namesSecret(revision, name)));
}

/** @throws ArmError 400 for a write that takes away a secret of a revision */
function refuseTakenSecrets(app: AppRuntime, configuration: Body): void {
  const taken = takenSecrets(app, configuration);
  if (taken.length > 0)
    throw new ArmError(
      400,
      "ContainerAppSecretInvalid",
      `Invalid Request: Container app secret(s) with name(s) '${taken.join(", ")}' are invalid: value or keyVaultUrl ` +
        "and identity should be provided.",
    );
}

const expiryMilliseconds = 600_000;

/** Lets a write that takes away a secret of a revision hang until it expires. @throws ArmError 400 then */
async function holdSecrets(cloud: Cloud, app: AppRuntime, configuration: Body, until: number): Promise<void> {
  if (app.quirks["revisions-hold-their-secrets"] !== true || takenSecrets(app, configuration).length === 0) return;
  const { closing } = runtimeOf(cloud);
  while (cloud.clock.now() < until && !closing.aborted) await pause(operationMilliseconds);
  throw new ArmError(
    400,
    "ContainerAppOperationError",
    `Failed to update container app '${app.name}'. Error details: Operation expired.`,
  );
}

/**
 * Waits for a revision's readiness, as the operation of a naive cloud does.
 *
 * @throws ArmError 400 when the revision does not become ready
 */
async function requireReadiness(app: AppRuntime, revision: Revision, cloud: Cloud): Promise<void> {
  if (await untilReady(revision, cloud.clock.now, AbortSignal.timeout(progressDeadlineMilliseconds))) return;
  throw new ArmError(
    400,
    "ContainerAppOperationError",
    `Failed to provision revision for container app '${app.name}'. ` +
      "Error details: Deployment Progress Deadline Exceeded. 0/1 replicas ready.",
  );
}

/** Gives each secret without a value its previous value. */
function keepSecrets(configuration: Body, previous: Resource | undefined): void {
  const before: readonly Body[] = previous?.body["properties"]?.configuration?.secrets ?? [];
  for (const secret of (configuration["secrets"] ?? []) as Body[])
    secret["value"] ??= before.find(({ name }) => name === secret["name"])?.["value"];
}

function createRuntime(id: string, name: string, wanted: Body, cloud: Cloud): AppRuntime {
  const environment = environmentOf(wanted, cloud.store);
  const environmentName: string = environment?.body["name"] ?? (environment?.id ?? "").split("/").at(-1);
  return {
    id,
    name,
    environmentId: environment?.id ?? "",
    environmentName,
    domain: environment?.body["properties"]?.defaultDomain ?? `${environmentName}.westeurope.${cloud.suffix}`,
    quirks: quirksOf(cloud),
    revisions: [],
    configuration: {},
    fetched: {},
    takenSuffixes: new Set(),
    deployments: 0,
    operating: false,
    latestReady: undefined,
  };
}

/**
 * Makes the revision of a template; undefined for a taken suffix in its silent
 * form, which makes nothing and does not fail.
 *
 * @throws ArmError for a taken suffix, or an image that is unknown or may not be pulled. Azure finds these only after
 * it accepted the request, so they fail the operation.
 */
function createRevision(app: AppRuntime, template: Body, wanted: Body, cloud: Cloud): Revision | undefined {
  refuseImage(wanted, cloud);
  const name = nextRevisionName(app, template);
  const suffix = name.slice(app.name.length + 2);
  const namesake = findRevision(app, name);
  const unique = app.quirks["suffix-taken-for-life"];
  if (namesake && !template["revisionSuffix"]) {
    app.revisions.splice(app.revisions.indexOf(namesake), 1);
    return namesake;
  }
  if (unique === "silent" && namesake?.active === false) return undefined;
  if (unique && app.takenSuffixes.has(suffix))
    throw new ArmError(
      400,
      "ContainerAppOperationError",
      `Failed to provision revision for container app '${app.name}'. ` +
        `Error details: Revision with suffix '${suffix}' already exists.`,
    );
  if (namesake) {
    void stopRevision(namesake);
    app.revisions.splice(app.revisions.indexOf(namesake), 1);
  }
  app.deployments += 1;
  app.takenSuffixes.add(suffix);
  return { name, createdAt: cloud.clock.now(), template, active: true, set: undefined, wasReady: false };
}

function present(resource: Resource, cloud: Cloud): Body {
  const body = structuredClone(resource.body);
  body["properties"] ??= {};
  const properties: Body = body["properties"];
  properties["configuration"] ??= {};
  const configuration: Body = properties["configuration"];
  const app = runtimeOf(cloud).apps.get(resource.id.toLowerCase());
  const quirks = quirksOf(cloud);
  const latest = app && latestOf(app);
  presentIdentity(body, cloud.store);
  const ingress: Body | undefined = configuration["ingress"] ?? undefined;
  if (quirks["secrets-are-write-only"] && configuration["secrets"])
    configuration["secrets"] = (configuration["secrets"] as Body[]).map(({ value: _, ...secret }) => secret);
  if (ingress && app) ingress["fqdn"] = appHost({ ...app, configuration });
  if (ingress && !quirks["labels-last-at-zero"])
    ingress["traffic"] = ((ingress["traffic"] ?? []) as Body[]).map(({ label, ...entry }) =>
      entry["weight"] && label ? { ...entry, label } : entry,
    );
  if (quirks["defaults-on-read"]) fillIn(body, properties, configuration, ingress);
  if (app && latest) {
    properties["latestRevisionName"] = latest.name;
    properties["latestReadyRevisionName"] = app.latestReady?.name ?? "";
    properties["latestRevisionFqdn"] = ingress ? revisionHost(app, latest.name) : "";
    properties["eventStreamEndpoint"] = `${streamAddress(cloud, app.id)}/eventstream`;
    properties["outboundIpAddresses"] = ["127.0.0.1"];
    const environment: Body = cloud.store.get(app.environmentId)?.body["properties"] ?? {};
    properties["customDomainVerificationId"] =
      environment["customDomainConfiguration"]?.customDomainVerificationId ?? "";
  }
  return body;
}

/** Adds the defaults that Azure fills in. */
function fillIn(body: Body, properties: Body, configuration: Body, ingress: Body | undefined): void {
  properties["managedEnvironmentId"] = environmentIdOf(body);
  properties["environmentId"] = properties["managedEnvironmentId"];
  properties["workloadProfileName"] ??= "Consumption";
  properties["runningStatus"] = "Running";
  if (properties["template"]) properties["template"] = normaliseTemplate(properties["template"]);
  configuration["activeRevisionsMode"] ??= "Single";
  if (ingress) {
    configuration["ingress"] = {
      external: false,
      transport: "Auto",
      allowInsecure: false,
      ...dropAbsent(ingress),
      traffic: ingress["traffic"]?.length ? ingress["traffic"] : [{ latestRevision: true, weight: 100 }],
    };
  }
}
