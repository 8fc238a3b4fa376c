// How azure-native 3.28 describes the resource types that the emulator serves: tokens, api-versions, path parameters
// and naming. These are facts from the sources of its npm package.
import { replacements } from "./replacements.ts";

/** One resource of azure-native. */
export interface NativeResource {
  /** `azure-native:<module>:<Name>`; its getter is `azure-native:<module>:get<Name>`. */
  readonly token: string;
  readonly type: string;
  readonly apiVersion: string;
  /** The id, with the SDK's parameters in braces. */
  readonly path: string;
  /**
   * The parameter that the provider names if the program does not: by the name and
   * eight hex digits, a UUID, or the name itself.
   */
  readonly named?: { readonly parameter: string; readonly how: "random" | "uuid" | "copy" };
  /** Properties, besides the path's parameters, whose change replaces the resource. */
  readonly forceNew: readonly string[];
  /** Properties that are lists of ids in the SDK and objects by id on the wire. */
  readonly stringSets?: readonly string[];
  /** Lists whose items have a nested `properties` on the wire, which the SDK flattens into the items. */
  readonly flattened?: readonly string[];
  /**
   * Properties that are resources of their own too. A program that does not set them leaves them to those resources.
   */
  readonly maintained?: readonly string[];
  /** Objects that have a nested `properties` on the wire, likewise. */
  readonly flattenedObjects?: readonly string[];
  /** True when the SDK keeps `properties` nested, as on the wire. */
  readonly nested?: true;
  /** Fields of objects whose name on the wire has a dot, which no SDK's name has. */
  readonly dotted?: { readonly [name: string]: { readonly [field: string]: string } };
  /**
   * The property that a deletion sets back to `default<Property>`, of a resource that always exists: it is created
   * whether or not it is there, and is never deleted (azure-native's provider/pkg/resources/customresources).
   */
  readonly resets?: string;
  /** Properties with another name on the wire, by the SDK's name. */
  readonly renamed?: { readonly [name: string]: string };
}

const inGroup = (type: string, name: string): string =>
  `/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/${type}/{${name}}`;
const network = inGroup("Microsoft.Network/virtualNetworks", "virtualNetworkName");
const zone = inGroup("Microsoft.Network/privateDnsZones", "privateZoneName");
const topic = inGroup("Microsoft.EventGrid/systemTopics", "systemTopicName");
const server = inGroup("Microsoft.DBforPostgreSQL/flexibleServers", "serverName");
const random = (parameter: string) => ({ parameter, how: "random" }) as const;
const copied = (parameter: string) => ({ parameter, how: "copy" }) as const;

