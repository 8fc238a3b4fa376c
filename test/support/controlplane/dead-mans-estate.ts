// An emulator with a storefront, and the dead man's switch as it is deployed: its own identity, a role with the actions
// that a test chooses, and a job that runs the real code. The test chooses the heartbeat that it listens for.
import { switchActions } from "../../../components/platform/dead-mans-switch.ts";
import { images } from "../../../demo/ground.ts";
import { appWrites } from "../emulator/app-writes.ts";
import { type CloudForTests, management, startCloudForTests } from "../emulator/cloud.ts";
import { eventually } from "../emulator/container-cloud.ts";

export interface Entry {
  readonly revisionName: string;
  readonly weight: number;
  readonly label?: string;
}

/** One run of the job: its status on the platform, and its log. */
export interface Run {
  readonly status: string;
  readonly lines: readonly any[];
}

export interface Estate extends Pick<CloudForTests, "ask" | "settle" | "tokenFor"> {
  readonly cloud: CloudForTests["cloud"];
  readonly group: string;
  readonly environmentId: string;
  readonly domain: string;
  /** Releases an app and gives the revision's name once it is ready, or once it exists if it will never be ready. */
  readonly release: (variables: Readonly<Record<string, string>>, app?: string) => Promise<string>;
  readonly traffic: (app?: string) => Promise<readonly Entry[]>;
  readonly setTraffic: (...entries: readonly Entry[]) => Promise<void>;
  readonly revision: (name: string, action?: "activate" | "deactivate") => Promise<any>;
  readonly fault: (...faults: readonly object[]) => Promise<void>;
  /** Gives the writes to apps since the last call, as `METHOD last/segments status`. */
  readonly writes: () => Promise<readonly string[]>;
  readonly makeIdentity: (
    name: string,
  ) => Promise<{ readonly id: string; readonly clientId: string; readonly principalId: string }>;
  /** Assigns a role to an identity at a scope, once. */
  readonly assign: (principalId: string, role: string, scope: string) => Promise<void>;
  /** Sets the actions of the switch's role, at the storefront. */
  readonly allow: (actions: readonly string[]) => Promise<void>;
  /** Creates the job. It runs by its schedule, which fits no minute unless a test gives one. */
  readonly putSwitch: (variables: Readonly<Record<string, string>>, cron?: string, image?: string) => Promise<void>;
  readonly start: () => Promise<string>;
  readonly executions: () => Promise<
    readonly { readonly name: string; readonly properties: { readonly status: string } }[]
  >;
  readonly ended: (execution: string) => Promise<Run>;
  readonly linesOf: (execution: string) => Promise<readonly any[]>;
  readonly run: () => Promise<Run>;
  readonly close: () => Promise<void>;
}

const apps = "api-version=2025-07-01";
const authorization = "providers/Microsoft.Authorization";
const roleName = "00000000-0000-4000-8000-00000000dead";
const place = { location: "westeurope" };

