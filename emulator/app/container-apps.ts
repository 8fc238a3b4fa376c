// Microsoft.App/containerApps: what a PUT or PATCH makes real, what GET shows of it, and the routes below an app.
// The dangerous truths of the platform are kept, since products must live with them: an operation succeeds although its container
// never starts, weights may name what is deactivated or not yet ready, secrets change without a revision.
// What the stand-in cannot run (several containers, commands, Labels mode) it refuses by name.
import { setTimeout as pause } from "node:timers/promises";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type PutContext,
  type Resource,
  type ResourceKind,
  type Store,
} from "../arm/resource.ts";
import { refuseImage } from "../containerregistry/registries.ts";
import { truthsOf } from "../controls/quirks-in-force.ts";
import { warmParser } from "../kql/syntax.ts";
import { runtimeOf, settle, startRevision, stopApp, stopRevision, untilReady } from "./app-runtime.ts";
import { requestRows } from "./request-rows.ts";
import {
  type AppRuntime,
  appHost,
  checkRevisionName,
  checkTraffic,
  findRevision,
  isSingle,
  latestOf,
  nextRevisionName,
  presentReplica,
  presentRevision,
  type Revision,
  revisionHost,
} from "./revisions.ts";

// A write takes a moment, as it does there; a second one in between is refused with 409.
const operationMilliseconds = 60;

export const containerAppKind: ResourceKind = {
  type: "Microsoft.App/containerApps",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
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
    if (app) await stopApp(app);
  },
  present,
  actions: {
    listsecrets: async (resource) => ({
      status: 200,
      body: {
        value: (resource.body["properties"]?.configuration?.secrets ?? []).map(
          ({ name, value, keyVaultUrl, identity }: Body) => dropAbsent({ name, value, keyVaultUrl, identity }),
        ),
      },
    }),
  },
  children,
};

/** Gives the id of the environment that an app is in, by either of the names that Azure takes; empty where it names none. */
export const environmentIdOf = (body: Body): string =>
  String(body["properties"]?.managedEnvironmentId ?? body["properties"]?.environmentId ?? "");
const environmentOf = (body: Body, store: Store): Resource | undefined => store.get(environmentIdOf(body));

async function onPut({ id, wanted, previous, merge, cloud }: PutContext): Promise<void> {
  const { apps } = runtimeOf(cloud);
  const known = apps.get(id.toLowerCase());
  const name = id.split("/").at(-1) ?? "";
  const properties: Body = wanted["properties"] ?? {};
  const configuration: Body = properties["configuration"] ?? {};
  const truths = truthsOf(cloud);
  if (known?.operating && truths["one-write-at-a-time"])
    throw new ArmError(
      409,
      "ContainerAppOperationInProgress",
      `Cannot modify container app '${name}' because another operation is in progress.`,
    );
  if (!/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name) || name.includes("--"))
    throw new ArmError(
      400,
      "ContainerAppInvalidName",
      `Invalid container app name '${name}'. It consists of lower case alphanumeric characters or '-', starts with a letter, ends with an alphanumeric character, has no '--' and is at most 32 characters long.`,
    );
  const template = normaliseTemplate(properties["template"] ?? {});
  if (!truths["put-repeats-secrets"]) keepSecrets(configuration, previous);
  checkTemplate(name, template, configuration);
  checkConfiguration(configuration, name, template, known, cloud);

  // A patch that leaves the template alone asks for no revision, even where the last write of a template failed.
  const untouched =
    merge && canonical(normaliseTemplate(previous?.body["properties"]?.template ?? {})) === canonical(template);

  const app = known ?? createRuntime(id, name, wanted, cloud);
  apps.set(id.toLowerCase(), app);
  app.operating = true;
  if (requestRows(cloud).workspacesOf(app.environmentId).length > 0) warmParser();
  try {
    await pause(operationMilliseconds);
    const latest = latestOf(app);
    const same = latest && (untouched || canonical(latest.template) === canonical(template));
    const revision = same ? latest : (createRevision(app, template, wanted, cloud) ?? latest!);
    const secretsBefore = canonical(app.configuration["secrets"] ?? []);
    app.configuration = structuredClone(configuration);
    if (revision !== latest) {
      app.revisions.push(revision);
      startRevision(cloud, app, revision);
    }
    settle(app, revision, cloud.clock.now());
    if (!truths["secret-makes-no-revision"] && canonical(configuration["secrets"] ?? []) !== secretsBefore)
      for (const { set } of app.revisions) set?.recycle();
    if (!truths["succeeds-unstarted"] && revision !== latest) await mustBecomeReady(app, revision, cloud);
  } finally {
    app.operating = false;
  }
}

