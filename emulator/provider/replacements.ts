// Which properties replace a resource when they change, as azure-native's schema has it. azure-native takes them from
// a table of its own (pulumi/pulumi-azure-native, provider/pkg/gen/replacement.go, commit 1b7112a), which wins, and
// from `x-ms-mutability` in Azure's specifications: what may be created and not updated replaces. The path's
// parameters always do. Its schema itself is part of a binary that is not at hand; the rows of authorization, network
// and resources are those of the table. Those of vaults and event subscriptions are our reading: the specification of
// vaults (315e54b) says nothing of the location, which Azure never changes. That of PostgreSQL is
// Azure/azure-rest-api-specs dd817ad, 2025-08-01/openapi.json.

/** The version of azure-native whose facts these are. */
export const azureNativeVersion = "3.28.0";

/** The properties by token. A property stands for everything below it. */
export const replacements: { readonly [token: string]: readonly string[] } = {
  "azure-native:resources:ResourceGroup": ["location"],
  "azure-native:operationalinsights:Workspace": ["location"],
  "azure-native:app:ManagedEnvironment": ["location", "zoneRedundant"],
  "azure-native:app:ContainerApp": ["location", "managedEnvironmentId", "environmentId"],
  "azure-native:app:Job": ["location", "environmentId"],
  "azure-native:monitor:DiagnosticSetting": [],
  "azure-native:applicationinsights:Component": ["location"],
  "azure-native:applicationinsights:Workbook": ["location"],
  "azure-native:monitor:ActionGroup": ["location"],
  "azure-native:monitor:MetricAlert": ["location"],
  "azure-native:monitor:ScheduledQueryRule": ["location"],
  "azure-native:managedidentity:UserAssignedIdentity": ["location"],
  "azure-native:managedidentity:FederatedIdentityCredential": [],
  "azure-native:keyvault:Vault": ["location"],
  "azure-native:eventgrid:SystemTopic": ["location"],
  "azure-native:eventgrid:SystemTopicEventSubscription": [],
  "azure-native:authorization:RoleDefinition": [],
  "azure-native:authorization:RoleAssignment": ["principalId"],
  "azure-native:containerregistry:Registry": ["location"],
  "azure-native:network:VirtualNetwork": ["location"],
  "azure-native:network:Subnet": [],
  "azure-native:privatedns:PrivateZone": ["location"],
  "azure-native:privatedns:PrivateRecordSet": [],
  "azure-native:privatedns:VirtualNetworkLink": ["location"],
  "azure-native:dbforpostgresql:Server": [
    "location",
    "administratorLogin",
    "sourceServerResourceId",
    "pointInTimeUTC",
    "availabilityZone",
  ],
  "azure-native:dbforpostgresql:Configuration": [],
  "azure-native:dbforpostgresql:Database": [],
  "azure-native:dbforpostgresql:FirewallRule": [],
  "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra": ["principalName", "principalType", "tenantId"],
};
