// A whole emulator with a vault and apps that refer to its secrets: how a test sets secrets, puts apps, lets half hours
// pass, and sees which value a replica has.
import type { Body } from "../../../emulator/arm/resource.ts";
import type { QuirkChoice } from "../../../emulator/controls/quirks.ts";
import { type CloudForTests, type Reply, startCloudForTests } from "./cloud.ts";
import { eventually } from "./container-cloud.ts";
import { logRows } from "./log-rows.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "./vault.ts";

const version = "?api-version=2025-07-01";
const domain = "shop.westeurope.ballast.localhost";

/** What the tests of references use. */
export interface VaultShop {
  readonly at: CloudForTests;
  readonly vaultId: string;
  /** The id of the user-assigned identity that may read the vault. */
  readonly reader: string;
  /** The assignment by which it may. */
  readonly assignment: string;
  readonly workspace: string;
  readonly appId: (name: string) => string;
  /** Makes a version of a secret; gives its address. */
  readonly setSecret: (name: string, value: string) => Promise<string>;
  /** Puts an app; gives it, or the failure of its operation. */
  readonly put: (name: string, body: Body) => Promise<Reply>;
  readonly patch: (name: string, properties: Body) => Promise<Reply>;
  /** Gives what the platform fetched for the secrets of an app. */
  readonly fetched: (name: string) => Promise<Record<string, string>>;
  /** Gives the environment of a replica that has the right one of these values. */
  readonly replica: (
    host: string,
    good?: (environment: Record<string, string>) => boolean,
  ) => Promise<Record<string, string>>;
  readonly revisions: (name: string) => Promise<readonly Body[]>;
  readonly advance: (minutes: number) => Promise<unknown>;
  readonly systemRows: (app: string) => Promise<readonly (readonly string[])[]>;
}

/** An address of a secret without a version. */
export const latestOf = (secret: string): string => `https://shop.vault.azure.net/secrets/${secret}`;
export const hostOfApp = (name: string): string => `https://${name}.${domain}`;

/** Starts it. Closing `at` ends it. */
export async function startVaultShop(quirks: QuirkChoice = {}): Promise<VaultShop> {
  const at = await startCloudForTests({ quirks });
  const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  const provided = (type: string, name: string): string => `${group}/providers/${type}/${name}`;
  const environment = provided("Microsoft.App/managedEnvironments", "shop");
  const reader = provided("Microsoft.ManagedIdentity/userAssignedIdentities", "reader");
  const vaultId = provided("Microsoft.KeyVault/vaults", "shop");
  const workspace = provided("Microsoft.OperationalInsights/workspaces", "logs");
  const appId = (name: string): string => provided("Microsoft.App/containerApps", name);
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", environment + version, { location: "westeurope", properties: {} });
  await at.ask("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  await at.ask(
    "PUT",
    `${environment}/providers/Microsoft.Insights/diagnosticSettings/rows?api-version=2021-05-01-preview`,
    { properties: { workspaceId: workspace, logs: [{ category: "ContainerAppSystemLogs", enabled: true }] } },
  );
  await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 0 });
  const { principalId } = (await at.ask("PUT", `${reader}?api-version=2023-01-31`, { location: "westeurope" })).body
    .properties;
  await at.ask("PUT", `${vaultId}?${vaultVersion}`, vaultBody(at));
  await giveRole(at, vaultId, "officer", await clientObjectId(at));
  const assignment = await giveRole(at, vaultId, "user", principalId);
  const token = await at.tokenFor("https://vault.azure.net");
  const settled = async (name: string, write: Promise<Reply>): Promise<Reply> => {
    const reply = await write;
    return reply.body?.error ? reply : at.ask("GET", appId(name) + version);
  };
  return {
    at,
    vaultId,
    reader,
    assignment,
    workspace,
    appId,
    setSecret: async (name, value) => {
      const { body } = await at.ask("PUT", `${hostOf("shop")}/secrets/${name}?api-version=7.4`, { value }, { token });
      return String(body.id).replace(".ballast.localhost", ".azure.net");
    },
    put: (name, body) => settled(name, at.settle("PUT", appId(name) + version, bodyOf(environment, reader, body))),
    patch: (name, properties) => settled(name, at.settle("PATCH", appId(name) + version, { properties })),
    fetched: async (name) => {
      const { body } = await at.ask("POST", `${appId(name)}/listSecrets${version}`);
      return Object.fromEntries(body.value.map((secret: Body) => [secret["name"], secret["value"]]));
    },
    replica: (host, good = () => true) =>
      eventually(
        async () => (await at.ask("GET", `${host}/environment`, undefined, { token: null })).body,
        (body) => typeof body === "object" && good(body as Record<string, string>),
      ),
    revisions: async (name) => (await at.ask("GET", `${appId(name)}/revisions${version}`)).body.value,
    advance: (minutes) => at.ask("POST", "/_emulator/clock", { rate: 1, advanceSeconds: minutes * 60 }),
    systemRows: async (app) => {
      const { customerId } = (await at.ask("GET", `${workspace}?api-version=2023-09-01`)).body.properties;
      const query = `ContainerAppSystemLogs | where ContainerAppName == "${app}" | project Reason, RevisionName, Log`;
      return (await logRows(at, customerId, query)).map((row) => Object.values(row));
    },
  };
}

/** Gives the body of an app whose variable KEY is the secret `key`, with the vault's reader as its identity. */
function bodyOf(
  environment: string,
  reader: string,
  { secrets, identity, secretRef = "key", ...template }: Body,
): Body {
  return {
    location: "westeurope",
    identity: identity ?? { type: "UserAssigned", userAssignedIdentities: { [reader]: {} } },
    properties: {
      managedEnvironmentId: environment,
      configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080 }, secrets },
      template: {
        containers: [
          {
            name: "web",
            image: "registry.example/web:1",
            env: secretRef === null ? [] : [{ name: "KEY", secretRef }],
            probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
          },
        ],
        scale: { minReplicas: 1, maxReplicas: 1 },
        ...template,
      },
    },
  };
}
