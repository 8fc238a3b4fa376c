// Requests that Azure refuses, or in which it ignores what was asked for: patches, services of subnets, questions about
// regions and names, and what a type has no method for.
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type Case,
  environmentPath,
  groupPath,
  guid,
  here,
  networkPath,
  own,
  topicPath,
  vaultPath,
  workspacePath,
} from "./refused-case.ts";

const invalid = "InvalidRequestContent";
const identity = "Microsoft.ManagedIdentity/userAssignedIdentities/shop-identity";
const patch = (what: string, code: string, path: string, version: string, body: Body): Case => [
  what,
  code,
  path,
  version,
  body,
  "PATCH",
];

/** Patches that take away what is required, or change what Azure leaves as it is. */
export const patchCases: readonly Case[] = [
  patch("a vault without its tier", invalid, vaultPath, "2024-11-01", { properties: { sku: null } }),
  patch("a vault without the name of its tier", invalid, vaultPath, "2024-11-01", {
    properties: { sku: { name: null } },
  }),
  patch("a vault without its directory", invalid, vaultPath, "2024-11-01", { properties: { tenantId: null } }),
  patch("an identity without a type", invalid, environmentPath, "2025-07-01", {
    identity: { userAssignedIdentities: {} },
  }),
  patch("the short name of an action group", own, groupPath, "2024-10-01-preview", {
    properties: { groupShortName: "other" },
  }),
  patch("whether an action group is enabled, as null", invalid, groupPath, "2024-10-01-preview", {
    properties: { enabled: null },
  }),
  patch("the address space of a network", own, networkPath, "2024-05-01", {
    properties: { addressSpace: { addressPrefixes: ["10.0.0.0/8"] } },
  }),
  patch("the source of a topic", own, topicPath, "2025-02-15", { properties: { source: "/x" } }),
  patch("a federated credential", "HttpMethodNotAllowed", `${identity}/federatedIdentityCredentials/a`, "2023-01-31", {
    properties: { subject: "x" },
  }),
];

const subnet = (what: string, properties: Body): Case => [
  what,
  own,
  `${networkPath}/subnets/wrong`,
  "2024-05-01",
  { properties: { addressPrefix: "10.0.9.0/24", ...properties } },
];
const delegation = (name: string, serviceName: string): Body => ({ name, properties: { serviceName } });
const environment = (what: string, properties: Body): Case => [
  what,
  own,
  "Microsoft.App/managedEnvironments/wrong",
  "2025-07-01",
  { ...here, properties },
];
const setting = (what: string, logs: readonly Body[]): Case => [
  what,
  "BadRequest",
  `${environmentPath}/providers/Microsoft.Insights/diagnosticSettings/wrong`,
  "2021-05-01-preview",
  ({ group }) => ({ properties: { workspaceId: `${group}/providers/${workspacePath}`, logs } }),
];
const registry = (what: string, name: string, properties: Body): Case => [
  what,
  own,
  "Microsoft.ContainerRegistry/registries/shopregistry",
  "2023-01-01-preview",
  { ...here, sku: { name }, properties },
];
const log: Body = { category: "ContainerAppConsoleLogs", enabled: true };

/** Services of subnets, and single fields. */
export const fieldCases: readonly Case[] = [
  subnet("a delegation to no service of Azure", { delegations: [delegation("a", "Microsoft.Banana/trees")] }),
  subnet("two delegations", {
    delegations: [delegation("a", "Microsoft.App/environments"), delegation("b", "Microsoft.App/environments")],
  }),
  subnet("an endpoint of no service", { serviceEndpoints: [{ service: "Microsoft.Banana" }] }),
  subnet("two ways to give a range", { addressPrefixes: ["10.0.8.0/24"] }),
  environment("an infrastructure in a group that exists", { infrastructureResourceGroup: "shop" }),
  environment("an infrastructure in a group of no name", { infrastructureResourceGroup: "bad!" }),
  setting("a category that is there twice", [log, { ...log, category: "containerappconsolelogs" }]),
  registry("a Basic registry that exports nothing", "Basic", { policies: { exportPolicy: { status: "disabled" } } }),
  registry("a public registry that exports nothing", "Premium", { policies: { exportPolicy: { status: "disabled" } } }),
];

const question = (what: string, code: string, provider: string, body: Body): Case => [
  what,
  code,
  `/providers/${provider}/checkNameAvailability`,
  "2024-11-01",
  body,
  "POST",
];
const noRegion = "NoRegisteredProviderFound";
const read = (what: string, code: string, path: string, version = "2025-07-01"): Case => [
  what,
  code,
  path,
  version,
  undefined,
  "GET",
];

