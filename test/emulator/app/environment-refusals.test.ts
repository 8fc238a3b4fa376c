// What Azure refuses in the bodies of environments, of their storages and of jobs, sent over HTTPS as a client sends
// it. Nothing of a refused body may be stored. Container apps have their own tests (refusals.test.ts).
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

let c: CloudForTests;
let group: string;
const stable = "2025-07-01";
const preview = "2025-02-02-preview";
const own = "EmulatorUnsupported";
const apps = () => `${group}/providers/Microsoft.App`;
const environment = () => `${apps()}/managedEnvironments/shop`;

beforeAll(async () => {
  c = await startCloudForTests();
  group = `/subscriptions/${c.cloud.subscription}/resourceGroups/shop`;
  await c.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  for (const name of ["shop", "other"])
    await c.settle("PUT", `${apps()}/managedEnvironments/${name}?api-version=${stable}`, inEurope({}));
});
afterAll(() => c.close());

const inEurope = (properties: Body, more: Body = {}): Body => ({ location: "westeurope", properties, ...more });

async function expectRefused(path: string, body: Body, code: string, version = stable): Promise<void> {
  const url = `${apps()}/${path}?api-version=${version}`;
  const before = await c.ask("GET", url);
  const reply = await c.ask("PUT", url, body);
  expect([reply.status, reply.body.error?.code], JSON.stringify(reply.body)).toEqual([400, code]);
  expect((await c.ask("GET", url)).body).toEqual(before.body);
}

