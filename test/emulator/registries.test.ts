// Who may pull from a registry of the emulator: an app or a job that names an
// identity of its own with the right to pull.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let cloud: CloudForTests;
let group: string;
let identity: string;
const version = "api-version=2025-07-01";

const put = (path: string, body: object, apiVersion = version) => cloud.settle("PUT", `${path}?${apiVersion}`, body);
const environmentId = (): string => `${group}/providers/Microsoft.App/managedEnvironments/apps`;
const assign = async (role: string, guid: string): Promise<void> => {
  const { principalId } = (await cloud.ask("GET", `${identity}?api-version=2023-01-31`)).body.properties;
  const subscription = `/subscriptions/${cloud.cloud.subscription}`;
  const roleDefinitionId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
  expect(
    (
      await put(
        `${registry()}/providers/Microsoft.Authorization/roleAssignments/${guid}`,
        { properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId } },
        "api-version=2022-04-01",
      )
    ).status,
  ).toBeLessThan(300);
};
const registry = (): string => `${group}/providers/Microsoft.ContainerRegistry/registries/Shop123`;

beforeAll(async () => {
  cloud = await startCloudForTests();
  group = `/subscriptions/${cloud.cloud.subscription}/resourceGroups/shop`;
  identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/images`;
  await put(group, { location: "westeurope" }, "api-version=2024-03-01");
  await put(environmentId(), { location: "westeurope", properties: {} });
  await put(identity, { location: "westeurope" }, "api-version=2023-01-31");
});
afterAll(() => cloud?.close());

const own = () => ({ identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } } });
const named = () => [{ server: "shop123.azurecr.io", identity: identity.toUpperCase() }];
let made = 0;

/** Puts an app and a job with an image and gives the error of each operation; undefined for a success. */
async function pulls(
  imageName: string,
  registries: object[] | undefined,
  more: object,
): Promise<readonly (string | undefined)[]> {
  made += 1;
  const template = { containers: [{ name: "web", image: imageName }] };
  const bodies = {
    containerApps: {
      ...more,
      location: "westeurope",
      properties: { managedEnvironmentId: environmentId(), configuration: { registries }, template },
    },
    jobs: {
      ...more,
      location: "westeurope",
      properties: {
        environmentId: environmentId(),
        configuration: { registries, triggerType: "Manual", replicaTimeout: 60, manualTriggerConfig: {} },
        template,
      },
    },
  };
  const replies = Object.entries(bodies).map(([type, body]) =>
    put(`${group}/providers/Microsoft.App/${type}/web-${made}`, body),
  );
  return (await Promise.all(replies)).map(({ body }) => body.error?.message);
}

test("a registry's login server is in lower case, its admin user is off, and a bad name is refused", async () => {
  const reply = await put(
    registry(),
    { location: "westeurope", sku: { name: "Standard" }, properties: { adminUserEnabled: false } },
    "api-version=2023-01-01-preview",
  );
  expect((await cloud.ask("GET", `${registry()}?api-version=2023-01-01-preview`)).body).toMatchObject({
    sku: { name: "Standard", tier: "Standard" },
    properties: { loginServer: "shop123.azurecr.io", adminUserEnabled: false, provisioningState: "Succeeded" },
  });
  expect(reply.status).toBeLessThan(300);
  expect(
    (
      await put(
        `${group}/providers/Microsoft.ContainerRegistry/registries/a-b`,
        { location: "westeurope", sku: { name: "Standard" } },
        "api-version=2023-01-01-preview",
      )
    ).status,
  ).toBe(400);
});

const image = "shop123.azurecr.io/web:1";
test.each([
  ["names no identity for the registry", () => pulls(image, undefined, own())],
  ["has an identity without the right", () => pulls(image, named(), own())],
  [
    "has an identity with another right",
    async () => {
      await assign("358470bc-b998-42bd-ab17-a7e34c199c0f", "00000000-0000-8000-8000-000000000001");
      return pulls(image, named(), own());
    },
  ],
])("an app that %s is refused its image, and so is a job", async (_what, act) => {
  expect(await act()).toEqual([expect.stringContaining("UNAUTHORIZED"), expect.stringContaining("UNAUTHORIZED")]);
});

test.each([{ zoneRedundancy: "Enabled" }, { publicNetworkAccess: "Disabled" }])(
  "a registry with %j needs the tier Premium",
  async (properties) => {
    const tier = (name: string) =>
      put(
        `${group}/providers/Microsoft.ContainerRegistry/registries/tier${name}`,
        { location: "westeurope", sku: { name }, properties },
        "api-version=2023-01-01-preview",
      );
    expect((await tier("Standard")).body.error.code).toBe("EmulatorUnsupported");
    expect((await tier("Premium")).status).toBeLessThan(300);
  },
);

test("an app is refused if its registry's identity is not its own, and a job gets no image", async () => {
  expect(await pulls(image, named(), {})).toEqual([
    expect.stringContaining("not assigned to the container app"),
    expect.stringContaining("not assigned to the job"),
  ]);
});

test("an app and a job with the right to pull get the image, and a public registry needs no right", async () => {
  await assign("7f951dda-4ed3-4680-a7ca-43fe172d538d", "00000000-0000-8000-8000-000000000002");
  for (const each of [image, `shop123.azurecr.io/web@sha256:${"0".repeat(64)}`])
    expect(await pulls(each, named(), own())).toEqual([undefined, undefined]);
  expect(await pulls("registry.example/web:1", undefined, {})).toEqual([undefined, undefined]);
  expect(await pulls("shop123.azurecr.io/nothing:1", named(), own())).toEqual([
    expect.stringContaining("MANIFEST_UNKNOWN"),
    expect.stringContaining("MANIFEST_UNKNOWN"),
  ]);
});
