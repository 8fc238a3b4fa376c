// The names and addresses of the estate's resources, the API versions by which they are put, and the pace of clients.

/** The app that reads the database. Its image is that of the storefront. */
export const app = "orders";
export const resourceGroup = "sales";
export const vaultName = "shop-kv";
/** How often each client opens a connection. Ten of them together open one about every 20 ms. */
export const everyMilliseconds = 120;

export const versionsOf = {
  app: "2025-07-01",
  vault: "2024-11-01",
  server: "2025-08-01",
  identity: "2023-01-31",
  workspace: "2023-09-01",
  diagnostics: "2021-05-01-preview",
  role: "2022-04-01",
} as const;

export interface Places {
  readonly group: string;
  readonly environment: string;
  readonly workspace: string;
  readonly server: string;
  readonly vault: string;
  readonly reader: string;
  readonly app: string;
  readonly roleDefinitions: string;
}

/** Gives the addresses in a subscription. */
export function placesIn(subscription: string): Places {
  const group = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;
  const provided = (type: string, name: string): string => `${group}/providers/${type}/${name}`;
  return {
    group,
    environment: provided("Microsoft.App/managedEnvironments", resourceGroup),
    workspace: provided("Microsoft.OperationalInsights/workspaces", "shop-logs"),
    server: provided("Microsoft.DBforPostgreSQL/flexibleServers", "shop-data"),
    vault: provided("Microsoft.KeyVault/vaults", vaultName),
    reader: provided("Microsoft.ManagedIdentity/userAssignedIdentities", "orders-reader"),
    app: provided("Microsoft.App/containerApps", app),
    roleDefinitions: `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions`,
  };
}
