// How `ballast doctor` reads the state of another program: which resources belong to which component, wherever the
// program has put its components, and what it cannot do without. test/program/program.pulumi.test.ts compares it with a
// whole deployed program, test/docs/adopting.pulumi.test.ts with an adopter's.
import { describe, expect, test } from "vitest";
import { checksOfApps } from "../../../cli/doctor/app-checks.ts";
import { contextOf } from "../../../cli/doctor/context.ts";
import { databaseChecks } from "../../../cli/doctor/database-checks.ts";
import { examine } from "../../../cli/doctor/finding.ts";
import { identityChecks } from "../../../cli/doctor/identity-checks.ts";
import { type StateResource, stackOfState } from "../../../cli/doctor/state.ts";

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
const shop = `${subscription}/resourceGroups/shop`;
const own = `${subscription}/resourceGroups/releases`;
const inOwn = (path: string): string => `${own}/providers/${path}`;
const environment = `${shop}/providers/Microsoft.App/managedEnvironments/shop`;

/** Makes a resource of a state. It is a child of the component, which may itself be a child of another program's. */
const resource = (
  component: string,
  type: string,
  id: string,
  inputs: object = {},
  more: object = {},
): StateResource => ({
  urn: `urn:pulumi:prod::shop::${component === "" ? "" : `${component}$`}${type}::x`,
  type,
  id,
  inputs,
  ...more,
});
const env = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
const plane = (changes: object = {}, component = "ballast:index:ControlPlane") =>
  resource(component, "azure-native:app:ContainerApp", inOwn("Microsoft.App/containerApps/control-plane"), {
    location: "westeurope",
    managedEnvironmentId: environment,
    configuration: { ingress: {} },
    template: {
      scale: { minReplicas: 2 },
      containers: [
        {
          resources: { cpu: 0.5, memory: "1Gi" },
          env: env({
            BALLAST_SUBSCRIPTION: subscription.split("/")[2]!,
            BALLAST_AUDIENCE: "api://shop",
            BALLAST_INGESTION_SECONDS: "60",
            BALLAST_RESOURCE_MANAGER: "https://management.example",
            BALLAST_LOGS: "https://logs.example",
            BALLAST_MANAGED_TARGETS: JSON.stringify([
              { resourceGroup: "shop", app: "web" },
              { resourceGroup: "shop", app: "api" },
            ]),
          }),
        },
      ],
    },
    ...changes,
  });
const identity = (component: string, name: string) =>
  resource(
    `ballast:index:${component}`,
    "azure-native:managedidentity:UserAssignedIdentity",
    inOwn(`Microsoft.ManagedIdentity/userAssignedIdentities/${name}`),
  );
const role = (component: string, scope: string) =>
  resource(
    `ballast:index:${component}`,
    "azure-native:authorization:RoleAssignment",
    `${scope}/providers/Microsoft.Authorization/roleAssignments/1`,
    { scope },
  );
const described = (...resources: readonly StateResource[]) => stackOfState("prod", resources);