/** Starts the estate with the storefront's first release. `more` are images beside those of the demo. */
export async function openEstate(more: typeof images | object = {}): Promise<Estate> {
  const at = await startCloudForTests({ images: { ...images, ...more } });
  const { ask, settle } = at;
  const subscription = `/subscriptions/${at.cloud.subscription}`;
  const group = `${subscription}/resourceGroups/estate`;
  const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/estate`;
  const job = `${group}/providers/Microsoft.App/jobs/dead-mans-switch`;
  const appId = (app: string): string => `${group}/providers/Microsoft.App/containerApps/${app}`;
  const must = async (method: string, url: string, body?: object): Promise<any> => {
    const reply = await settle(method, url, body);
    if (reply.status >= 400 || reply.body?.error) throw new Error(`${method} ${url}: ${JSON.stringify(reply.body)}`);
    return reply.body;
  };
  await must("PUT", `${group}?api-version=2024-03-01`, place);
  await must("PUT", `${environmentId}?${apps}`, {
    ...place,
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  const makeIdentity: Estate["makeIdentity"] = async (name) => {
    const { id, properties } = await must(
      "PUT",
      `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}?api-version=2023-01-31`,
      place,
    );
    return { id, ...properties };
  };
  const assign: Estate["assign"] = async (assignee, role, scope) =>
    void (await must("PUT", `${scope}/${authorization}/roleAssignments/${crypto.randomUUID()}?api-version=2022-04-01`, {
      properties: {
        principalId: assignee,
        principalType: "ServicePrincipal",
        roleDefinitionId: `${subscription}/${authorization}/roleDefinitions/${role}`,
      },
    }));
  const allow: Estate["allow"] = async (actions) =>
    void (await must("PUT", `${group}/${authorization}/roleDefinitions/${roleName}?api-version=2022-04-01`, {
      properties: { roleName: "The switch", permissions: [{ actions }], assignableScopes: [group] },
    }));
  const appNow = (app: string): Promise<any> => ask("GET", `${appId(app)}?${apps}`).then(({ body }) => body.properties);
  const release: Estate["release"] = async (variables, app = "storefront") => {
    const before = await ask("GET", `${appId(app)}?${apps}`);
    const traffic = before.body?.properties?.configuration.ingress.traffic ?? [{ latestRevision: true, weight: 100 }];
    const container = {
      name: app,
      image: `registry.example/storefront:1`,
      env: Object.entries(variables).map(([name, value]) => ({ name, value })),
      probes: [{ type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 }],
    };
    await must("PUT", `${appId(app)}?${apps}`, {
      ...place,
      properties: {
        managedEnvironmentId: environmentId,
        configuration: {
          activeRevisionsMode: "Multiple",
          secrets: [{ name: "key", value: "hush" }],
          ingress: { external: true, targetPort: 8080, traffic },
        },
        template: { containers: [container], scale: { minReplicas: 1 } },
      },
    });
    return (
      await eventually(
        () => appNow(app),
        ({ latestRevisionName, latestReadyRevisionName }) =>
          variables["FAULT"] === "never-ready" || latestRevisionName === latestReadyRevisionName,
      )
    ).latestRevisionName;
  };
  const { id: identityId, clientId, principalId } = await makeIdentity("dead-mans-switch");
  await release({ RELEASE: "1" });
  await allow(switchActions);
  await assign(principalId, roleName, appId("storefront"));
  const executions: Estate["executions"] = async () => (await ask("GET", `${job}/executions?${apps}`)).body.value;
  const start = async (): Promise<string> => (await must("POST", `${job}/start?${apps}`)).name;
  const linesOf: Estate["linesOf"] = async (execution) => {
    const { lines } = (await ask("GET", "/_emulator/logs?app=dead-mans-switch")).body;
    return lines.filter(({ revision }: any) => revision === execution).map(({ json, text }: any) => json ?? text);
  };
  const ended: Estate["ended"] = async (execution) => {
    const { status } = (
      await eventually(
        executions,
        (found) => found.some(({ name, properties }) => name === execution && properties.status !== "Running"),
        60,
      )
    ).find(({ name }) => name === execution)!.properties;
    return { status, lines: await linesOf(execution) };
  };
  return {
    ...at,
    group,
    environmentId,
    domain: "estate.westeurope.ballast.localhost",
    release,
    makeIdentity,
    assign,
    allow,
    executions,
    start,
    ended,
    linesOf,
    run: async () => ended(await start()),
    traffic: async (app = "storefront") => (await appNow(app)).configuration.ingress.traffic,
    setTraffic: async (...traffic) =>
      void (await must("PATCH", `${appId("storefront")}?${apps}`, {
        properties: { configuration: { ingress: { traffic } } },
      })),
    revision: async (name, action) => {
      const path = `${appId("storefront")}/revisions/${name}`;
      if (action) await must("POST", `${path}/${action}?${apps}`);
      return (await ask("GET", `${path}?${apps}`)).body.properties;
    },
    fault: async (...faults) => void (await ask("POST", "/_emulator/faults", { faults })),
    writes: appWrites(ask),
    putSwitch: async (variables, cron = "0 0 31 2 *", image = "dead-mans-switch") => {
      const env = {
        BALLAST_DEADMAN_SECONDS: "1",
        BALLAST_DEADMAN_PATIENCE_SECONDS: "20",
        BALLAST_SUBSCRIPTION: at.cloud.subscription,
        BALLAST_MANAGED_TARGETS: '[{"resourceGroup":"estate","app":"storefront"}]',
        BALLAST_RESOURCE_MANAGER: management,
        AZURE_CLIENT_ID: clientId,
        ...variables,
      };
      await must("PUT", `${job}?${apps}`, {
        ...place,
        identity: { type: "UserAssigned", userAssignedIdentities: { [identityId]: {} } },
        properties: {
          environmentId,
          configuration: {
            triggerType: "Schedule",
            scheduleTriggerConfig: { cronExpression: cron },
            replicaTimeout: 60,
          },
          template: {
            containers: [
              {
                name: "switch",
                image: `registry.example/${image}:1`,
                env: Object.entries(env).map(([name, value]) => ({ name, value })),
              },
            ],
          },
        },
      });
    },
  };
}
