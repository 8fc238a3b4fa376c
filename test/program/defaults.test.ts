// Defaults have one source: Pulumi.yaml, the docstrings and the components agree with defaults.ts.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ControlPlane } from "../../components/platform/control-plane.ts";
import { DeadMansSwitch } from "../../components/platform/dead-mans-switch.ts";
import { ImageRegistry } from "../../components/platform/image-registry.ts";
import { databaseAccess, databaseSku, patience, publicAzure, replicaCounts, retentionDays } from "../../defaults.ts";
import { exportedTypes } from "../../toolchain/package/exported-types.ts";
import { type Declared, record } from "../support/program/mocks.ts";

const place = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
};
const pull = { server: "shop.azurecr.io", identity: "images" };
const controlPlane = {
  ...place,
  tenant: "t",
  image: "shop.azurecr.io/control-plane:1",
  pull,
  environment: { id: "e", domain: "apps.example.net" },
  workspace: { id: "w", customerId: "c" },
  database: { host: "h", name: "n" },
  managedTargets: [],
  audience: "api://ballast",
};
const deadMansSwitch = {
  ...place,
  image: "shop.azurecr.io/dead-mans-switch:1",
  pull,
  environmentId: "e",
  controlPlaneEndpoint: "https://c",
  managedTargets: [{ resourceGroup: "shop", app: "shop", id: "i" }],
};

const templateOf = (declared: readonly Declared[], name: string) =>
  declared.find((each) => each.name === name)!.inputs["template"] as {
    containers: [{ env: { name: string; value: string }[] }];
    scale?: object;
  };
const variables = (template: ReturnType<typeof templateOf>) =>
  Object.fromEntries(template.containers[0].env.map(({ name, value }) => [name, value]));

test("Pulumi.yaml has the same defaults", () => {
  const { config } = parse(readFileSync("Pulumi.yaml", "utf8")) as { config: { [key: string]: { default?: unknown } } };
  const expected = { ...patience, databasePort: databaseAccess.port, databaseTls: databaseAccess.tls, databaseSku };
  expect(Object.fromEntries(Object.keys(expected).map((key) => [key, config[key]?.default]))).toEqual(expected);
});

test("the docstrings have the same defaults", () => {
  const exported = exportedTypes(process.cwd());
  const documented = (type: string) =>
    Object.fromEntries(
      exported
        .find(({ name }) => name === `${type}Args`)!
        .members.map(({ name, byDefault = "" }) => [
          name,
          /^["\d]/.test(byDefault) ? (JSON.parse(byDefault) as unknown) : byDefault,
        ]),
    );
  const { leaseSeconds, requestSeconds, ingestionSeconds, silenceSeconds } = patience;
  expect(documented("ControlPlane")).toMatchObject({
    leaseSeconds,
    requestSeconds,
    ingestionSeconds,
    minReplicas: replicaCounts.controlPlaneMin,
    maxReplicas: replicaCounts.controlPlaneMax,
    "database.port": databaseAccess.port,
    "database.tls": databaseAccess.tls,
    ...Object.fromEntries(Object.entries(publicAzure).map(([name, address]) => [`endpoints.${name}`, address])),
  });
  expect(documented("DeadMansSwitch")).toMatchObject({ silenceSeconds, resourceManager: publicAzure.resourceManager });
  expect(documented("ContainerEnvironment")).toMatchObject({ retentionInDays: retentionDays.logDays });
  expect(documented("JournalDatabase")).toMatchObject({
    backupRetentionDays: retentionDays.backupDays,
    sku: databaseSku,
  });
  expect(documented("HttpApp")).toMatchObject({
    minReplicas: replicaCounts.storefrontMin,
    maxReplicas: replicaCounts.storefrontMax,
  });
});

test("a control plane with only required arguments uses public Azure and its group's subscription", async () => {
  const { declared } = await record(() => new ControlPlane("control-plane", controlPlane));
  const template = templateOf(declared, "control-plane-app");
  expect(variables(template)).toMatchObject({
    BALLAST_SUBSCRIPTION: "s",
    BALLAST_RESOURCE_MANAGER: publicAzure.resourceManager,
    BALLAST_LOGS: publicAzure.logs,
    AZURE_AUTHORITY_HOST: publicAzure.login,
    BALLAST_DATABASE_PORT: String(databaseAccess.port),
    BALLAST_DATABASE_TLS: databaseAccess.tls,
    BALLAST_LEASE_SECONDS: String(patience.leaseSeconds),
    BALLAST_REQUEST_SECONDS: String(patience.requestSeconds),
    BALLAST_INGESTION_SECONDS: String(patience.ingestionSeconds),
  });
  expect(template.scale).toEqual({ minReplicas: 1, maxReplicas: 3 });
  expect(declared.find(({ name }) => name === "control-plane-logs-role")!.inputs["roleDefinitionId"]).toMatch(
    /^\/subscriptions\/s\//,
  );
});

test("an argument that is set overrides its default, even one endpoint of three", async () => {
  const { declared } = await record(
    () =>
      new ControlPlane("control-plane", {
        ...controlPlane,
        subscription: "other",
        endpoints: { logs: "https://logs.example" },
        leaseSeconds: 36,
        minReplicas: 4,
        database: { ...controlPlane.database, port: 6543, tls: "disable" },
      }),
  );
  const template = templateOf(declared, "control-plane-app");
  expect(variables(template)).toMatchObject({
    BALLAST_SUBSCRIPTION: "other",
    BALLAST_RESOURCE_MANAGER: publicAzure.resourceManager,
    BALLAST_LOGS: "https://logs.example",
    BALLAST_LEASE_SECONDS: "36",
    BALLAST_REQUEST_SECONDS: "30",
    BALLAST_DATABASE_PORT: "6543",
    BALLAST_DATABASE_TLS: "disable",
  });
  expect(template.scale).toEqual({ minReplicas: 4, maxReplicas: 4 });
});

test("a dead man's switch with only required arguments waits four minutes and uses public Azure", async () => {
  const { declared } = await record(() => new DeadMansSwitch("dead-mans-switch", deadMansSwitch));
  expect(variables(templateOf(declared, "dead-mans-switch-job"))).toMatchObject({
    BALLAST_SUBSCRIPTION: "s",
    BALLAST_DEADMAN_SECONDS: "240",
    BALLAST_RESOURCE_MANAGER: publicAzure.resourceManager,
  });
});

test("a registry's role is in its group's subscription", async () => {
  const { declared } = await record(() => new ImageRegistry("images", { ...place, registry: "shopimages" }));
  expect(declared.find(({ type }) => type.endsWith(":RoleAssignment"))!.inputs["roleDefinitionId"]).toMatch(
    /^\/subscriptions\/s\/providers\//,
  );
});
