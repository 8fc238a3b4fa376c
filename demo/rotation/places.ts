// The names and addresses of the estate's resources, the API versions by which they are put, and the pace of clients.

/** The app that reads the database. Its image is that of the storefront. */
export const app = "orders";
export const resourceGroup = "sales";
/** How often each client opens a connection. Ten of them together open one about every 20 ms. */
export const everyMilliseconds = 120;

export const versionsOf = {
  app: "2025-07-01",
  server: "2025-08-01",
  workspace: "2023-09-01",
  diagnostics: "2021-05-01-preview",
  component: "2020-02-02",
} as const;

export interface Places {
  readonly group: string;
  readonly environment: string;
  readonly workspace: string;
  /** Where the control planes send their telemetry. */
  readonly component: string;
  readonly server: string;
  readonly app: string;
}

/** Gives the addresses in a subscription. */
export function placesIn(subscription: string): Places {
  const group = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;
  const provided = (type: string, name: string): string => `${group}/providers/${type}/${name}`;
  return {
    group,
    environment: provided("Microsoft.App/managedEnvironments", resourceGroup),
    workspace: provided("Microsoft.OperationalInsights/workspaces", "shop-logs"),
    component: provided("Microsoft.Insights/components", "planes"),
    server: provided("Microsoft.DBforPostgreSQL/flexibleServers", "shop-data"),
    app: provided("Microsoft.App/containerApps", app),
  };
}
