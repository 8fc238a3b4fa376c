// Bodies that Azure refuses, of the resource types besides container apps, jobs and those of Azure Monitor, and what is
// there before they are tried.
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type Case,
  environmentPath,
  groupPath,
  guid,
  here,
  idIn,
  listed,
  long,
  type Names,
  networkPath,
  nowhere,
  own,
  topicPath,
  vaultPath,
  workspacePath,
  zonePath,
} from "./refused-case.ts";
import { people } from "./refused-monitor.ts";

const vaultBody = ({ tenant }: Names, more: Body = {}): Body => ({
  ...here,
  properties: { tenantId: tenant, sku: { name: "standard", family: "A" }, ...more },
});
const networkBody = (more: Body = {}): Body => ({
  ...here,
  properties: { addressSpace: { addressPrefixes: ["10.0.0.0/16"] }, ...more },
});
const inSpace = (...addressPrefixes: readonly string[]): Body => networkBody({ addressSpace: { addressPrefixes } });

/** What is there before the cases are tried: path, version and body. */
export const accepted = (names: Names): readonly (readonly [string, string, Body])[] => [
  [workspacePath, "2023-09-01", here],
  [vaultPath, "2024-11-01", vaultBody(names)],
  ["Microsoft.ManagedIdentity/userAssignedIdentities/shop-identity", "2023-01-31", here],
  [groupPath, "2024-10-01-preview", people()],
  [environmentPath, "2025-07-01", { ...here, properties: {} }],
  [networkPath, "2024-05-01", networkBody()],
  [`${networkPath}/subnets/first`, "2024-05-01", { properties: { addressPrefix: "10.0.0.0/24" } }],
  [topicPath, "2025-02-15", topic(names)],
  [zonePath, "2024-06-01", { location: "global" }],
  [
    `${zonePath}/virtualNetworkLinks/first`,
    "2024-06-01",
    { location: "global", properties: { virtualNetwork: { id: idIn(names, networkPath) } } },
  ],
];

const workspaces = (name: string): string => `Microsoft.OperationalInsights/workspaces/${name}`;
const tier = (sku: Body): Body => ({ ...here, properties: { sku } });
const registry = "Microsoft.ContainerRegistry/registries/shopregistry";
const registryBody = (properties: Body, name = "Basic"): Body => ({ ...here, sku: { name }, properties });
const component = (more: Body = {}) => {
  return (names: Names): Body => ({
    ...here,
    kind: "web",
    properties: { Application_Type: "web", WorkspaceResourceId: idIn(names, workspacePath) },
    ...more,
  });
};
const share = (more: Body): Body => ({
  properties: {
    azureFile: { accountName: "account", accountKey: "a2V5", shareName: "share", accessMode: "ReadWrite", ...more },
  },
});
const storage = `${environmentPath}/storages/files`;

/** Workspaces, components, vaults, registries, identities and storages. */
export const otherCases: readonly Case[] = [
  ...["Free", "Standard", "Premium", "PerNode", "Standalone", "LACluster"].map(
    (name): Case => [`a workspace of the tier ${name}`, own, workspaces("tiers"), "2023-09-01", tier({ name })],
  ),
  ["a commitment without a level", own, workspaces("tiers"), "2023-09-01", tier({ name: "CapacityReservation" })],
  [
    "a level that is none",
    own,
    workspaces("tiers"),
    "2023-09-01",
    tier({ name: "CapacityReservation", capacityReservationLevel: 150 }),
  ],
  [
    "a level without a commitment",
    own,
    workspaces("tiers"),
    "2023-09-01",
    tier({ name: "PerGB2018", capacityReservationLevel: 100 }),
  ],
  ["a global workspace", nowhere, workspaces("tiers"), "2023-09-01", { location: "global" }],
  [
    "a global identity",
    nowhere,
    "Microsoft.ManagedIdentity/userAssignedIdentities/elsewhere",
    "2023-01-31",
    { location: "global" },
  ],
  ...[long(261), "dot.", "per%25cent", "question%3Fmark"].map(
    (name): Case => [`a component ${name}`, own, `Microsoft.Insights/components/${name}`, "2020-02-02", component()],
  ),
  ["a global component", nowhere, "Microsoft.Insights/components/a", "2020-02-02", component({ location: "global" })],
  [
    "a vault for an address that is none",
    "BadRequest",
    "Microsoft.KeyVault/vaults/shop-other",
    "2024-11-01",
    (names) => vaultBody(names, { networkAcls: { defaultAction: "Deny", ipRules: [{ value: "banana" }] } }),
  ],
  [
    "a vault for a subnet that is not there",
    "BadRequest",
    "Microsoft.KeyVault/vaults/shop-other",
    "2024-11-01",
    (names) => vaultBody(names, { networkAcls: { defaultAction: "Deny", virtualNetworkRules: [{ id: "/x" }] } }),
  ],
  ["a registry of the tier Classic", own, registry, "2023-01-01-preview", registryBody({}, "Classic")],
  ...[
    { networkRuleSet: { defaultAction: "Deny" } },
    { policies: { retentionPolicy: { status: "enabled", days: 7 } } },
    { policies: { trustPolicy: { status: "enabled", type: "Notary" } } },
    { dataEndpointEnabled: true },
  ].map(
    (properties): Case => [
      `a Basic registry with ${JSON.stringify(properties)}`,
      own,
      registry,
      "2023-01-01-preview",
      registryBody(properties),
    ],
  ),
  [
    "a registry for an address that is none",
    own,
    registry,
    "2023-01-01-preview",
    registryBody({ networkRuleSet: { defaultAction: "Deny", ipRules: [{ value: "10.0.0.0/33" }] } }, "Premium"),
  ],
  ["a share BAD_", own, storage, "2025-07-01", share({ shareName: "BAD_" })],
  ["a key that is no base 64", own, storage, "2025-07-01", share({ accountKey: "%%%" })],
  ["a PATCH of a storage", "HttpMethodNotAllowed", storage, "2025-07-01", share({}), "PATCH"],
];

