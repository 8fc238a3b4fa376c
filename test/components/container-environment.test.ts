// What a ContainerEnvironment deploys.
import { expect, test } from "vitest";
import { ContainerEnvironment } from "../../components/platform/container-environment.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const environment = () =>
  record(() => new ContainerEnvironment("apps", { scope, resourceGroupName: "shop", location: "westeurope" }));

test("every request to the environment's apps is logged to its workspace", async () => {
  const { declared } = await environment();
  expect(declared).toMatchObject([
    {
      type: "ballast:index:ContainerEnvironment",
      name: "apps",
      parent: "",
      outputs: ["customerId", "domain", "environmentId", "workspaceId"],
    },
    {
      type: "azure-native:app:ManagedEnvironment",
      name: "apps-environment",
      parent: "ballast:index:ContainerEnvironment",
      inputs: {
        environmentName: "apps",
        resourceGroupName: "shop",
        location: "westeurope",
        appLogsConfiguration: { destination: "azure-monitor" },
      },
    },
    {
      type: "azure-native:monitor:DiagnosticSetting",
      name: "apps-request-logs",
      parent: "ballast:index:ContainerEnvironment",
      inputs: {
        resourceUri: "apps-environment-id",
        workspaceId: "apps-workspace-id",
        logs: expect.arrayContaining([{ category: "ContainerAppHTTPLogs", enabled: true }]),
      },
    },
    {
      type: "azure-native:operationalinsights:Workspace",
      name: "apps-workspace",
      parent: "ballast:index:ContainerEnvironment",
      inputs: { workspaceName: "apps", resourceGroupName: "shop", location: "westeurope", retentionInDays: 30 },
    },
  ]);
});

test("its outputs are what apps need", async () => {
  const { made } = await environment();
  expect(await Promise.all([made.environmentId, made.domain, made.workspaceId, made.customerId].map(valueOf))).toEqual([
    "apps-environment-id",
    "apps.example.net",
    "apps-workspace-id",
    "customer",
  ]);
});