/** What a naive platform's operation does: it ends with the revision's readiness. */
async function mustBecomeReady(app: AppRuntime, revision: Revision, cloud: Cloud): Promise<void> {
  if (await untilReady(revision, cloud.clock.now, AbortSignal.timeout(readyMillisecondsMax))) return;
  throw new ArmError(
    400,
    "ContainerAppOperationError",
    `Failed to provision revision for container app '${app.name}'. Error details: Deployment Progress Deadline Exceeded. 0/1 replicas ready.`,
  );
}
const readyMillisecondsMax = 261_000;

/** Gives secrets without a value the one that they have. */
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
    truths: truthsOf(cloud),
    revisions: [],
    configuration: {},
    takenSuffixes: new Set(),
    deployments: 0,
    operating: false,
    latestReady: undefined,
  };
}

/**
 * Makes the revision, or fails the operation: a taken suffix and an image that is unknown or may not be pulled are found only after the request was accepted.
 *
 * Undefined means that nothing is made although nothing failed: the silent form of a taken suffix.
 */
function createRevision(app: AppRuntime, template: Body, wanted: Body, cloud: Cloud): Revision | undefined {
  refuseImage(wanted, cloud);
  const name = nextRevisionName(app, template);
  const suffix = name.slice(app.name.length + 2);
  const namesake = findRevision(app, name);
  const unique = app.truths["suffix-taken-for-life"];
  if (namesake && !template["revisionSuffix"]) {
    app.revisions.splice(app.revisions.indexOf(namesake), 1);
    return namesake;
  }
  if (unique === "silent" && namesake?.active === false) return undefined;
  if (unique && app.takenSuffixes.has(suffix))
    throw new ArmError(
      400,
      "ContainerAppOperationError",
      `Failed to provision revision for container app '${app.name}'. Error details: Revision with suffix '${suffix}' already exists.`,
    );
  if (namesake) {
    void stopRevision(namesake);
    app.revisions.splice(app.revisions.indexOf(namesake), 1);
  }
  app.deployments += 1;
  app.takenSuffixes.add(suffix);
  return { name, createdAt: cloud.clock.now(), template, active: true, set: undefined, wasReady: false };
}

const unsupported = (what: string): ArmError =>
  new ArmError(400, "LocalCloudUnsupported", `The stand-in cloud does not run ${what}. Azure does.`);

function checkTemplate(app: string, template: Body, configuration: Body): void {
  const containers: readonly Body[] = template["containers"] ?? [];
  const [container] = containers;
  if (!container?.["image"])
    throw new ArmError(
      400,
      "ContainerAppImageRequired",
      "The container image must be specified: template.containers[0].image.",
    );
  if (containers.length > 1 || template["initContainers"]?.length)
    throw unsupported("more than one container a replica");
  if (container["command"]?.length) throw unsupported("containers with a command of their own");
  const { minReplicas = 0, maxReplicas = 10 } = template["scale"] ?? {};
  if (maxReplicas < 1 || minReplicas > maxReplicas)
    throw new ArmError(
      400,
      "ContainerAppScaleInvalid",
      `minReplicas is ${minReplicas} and maxReplicas is ${maxReplicas}. There is at least one replica at most, and no minimum above the maximum.`,
    );
  checkRevisionName(app, template);
  const names = new Set(((configuration["secrets"] ?? []) as Body[]).map((secret) => secret["name"]));
  const missing = ((container["env"] ?? []) as Body[]).find(({ secretRef }) => secretRef && !names.has(secretRef));
  if (missing)
    throw new ArmError(
      400,
      "ContainerAppSecretRefNotFound",
      `SecretRef '${missing["secretRef"]}' defined for container '${container["name"]}' not found.`,
    );
}

