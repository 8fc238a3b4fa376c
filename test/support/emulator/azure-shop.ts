// An emulator cloud with one shop, and the Azure adapters' own connection to it, for the adapters' tests. Requests of
// the tests themselves are raw, since the SDK adds defaults that hide the values on the wire.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { httpsAgent, parseConnectTo } from "../../../connect-to.ts";
import { type Connection, type ConnectionSettings, connect } from "../../../controlplane/adapters/azure/connection.ts";
import type { EmulatorOptions } from "../../../emulator/arm/resource.ts";
import { type RunningEmulator, startEmulator } from "../../../emulator/start.ts";
import { appWrites } from "./app-writes.ts";
import { send } from "./cloud.ts";

export const requestSeconds = 1;
export const target = { resourceGroup: "shop", app: "storefront" };

/** One entry of the traffic, as on the wire. */
export interface Entry {
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly weight: number;
  readonly label?: string;
}

export interface Shop {
  readonly cloud: RunningEmulator;
  readonly connection: Connection;
  readonly settings: ConnectionSettings;
  /** The workspace's customer id. */
  readonly workspace: string;
  readonly arm: (
    method: string,
    path: string,
    body?: unknown,
    version?: string,
  ) => Promise<{ readonly status: number; readonly body: any }>;
  /** Puts a release of an app and gives its revision's name once it is ready. */
  readonly release: (
    name: string,
    traffic: readonly Entry[],
    app?: string,
    variables?: Readonly<Record<string, string>>,
  ) => Promise<string>;
  /** Gives the app as on the wire. */
  readonly app: () => Promise<any>;
  /** Replaces the emulator's faults. */
  readonly fault: (...faults: readonly object[]) => Promise<void>;
  /** Gives the writes on container apps since the last call, as `METHOD last/segments status`. */
  readonly writes: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/**
 * Starts the cloud, in this process by default, and creates the group and an environment whose logs go to a workspace.
 */
export async function openShop(
  start: (options: EmulatorOptions) => Promise<RunningEmulator> = startEmulator,
): Promise<Shop> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ballast-shop-"));
  const cloud = await start({ folder, images: { storefront: { folder: "examples/storefront", entry: "main.ts" } } });
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(cloud.caFile, "utf8")]);
  const connectTo = cloud.environment["BALLAST_CONNECT_TO"]!;
  const settings = settingsOf(cloud);
  const connection = connect(settings, connectTo);
  const agent = httpsAgent(parseConnectTo(connectTo));
  const arm: Shop["arm"] = async (method, to, body, version = "2025-07-01") => {
    const token = (await connection.credential.getToken(`${settings.resourceManager}/.default`))!.token;
    return send(
      agent,
      method,
      `${settings.resourceManager}${to}${to.startsWith("/_emulator") ? "" : `?api-version=${version}`}`,
      { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body === undefined ? undefined : JSON.stringify(body),
    );
  };
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/shop`;
  const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/shop`;
  const idOf = (app: string): string => `${group}/providers/Microsoft.App/containerApps/${app}`;
  await createEnvironment(arm, group, environmentId, workspaceId);
  const workspace = (await arm("GET", workspaceId, undefined, "2023-09-01")).body.properties.customerId as string;
  const release: Shop["release"] = (name, traffic, app = target.app, variables = {}) =>
    putRelease(arm, idOf(app), environmentId, name, { traffic, variables });
  return {
    cloud,
    connection,
    settings,
    workspace,
    arm,
    release,
    app: async () => (await arm("GET", idOf(target.app))).body,
    fault: async (...faults) => void (await arm("POST", "/_emulator/faults", { faults })),
    writes: appWrites(arm),
    close: async () => {
      connection.close();
      agent.destroy();
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gives the settings by which the adapters reach the cloud. */
const settingsOf = (cloud: RunningEmulator): ConnectionSettings => ({
  subscription: cloud.subscription,
  tenant: cloud.tenant,
  resourceManager: `https://management.${cloud.suffix}`,
  logs: `https://api.loganalytics.${cloud.suffix}`,
  authority: `https://login.${cloud.suffix}`,
  clientId: cloud.client.id,
  clientSecret: cloud.client.secret,
  requestSeconds,
});

/** Creates the group, the workspace, and the environment whose request rows go to it. */
async function createEnvironment(
  arm: Shop["arm"],
  group: string,
  environmentId: string,
  workspaceId: string,
): Promise<void> {
  await arm("PUT", group, { location: "westeurope" }, "2024-03-01");
  await arm("PUT", workspaceId, { location: "westeurope", properties: {} }, "2023-09-01");
  await arm("PUT", environmentId, {
    location: "westeurope",
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await arm(
    "PUT",
    `${environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs`,
    { properties: { workspaceId, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
    "2021-05-01-preview",
  );
}

/** Puts a release and waits until it is ready; gives its revision's name. */
async function putRelease(
  arm: Shop["arm"],
  id: string,
  environmentId: string,
  name: string,
  { traffic, variables }: { readonly traffic: readonly Entry[]; readonly variables: Readonly<Record<string, string>> },
): Promise<string> {
  const body = {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environmentId,
      configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080, traffic } },
      template: template(name, variables),
    },
  };
  let accepted = false; // Retried, since a fault or a restart of the cloud may hit this write too.
  for (
    const deadline = performance.now() + 60_000;
    performance.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 50))
  ) {
    accepted ||= ((await arm("PUT", id, body).catch(() => undefined))?.status ?? 503) < 300;
    const { provisioningState, latestRevisionName, latestReadyRevisionName } =
      (await arm("GET", id).catch(() => undefined))?.body?.properties ?? {};
    if (accepted && provisioningState === "Succeeded" && latestRevisionName === latestReadyRevisionName)
      return latestRevisionName;
  }
  throw new Error(`release ${name} never became ready`);
}

const template = (release: string, variables: Readonly<Record<string, string>>) => ({
  containers: [
    {
      name: "storefront",
      image: `registry.example/storefront:${release}`,
      env: Object.entries({ RELEASE: release, FAULT: release === "hangs" ? "hang" : "none", ...variables }).map(
        ([key, value]) => ({ name: key, value }),
      ),
      probes: [{ type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 }],
    },
  ],
  scale: { minReplicas: 1, maxReplicas: 1 },
});