const roles = "Microsoft.Authorization/roleDefinitions";
const ofRole = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const role =
  (properties: Body) =>
  ({ subscription }: Names): Body => ({
    properties: {
      roleName: "Shop reader",
      type: "CustomRole",
      assignableScopes: [subscription],
      permissions: [{ actions: ["Microsoft.App/*/read"] }],
      ...properties,
    },
  });
const roleCase = (what: string, properties: Body, code = own): Case => [
  what,
  code,
  `${roles}/${guid(1)}`,
  "2022-04-01",
  role(properties),
];
const assignment = ({ subscription, principal }: Names): Body => ({
  properties: { roleDefinitionId: `${subscription}/providers/${roles}/${ofRole}`, principalId: principal },
});
const assignments = "Microsoft.Authorization/roleAssignments";

/** Role definitions and role assignments. */
export const roleCases: readonly Case[] = [
  ["a role whose name is no GUID", own, `${roles}/reader`, "2022-04-01", role({})],
  ["a built-in role", own, `${roles}/${ofRole}`, "2022-04-01", role({})],
  roleCase("a role without a name", { roleName: undefined }),
  roleCase("a role with a long name", { roleName: long(513) }),
  roleCase("a long description", { description: long(2049) }),
  roleCase("the name of a built-in role", { roleName: "AcrPull" }, "RoleDefinitionWithSameNameExists"),
  roleCase("a role that calls itself built in", { type: "BuiltInRole" }),
  ...[[], ["/"], ["banana"], [`/subscriptions/${guid(2)}`]].map((assignableScopes) =>
    roleCase(`a role for ${JSON.stringify(assignableScopes)}`, { assignableScopes }),
  ),
  roleCase("an action that is none", { permissions: [{ actions: ["banana"] }] }, "InvalidActionOrNotAction"),
  roleCase("an action with two wildcards", { permissions: [{ actions: ["Microsoft.App/*/*"] }] }),
  ["an assignment whose name is no GUID", "InvalidRoleAssignmentId", `${assignments}/me`, "2022-04-01", assignment],
  ["a PATCH of an assignment", "HttpMethodNotAllowed", `${assignments}/${guid(3)}`, "2022-04-01", assignment, "PATCH"],
];

function topic(names: Names): Body {
  return { ...here, properties: { source: idIn(names, vaultPath), topicType: "Microsoft.KeyVault.vaults" } };
}
const subscriber =
  (properties: Body, endpoint: Body = {}) =>
  (): Body => ({
    properties: {
      destination: { endpointType: "WebHook", properties: { endpointUrl: "http://127.0.0.1:9/x", ...endpoint } },
      ...properties,
    },
  });
const subscribing = (what: string, code: string, body: () => Body, name = "wrong"): Case => [
  what,
  code,
  `${topicPath}/eventSubscriptions/${name}`,
  "2025-02-15",
  body,
];