describe("a stack by its state", () => {
  test("cannot be described without a deployed control plane", () => {
    for (const resources of [
      [],
      [
        resource(
          "ballast:index:CanaryApp",
          "azure-native:app:ContainerApp",
          `${shop}/providers/Microsoft.App/containerApps/web`,
        ),
      ],
      [{ ...plane(), delete: true }],
    ]) {
      expect(() => described(...resources)).toThrow(
        expect.objectContaining({
          id: "doctor-plane-undeployed",
          message: expect.stringContaining("The stack prod sets no ballast: configuration key"),
        }),
      );
    }
  });

  test("has its control plane wherever the program has put it, with its managed targets", () => {
    const web = resource(
      "ballast:index:CanaryApp",
      "azure-native:app:ContainerApp",
      `${shop}/providers/Microsoft.App/containerapps/WEB`,
      { template: { scale: { minReplicas: 0 }, containers: [{ resources: { cpu: 1, memory: "2Gi" } }] } },
    );
    const release = resource("ballast:index:CanaryApp", "ballast:index:Release", "web--1", {
      resourceGroup: "shop",
      app: "web",
      probePath: "/cart",
    });
    for (const component of ["ballast:index:ControlPlane", "acme:platform:Releases$ballast:index:ControlPlane"]) {
      expect(described(plane({}, component), web, release)).toMatchObject({
        location: "westeurope",
        audience: "api://shop",
        ingestionSeconds: 60,
        silenceSeconds: 240,
        environment,
        endpoints: { resourceManager: "https://management.example", logs: "https://logs.example" },
        internal: false,
        callers: [],
        apps: [
          {
            id: `${shop}/providers/Microsoft.App/containerApps/web`,
            probePath: "/cart",
            replicas: { least: 0, cpu: 1 },
          },
          { id: `${shop}/providers/Microsoft.App/containerApps/api`, probePath: "/", replicas: undefined },
        ],
        database: undefined,
      });
    }
  });

  test("has identities, workspace, component and database by their resources, and undefined for those missing", () => {
    const server = resource(
      "ballast:index:JournalDatabase",
      "azure-native:dbforpostgresql:Server",
      inOwn("Microsoft.DBforPostgreSQL/flexibleServers/journal-1"),
      {
        version: "18",
        sku: { name: "Standard_D2ds_v5" },
        authConfig: { passwordAuth: "Disabled" },
        highAvailability: { mode: "ZoneRedundant" },
      },
    );
    const job = resource(
      "ballast:index:DatabaseRole",
      "azure-native:app:Job",
      inOwn("Microsoft.App/jobs/database-role"),
    );
    const insights = inOwn("Microsoft.Insights/components/telemetry");
    const workspace = `${shop}/providers/Microsoft.OperationalInsights/workspaces/logs`;
    const given = described(
      plane(),
      server,
      job,
      identity("DatabaseRole", "database-role"),
      identity("ControlPlane", "control-plane"),
      role("ControlPlane", shop),
      role("ControlPlane", workspace),
      role("ControlPlane", insights),
    );
    expect(given).toMatchObject({
      workspace,
      insights,
      identities: {
        plane: inOwn("Microsoft.ManagedIdentity/userAssignedIdentities/control-plane"),
        switch: undefined,
        pull: undefined,
      },
      registry: undefined,
      database: {
        server: server.id,
        version: "18",
        sku: "Standard_D2ds_v5",
        zoneRedundant: true,
        preparedBy: { identity: inOwn("Microsoft.ManagedIdentity/userAssignedIdentities/database-role"), job: job.id },
      },
      names: [{ kind: "database server", id: server.id }],
    });
    expect(described(plane(), server).database).toMatchObject({ preparedBy: undefined });
    expect(
      described(plane(), { ...server, inputs: { ...server.inputs, authConfig: { passwordAuth: "Enabled" } } }).database,
    ).toMatchObject({ preparedBy: "password" });
  });

  test("needs permissions in each of its groups, but none for a role assignment on a single resource", () => {
    const definition = resource(
      "ballast:index:DeadMansSwitch",
      "azure-native:authorization:RoleDefinition",
      `${subscription}/providers/Microsoft.Authorization/roleDefinitions/2`,
      { scope: shop },
    );
    const setting = resource(
      "",
      "azure-native:insights:DiagnosticSetting",
      `${environment.replace("resourceGroups", "resourcegroups")}/providers/Microsoft.Insights/diagnosticSettings/logs`,
    );
    const { writes } = described(
      plane(),
      role("ControlPlane", shop),
      role("ImageRegistry", `${shop}/providers/Microsoft.ContainerRegistry/registries/shop`),
      definition,
      setting,
      resource("", "azure-native:resources:ResourceGroup", own),
      resource("", "random:index:RandomId", "x"),
    );
    expect([...writes]).toEqual([
      [own, ["Microsoft.App/containerApps/write"]],
      [
        shop,
        [
          "Microsoft.Authorization/roleAssignments/write",
          "Microsoft.Authorization/roleDefinitions/write",
          "Microsoft.Insights/diagnosticSettings/write",
        ],
      ],
    ]);
  });

  test("has the network, callers, silence and endpoint of its control plane, and its registry", () => {
    const made = resource("ballast:index:ContainerEnvironment", "azure-native:app:ManagedEnvironment", environment, {
      vnetConfiguration: { internal: true, infrastructureSubnetId: "x" },
    });
    const job = resource(
      "ballast:index:DeadMansSwitch",
      "azure-native:app:Job",
      inOwn("Microsoft.App/jobs/dead-mans-switch"),
      { template: { containers: [{ env: env({ BALLAST_DEADMAN_SECONDS: "90" }) }] } },
    );
    const registry = resource(
      "ballast:index:ImageRegistry",
      "azure-native:containerregistry:Registry",
      inOwn("Microsoft.ContainerRegistry/registries/shopimages"),
    );
    const reached = plane({
      configuration: {
        ingress: { ipSecurityRestrictions: [{ name: "caller-1", ipAddressRange: "203.0.113.0/24", action: "Allow" }] },
      },
    });
    const component = {
      urn: "urn:pulumi:prod::shop::ballast:index:ControlPlane::x",
      type: "ballast:index:ControlPlane",
      outputs: { endpoint: "https://control-plane.example", binding: "bound" },
    };
    expect(described(reached, made, job, registry, role("ImageRegistry", registry.id!), component)).toMatchObject({
      internal: true,
      callers: ["203.0.113.0/24"],
      silenceSeconds: 90,
      endpoint: "https://control-plane.example",
      binding: "bound",
      registry: registry.id,
      names: [{ kind: "registry", id: registry.id }],
    });
  });
});

test("a component that a stack lacks is unknown, not failed", async () => {
  const context = contextOf(described(plane()), () => async () => "unused");
  expect(await examine([...identityChecks, ...databaseChecks], context)).toEqual(
    [
      ["plane rights", "ControlPlane"],
      ["switch rights", "DeadMansSwitch"],
      ["pull rights", "ImageRegistry"],
      ["database size", "JournalDatabase"],
      ["database role", "JournalDatabase"],
    ].map(([check, component]) => ({ check, state: "unknown", message: `the stack has no ${component}` })),
  );
});

test("the names of checks include the app's only if there are several apps", () => {
  const { apps } = described(plane());
  expect(checksOfApps(apps).map(({ name }) => name)).toEqual([
    "canary of web",
    "image of web",
    "request rows of web",
    "idle revisions of web",
    "canary of api",
    "image of api",
    "request rows of api",
    "idle revisions of api",
  ]);
  expect(checksOfApps(apps.slice(1)).map(({ name }) => name)).toEqual([
    "canary",
    "image",
    "request rows",
    "idle revisions",
  ]);
});
