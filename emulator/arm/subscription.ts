// What Resource Manager answers of a subscription beside its resources: which providers are registered, what the caller may do at a resource
// group, how many environments a region takes and how many cores an environment, which database servers a region offers, the roles that Azure itself has, and whether a name that all of Azure shares is free. Registrations are forgotten with the process; whoever may do what is in roles.ts.

import { runtimeOf } from "../app/app-runtime.ts";
import { readyReplicas } from "../app/revisions.ts";
import { builtInRole, permissionsOf } from "../authorization/roles.ts";
import type { Principal } from "../authorization/tokens.ts";
import { ArmError, type ArmReply, type ArmRequest, type Cloud, type ResourceKind } from "./resource.ts";
import { groupIdOf } from "./resource-path.ts";

const unregistered = new WeakMap<Cloud, Set<string>>();

/** Answers what belongs to the subscription itself; undefined where the request is about something else. */
export function answerSubscription(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
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
  if (method === "GET" && verb === undefined) return { status: 200, body: registration(cloud, kinds, namespace) };
  if (method !== "POST") return undefined;
  switch (verb?.toLowerCase()) {
    case "register":
      unregisteredOf(cloud).delete(namespace.toLowerCase());
      return { status: 200, body: registration(cloud, kinds, namespace) };
    case "unregister":
      unregisteredOf(cloud).add(namespace.toLowerCase());
      return { status: 200, body: registration(cloud, kinds, namespace) };
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

function registration(cloud: Cloud, kinds: readonly ResourceKind[], namespace: string): object {
  const known = kinds
    .map(({ type }) => type.split("/")[0]!)
    .find((each) => each.toLowerCase() === namespace.toLowerCase());
  if (known === undefined)
    throw new ArmError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
  return {
    namespace: known,
    registrationState: unregisteredOf(cloud).has(namespace.toLowerCase()) ? "NotRegistered" : "Registered",
  };
}

/** How many environments a subscription may have in the one region. Azure's own number differs from subscription to subscription; none is refused here for it. */
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

/** How many cores all replicas of an environment may have. Nothing is refused here for it either. */
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
/** Some of what Azure offers; a server of another size is made all the same. */
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

/** What somebody made lies in the store, and is answered from there. */
function roleNamed(guid: string): ArmReply | undefined {
  const body = builtInRole(guid);
  return body && { status: 200, body };
}

/** One cloud is all of Azure here: a name is taken where one of its resources has it. */
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
