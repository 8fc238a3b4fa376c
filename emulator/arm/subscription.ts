// The routes that name no stored resource, as a table: the tenant, the subscription with its locations, providers and
// resources, the registration of providers, the caller's permissions, quotas, the database servers that a region
// offers, built-in roles, and whether a name is free. Each is authorised before it is answered. Registrations are
// lost with the process.
import { answerAlerts } from "../alertsmanagement/routes.ts";
import { runtimeOf } from "../app/app-runtime.ts";
import { readyReplicas } from "../app/revisions.ts";
import { authorize, builtInRole, hasRole, permissionsOf } from "../authorization/roles.ts";
import { type Principal, tenant } from "../authorization/tokens.ts";
import { versionsOffered } from "../dbforpostgresql/server-rules.ts";
import { vaultRoutes } from "../keyvault/deleted-vaults.ts";
import { region, regionOf } from "./bodies.ts";
import { listReply } from "./lists.ts";
import { nameAvailability } from "./name-availability.ts";
import { versionsServed } from "./published-types.ts";
import { ArmError, type ArmReply, type ArmRequest, type Body, type Cloud, type ResourceType } from "./resource.ts";
import { groupIdOf, groupNameOf } from "./resource-path.ts";
import { subscription } from "./subscription-id.ts";
import { type Route, underProvider, underSubscription } from "./subscription-route.ts";

const unregistered = new WeakMap<Cloud, Set<string>>();

const one = (body: object | undefined): ArmReply | undefined => body && { status: 200, body };
const ofSubscription = (rest: string): RegExp => new RegExp(`^(/subscriptions/[^/]+)${rest}$`, "i");

