// The routes of the subscription: the subscription itself, its list of resources, the registration of providers, the
// caller's permissions, quotas of environments and cores, the database servers that a region offers, built-in roles,
// and whether a name is free. Registrations are lost with the process.
import { runtimeOf } from "../app/app-runtime.ts";
import { readyReplicas } from "../app/revisions.ts";
import { authorize, builtInRole, permissionsOf } from "../authorization/roles.ts";
import type { Principal } from "../authorization/tokens.ts";
import { ArmError, type ArmReply, type ArmRequest, type Cloud, type ResourceType } from "./resource.ts";
import { groupIdOf } from "./resource-path.ts";

/** The one subscription of the emulator. */
export const subscription = "00000000-0000-0000-0000-0000ba11a57e";

const unregistered = new WeakMap<Cloud, Set<string>>();

/** Answers a request for something of the subscription or of a provider; undefined for any other request. */
export function answerSubscription(
  cloud: Cloud,
  types: readonly ResourceType[],
  { method, path, body }: ArmRequest,
  principal: Principal,
): ArmReply | undefined {
  const [, scope, rest = ""] =
    /^(\/subscriptions\/[^/]+(?:\/resourcegroups\/[^/]+)?)\/providers\/(.+)$/i.exec(path) ?? [];
  if (scope === undefined) return undefined;
  if (method === "GET" && rest.toLowerCase() === "microsoft.authorization/permissions")
    return permissions(cloud, principal, scope);
  if (method === "GET" && /^microsoft\.app\/locations\/[^/]+\/usages$/i.test(rest))
    return { status: 200, body: { value: [environmentUsage(cloud)] } };
  if (method === "GET" && /^microsoft\.dbforpostgresql\/locations\/[^/]+\/capabilities$/i.test(rest))
    return { status: 200, body: { value: [databaseServers] } };
  const [, environment] = /^microsoft\.app\/managedenvironments\/([^/]+)\/usages$/i.exec(rest) ?? [];
  const [, role] = /^microsoft\.authorization\/roledefinitions\/([^/]+)$/i.exec(rest) ?? [];
  if (method === "GET" && environment !== undefined)
    return { status: 200, body: { value: [coreUsage(cloud, path.slice(0, path.lastIndexOf("/")))] } };
  if (method === "GET" && role !== undefined) return roleNamed(role);
  const [namespace = "", verb, ...more] = rest.split("/");
  if (more.length > 0) return undefined;
  if (method === "GET" && verb === undefined) return { status: 200, body: registration(cloud, types, namespace) };
  if (method !== "POST") return undefined;
  switch (verb?.toLowerCase()) {
    case "register":
      unregisteredOf(cloud).delete(namespace.toLowerCase());
      return { status: 200, body: registration(cloud, types, namespace) };
    case "unregister":
      unregisteredOf(cloud).add(namespace.toLowerCase());
      return { status: 200, body: registration(cloud, types, namespace) };
    case "checknameavailability":
      return { status: 200, body: availability(cloud, String(body?.["type"]), String(body?.["name"])) };
    default:
      return undefined;
  }
}

function permissions({ store }: Cloud, principal: Principal, scope: string): ArmReply {
  const group = groupIdOf(scope);
  if (group !== undefined && store.get(group) === undefined)
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group.split("/").at(-1)}' could not be found.`);
  return { status: 200, body: { value: permissionsOf(store, principal, scope) } };
}

function unregisteredOf(cloud: Cloud): Set<string> {
  const known = unregistered.get(cloud) ?? new Set<string>();
  unregistered.set(cloud, known);
  return known;
}

function registration(cloud: Cloud, types: readonly ResourceType[], namespace: string): object {
  const known = types
    .map(({ type }) => type.split("/")[0]!)
    .find((each) => each.toLowerCase() === namespace.toLowerCase());
  if (known === undefined)
    throw new ArmError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
  return {
    namespace: known,
    registrationState: unregisteredOf(cloud).has(namespace.toLowerCase()) ? "NotRegistered" : "Registered",
  };
}

/**
 * The quota of environments in the region, as reported. Azure's number differs by
 * subscription. The emulator enforces none.
 */
const environmentsMax = 20;

function environmentUsage({ store }: Cloud): object {
  const currentValue = store.list().filter(({ type }) => type === "Microsoft.App/managedEnvironments").length;
  return {
    unit: "Count",
    currentValue,
    limit: environmentsMax,
    name: { value: "ManagedEnvironmentCount", localizedValue: "Managed Environment Count" },
  };
}

