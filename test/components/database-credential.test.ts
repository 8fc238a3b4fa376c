// What a DatabaseCredential and a SecretVault deploy, what a credential adds to an app, and what is refused by name
// before anything is deployed. No value of a secret is anywhere in it.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { DatabaseCredential, type DatabaseCredentialArgs } from "../../components/credentials/database-credential.ts";
import { SecretVault } from "../../components/credentials/secret-vault.ts";
import { defaultStrategy } from "../../engines/rollout/plan.ts";
import { inputsForm } from "../../provider/credential/fields.ts";
import { credential as resource } from "../../provider/credential/resource.ts";
import { nothingThere, record } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };
const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
const args: DatabaseCredentialArgs = {
  ...place,
  controlPlane,
  vault: { id: "/vaults/kv", name: "kv" },
  credential: "database",
  server: { host: "shop.postgres.database.azure.com" },
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  rotator: "control-plane",
  preparedBy: { resourceGroup: "shop", job: "shop-roles" },
  consumers: [{ resourceGroup: "shop", app: "storefront", strategy: { bakeSeconds: 600 } }],
};
const app: CanaryAppArgs = {
  containerAppName: "storefront",
  resourceGroupName: "shop",
  environmentId: "apps",
  controlPlane,
  configuration: { ingress: { external: true, targetPort: 8080, transport: "http" } },
  template: {
    containers: [
      { name: "web", image: "web:1", env: [{ name: "A", value: "1" }] },
      { name: "sidecar", image: "proxy:1" },
    ],
  },
};
const urls = (slot: string) => `https://kv.vault.azure.net/secrets/database-${slot}/1`;

const credentialOf = (change: Partial<DatabaseCredentialArgs> = {}) =>
  new DatabaseCredential("database", { ...args, ...change });
const inputsOf = async (name: string, program: () => unknown) =>
  (await record(program, nothingThere)).declared.find((each) => each.name === name)!.inputs;
const appWith = (change: Partial<CanaryAppArgs>, credential: Partial<DatabaseCredentialArgs> = {}) =>
  inputsOf(
    "storefront-app",
    () =>
      new CanaryApp("storefront", { ...app, ...change, credentials: { DATABASE_URL: credentialOf(credential).uri() } }),
  );

