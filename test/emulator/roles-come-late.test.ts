// A role assignment takes effect late on Azure. The quirk is off at the start, so that this file switches it on in the
// environment, as a user does who wants to see whether a program waits for its roles.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let at: CloudForTests;
let group: string;
const granted = Date.parse("2030-01-01T00:00:00Z");
const minutes = (count: number): number => granted + count * 60_000;

beforeAll(async () => {
  vi.stubEnv("BALLAST_EMULATOR_WITH", "roles-come-late");
  at = await startCloudForTests();
  vi.unstubAllEnvs();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
});
afterAll(() => at?.close());

test("a role assignment is listed at once, and takes effect ten minutes later", async () => {
  const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/images`;
  const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/shop123`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/apps`;
  const location = "westeurope";
  const { principalId } = (await at.ask("PUT", `${identity}?api-version=2023-01-31`, { location })).body.properties;
  await at.ask("PUT", `${registry}?api-version=2023-01-01-preview`, { location, sku: { name: "Basic" } });
  await at.settle("PUT", `${environment}?api-version=2025-07-01`, { location, properties: {} });
  await at.ask("POST", "/_emulator/clock", { at: granted });
  const role = "Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d";
  const assignments = `${registry}/providers/Microsoft.Authorization/roleAssignments`;
  await at.ask("PUT", `${assignments}/00000000-0000-4000-8000-000000000001?api-version=2022-04-01`, {
    properties: { principalId, roleDefinitionId: `/subscriptions/${at.cloud.subscription}/providers/${role}` },
  });
  expect((await at.ask("GET", `${assignments}?api-version=2022-04-01`)).body.value).toHaveLength(1);

  const pull = async (name: string): Promise<string | undefined> =>
    (
      await at.settle("PUT", `${group}/providers/Microsoft.App/containerApps/${name}?api-version=2025-07-01`, {
        location,
        identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
        properties: {
          managedEnvironmentId: environment,
          configuration: { registries: [{ server: "shop123.azurecr.io", identity }] },
          template: { containers: [{ name: "web", image: "shop123.azurecr.io/web:1" }], scale: { minReplicas: 0 } },
        },
      })
    ).body.error?.message;
  expect(await pull("early")).toContain("UNAUTHORIZED");
  await at.ask("POST", "/_emulator/clock", { at: minutes(10) - 1 });
  expect(await pull("almost")).toContain("UNAUTHORIZED");
  await at.ask("POST", "/_emulator/clock", { at: minutes(10) });
  expect(await pull("late")).toBeUndefined();
});