/** The quota of cores in an environment, as reported. The emulator enforces none. */
const coresMax = 100;

function coreUsage(cloud: Cloud, environmentId: string): object {
  const apps = [...runtimeOf(cloud).apps.values()].filter(
    ({ id }) =>
      cloud.store.get(id)?.body["properties"].managedEnvironmentId?.toLowerCase() === environmentId.toLowerCase(),
  );
  const currentValue = apps
    .flatMap(({ revisions }) => revisions)
    .reduce(
      (sum, revision) =>
        sum + readyReplicas(revision).length * Number(revision.template["containers"][0].resources?.cpu ?? 0.5),
      0,
    );
  return {
    unit: "Count",
    currentValue,
    limit: coresMax,
    name: { value: "ManagedEnvironmentConsumptionCores", localizedValue: "Managed Environment Consumption Cores" },
  };
}

const offered = (
  edition: string,
  haModes: readonly string[],
  ...sizes: readonly (readonly [name: string, vCores: number, memoryPerVcoreMb: number])[]
) => ({
  name: edition,
  status: "Available",
  supportedServerSkus: sizes.map(([name, vCores, supportedMemoryPerVcoreMb]) => ({
    name,
    vCores,
    supportedMemoryPerVcoreMb,
    supportedZones: ["1", "2", "3"],
    supportedHaMode: haModes,
    status: "Available",
  })),
});
/** Some of the sizes that Azure offers. A server of another size is created as well. */
const databaseServers = {
  name: "FlexibleServerCapabilities",
  restricted: "Disabled",
  zoneRedundantHaSupported: "Enabled",
  status: "Available",
  supportedServerEditions: [
    offered(
      "Burstable",
      ["SameZone"],
      ["Standard_B1ms", 1, 2048],
      ["Standard_B2s", 2, 2048],
      ["Standard_B2ms", 2, 4096],
    ),
    offered(
      "GeneralPurpose",
      ["SameZone", "ZoneRedundant"],
      ["Standard_D2ds_v5", 2, 4096],
      ["Standard_D4ds_v5", 4, 4096],
      ["Standard_D8ds_v5", 8, 4096],
    ),
    offered(
      "MemoryOptimized",
      ["SameZone", "ZoneRedundant"],
      ["Standard_E2ds_v5", 2, 8192],
      ["Standard_E4ds_v5", 4, 8192],
    ),
  ],
  supportedServerVersions: ["14", "15", "16", "17", "18"].map((name) => ({ name, status: "Available" })),
};

/** Answers for a built-in role; undefined for a custom one, which is a stored resource. */
function roleNamed(guid: string): ArmReply | undefined {
  const body = builtInRole(guid);
  return body && { status: 200, body };
}

/**
 * Reports whether a name is free. This cloud is all of Azure here, so a name is taken when one of its resources has it.
 */
function availability(cloud: Cloud, type: string, name: string): object {
  const taken = cloud.store
    .list()
    .some(
      (each) =>
        each.type.toLowerCase() === type.toLowerCase() &&
        String(each.body["name"]).toLowerCase() === name.toLowerCase(),
    );
  return taken
    ? { nameAvailable: false, reason: "AlreadyExists", message: `The name ${name} is already in use.` }
    : { nameAvailable: true };
}

/**
 * Answers a path that names no resource: the subscription and its list of resources.
 *
 * @throws ArmError 404 for anything else
 */
export function answerOutsideTypes(
  cloud: Cloud,
  types: readonly ResourceType[],
  request: ArmRequest,
  principal: Principal,
): ArmReply {
  const [, , ...rest] = request.path.split("/").filter((part) => part !== "");
  if (/^\/subscriptions\/[^/]+$/i.test(request.path) && request.method === "GET") {
    authorize(cloud.store, principal, "Microsoft.Resources/subscriptions/read", request.path);
    return {
      status: 200,
      body: {
        id: `/subscriptions/${subscription}`,
        subscriptionId: subscription,
        displayName: "Ballast emulator",
        state: "Enabled",
      },
    };
  }
  if (rest.join("/").toLowerCase() === "resources" && request.method === "GET") {
    authorize(cloud.store, principal, "Microsoft.Resources/subscriptions/resources/read", request.path);
    return {
      status: 200,
      body: {
        value: cloud.store
          .list()
          .filter((each) => each.type !== types[0]!.type)
          .map(({ body: { id, name, type, location, tags } }) => ({ id, name, type, location, tags })),
      },
    };
  }
  throw new ArmError(404, "InvalidRequestUri", `The emulator serves nothing at '${request.method} ${request.path}'.`);
}