const described: readonly Omit<NativeResource, "forceNew">[] = [
  {
    token: "azure-native:resources:ResourceGroup",
    type: "Microsoft.Resources/resourceGroups",
    apiVersion: "2024-03-01",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
    named: random("resourceGroupName"),
    nested: true,
  },
  {
    token: "azure-native:operationalinsights:Workspace",
    type: "Microsoft.OperationalInsights/workspaces",
    apiVersion: "2023-09-01",
    path: inGroup("Microsoft.OperationalInsights/workspaces", "workspaceName"),
    named: random("workspaceName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:app:ManagedEnvironment",
    type: "Microsoft.App/managedEnvironments",
    apiVersion: "2025-02-02-preview",
    path: inGroup("Microsoft.App/managedEnvironments", "environmentName"),
    named: random("environmentName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:app:ContainerApp",
    type: "Microsoft.App/containerApps",
    apiVersion: "2025-02-02-preview",
    path: inGroup("Microsoft.App/containerApps", "containerAppName"),
    named: random("containerAppName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:app:Job",
    type: "Microsoft.App/jobs",
    apiVersion: "2025-02-02-preview",
    path: inGroup("Microsoft.App/jobs", "jobName"),
    named: random("jobName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:monitor:DiagnosticSetting",
    type: "Microsoft.Insights/diagnosticSettings",
    apiVersion: "2021-05-01-preview",
    path: "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    named: copied("name"),
  },
  {
    token: "azure-native:applicationinsights:Component",
    type: "Microsoft.Insights/components",
    apiVersion: "2020-02-02",
    path: inGroup("Microsoft.Insights/components", "resourceName"),
    named: random("resourceName"),
    renamed: Object.fromEntries(
      [
        "ApplicationId",
        "AppId",
        "InstrumentationKey",
        "CreationDate",
        "TenantId",
        "HockeyAppId",
        "HockeyAppToken",
        "SamplingPercentage",
        "ConnectionString",
        "RetentionInDays",
        "DisableIpMasking",
        "ImmediatePurgeDataOn30Days",
        "WorkspaceResourceId",
        "LaMigrationDate",
        "PrivateLinkScopedResources",
        "IngestionMode",
        "DisableLocalAuth",
        "ForceCustomerStorageForProfiler",
      ]
        .map((wire) => [wire[0]!.toLowerCase() + wire.slice(1), wire])
        .concat([
          ["applicationType", "Application_Type"],
          ["flowType", "Flow_Type"],
          ["requestSource", "Request_Source"],
        ]),
    ),
  },
  {
    token: "azure-native:applicationinsights:Workbook",
    type: "Microsoft.Insights/workbooks",
    apiVersion: "2023-06-01",
    path: inGroup("Microsoft.Insights/workbooks", "resourceName"),
    named: { parameter: "resourceName", how: "uuid" },
  },
  {
    token: "azure-native:monitor:ActionGroup",
    type: "Microsoft.Insights/actionGroups",
    apiVersion: "2024-10-01-preview",
    path: inGroup("Microsoft.Insights/actionGroups", "actionGroupName"),
    named: random("actionGroupName"),
  },
  {
    token: "azure-native:monitor:MetricAlert",
    type: "Microsoft.Insights/metricAlerts",
    apiVersion: "2018-03-01",
    path: inGroup("Microsoft.Insights/metricAlerts", "ruleName"),
    named: random("ruleName"),
    dotted: { criteria: { odataType: "odata.type" } },
  },
  {
    token: "azure-native:monitor:ScheduledQueryRule",
    type: "Microsoft.Insights/scheduledQueryRules",
    apiVersion: "2025-01-01-preview",
    path: inGroup("Microsoft.Insights/scheduledQueryRules", "ruleName"),
    named: random("ruleName"),
  },
  {
    token: "azure-native:managedidentity:UserAssignedIdentity",
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    apiVersion: "2023-01-31",
    path: inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"),
    named: random("resourceName"),
  },
  {
    token: "azure-native:managedidentity:FederatedIdentityCredential",
    type: "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    apiVersion: "2023-01-31",
    path:
      `${inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName")}` +
      "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
    named: random("federatedIdentityCredentialResourceName"),
  },
  {
    token: "azure-native:keyvault:Vault",
    type: "Microsoft.KeyVault/vaults",
    apiVersion: "2024-11-01",
    path: inGroup("Microsoft.KeyVault/vaults", "vaultName"),
    named: random("vaultName"),
    nested: true,
  },
  {
    token: "azure-native:eventgrid:SystemTopic",
    type: "Microsoft.EventGrid/systemTopics",
    apiVersion: "2025-02-15",
    path: topic,
    named: random("systemTopicName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:eventgrid:SystemTopicEventSubscription",
    type: "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    apiVersion: "2025-02-15",
    path: `${topic}/eventSubscriptions/{eventSubscriptionName}`,
    named: copied("eventSubscriptionName"),
    flattenedObjects: ["destination", "deadLetterDestination"],
  },
  {
    token: "azure-native:authorization:RoleDefinition",
    type: "Microsoft.Authorization/roleDefinitions",
    apiVersion: "2022-05-01-preview",
    path: "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
    named: { parameter: "roleDefinitionId", how: "uuid" },
    renamed: { roleType: "type" },
  },
  {
    token: "azure-native:authorization:RoleAssignment",
    type: "Microsoft.Authorization/roleAssignments",
    apiVersion: "2022-04-01",
    path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    named: { parameter: "roleAssignmentName", how: "uuid" },
  },
  {
    token: "azure-native:containerregistry:Registry",
    type: "Microsoft.ContainerRegistry/registries",
    apiVersion: "2023-01-01-preview",
    path: inGroup("Microsoft.ContainerRegistry/registries", "registryName"),
    named: random("registryName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:network:VirtualNetwork",
    type: "Microsoft.Network/virtualNetworks",
    apiVersion: "2024-05-01",
    path: network,
    named: random("virtualNetworkName"),
    maintained: ["subnets"],
  },
  {
    token: "azure-native:network:Subnet",
    type: "Microsoft.Network/virtualNetworks/subnets",
    apiVersion: "2024-05-01",
    path: `${network}/subnets/{subnetName}`,
    named: copied("subnetName"),
    flattened: ["delegations"],
  },
  {
    token: "azure-native:privatedns:PrivateZone",
    type: "Microsoft.Network/privateDnsZones",
    apiVersion: "2024-06-01",
    path: zone,
    named: random("privateZoneName"),
  },
  {
    token: "azure-native:privatedns:PrivateRecordSet",
    type: "Microsoft.Network/privateDnsZones/A",
    apiVersion: "2024-06-01",
    path: `${zone}/{recordType}/{relativeRecordSetName}`,
    named: copied("relativeRecordSetName"),
  },
  {
    token: "azure-native:privatedns:VirtualNetworkLink",
    type: "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    apiVersion: "2024-06-01",
    path: `${zone}/virtualNetworkLinks/{virtualNetworkLinkName}`,
    named: copied("virtualNetworkLinkName"),
  },
  {
    token: "azure-native:dbforpostgresql:Server",
    type: "Microsoft.DBforPostgreSQL/flexibleServers",
    apiVersion: "2025-08-01",
    path: server,
    named: random("serverName"),
    stringSets: ["identity.userAssignedIdentities"],
  },
  {
    token: "azure-native:dbforpostgresql:Database",
    type: "Microsoft.DBforPostgreSQL/flexibleServers/databases",
    apiVersion: "2025-08-01",
    path: `${server}/databases/{databaseName}`,
    named: copied("databaseName"),
  },
  {
    token: "azure-native:dbforpostgresql:Configuration",
    type: "Microsoft.DBforPostgreSQL/flexibleServers/configurations",
    apiVersion: "2025-08-01",
    path: `${server}/configurations/{configurationName}`,
    named: copied("configurationName"),
    resets: "value",
  },
  {
    token: "azure-native:dbforpostgresql:FirewallRule",
    type: "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
    apiVersion: "2025-08-01",
    path: `${server}/firewallRules/{firewallRuleName}`,
    named: copied("firewallRuleName"),
  },
  {
    token: "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra",
    type: "Microsoft.DBforPostgreSQL/flexibleServers/administrators",
    apiVersion: "2025-08-01",
    path: `${server}/administrators/{objectId}`,
  },
];

const nativeResources: readonly NativeResource[] = described.map((each) => ({
  ...each,
  forceNew: replacements[each.token]!,
}));

/** Finds a resource by its token. Versioned tokens (`azure-native:app/v20250701:ContainerApp`) are not served. */
export const nativeResourceOf = (token: string): NativeResource | undefined =>
  nativeResources.find((each) => each.token === token);

/** Finds the resource that a getter reads. */
export function nativeResourceOfGetter(token: string): NativeResource | undefined {
  const [, module, name] = /^azure-native:([a-z]+):get([A-Za-z]+)$/.exec(token) ?? [];
  return nativeResourceOf(`azure-native:${module}:${name}`);
}

/** Gives the parameters of a path, except the subscription. */
export const parametersOf = (resource: NativeResource): readonly string[] =>
  [...resource.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).filter((name) => name !== "subscriptionId");
