// What a DatabaseRole deploys: a job that an operator starts, whose identity is the server's only administrator.
import { expect, test } from "vitest";
import { DatabaseRole, type DatabaseRoleArgs } from "../../components/platform/database-role.ts";
import { readPreparation } from "../../controlplane/settings.ts";
import { record, valueOf, variablesOf } from "../support/program/mocks.ts";

const objectId = "11111111-2222-3333-4444-555555555555";
const args: DatabaseRoleArgs = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  tenant: "t",
  image: "example.azurecr.io/control-plane:1",
  pull: { server: "example.azurecr.io", identity: "/identities/images" },
  environmentId: "environment",
  database: { serverName: "journal-1", host: "journal-1.example.net", name: "ballast" },
  grantee: { name: "control-plane", objectId },
};
const parent = "ballast:index:DatabaseRole";
const databaseRole = () => record(() => new DatabaseRole("database-role", args));

test("its identity is an administrator of the server and has no other right", async () => {
  const rights = (await databaseRole()).declared.filter(({ type }) =>
    /RoleAssignment|RoleDefinition|Administrator/.test(type),
  );
  expect(rights).toMatchObject([
    {
      type: "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra",
      name: "database-role-administrator",
      parent,
      inputs: {
        serverName: "journal-1",
        resourceGroupName: "shop",
        objectId: "principal",
        principalName: "database-role",
        principalType: "ServicePrincipal",
        tenantId: "t",
      },
    },
  ]);
  expect(rights).toHaveLength(1);
});

test("the job runs only when it is started, one replica at a time, and may be repeated", async () => {
  const { declared, made } = await databaseRole();
  expect(declared.find(({ name }) => name === "database-role-job")).toMatchObject({
    type: "azure-native:app:Job",
    parent,
    inputs: {
      jobName: "database-role",
      resourceGroupName: "shop",
      environmentId: "environment",
      identity: { type: "UserAssigned", userAssignedIdentities: ["database-role-identity-id", "/identities/images"] },
      configuration: {
        triggerType: "Manual",
        manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
        registries: [{ server: "example.azurecr.io", identity: "/identities/images" }],
        replicaRetryLimit: 2,
      },
      template: { containers: [{ name: "database-role", image: "example.azurecr.io/control-plane:1" }] },
    },
  });
  expect(declared.find(({ type }) => type === parent)).toMatchObject({
    name: "database-role",
    parent: "",
    outputs: ["job"],
  });
  expect(await valueOf(made.job)).toBe("database-role");
});

test("the image reads its settings as a preparation for the control plane's identity", async () => {
  const { declared } = await databaseRole();
  expect(readPreparation(variablesOf(declared, "database-role-job"))).toEqual({
    clientId: "client",
    grantee: { name: "control-plane", objectId },
    database: {
      host: "journal-1.example.net",
      port: 5432,
      name: "ballast",
      user: "database-role",
      password: undefined,
      tls: "require",
    },
  });
});

test("the image reads whose roles it makes for rotations, and the identity that changes the schema", async () => {
  const migrator = { name: "shop-migrate", objectId };
  const credentials = [{ owner: "shop_owner", a: "shop_a", b: "shop_b", migrator }];
  const { declared } = await record(() => new DatabaseRole("database-role", { ...args, credentials }));
  expect(readPreparation(variablesOf(declared, "database-role-job"))?.credentials).toEqual(credentials);
});
