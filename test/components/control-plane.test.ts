// What a ControlPlane deploys: the least rights, every setting, and no secret in plain text.
import { expect, test } from "vitest";
import { ControlPlane, type ControlPlaneArgs } from "../../components/platform/control-plane.ts";
import { controlPlaneActions } from "../../components/platform/control-plane-rights.ts";
import { record, valueOf, variablesOf } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const args: ControlPlaneArgs = {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  subscription: "s",
  tenant: "t",
  image: "example.azurecr.io/control-plane:1",
  pull: { server: "example.azurecr.io", identity: "/identities/images" },
  environment: { id: "environment", domain: "apps.example.net" },
  workspace: { id: "/subscriptions/s/workspaces/apps", customerId: "customer" },
  database: { host: "journal-1.example.net", name: "ballast", port: 5432, tls: "require" },
  managedTargets: [{ resourceGroup: "shop", app: "storefront" }],
  audience: "api://ballast",
  endpoints: {
    resourceManager: "https://management.azure.com",
    logs: "https://api.loganalytics.io",
    login: "https://login.microsoftonline.com",
  },
  leaseSeconds: 60,
  requestSeconds: 30,
  ingestionSeconds: 180,
  minReplicas: 1,
  maxReplicas: 3,
};
const parent = "ballast:index:ControlPlane";
const controlPlane = (change: Partial<ControlPlaneArgs> = {}) =>
  record(() => new ControlPlane("control-plane", { ...args, ...change }));
const inputsOf = async (name: string, change: Partial<ControlPlaneArgs> = {}) =>
  (await controlPlane(change)).declared.find((each) => each.name === name)?.inputs;

