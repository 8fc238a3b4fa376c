// What a DeadMansSwitch deploys: a job with the least rights, assigned at the apps and nowhere else.
import { expect, test } from "vitest";
import { DeadMansSwitch, type DeadMansSwitchArgs, switchActions } from "../../components/platform/dead-mans-switch.ts";
import { record, valueOf, variablesOf } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const args: DeadMansSwitchArgs = {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  subscription: "s",
  image: "example.azurecr.io/dead-mans-switch:1",
  pull: { server: "example.azurecr.io", identity: "/identities/images" },
  environmentId: "environment",
  controlPlaneEndpoint: "https://control-plane.apps.example.net",
  resourceManager: "https://management.azure.com",
  silenceSeconds: 240,
  managedTargets: [
    { resourceGroup: "shop", app: "storefront", id: `${scope}/apps/storefront` },
    { resourceGroup: "shop", app: "search", id: `${scope}/apps/search` },
  ],
};
const parent = "ballast:index:DeadMansSwitch";
const deadMansSwitch = (change: Partial<DeadMansSwitchArgs> = {}) =>
  record(() => new DeadMansSwitch("dead-mans-switch", { ...args, ...change }));

test("its identity has a custom role of four actions at each app and nowhere else", async () => {
  const { declared } = await deadMansSwitch();
  const role = declared.find(({ type }) => type.endsWith(":RoleDefinition"))!;
  expect(role).toMatchObject({
    name: "dead-mans-switch-role",
    parent,
    inputs: {
      scope,
      assignableScopes: [scope],
      roleType: "CustomRole",
      permissions: [{ actions: [...switchActions] }],
    },
  });
  expect(switchActions).toHaveLength(4);
  const assignments = declared.filter(({ type }) => type.endsWith(":RoleAssignment"));
  expect(assignments.map(({ name, parent: above, inputs }) => [name, above, inputs["scope"]])).toEqual([
    ["dead-mans-switch-role-at-search", parent, `${scope}/apps/search`],
    ["dead-mans-switch-role-at-storefront", parent, `${scope}/apps/storefront`],
  ]);
  for (const { inputs } of assignments)
    expect(inputs).toMatchObject({
      roleDefinitionId: "dead-mans-switch-role-id",
      principalId: "principal",
      principalType: "ServicePrincipal",
    });
});

test("the role and its assignments keep their GUIDs, and have other ones in another group", async () => {
  const names = async (change: Partial<DeadMansSwitchArgs> = {}) =>
    (await deadMansSwitch(change)).declared.flatMap(({ inputs }) =>
      [inputs["roleDefinitionId"], inputs["roleAssignmentName"], inputs["roleName"]].filter(
        (each) => each && each !== "dead-mans-switch-role-id",
      ),
    );
  const [first, again, elsewhere] = [await names(), await names(), await names({ scope: `${scope}-2` })];
  expect(again).toEqual(first);
  expect(new Set([...first, ...elsewhere]).size).toBe(8);
});

test("the job runs every minute under the identity, with time enough to listen and to restore traffic", async () => {
  const { declared, made } = await deadMansSwitch();
  expect(declared.find(({ name }) => name === "dead-mans-switch-job")).toMatchObject({
    type: "azure-native:app:Job",
    parent,
    inputs: {
      jobName: "dead-mans-switch",
      resourceGroupName: "shop",
      environmentId: "environment",
      identity: {
        type: "UserAssigned",
        userAssignedIdentities: ["dead-mans-switch-identity-id", "/identities/images"],
      },
      configuration: {
        triggerType: "Schedule",
        scheduleTriggerConfig: { cronExpression: "* * * * *", parallelism: 1, replicaCompletionCount: 1 },
        replicaTimeout: 420,
        replicaRetryLimit: 0,
      },
      template: { containers: [{ name: "dead-mans-switch", image: "example.azurecr.io/dead-mans-switch:1" }] },
    },
  });
  expect(declared.find(({ type }) => type === parent)).toMatchObject({
    name: "dead-mans-switch",
    parent: "",
    outputs: ["job"],
  });
  expect(await valueOf(made.job)).toBe("dead-mans-switch");
});

test("every setting that the job reads is set", async () => {
  const { declared } = await deadMansSwitch();
  expect(variablesOf(declared, "dead-mans-switch-job")).toEqual({
    BALLAST_HEALTH: "https://control-plane.apps.example.net/health",
    BALLAST_DEADMAN_SECONDS: "240",
    BALLAST_DEADMAN_PATIENCE_SECONDS: "120",
    BALLAST_SUBSCRIPTION: "s",
    BALLAST_MANAGED_TARGETS: '[{"resourceGroup":"shop","app":"storefront"},{"resourceGroup":"shop","app":"search"}]',
    BALLAST_RESOURCE_MANAGER: "https://management.azure.com",
    AZURE_CLIENT_ID: "client",
  });
});

test.each([
  [{ silenceSeconds: 130 }, "silenceSeconds (130) must be more than 130: so long may a healthy control plane"],
  [{ leaseSeconds: 200 }, "silenceSeconds (240) must be more than 364"],
  [{ requestSeconds: 150 }, "silenceSeconds (240) must be more than 250"],
  [{ silenceSeconds: 20, leaseSeconds: 6, requestSeconds: 10 }, "must be more than 20"],
  [{ silenceSeconds: 0 }, "silenceSeconds is 0"],
  [{ silenceSeconds: Number.NaN }, "silenceSeconds is NaN"],
  [{ silenceSeconds: 240.5 }, "silenceSeconds is 240.5"],
  [{ leaseSeconds: -1 }, "leaseSeconds is -1"],
])("refuses the times %j, with which it would act on a healthy control plane or never", async (change, why) => {
  await expect(deadMansSwitch(change)).rejects.toMatchObject({
    message: expect.stringContaining(why),
  });
});

test("takes the shortest silence that a healthy control plane never reaches", async () => {
  const { declared } = await deadMansSwitch({ silenceSeconds: 21, leaseSeconds: 6, requestSeconds: 10 });
  expect(declared.some(({ name }) => name === "dead-mans-switch-job")).toBe(true);
});
