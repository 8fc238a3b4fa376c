// A control plane on the estate of the dead man's switch, as it is deployed: its PostgreSQL, the workspace that its
// measurements come from, its identity with the roles that it needs, and the release that it moves traffic for.
import pg from "pg";
import type { Strategy } from "../../../engines/rollout/vocabulary.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";
import { eventually } from "../emulator/container-cloud.ts";
import type { Estate } from "./dead-mans-estate.ts";
import { quickStrategy } from "./quick-strategy.ts";

export const planeOrigin = "https://control-plane.estate.westeurope.ballast.localhost";
export const leaseSeconds = 6;
/** A strategy in which the canary has a quarter of the users for half an hour. */
export const quarterStrategy: Strategy = {
  ...quickStrategy,
  weights: [25],
  bakeSeconds: 1_800,
  maximumSeconds: 10_000,
};
const apps = "api-version=2025-07-01";
const roles = { apps: "358470bc-b998-42bd-ab17-a7e34c199c0f", logs: "73c42c96-874c-492b-b04d-ab87d138a893" };
const managedTargets = [{ resourceGroup: "estate", app: "storefront" }];

export interface Workspace {
  readonly id: string;
  readonly customerId: string;
}

/** Starts a PostgreSQL with an empty database for the journal. */
export async function startJournalServer(): Promise<RunningPostgres> {
  const postgres = await startPostgres();
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  await client.query("create database journal");
  await client.end();
  return postgres;
}

/** Creates a workspace that gets these categories of the environment's rows. */
export async function openWorkspace(estate: Estate, ...categories: readonly string[]): Promise<Workspace> {
  const id = `${estate.group}/providers/Microsoft.OperationalInsights/workspaces/estate`;
  const { body } = await estate.ask("PUT", `${id}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  await estate.ask(
    "PUT",
    `${estate.environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`,
    { properties: { workspaceId: id, logs: categories.map((category) => ({ category, enabled: true })) } },
  );
  return { id, customerId: body.properties.customerId };
}

/** What a control plane has beside its database: further variables, and further roles of its identity. */
export interface PlaneExtras {
  readonly variables?: Readonly<Record<string, string>>;
  readonly assignments?: readonly { readonly role: string; readonly scope: string }[];
}

/** Deploys a control plane with the roles that it needs, and waits until it answers. */
export async function deployPlane(
  estate: Estate,
  postgres: RunningPostgres,
  workspace: Workspace,
  { variables = {}, assignments = [] }: PlaneExtras = {},
): Promise<void> {
  const { id, clientId, principalId } = await estate.makeIdentity("control-plane");
  await estate.assign(principalId, roles.apps, estate.group);
  await estate.assign(principalId, roles.logs, workspace.id);
  for (const { role, scope } of assignments) await estate.assign(principalId, role, scope);
  const environment = { ...environmentOf(estate, postgres, workspace, clientId), ...variables };
  await estate.settle("PUT", `${estate.group}/providers/Microsoft.App/containerApps/control-plane?${apps}`, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [id]: {} } },
    properties: {
      managedEnvironmentId: estate.environmentId,
      configuration: { activeRevisionsMode: "Single", ingress: { external: true, targetPort: 8080 } },
      template: {
        containers: [
          {
            name: "control-plane",
            image: "control-plane:1",
            env: Object.entries(environment).map(([name, value]) => ({ name, value })),
          },
        ],
        scale: { minReplicas: 1 },
      },
    },
  });
  await eventually(
    () => healthOf(estate),
    ({ status }) => status === 200,
    30,
  );
}

const environmentOf = (
  { cloud }: Estate,
  postgres: RunningPostgres,
  { customerId }: Workspace,
  clientId: string,
): Readonly<Record<string, string>> => ({
  BALLAST_SUBSCRIPTION: cloud.subscription,
  BALLAST_TENANT: cloud.tenant,
  BALLAST_AUDIENCE: "api://ballast",
  BALLAST_MANAGED_TARGETS: JSON.stringify(managedTargets),
  BALLAST_WORKSPACE: customerId,
  BALLAST_RESOURCE_MANAGER: "https://management.ballast.localhost",
  BALLAST_LOGS: "https://api.loganalytics.ballast.localhost",
  AZURE_AUTHORITY_HOST: "https://login.ballast.localhost",
  AZURE_CLIENT_ID: clientId,
  BALLAST_DATABASE_HOST: postgres.host,
  BALLAST_DATABASE_PORT: String(postgres.port),
  BALLAST_DATABASE_NAME: "journal",
  BALLAST_DATABASE_USER: postgres.user,
  BALLAST_DATABASE_PASSWORD: postgres.password,
  BALLAST_DATABASE_TLS: "disable",
  BALLAST_LEASE_SECONDS: String(leaseSeconds),
  BALLAST_REQUEST_SECONDS: "2",
  BALLAST_INGESTION_SECONDS: "1",
});

/** Asks the control plane for its health, as the dead man's switch does. */
export const healthOf = (estate: Estate) => estate.ask("GET", `${planeOrigin}/health`, undefined, { token: null });

/** Pins the traffic to the existing revision, as a first release does, and gives its name. */
export async function pinTraffic(estate: Estate): Promise<string> {
  const { body } = await estate.ask("GET", `${estate.group}/providers/Microsoft.App/containerApps/storefront?${apps}`);
  const revisionName: string = body.properties.latestRevisionName;
  await estate.setTraffic({ revisionName, weight: 100 });
  return revisionName;
}