/** System topics and event subscriptions. */
export const eventGridCases: readonly Case[] = [
  ...["ab", long(51), "a_bc"].map(
    (name): Case => [`the topic ${name}`, own, `Microsoft.EventGrid/systemTopics/${name}`, "2025-02-15", topic],
  ),
  ...["ab", long(65), "a_bc"].map((name) => subscribing(`the subscription ${name}`, own, subscriber({}), name)),
  subscribing("no destination", "InvalidRequest", () => ({ properties: {} })),
  subscribing("an event type that is none", "InvalidRequest", subscriber({ filter: { includedEventTypes: ["Foo"] } })),
  subscribing("31 attempts", own, subscriber({ retryPolicy: { maxDeliveryAttempts: 31 } })),
  subscribing("no attempt", own, subscriber({ retryPolicy: { maxDeliveryAttempts: 0 } })),
  subscribing("no time to live", own, subscriber({ retryPolicy: { eventTimeToLiveInMinutes: 0 } })),
  subscribing("5001 events in a batch", own, subscriber({}, { maxEventsPerBatch: 5001 })),
  subscribing("a batch of 1025 kB", own, subscriber({}, { preferredBatchSizeInKilobytes: 1025 })),
  subscribing("an end in the past", "InvalidRequest", subscriber({ expirationTimeUtc: "2020-01-01T00:00:00Z" })),
  subscribing("a schema that is none", own, subscriber({ eventDeliverySchema: "Foo" })),
  subscribing(
    "a switch that is a text",
    "InvalidRequestContent",
    subscriber({ filter: { isSubjectCaseSensitive: "yes" } }),
  ),
];

const networkNamed = (name: string): string => `Microsoft.Network/virtualNetworks/${name}`;
const space = (...prefixes: readonly string[]): Case => [
  `the address space ${prefixes.join(", ")}`,
  own,
  networkNamed("wrong"),
  "2024-05-01",
  inSpace(...prefixes),
];
const record = (what: string, properties: Body, name = "www"): Case => [
  what,
  own,
  `${zonePath}/A/${name}`,
  "2024-06-01",
  { properties: { ttl: 60, aRecords: [{ ipv4Address: "10.0.0.4" }], ...properties } },
];

/** Virtual networks, private zones and their records. */
export const networkCases: readonly Case[] = [
  ...["_a", "aa-", "a", long(65)].map(
    (name): Case => [`the network ${name}`, own, networkNamed(name), "2024-05-01", networkBody()],
  ),
  space("10.0.0.0/30"),
  space("128.0.0.0/1"),
  space("10.0.0.0/16", "10.0.1.0/24"),
  space("224.0.0.0/8"),
  space("127.0.0.0/8"),
  space("169.254.0.0/16"),
  space("168.63.129.0/24"),
  [
    "a DNS server that is no address",
    own,
    networkNamed("wrong"),
    "2024-05-01",
    networkBody({ dhcpOptions: { dnsServers: ["banana"] } }),
  ],
  ["protection without a plan", own, networkNamed("wrong"), "2024-05-01", networkBody({ enableDdosProtection: true })],
  ["a global network", nowhere, networkNamed("wrong"), "2024-05-01", { ...networkBody(), location: "global" }],
  [
    "a space without a subnet of the network",
    "NetcfgSubnetRangeOutsideVnet",
    networkPath,
    "2024-05-01",
    inSpace("10.5.0.0/16"),
  ],
  ["a peering", own, `${networkPath}/virtualNetworkPeerings/hub`, "2024-05-01", {}],
  ["a zone that Azure keeps", own, "Microsoft.Network/privateDnsZones/azure.com", "2024-06-01", { location: "global" }],
  ["a zone in a region", nowhere, "Microsoft.Network/privateDnsZones/b.example", "2024-06-01", here],
  [
    "a link without a network",
    own,
    `${zonePath}/virtualNetworkLinks/second`,
    "2024-06-01",
    { location: "global", properties: {} },
  ],
  [
    "a second link of a network",
    own,
    `${zonePath}/virtualNetworkLinks/second`,
    "2024-06-01",
    (names) => ({ location: "global", properties: { virtualNetwork: { id: idIn(names, networkPath) } } }),
  ],
  record("records without a ttl", { ttl: undefined }),
  record("21 records", { aRecords: listed(21, (index) => ({ ipv4Address: `10.0.0.${index + 1}` })) }),
  record("a record twice", { aRecords: listed(2, () => ({ ipv4Address: "10.0.0.4" })) }),
  record("a name with an empty label", {}, "a..b"),
];