function checkConfiguration(
  configuration: Body,
  app: string,
  template: Body,
  known: AppRuntime | undefined,
  cloud: Cloud,
): void {
  const mode = String(configuration["activeRevisionsMode"] ?? "Single").toLowerCase();
  if (mode === "labels") throw unsupported("the revision mode Labels");
  for (const secret of (configuration["secrets"] ?? []) as Body[]) {
    if (secret["keyVaultUrl"]) throw unsupported("secrets by keyVaultUrl");
    if (secret["value"] == null)
      throw new ArmError(
        400,
        "ContainerAppSecretInvalid",
        `Invalid request: container app secret '${secret["name"]}' has no value. A PUT repeats all values; they are never read back.`,
      );
  }
  const { transport = "Auto", exposedPort, additionalPortMappings, traffic } = (configuration["ingress"] ?? {}) as Body;
  if (!["auto", "http"].includes(String(transport).toLowerCase()))
    throw unsupported(`ingress with the transport ${transport}`);
  if (exposedPort || additionalPortMappings?.length) throw unsupported("ports beside the one of HTTP");
  // Traffic may name the revision that the very same request makes, if it gives the suffix: azd does so.
  const made = template["revisionSuffix"] ? `${app}--${template["revisionSuffix"]}` : undefined;
  if (mode === "multiple")
    checkTraffic(traffic, truthsOf(cloud), (name) => (name === made ? "made" : known && findRevision(known, name)));
}

/** Fills in what the platform fills in, so that a template with a default spelt out equals one without it. */
function normaliseTemplate(template: Body): Body {
  const { containers, scale, ...rest } = dropAbsent(template);
  return {
    ...rest,
    revisionSuffix: rest["revisionSuffix"] ?? "",
    containers: ((containers ?? []) as Body[]).map((container) => ({
      ...container,
      resources: { cpu: 0.5, memory: "1Gi", ...container["resources"] },
    })),
    scale: { maxReplicas: 10, cooldownPeriod: 300, pollingInterval: 30, ...scale },
  };
}

/** Gives a deep copy without null, undefined and empty lists, which Azure does not tell from absence. */
function dropAbsent(body: Body): Body {
  const copy = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(copy)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value).flatMap(([name, each]) =>
              each == null || (Array.isArray(each) && each.length === 0) ? [] : [[name, copy(each)]],
            ),
          )
        : value;
  return copy(body) as Body;
}