describe("an environment", () => {
  const dedicated = (more: Body): Body => ({ workloadProfiles: [{ name: "big", workloadProfileType: "D4", ...more }] });
  const consumption = { name: "Consumption", workloadProfileType: "Consumption" };
  const logs = (logAnalyticsConfiguration?: Body): Body => ({
    appLogsConfiguration: {
      destination: "log-analytics",
      ...(logAnalyticsConfiguration && { logAnalyticsConfiguration }),
    },
  });
  test.each<readonly [string, Body]>([
    ["logs that go to a banana", { appLogsConfiguration: { destination: "banana" } }],
    ["logs that go to no workspace", logs()],
    ["logs without a key", logs({ customerId: "00000000-0000-0000-0000-000000000000" })],
    ["logs to an unknown workspace", logs({ customerId: "00000000-0000-0000-0000-000000000000", sharedKey: "a" })],
    ["a profile that Azure does not have", dedicated({ workloadProfileType: "Bananas" })],
    ["a profile with more nodes at least than at most", dedicated({ minimumCount: 5, maximumCount: 1 })],
    ["a profile with -1 nodes", dedicated({ minimumCount: -1, maximumCount: 1 })],
    ["a profile without a number of nodes", dedicated({})],
    ["a profile with half a node", dedicated({ minimumCount: 0.5, maximumCount: 1 })],
    ["the shared profile with nodes", { workloadProfiles: [{ ...consumption, minimumCount: 1, maximumCount: 2 }] }],
    ["a profile twice", { workloadProfiles: [consumption, consumption] }],
    ["zones without a subnet", { zoneRedundant: true }],
    ["a network access of bananas", { publicNetworkAccess: "Bananas" }],
    ["a custom DNS suffix", { customDomainConfiguration: { dnsSuffix: "shop.example" } }],
  ])("with %s is refused", async (_, properties) => {
    await expectRefused("managedEnvironments/new", inEurope(properties), own);
  });

  test.each(["1shop", "a--b", "shop-", "s", "e".repeat(61)])("named %s is refused", async (name) => {
    await expectRefused(`managedEnvironments/${name}`, inEurope({}), own);
  });

  test("with an identity that does not exist, of an unknown type, or of another kind is refused", async () => {
    const named = { type: "UserAssigned", userAssignedIdentities: { [`${group}/none`]: {} } };
    await expectRefused("managedEnvironments/new", inEurope({}, { identity: named }), "FailedIdentityOperation");
    await expectRefused("managedEnvironments/new", inEurope({}, { identity: { type: "Bananas" } }), own);
    await expectRefused("managedEnvironments/new", inEurope({}, { kind: "banana" }), own);
  });

  test("has a group for its infrastructure that no other one has, and that stays", async () => {
    const url = (name: string): string => `${apps()}/managedEnvironments/${name}?api-version=${stable}`;
    const shown = async (): Promise<unknown> =>
      (await c.ask("GET", url("below"))).body.properties.infrastructureResourceGroup;
    await c.settle("PUT", url("below"), inEurope({ infrastructureResourceGroup: "Below" }));
    await expectRefused("managedEnvironments/beside", inEurope({ infrastructureResourceGroup: "below" }), own);
    await expectRefused("managedEnvironments/below", inEurope({ infrastructureResourceGroup: "elsewhere" }), own);
    await c.settle("PUT", url("below"), inEurope({}));
    expect(await shown()).toBe("Below");
    await c.settle("DELETE", url("below"));
  });

  test("with a system-assigned identity has a principal, which stays", async () => {
    const url = `${apps()}/managedEnvironments/known?api-version=${stable}`;
    const principal = async (): Promise<unknown> => {
      await c.settle("PUT", url, inEurope({}, { identity: { type: "SystemAssigned" } }));
      return (await c.ask("GET", url)).body.identity.principalId;
    };
    const first = await principal();
    expect(first).toMatch(/^[0-9a-f]{8}-/);
    expect(await principal()).toBe(first);
  });

  test("may send its logs to a workspace of this cloud", async () => {
    const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs?api-version=2023-09-01`;
    const { customerId } = (await c.ask("PUT", workspace, { location: "westeurope" })).body.properties;
    const url = `${apps()}/managedEnvironments/logging?api-version=${stable}`;
    expect((await c.settle("PUT", url, inEurope(logs({ customerId, sharedKey: "a" })))).body.status).toBe("Succeeded");
    expect(JSON.stringify((await c.ask("GET", url)).body)).not.toContain("sharedKey");
  });
});

test.each([
  ["Bad_NAME", "account"],
  ["good", "A_B"],
])("the storage %s of the account %s is refused", async (name, accountName) => {
  const azureFile = { accountName, accountKey: "k", shareName: "share", accessMode: "ReadOnly" };
  await expectRefused(`managedEnvironments/shop/storages/${name}`, { properties: { azureFile } }, own);
});

describe("a job", () => {
  const jobWith = (change: (configuration: Body, container: Body, body: Body) => void): Body => {
    const container: Body = { name: "web", image: "registry.example/web:1" };
    const configuration: Body = { triggerType: "Manual", replicaTimeout: 60, replicaRetryLimit: 0 };
    const body = inEurope({ environmentId: environment(), configuration, template: { containers: [container] } });
    change(configuration, container, body);
    return body;
  };
  const set = (name: string, value: unknown) => (configuration: Body) =>
    void Object.assign(configuration, { [name]: value });
  const inBody = (more: Body) => (_: Body, __: Body, body: Body) => void Object.assign(body, more);
  const inProperties = (more: Body) => (_: Body, __: Body, body: Body) => void Object.assign(body["properties"], more);
  const inContainer = (more: Body) => (_: Body, container: Body) => void Object.assign(container, more);
  test.each<readonly [string, string, Parameters<typeof jobWith>[0]]>([
    ["a timeout of 0", own, set("replicaTimeout", 0)],
    ["a timeout of 1.5", own, set("replicaTimeout", 1.5)],
    ["-1 retries", own, set("replicaRetryLimit", -1)],
    ["the trigger Bananas", own, set("triggerType", "Bananas")],
    ["the trigger event in lower case", own, set("triggerType", "event")],
    ["a schedule although it is started by hand", own, set("scheduleTriggerConfig", { cronExpression: "* * * * *" })],
    ["a secret named BAD", "ContainerAppInvalidSecretName", set("secrets", [{ name: "BAD!", value: "v" }])],
    [
      "a secret twice",
      own,
      set(
        "secrets",
        [1, 2].map((each) => ({ name: "key", value: `${each}` })),
      ),
    ],
    ["a secret without a value", "ContainerAppSecretInvalid", set("secrets", [{ name: "key" }])],
    [
      "a registry with a scheme",
      "ContainerAppInvalidRegistryServerValue",
      set("registries", [{ server: "https://a" }]),
    ],
    ["a foreign identity", own, set("identitySettings", [{ identity: "system", lifecycle: "All" }])],
    ["probes", own, inContainer({ probes: [{ type: "Liveness", httpGet: { path: "/", port: 80 } }] })],
    ["an odd size", "ContainerAppInvalidResourceTotal", inContainer({ resources: { cpu: 0.5, memory: "4Gi" } })],
    ["an unknown workload profile", own, inProperties({ workloadProfileName: "nope" })],
    ["another region than its environment's", own, inBody({ location: "eastus" })],
    ["no environment", "ManagedEnvironmentNotFound", inProperties({ environmentId: group })],
    ["an identity of the type Bananas", own, inBody({ identity: { type: "Bananas" } })],
  ])("with %s is refused", async (_, code, change) => {
    await expectRefused("jobs/new", jobWith(change), code);
  });

  test("of the preview that the emulator does not have is refused", async () => {
    const gpu = inContainer({ resources: { cpu: 0.5, memory: "1Gi", gpu: 1 } });
    await expectRefused("jobs/new", jobWith(gpu), own, preview);
    const onArc = jobWith(inBody({ extendedLocation: { name: "a", type: "CustomLocation" } }));
    await expectRefused("jobs/new", onArc, own, preview);
  });

  test("cannot move to another environment", async () => {
    const url = `${apps()}/jobs/kept?api-version=${stable}`;
    expect(
      (
        await c.settle(
          "PUT",
          url,
          jobWith(() => undefined),
        )
      ).body.status,
    ).toBe("Succeeded");
    const moved = jobWith(inProperties({ environmentId: `${apps()}/managedEnvironments/other` }));
    await expectRefused("jobs/kept", moved, own);
  });
});