/** Questions that have no answer. */
export const questionCases: readonly Case[] = [
  question("whether nothing is free", "BadRequest", "Microsoft.KeyVault", { type: "Microsoft.KeyVault/vaults" }),
  question("whether the name of an app is free in all of Azure", "BadRequest", "Microsoft.KeyVault", {
    name: "shop",
    type: "Microsoft.App/containerApps",
  }),
  question("whether a number is free", invalid, "Microsoft.ContainerRegistry", {
    name: 5,
    type: "Microsoft.ContainerRegistry/registries",
  }),
  question("the name of another provider's type", invalid, "Microsoft.Storage", {
    name: "shop",
    type: "Microsoft.ContainerRegistry/registries",
  }),
  question("a provider that there is not", invalid, "Microsoft.Banana", { name: "a", type: "Microsoft.Banana/trees" }),
  read("the usage of no region", noRegion, "/providers/Microsoft.App/locations/moon/usages"),
  read(
    "the servers of no region",
    noRegion,
    "/providers/Microsoft.DBforPostgreSQL/locations/moon/capabilities",
    "2025-08-01",
  ),
  read("the usage of no environment", "ResourceNotFound", "Microsoft.App/managedEnvironments/none/usages"),
  read(
    "a day that there is not",
    "InvalidApiVersionParameter",
    "/providers/Microsoft.App/locations/westeurope/usages",
    "2025-02-31",
  ),
  read("the usage of a region, of a resource group", noRegion, "Microsoft.App/locations/westeurope/usages"),
  read(
    "alerts of a resource group, in a version that lists those of the subscription alone",
    noRegion,
    "Microsoft.AlertsManagement/alerts",
    "2019-05-05-preview",
  ),
  ...["severity=Sev9", "alertState=Banana", "monitorCondition=Banana", "$skipToken=banana", "$skipToken=-5"].map(
    (ask) => read(`alerts by ${ask}`, own, "/providers/Microsoft.AlertsManagement/alerts", `2019-05-05-preview&${ask}`),
  ),
  read("two versions", "InvalidApiVersionParameter", vaultPath, "2024-11-01&api-version=2024-11-01"),
  [
    "to delete a built-in role",
    own,
    "Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "2022-04-01",
    undefined,
    "DELETE",
  ],
  [
    "a role without permissions",
    own,
    `Microsoft.Authorization/roleDefinitions/${guid(77)}`,
    "2022-04-01",
    ({ group }) => ({ properties: { roleName: "nothing", assignableScopes: [group], permissions: [] } }),
  ],
  ["a metric's dimension that there is not", own, "Microsoft.Insights/metricAlerts/wrong", "2018-03-01", banana],
];

const unlike = (what: string, path: string, version: string, body: Body = here): Case => [
  what,
  own,
  path,
  version,
  body,
];

/** Resources where their type has none. */
export const scopeCases: readonly Case[] = [
  unlike("a workspace in a workspace", `${workspacePath}/providers/${workspacePath}`, "2023-09-01"),
  unlike("a network in a vault", `${vaultPath}/providers/${networkPath}`, "2024-05-01"),
  unlike("an app in no resource group", "/providers/Microsoft.App/containerApps/shop", "2025-07-01"),
  unlike("an identity in no resource group", `/providers/${identity}`, "2023-01-31"),
  read(
    "a list of vaults in an environment",
    own,
    `${environmentPath}/providers/Microsoft.KeyVault/vaults`,
    "2024-11-01",
  ),
  read(
    "a list in a resource group that there is not",
    "ResourceGroupNotFound",
    "/resourceGroups/none/providers/Microsoft.App/containerApps",
  ),
];

function banana({ group }: { readonly group: string }): Body {
  return {
    location: "global",
    properties: {
      ...{ enabled: true, severity: 2, evaluationFrequency: "PT5M", windowSize: "PT5M" },
      scopes: [`${group}/providers/${vaultPath}`],
      criteria: {
        "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        allOf: [
          {
            ...{ name: "c", metricName: "Availability", operator: "LessThan", threshold: 90 },
            ...{ timeAggregation: "Average", criterionType: "StaticThresholdCriterion" },
            dimensions: [{ name: "Banana", operator: "Include", values: ["*"] }],
          },
        ],
      },
    },
  };
}
