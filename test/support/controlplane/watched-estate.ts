// The estate of the dead man's switch with a control plane that sends telemetry, users who never stop, and queries of
// the alerts' rules. A minute of a rule's window is a second here: what Azure gets each minute is reported each second.
import pg from "pg";
import type { Alert } from "../../../components/platform/alerts.ts";
import { defaultStrategy } from "../../../engines/rollout/plan.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";
import { eventually } from "../emulator/container-cloud.ts";
import { type Estate, openEstate } from "./dead-mans-estate.ts";

export type Row = Readonly<Record<string, any>>;

export interface WatchedEstate extends Estate {
  readonly postgres: RunningPostgres;
  readonly stable: string;
  readonly canary: string;
  /** The connection string and the identity that apps send as. */
  readonly sender: { readonly connectionString: string; readonly identity: string };
  /** Runs a query, over all rows or over the latest seconds. */
  readonly query: (text: string, seconds?: number) => Promise<readonly Row[]>;
  /** Gives the rows for which an alert's rule would fire now. */
  readonly firing: (alert: Alert) => Promise<readonly Row[]>;
  /** Calls the control plane. */
  readonly plane: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<{ readonly status: number; readonly body: any }>;
  /** Ensures a rollout under way in which the canary has a quarter of the users. */
  readonly inMidCanary: () => Promise<void>;
  readonly signalPlane: (signal: string) => Promise<void>;
}

export const leaseSeconds = 6;
/** The secret part of a notifier's address. */
export const notifierSecret = "only-slack-knows-this-part";
const origin = "https://control-plane.estate.westeurope.ballast.localhost";
const apps = "api-version=2025-07-01";
const insights = "providers/Microsoft.Insights";
const roles = {
  apps: "358470bc-b998-42bd-ab17-a7e34c199c0f",
  logs: "73c42c96-874c-492b-b04d-ab87d138a893",
  publisher: "3913510d-42f4-4e42-8a64-420c390055eb",
};
export const strategy = {
  ...defaultStrategy,
  weights: [25],
  bakeSeconds: 1_800,
  warmUpSeconds: 0,
  intervalSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 10,
  maximumSeconds: 10_000,
};
export const thresholds = {
  falseRollbackPercentMax: 5,
  falsePromotionPercentMax: 5,
  oddsTolerated: 1.5,
  slowdownTolerated: 10,
  failurePointsMax: 20,
  ceilingPercent: 50,
  ceilingRequests: 1000,
  stableFailurePercentMax: 20,
  probeFailuresMax: 1000,
};