test("its identity may write the group's apps and read the workspace, and has no other right", async () => {
  const { declared } = await controlPlane();
  const role = (guid: string) => `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
  const principal = { principalId: "principal", principalType: "ServicePrincipal" };
  const rights = declared.filter(({ type }) => /RoleAssignment|Administrator/.test(type));
  expect(rights).toHaveLength(2);
  expect(rights).toMatchObject([
    {
      type: "azure-native:authorization:RoleAssignment",
      name: "control-plane-apps-role",
      parent,
      inputs: { scope, roleDefinitionId: "control-plane-role-id", ...principal },
    },
    {
      type: "azure-native:authorization:RoleAssignment",
      name: "control-plane-logs-role",
      parent,
      inputs: {
        scope: "/subscriptions/s/workspaces/apps",
        roleDefinitionId: role("73c42c96-874c-492b-b04d-ab87d138a893"),
        ...principal,
      },
    },
  ]);
});

test("its role at the apps is a custom one of the actions it uses, which the group alone can assign", async () => {
  const role = await inputsOf("control-plane-role");
  expect(role).toMatchObject({
    scope,
    roleType: "CustomRole",
    assignableScopes: [scope],
    permissions: [{ actions: [...controlPlaneActions] }],
  });
  const elsewhere = await inputsOf("control-plane-role", { scope: `${scope}-2` });
  expect(role!["roleDefinitionId"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect((await inputsOf("control-plane-role"))!["roleDefinitionId"]).toBe(role!["roleDefinitionId"]);
  expect([elsewhere!["roleDefinitionId"], elsewhere!["roleName"]]).not.toContain(role!["roleDefinitionId"]);
  expect(elsewhere!["roleName"]).not.toBe(role!["roleName"]);
});

const remediations = {
  targets: [{ target: "app/shop/storefront", dependsOn: [] }],
  policies: [
    {
      rule: "app-failing",
      owner: "shop team",
      targets: ["app/shop/storefront"],
      ladder: [{ runbook: "restart-revision" }],
      verification: {},
    },
  ],
};

test("with remediations it may read alerts, restart revisions and run jobs, and gets what is declared", async () => {
  const declared = JSON.stringify(remediations);
  expect((await inputsOf("control-plane-role", { remediations: declared }))!["permissions"][0].actions).toEqual([
    ...controlPlaneActions,
    "Microsoft.App/containerApps/revisions/restart/action",
    "Microsoft.App/jobs/read",
    "Microsoft.App/jobs/start/action",
    "Microsoft.App/jobs/executions/read",
    "Microsoft.App/jobs/stop/execution/action",
  ]);
  expect(await inputsOf("control-plane-alerts-role", { remediations: declared })).toMatchObject({
    scope: "/subscriptions/s",
    roleDefinitionId: expect.stringContaining("43d0d8ad-25c7-4714-9337-8ba259a9fe05"),
  });
  const all = (await controlPlane({ remediations: declared })).declared;
  expect(variablesOf(all, "control-plane-app")).toMatchObject({ BALLAST_REMEDIATIONS: declared });
});

test("remediations that could never help are refused at preview, by name", async () => {
  const [policy] = remediations.policies;
  const refused = (change: object) =>
    controlPlane({ remediations: JSON.stringify({ ...remediations, policies: [{ ...policy, ...change }] }) });
  await expect(refused({ verification: undefined })).rejects.toThrow("verification is missing");
  await expect(refused({ targets: ["app/shop/other"] })).rejects.toThrow("which is not declared");
  await expect(refused({ limits: { cooldownSeconds: 9 } })).rejects.toThrow("lookBackSeconds");
  const unmanaged = {
    targets: [{ target: "app/shop/other", dependsOn: [] }],
    policies: [{ ...policy, targets: ["app/shop/other"], ladder: [{ runbook: "return-to-previous" }] }],
  };
  await expect(controlPlane({ remediations: JSON.stringify(unmanaged) })).rejects.toThrow(
    "The policy of app-failing can never return app/shop/other: it is not among managedTargets.",
  );
});

const issues = {
  vaultId: "/subscriptions/s/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/shop-kv",
  tokenUrl: "https://shop-kv.vault.azure.net/secrets/github-issues",
};
const opensIssues = JSON.stringify({
  ...remediations,
  policies: [{ ...remediations.policies[0], ladder: [{ runbook: "open-issue", repository: "shop/web" }] }],
});

test("the token for issues is a reference to Key Vault, and its identity may read that one secret", async () => {
  const { declared } = await controlPlane({ remediations: opensIssues, issues });
  const app = declared.find(({ name }) => name === "control-plane-app")!.inputs;
  expect(app["configuration"].secrets).toEqual([
    { name: "issues-token", keyVaultUrl: issues.tokenUrl, identity: "control-plane-identity-id" },
  ]);
  expect(app["template"].containers[0].env).toContainEqual({ name: "BALLAST_ISSUES_TOKEN", secretRef: "issues-token" });
  expect(declared.find(({ name }) => name === "control-plane-issues-role")!.inputs).toMatchObject({
    scope: `${issues.vaultId}/secrets/github-issues`,
    roleDefinitionId: expect.stringContaining("4633458b-17de-408a-874b-0445c86b69e6"),
  });
});

test.each([
  ["policies that open issues without a token", { remediations: opensIssues }, "so issues must name the token"],
  ["a version of the token", { issues: { ...issues, tokenUrl: `${issues.tokenUrl}/0123` } }, "without a version"],
  ["an API without TLS", { issues: { ...issues, api: "http://github.example/api/v3" } }, "https address"],
])("%s: refused at preview", async (_what, change, message) => {
  await expect(controlPlane(change)).rejects.toThrow(message);
});

const credentials = [
  {
    vault: "shop-kv",
    credential: "database",
    server: "shop.postgres.database.azure.com",
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    checks: ["select 1"],
    consumers: [{ resourceGroup: "shop", app: "storefront", probePath: "/health" }],
    validDays: 60,
    dueDays: 30,
  },
];

const { server: _server, database: _database, checks: _checks, ...partner } = credentials[0]!;

test("with credentials it gets what is declared", async () => {
  const declared = JSON.stringify(credentials);
  const all = (await controlPlane({ credentials: declared })).declared;
  expect(variablesOf(all, "control-plane-app")).toMatchObject({ BALLAST_CREDENTIALS: declared });
});

test.each([
  ["a validity that is shorter than the notice", [{ ...credentials[0], validDays: 20 }], "dueDays (30) must be less"],
  ["one credential twice", [credentials[0], credentials[0]], "The credential database is declared twice."],
  ["one role for both slots", [{ ...credentials[0], roles: { a: "x", b: "x" } }], "must differ"],
  [
    "a consumer that is not managed",
    [{ ...credentials[0], consumers: [{ resourceGroup: "shop", app: "cart" }] }],
    "cart, a consumer of database, is not a managed target.",
  ],
  [
    "a webhook whose calls nothing signs",
    [{ ...partner, webhook: { url: "https://rotate.example.com/" } }],
    "credentialWebhookSecret must sign the calls to the webhook of database.",
  ],
])("%s is refused at preview, by name", async (_what, declared, says) => {
  await expect(controlPlane({ credentials: JSON.stringify(declared) })).rejects.toThrow(says);
});

test("each role assignment keeps its GUID at every update, and no two share one", async () => {
  const names = async () => (await controlPlane()).declared.flatMap(({ inputs }) => inputs["roleAssignmentName"] ?? []);
  const [first, again] = [await names(), await names()];
  expect(again.sort()).toEqual(first.sort());
  expect(new Set(first).size).toBe(2);
  for (const name of first) expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("the app runs in Single mode under its identity, with probes and at least one replica", async () => {
  const { declared } = await controlPlane();
  expect(declared.find(({ name }) => name === "control-plane-app")).toMatchObject({
    type: "azure-native:app:ContainerApp",
    name: "control-plane-app",
    parent,
    inputs: {
      containerAppName: "control-plane",
      resourceGroupName: "shop",
      managedEnvironmentId: "environment",
      identity: { type: "UserAssigned", userAssignedIdentities: ["control-plane-identity-id", "/identities/images"] },
      configuration: {
        activeRevisionsMode: "Single",
        registries: [{ server: "example.azurecr.io", identity: "/identities/images" }],
        ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
      },
      template: {
        containers: [
          {
            image: "example.azurecr.io/control-plane:1",
            probes: [{ type: "Startup" }, { type: "Readiness", httpGet: { path: "/health" } }, { type: "Liveness" }],
          },
        ],
        scale: { minReplicas: 1 },
      },
    },
  });
});

test("every setting that the service reads is set", async () => {
  const { declared } = await controlPlane();
  expect(variablesOf(declared, "control-plane-app")).toEqual({
    BALLAST_SUBSCRIPTION: "s",
    BALLAST_TENANT: "t",
    BALLAST_AUDIENCE: "api://ballast",
    BALLAST_WORKSPACE: "customer",
    BALLAST_MANAGED_TARGETS: '[{"resourceGroup":"shop","app":"storefront"}]',
    BALLAST_RESOURCE_MANAGER: "https://management.azure.com",
    BALLAST_LOGS: "https://api.loganalytics.io",
    AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com",
    AZURE_CLIENT_ID: "client",
    BALLAST_DATABASE_HOST: "journal-1.example.net",
    BALLAST_DATABASE_PORT: "5432",
    BALLAST_DATABASE_NAME: "ballast",
    BALLAST_DATABASE_USER: "control-plane",
    BALLAST_DATABASE_TLS: "require",
    BALLAST_LEASE_SECONDS: "60",
    BALLAST_REQUEST_SECONDS: "30",
    BALLAST_INGESTION_SECONDS: "180",
  });
});

test("a password is a secret of the app, and the template only names it", async () => {
  const { declared } = await controlPlane({
    database: { ...args.database, login: { user: "ballast", password: "hunter2" } },
  });
  const app = declared.find(({ name }) => name === "control-plane-app")!.inputs;
  expect(app["template"].containers[0].env).toContainEqual({
    name: "BALLAST_DATABASE_PASSWORD",
    secretRef: "database-password",
  });
  expect(app["template"].containers[0].env).toContainEqual({ name: "BALLAST_DATABASE_USER", value: "ballast" });
  // The SDK makes the whole configuration a secret, since it contains the password.
  expect(app["configuration"]).toMatchObject({ value: { secrets: [{ name: "database-password", value: "hunter2" }] } });
  expect(JSON.stringify({ ...app, configuration: undefined })).not.toContain("hunter2");
});

test("the notifiers are a secret of the app, and the template only names it", async () => {
  const app = (await inputsOf("control-plane-app", { notify: '{"slackUrl":"https://hooks.example/hunter2"}' }))!;
  expect(app["template"].containers[0].env).toContainEqual({ name: "BALLAST_NOTIFY", secretRef: "notify" });
  expect(app["configuration"]).toMatchObject({
    value: { secrets: [{ name: "notify", value: '{"slackUrl":"https://hooks.example/hunter2"}' }] },
  });
  expect(JSON.stringify({ ...app, configuration: undefined })).not.toContain("hunter2");
});

test("its outputs are its address in the environment's domain, and its identity for the database role", async () => {
  const { made, declared } = await controlPlane();
  expect(declared.find(({ type }) => type === parent)).toMatchObject({
    name: "control-plane",
    parent: "",
    outputs: ["audience", "binding", "endpoint", "identityName", "identityObjectId"],
  });
  expect(await Promise.all([made.identityName, made.identityObjectId].map(valueOf))).toEqual([
    "control-plane",
    "principal",
  ]);
  expect(await valueOf(made.endpoint)).toBe("https://control-plane.apps.example.net");
});