const routes: readonly Route[] = [
  {
    method: "GET",
    path: /^()\/subscriptions$/i,
    answer: ({ cloud, principal, request }) => listReply(request, hasRole(cloud, principal) ? [subscriptionBody] : []),
  },
  { method: "GET", path: /^()\/tenants$/i, answer: ({ request }) => listReply(request, [tenantBody]) },
  {
    method: "GET",
    path: /^()\/providers$/i,
    answer: ({ cloud, types, request }) => listReply(request, registrations(cloud, types)),
  },
  {
    method: "GET",
    path: ofSubscription(""),
    action: "Microsoft.Resources/subscriptions/read",
    answer: () => one(subscriptionBody),
  },
  {
    method: "GET",
    path: ofSubscription("/locations"),
    action: "Microsoft.Resources/subscriptions/locations/read",
    answer: ({ request }) => listReply(request, [locationBody]),
  },
  {
    method: "GET",
    path: ofSubscription("/providers"),
    action: "Microsoft.Resources/subscriptions/providers/read",
    answer: ({ cloud, types, request }) => listReply(request, registrations(cloud, types)),
  },
  {
    method: "GET",
    path: ofSubscription("/resources"),
    action: "Microsoft.Resources/subscriptions/resources/read",
    answer: ({ cloud, types, request }) => listResources(cloud, request, undefined, types[0]!.type),
  },
  {
    method: "GET",
    path: underProvider("Microsoft.Authorization/permissions"),
    answer: ({ cloud, principal, scope }) => permissions(cloud, principal, scope),
  },
  {
    method: "GET",
    path: underSubscription("Microsoft.App/locations/([^/]+)/usages"),
    action: "Microsoft.App/locations/usages/read",
    answer: ({ cloud, request, parts: [location] }) => {
      requireRegion(location!, "Microsoft.App/locations/usages");
      return listReply(request, [environmentUsage(cloud)]);
    },
  },
  {
    method: "GET",
    path: underProvider("Microsoft.App/managedEnvironments/([^/]+)/usages"),
    action: "Microsoft.App/managedEnvironments/usages/read",
    answer: ({ cloud, request, parts: [name] }) => {
      const environmentId = request.path.slice(0, request.path.lastIndexOf("/"));
      if (!cloud.store.get(environmentId))
        throw new ArmError(404, "ResourceNotFound", `The managed environment '${name}' was not found.`);
      return listReply(request, [coreUsage(cloud, environmentId)]);
    },
  },
  {
    method: "GET",
    path: underSubscription("Microsoft.DBforPostgreSQL/locations/([^/]+)/capabilities"),
    action: "Microsoft.DBforPostgreSQL/locations/capabilities/read",
    answer: ({ request, parts: [location] }) => {
      requireRegion(location!, "Microsoft.DBforPostgreSQL/locations/capabilities");
      return listReply(request, [databaseServers]);
    },
  },
  {
    method: "GET",
    path: underProvider("Microsoft.Authorization/roleDefinitions/([^/]+)"),
    action: "Microsoft.Authorization/roleDefinitions/read",
    answer: ({ parts: [guid] }) => one(builtInRole(guid!)),
  },
  {
    method: "GET",
    path: underSubscription("Microsoft.AlertsManagement/alerts(?:/(.+))?"),
    action: "Microsoft.AlertsManagement/alerts/read",
    answer: ({ cloud, request, parts: [rest] }) => answerAlerts(cloud, request, rest?.split("/") ?? []),
  },
  {
    method: "POST",
    path: underSubscription("Microsoft.AlertsManagement/alerts/(.+)"),
    action: "Microsoft.AlertsManagement/alerts/changestate/action",
    answer: ({ cloud, request, parts: [rest] }) => answerAlerts(cloud, request, rest?.split("/") ?? []),
  },
  {
    method: "GET",
    path: underSubscription("([^/]+)"),
    action: "Microsoft.Resources/subscriptions/providers/read",
    answer: ({ cloud, types, parts: [namespace] }) => one(registration(cloud, types, namespace!)),
  },
  {
    method: "POST",
    path: underSubscription("([^/]+)/register"),
    action: "*/register/action",
    answer: ({ cloud, types, parts: [namespace] }) => {
      unregisteredOf(cloud).delete(namespace!.toLowerCase());
      return one(registration(cloud, types, namespace!));
    },
  },
  {
    method: "POST",
    path: underSubscription("([^/]+)/unregister"),
    action: "*/unregister/action",
    answer: ({ cloud, types, parts: [namespace] }) => {
      unregisteredOf(cloud).add(namespace!.toLowerCase());
      return one(registration(cloud, types, namespace!));
    },
  },
  ...vaultRoutes,
  nameAvailability,
];

/**
 * Answers a request for something that is no stored resource; undefined for any other request.
 *
 * @throws ArmError 403 when the caller may not see or do it, 400 for an api-version that is no date
 */
export function answerSubscription(
  cloud: Cloud,
  types: readonly ResourceType[],
  request: ArmRequest,
  principal: Principal,
): ArmReply | undefined {
  for (const { method, path, action, answer } of routes) {
    const found = method === request.method ? path.exec(request.path) : null;
    if (!found) continue;
    const [, scope = "", ...parts] = found;
    // A namespace in an action is that of the path, as in `Microsoft.App/register/action`.
    if (action) authorize(cloud, principal, action.replace(/^\*(?=\/)/, parts[0] ?? "*"), scope);
    requireDate(request.apiVersion);
    const reply = answer({ cloud, types, request, principal, scope, parts });
    if (reply) return reply;
  }
  return undefined;
}