/** Writes a value so that the order of members does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

function present(resource: Resource, cloud: Cloud): Body {
  const body = structuredClone(resource.body);
  const properties: Body = (body["properties"] ??= {});
  const configuration: Body = (properties["configuration"] ??= {});
  const app = runtimeOf(cloud).apps.get(resource.id.toLowerCase());
  const truths = truthsOf(cloud);
  const latest = app && latestOf(app);
  const ingress: Body | undefined = configuration["ingress"] ?? undefined;
  if (truths["secrets-are-write-only"] && configuration["secrets"])
    configuration["secrets"] = (configuration["secrets"] as Body[]).map(({ value: _, ...secret }) => secret);
  if (ingress && app) ingress["fqdn"] = appHost({ ...app, configuration });
  if (ingress && !truths["labels-last-at-zero"])
    ingress["traffic"] = ((ingress["traffic"] ?? []) as Body[]).map(({ label, ...entry }) =>
      entry["weight"] && label ? { ...entry, label } : entry,
    );
  if (truths["defaults-on-read"]) fillIn(body, properties, configuration, ingress);
  if (app && latest) {
    properties["latestRevisionName"] = latest.name;
    properties["latestReadyRevisionName"] = app.latestReady?.name ?? "";
    properties["latestRevisionFqdn"] = ingress ? revisionHost(app, latest.name) : "";
    properties["outboundIpAddresses"] = ["127.0.0.1"];
  }
  return body;
}

/** Shows what the server fills in where a write said nothing. */
function fillIn(body: Body, properties: Body, configuration: Body, ingress: Body | undefined): void {
  properties["environmentId"] = properties["managedEnvironmentId"] = environmentIdOf(body);
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

const notFound = (app: AppRuntime, what: string): ArmError =>
  new ArmError(404, "ResourceNotFound", `${what} of container app '${app.name}' was not found.`);

/** Serves `/revisions…`; every action is done when it is answered, though processes may take a moment to end. */
async function children(
  resource: Resource,
  rest: readonly string[],
  request: ArmRequest,
  cloud: Cloud,
): Promise<ArmReply | undefined> {
  const [kind, revisionName, action, replicaName] = rest;
  const app = runtimeOf(cloud).apps.get(resource.id.toLowerCase());
  if (!app || kind?.toLowerCase() !== "revisions") return undefined;
  const now = cloud.clock.now();
  if (revisionName === undefined) return request.method === "GET" ? listRevisions(app, request, now) : undefined;
  const revision = findRevision(app, revisionName);
  if (!revision) throw notFound(app, `Revision '${revisionName}'`);
  const verb = `${request.method} ${action?.toLowerCase() ?? ""}`.trim();
  if (verb === "GET") return { status: 200, body: presentRevision(app, revision, now) };
  if (verb === "GET replicas") {
    const replicas = revision.set?.replicas ?? [];
    if (replicaName === undefined)
      return { status: 200, body: { value: replicas.map((each) => presentReplica(app, revision, each)) } };
    const replica = replicas.find(({ name }) => name === replicaName);
    if (!replica) throw notFound(app, `Replica '${replicaName}'`);
    return { status: 200, body: presentReplica(app, revision, replica) };
  }
  // What is active already stays as it is, at zero too.
  if (verb === "POST activate" && !revision.active) startRevision(cloud, app, revision, "activation");
  if (verb === "POST deactivate") deactivate(app, revision, resource, now);
  else if (verb === "POST restart") revision.set?.recycle();
  else if (verb !== "POST activate") return undefined;
  if (verb !== "POST deactivate" && !app.truths["actions-do-not-wait"])
    await untilReady(revision, cloud.clock.now, AbortSignal.timeout(readyMillisecondsMax));
  if (verb === "POST activate" && isSingle(app) && revision !== latestOf(app))
    cloud.log(`${revision.name} was activated in Single mode; it gets no traffic`);
  return { status: 200 };
}

function deactivate(app: AppRuntime, revision: Revision, resource: Resource, now: number): void {
  const { truths } = app;
  if (!truths["last-active-may-be-deactivated"] && app.revisions.every((each) => each === revision || !each.active)) {
    throw new ArmError(
      400,
      "ContainerAppOperationError",
      `Revision '${revision.name}' is the last active revision of container app '${app.name}'.`,
    );
  }
  void stopRevision(revision, now);
  if (truths["deactivated-keeps-its-entry"]) return;
  for (const ingress of [app.configuration["ingress"], resource.body["properties"]?.configuration?.ingress] as (
    | Body
    | undefined
  )[]) {
    if (ingress?.["traffic"])
      ingress["traffic"] = (ingress["traffic"] as Body[]).filter(({ revisionName }) => revisionName !== revision.name);
  }
}

const pageSize = 10;

/** Gives a page of the revisions, with the link to the next where there is one. */
function listRevisions(app: AppRuntime, { origin, path, query, apiVersion }: ArmRequest, now: number): ArmReply {
  const from = Number(query.get("$skipToken") ?? 0);
  const to = app.truths["lists-are-paged"] ? from + pageSize : Infinity;
  const nextLink =
    to < app.revisions.length ? { nextLink: `${origin}${path}?api-version=${apiVersion}&$skipToken=${to}` } : {};
  return {
    status: 200,
    body: { value: app.revisions.slice(from, to).map((each) => presentRevision(app, each, now)), ...nextLink },
  };
}