/** Starts the estate, up to a control plane that answers and reports. Nothing is released yet. */
export async function openWatchedEstate(everyMilliseconds = 1000): Promise<WatchedEstate> {
  const [estate, postgres] = await Promise.all([openEstate(), startPostgres()]);
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  await client.query("create database journal");
  await client.end();
  const workspaceId = `${estate.group}/providers/Microsoft.OperationalInsights/workspaces/estate`;
  const { body: workspace } = await estate.ask("PUT", `${workspaceId}?api-version=2023-09-01`, {
    location: "westeurope",
    properties: {},
  });
  const customerId: string = workspace.properties.customerId;
  const logs = ["ContainerAppHTTPLogs", "ContainerAppConsoleLogs"].map((category) => ({ category, enabled: true }));
  await estate.ask(
    "PUT",
    `${estate.environmentId}/${insights}/diagnosticSettings/logs?api-version=2021-05-01-preview`,
    { properties: { workspaceId, logs } },
  );
  const { body: component } = await estate.ask(
    "PUT",
    `${estate.group}/${insights}/components/telemetry?api-version=2020-02-02`,
    {
      location: "westeurope",
      kind: "web",
      properties: { Application_Type: "web", WorkspaceResourceId: workspaceId, DisableLocalAuth: true },
    },
  );
  const connectionString: string = component.properties.ConnectionString;
  const identity = await estate.makeIdentity("control-plane");
  const sender = await estate.makeIdentity("telemetry");
  await estate.assign(identity.principalId, roles.apps, estate.group);
  await estate.assign(identity.principalId, roles.logs, workspaceId);
  for (const { principalId } of [identity, sender]) await estate.assign(principalId, roles.publisher, component.id);
  const variables = {
    BALLAST_SUBSCRIPTION: estate.cloud.subscription,
    BALLAST_TENANT: estate.cloud.tenant,
    BALLAST_AUDIENCE: "api://ballast",
    BALLAST_MANAGED_TARGETS: '[{"resourceGroup":"estate","app":"storefront"}]',
    BALLAST_WORKSPACE: customerId,
    BALLAST_RESOURCE_MANAGER: "https://management.ballast.localhost",
    BALLAST_LOGS: "https://api.loganalytics.ballast.localhost",
    AZURE_AUTHORITY_HOST: "https://login.ballast.localhost",
    AZURE_CLIENT_ID: identity.clientId,
    BALLAST_DATABASE_HOST: postgres.host,
    BALLAST_DATABASE_PORT: String(postgres.port),
    BALLAST_DATABASE_NAME: "journal",
    BALLAST_DATABASE_USER: postgres.user,
    BALLAST_DATABASE_PASSWORD: postgres.password,
    BALLAST_DATABASE_TLS: "disable",
    BALLAST_LEASE_SECONDS: String(leaseSeconds),
    BALLAST_REQUEST_SECONDS: "2",
    BALLAST_INGESTION_SECONDS: "1",
    APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
    OTEL_METRIC_EXPORT_INTERVAL: String(everyMilliseconds),
    BALLAST_NOTIFY: JSON.stringify({ slackUrl: `https://127.0.0.1:2/services/${notifierSecret}` }), // nobody is there
  };
  await estate.settle("PUT", `${estate.group}/providers/Microsoft.App/containerApps/control-plane?${apps}`, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } },
    properties: {
      managedEnvironmentId: estate.environmentId,
      configuration: { activeRevisionsMode: "Single", ingress: { external: true, targetPort: 8080 } },
      template: {
        containers: [
          {
            name: "control-plane",
            image: "control-plane:1",
            env: Object.entries(variables).map(([name, value]) => ({ name, value })),
          },
        ],
        scale: { minReplicas: 1 },
      },
    },
  });
  await eventually(
    () => estate.ask("GET", `${origin}/health`, undefined, { token: null }),
    ({ status }) => status === 200,
    30,
  );
  const stable = await pin(estate);
  const canary = await estate.release({ RELEASE: "2" });
  const [token, queryToken] = [
    await estate.tokenFor("api://ballast"),
    await estate.tokenFor("https://api.loganalytics.ballast.localhost"),
  ];
  const plane: WatchedEstate["plane"] = (method, path, body) => estate.ask(method, `${origin}${path}`, body, { token });
  const query: WatchedEstate["query"] = async (text, seconds) => {
    const { status, body } = await estate.ask(
      "POST",
      `https://api.loganalytics.ballast.localhost/v1/workspaces/${customerId}/query`,
      { query: text, ...(seconds === undefined ? {} : { timespan: `PT${seconds}S` }) },
      { token: queryToken },
    );
    if (status !== 200) throw new Error(JSON.stringify(body));
    const { columns, rows } = body.tables[0];
    return rows.map((row: unknown[]) =>
      Object.fromEntries(columns.map(({ name }: { name: string }, index: number) => [name, row[index]])),
    );
  };
  const rollout = `/rollouts/estate/storefront/${canary}`;
  return {
    ...estate,
    postgres,
    stable,
    canary,
    sender: { connectionString, identity: sender.id },
    plane,
    query,
    firing: (alert) => query(alert.query, alert.windowMinutes),
    inMidCanary: async () => {
      const shown = await plane("GET", rollout);
      if (shown.status === 404)
        await plane("PUT", rollout, { release: "2", strategy, thresholds, probePath: "/health/ready" });
      else if (shown.body.phase === "finished")
        await plane("POST", `${rollout}/signals`, { signal: "retry", reason: "once more" });
      await eventually(
        () => estate.traffic(),
        (entries) => entries.some(({ revisionName, weight }) => revisionName === canary && weight === 25),
        40,
      );
    },
    signalPlane: async (signal) => void (await estate.ask("POST", "/_emulator/kill", { app: "control-plane", signal })),
    close: async () => {
      await estate.close();
      await postgres.stop();
    },
  };
}

/** Pins the traffic to the existing revision, as a first release does, and gives its name. */
async function pin(estate: Estate): Promise<string> {
  const { body } = await estate.ask("GET", `${estate.group}/providers/Microsoft.App/containerApps/storefront?${apps}`);
  const revisionName: string = body.properties.latestRevisionName;
  await estate.setTraffic({ revisionName, weight: 100 });
  return revisionName;
}

/** A few concurrent users of an app who never stop until told. */
export function usersOf(estate: Pick<Estate, "ask">, app: string): { readonly end: () => Promise<void> } {
  let over = false;
  const asking = Promise.all(
    Array.from({ length: 3 }, async () => {
      while (!over) {
        await estate
          .ask("GET", `https://${app}.estate.westeurope.ballast.localhost/products/1`, undefined, { token: null })
          .catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
  return {
    end: async () => {
      over = true;
      await asking;
    },
  };
}