/** Refuses a location that is no region of this cloud. @throws ArmError 400 */
function requireRegion(location: string, type: string): void {
  if (regionOf(location) === region) return;
  throw new ArmError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for location '${location}' for type '${type}'. ` +
      `The supported locations are '${region}'.`,
  );
}

/** Refuses an api-version that is no date. @throws ArmError 400 */
function requireDate(apiVersion: string): void {
  const [, day = ""] = /^(20\d\d-\d\d-\d\d)(-preview)?$/i.exec(apiVersion) ?? [];
  if (Number.isFinite(Date.parse(day)) && new Date(day).toISOString().startsWith(day)) return;
  throw new ArmError(
    400,
    "InvalidApiVersionParameter",
    `The api-version '${apiVersion}' is invalid. An api-version is a date, with '-preview' if it is one.`,
  );
}

const subscriptionBody = {
  id: `/subscriptions/${subscription}`,
  subscriptionId: subscription,
  tenantId: tenant,
  displayName: "Ballast emulator",
  state: "Enabled",
  authorizationSource: "RoleBased",
  subscriptionPolicies: { locationPlacementId: "Public_2014-09-01", quotaId: "Emulator", spendingLimit: "Off" },
};
const tenantBody = {
  id: `/tenants/${tenant}`,
  tenantId: tenant,
  displayName: "Ballast emulator",
  defaultDomain: "ballast.localhost",
  domains: ["ballast.localhost"],
  tenantType: "AAD",
};
const locationBody = {
  id: `/subscriptions/${subscription}/locations/${region}`,
  name: region,
  type: "Region",
  displayName: "West Europe",
  regionalDisplayName: "(Europe) West Europe",
  metadata: { regionType: "Physical", regionCategory: "Recommended", geographyGroup: "Europe" },
};

/** Lists resources, of a resource group or of the subscription, with the filters that clients send. */
export const listResources = (
  { store }: Cloud,
  request: ArmRequest,
  below: string | undefined,
  groupType?: string,
): ArmReply =>
  listReply(
    request,
    store
      .list(below)
      .filter((each) => each.type !== groupType)
      .map(({ body: { id, name, type, location, tags, systemData, properties } }) => ({
        id,
        name,
        type,
        location,
        tags,
        createdTime: systemData?.createdAt,
        changedTime: systemData?.lastModifiedAt,
        provisioningState: properties?.provisioningState,
      })),
    {
      expands: ["createdTime", "changedTime", "provisioningState"],
      filters: {
        resourceType: ({ type }) => type,
        name: ({ name }) => name,
        location: ({ location }) => location,
        resourceGroup: ({ id }) => groupNameOf(id),
      },
    },
  );

function permissions(cloud: Cloud, principal: Principal, scope: string): ArmReply {
  const group = groupIdOf(scope);
  if (group !== undefined && cloud.store.get(group) === undefined)
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group.split("/").at(-1)}' could not be found.`);
  return { status: 200, body: { value: permissionsOf(cloud, principal, scope) } };
}

function unregisteredOf(cloud: Cloud): Set<string> {
  const known = unregistered.get(cloud) ?? new Set<string>();
  unregistered.set(cloud, known);
  return known;
}

/** Gives every namespace that is served. */
const registrations = (cloud: Cloud, types: readonly ResourceType[]): readonly Body[] =>
  [...new Set(types.map(({ type }) => type.split("/")[0]!))].map((each) => registration(cloud, types, each));

function registration(cloud: Cloud, types: readonly ResourceType[], namespace: string): Body {
  const known = types
    .map(({ type }) => type.split("/")[0]!)
    .find((each) => each.toLowerCase() === namespace.toLowerCase());
  if (known === undefined)
    throw new ArmError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
  return {
    id: `/subscriptions/${subscription}/providers/${known}`,
    namespace: known,
    registrationState: unregisteredOf(cloud).has(namespace.toLowerCase()) ? "NotRegistered" : "Registered",
    registrationPolicy: "RegistrationRequired",
    resourceTypes: types
      .filter(({ type }) => type.startsWith(`${known}/`))
      .map(({ type, apiVersions }) => ({
        resourceType: type.slice(known.length + 1),
        locations: ["West Europe"],
        apiVersions: [...versionsServed(type, apiVersions)].sort().reverse(),
      })),
  };
}

/**
 * The quota of environments in the region, as reported. Azure's number differs by
 * subscription. The emulator enforces none.
 */
const environmentsMax = 20;

function environmentUsage({ store }: Cloud): Body {
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

function coreUsage(cloud: Cloud, environmentId: string): Body {
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
  supportedServerVersions: versionsOffered.map((name) => ({ name, status: "Available" })),
};