test("a vault has roles, purge protection, an audit log and one officer, and is protected", async () => {
  const { declared } = await record(
    () => new SecretVault("kv", { ...place, tenant: "t", workspaceId: "w", officer: "plane", subnet: "/subnets/apps" }),
  );
  expect(declared.filter(({ parent }) => parent !== "")).toMatchObject([
    { name: "kv-access-logs", inputs: { workspaceId: "w", logs: [{ category: "AuditEvent", enabled: true }] } },
    {
      name: "kv-officer-role",
      inputs: {
        scope: "kv-vault-id",
        principalId: "plane",
        roleDefinitionId: expect.stringContaining("b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
      },
    },
    {
      name: "kv-vault",
      protect: true,
      inputs: {
        vaultName: expect.stringMatching(/^kv-[0-9a-f]{8}$/),
        properties: {
          enableRbacAuthorization: true,
          enablePurgeProtection: true,
          softDeleteRetentionInDays: 90,
          networkAcls: { defaultAction: "Deny", virtualNetworkRules: [{ id: "/subnets/apps" }] },
        },
      },
    },
  ]);
});

test("the provider takes the declaration, and one identity may read the two slots and nothing else", async () => {
  const { declared } = await record(credentialOf);
  const { inputs } = declared.find(({ type }) => type === resource.token)!;
  expect(resource.check(inputs).failures).toEqual([]);
  expect(Object.keys(inputs).filter((name) => !Object.hasOwn(inputsForm.fields, name))).toEqual([]);
  expect(inputs["consumers"][0].strategy).toEqual({ ...defaultStrategy, bakeSeconds: 600 });
  expect(declared.filter(({ type }) => type.endsWith("RoleAssignment"))).toMatchObject(
    ["database-a", "database-b"].map((secret) => ({
      inputs: {
        scope: `/vaults/kv/secrets/${secret}`,
        principalId: "principal",
        roleDefinitionId: expect.stringContaining("4633458b-17de-408a-b874-0445c86b69e6"),
      },
    })),
  );
});

test("an app gets two references, the identity that reads them, and a variable in its first container", async () => {
  const sent = await appWith({ identity: { type: "SystemAssigned" } });
  expect(sent["configuration"].secrets).toEqual([
    { name: "database-a", keyVaultUrl: urls("a"), identity: "database-identity-id" },
    { name: "database-b", keyVaultUrl: urls("b"), identity: "database-identity-id" },
  ]);
  expect(sent["identity"]).toEqual({
    type: "SystemAssigned,UserAssigned",
    userAssignedIdentities: ["database-identity-id"],
  });
  expect(sent["template"].containers).toMatchObject([
    {
      env: [
        { name: "A", value: "1" },
        { name: "DATABASE_URL", secretRef: "database-a" },
      ],
    },
    { name: "sidecar" },
  ]);
});

test("the app's release knows the slots, and two variables of one credential share the references", async () => {
  const { declared } = await record(() => {
    const reference = credentialOf().uri();
    return new CanaryApp("storefront", { ...app, credentials: { ONE: reference, OTHER: reference } });
  }, nothingThere);
  const inputs = (name: string) => declared.find((each) => each.name === name)!.inputs;
  expect(inputs("storefront-release")["credentialSlots"]).toEqual([["database-a", "database-b"]]);
  expect(inputs("storefront-app")["configuration"].secrets).toHaveLength(2);
  expect(inputs("storefront-app")["identity"].userAssignedIdentities).toHaveLength(1);
});

test("arguments that are outputs as a whole are extended in the same way", async () => {
  const sent = await appWith({
    template: pulumi.output(app.template!),
    configuration: pulumi.output(app.configuration!),
    identity: pulumi.output({ type: "UserAssigned", userAssignedIdentities: ["/identities/own"] }),
  });
  expect(sent["identity"].userAssignedIdentities).toEqual(["/identities/own", "database-identity-id"]);
  expect(sent["template"].containers[0].env.at(-1)).toEqual({ name: "DATABASE_URL", secretRef: "database-a" });
  expect(sent["configuration"].secrets).toHaveLength(2);
});

test.each([
  ["an app that is not a consumer", {}, { consumers: [{ resourceGroup: "shop", app: "other" }] }, "not among the cons"],
  [
    "a secret by value",
    { configuration: { ...(app.configuration as object), secrets: [{ name: "key", value: "hunter2" }] } },
    {},
    "it holds the secret key by value",
  ],
  [
    "a registry's password",
    {
      configuration: {
        ...(app.configuration as object),
        secrets: [{ name: "pull", value: "hunter2" }],
        registries: [{ server: "shop.azurecr.io", username: "shop", passwordSecretRef: "pull" }],
      },
    },
    {},
    "by value, the password of the registry shop.azurecr.io",
  ],
  [
    "a variable that is set already",
    { template: { containers: [{ name: "web", image: "web:1", env: [{ name: "DATABASE_URL", value: "x" }] }] } },
    {},
    "the variable DATABASE_URL is set twice",
  ],
])("canary-app-credential-unfit refuses %s by name", async (_what, change, credential, words) => {
  const refused = appWith(change as Partial<CanaryAppArgs>, credential);
  await expect(refused).rejects.toThrow(/^canary-app-credential-unfit /);
  await expect(refused).rejects.toThrow(words);
  await expect(refused).rejects.not.toThrow("hunter2");
});

test.each([
  ["one role for both slots", { roles: { a: "x", b: "x" } }, "roles.a and roles.b must differ"],
  [
    "a period shorter than a rotation takes",
    { dueDays: 0.01 },
    "dueDays (0.01) is too short: a rotation takes at least",
  ],
  ["a version that is due at once", { validDays: 20 }, "dueDays (30) must be less than validDays (20)"],
  ["no consumer", { consumers: [] }, "consumers must"],
  ["a consumer twice", { consumers: [...args.consumers, ...args.consumers] }, "is listed twice"],
  ["a wait that no form has", { timings: { quiet: 5 } }, 'unknown field "quiet"'],
  ["connections without TLS to another machine", { server: { host: "db.example.net", tls: "disable" } }, "on loopback"],
])("a preview refuses %s by name", async (_what, change, words) =>
  expect(record(() => credentialOf(change as Partial<DatabaseCredentialArgs>))).rejects.toThrow(words),
);

test("credential-form-other: a reference has the form in which the values are written", async () => {
  await expect(record(() => credentialOf().dotnet())).rejects.toThrow(
    /^credential-form-other .*are written as uri, and not as dotnet/,
  );
  const { made } = await record(() => credentialOf({ form: "key-value" }).keyValue());
  expect(made.form).toBe("key-value");
  await expect(record(() => credentialOf().password())).rejects.toThrow("are written as uri, and not as apart");
});

test("role and password apart: two variables name one slot, and one identity may read all four secrets", async () => {
  const { declared } = await record(() => {
    const credential = credentialOf({ form: "apart" });
    const credentials = { PGUSER: credential.user(), PGPASSWORD: credential.password() };
    return new CanaryApp("storefront", { ...app, credentials });
  }, nothingThere);
  const inputs = (name: string) => declared.find((each) => each.name === name)!.inputs;
  const { configuration, template, identity } = inputs("storefront-app");
  expect(configuration.secrets.map(({ name, keyVaultUrl }: any) => [name, keyVaultUrl])).toEqual([
    ["database-a-user", "https://kv.vault.azure.net/secrets/database-a-user"],
    ["database-b-user", "https://kv.vault.azure.net/secrets/database-b-user"],
    ["database-a", urls("a")],
    ["database-b", urls("b")],
  ]);
  expect(template.containers[0].env.slice(-2)).toEqual([
    { name: "PGUSER", secretRef: "database-a-user" },
    { name: "PGPASSWORD", secretRef: "database-a" },
  ]);
  expect(identity.userAssignedIdentities).toEqual(["database-identity-id"]);
  expect(inputs("storefront-release")["credentialSlots"]).toEqual([
    ["database-a-user", "database-b-user"],
    ["database-a", "database-b"],
  ]);
  const rights = declared.filter(({ type }) => type.endsWith("RoleAssignment")).map(({ inputs: { scope: at } }) => at);
  expect(rights).toEqual(
    ["database-a", "database-a-user", "database-b", "database-b-user"].map((name) => `/vaults/kv/secrets/${name}`),
  );
});

test.each([
  ["role", "password", "user"],
  ["password", "role", "password"],
] as const)("an app that takes the %s without its %s is refused by name", async (taken, missing, method) => {
  const lone = () =>
    new CanaryApp("storefront", { ...app, credentials: { PGONE: credentialOf({ form: "apart" })[method]() } });
  await expect(record(lone, nothingThere)).rejects.toThrow(`it takes the ${taken} of database and not its ${missing}`);
});
