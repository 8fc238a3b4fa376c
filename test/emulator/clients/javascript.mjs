// Microsoft's JavaScript clients of Resource Manager on an emulator, each with its default api-version. It runs
// beside the packages in a temporary folder and prints one line of JSON a step. Its argument is the file that
// describes the emulator. The types of packages that this repository does not install cannot be checked here.
// @ts-nocheck
import { readFileSync } from "node:fs";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { MonitorClient } from "@azure/arm-monitor";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { OperationalInsightsManagementClient } from "@azure/arm-operationalinsights";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientSecretCredential } from "@azure/identity";

const { port, tenant, client, subscription } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const endpoint = `https://127.0.0.1:${port}`;
const credential = new ClientSecretCredential(tenant, client.id, client.secret, {
  authorityHost: endpoint,
  disableInstanceDiscovery: true,
});
const scopes = ["https://management.azure.com/.default"];
const made = (Client) =>
  new Client(credential, subscription, { endpoint, credentials: { scopes }, credentialScopes: scopes });
const quick = { updateIntervalInMs: 100 };
const group = `/subscriptions/${subscription}/resourceGroups/js`;
const environment = `${group}/providers/Microsoft.App/managedEnvironments/env`;
const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/jslogs`;

const [resources, workspaces, identities, roles, apps, monitor] = [
  ResourceManagementClient,
  OperationalInsightsManagementClient,
  ManagedServiceIdentityClient,
  AuthorizationManagementClient,
  ContainerAppsAPIClient,
  MonitorClient,
].map(made);

async function step(name, act) {
  const problem = await act().then(
    (right) => (right === true ? undefined : "the answer is not as expected"),
    ({ code, message }) => `${code ?? ""} ${message}`,
  );
  process.stdout.write(`${JSON.stringify({ name, problem })}\n`);
}
const namesIn = async (list) => {
  const names = [];
  for await (const { name, namespace } of list) names.push(name ?? namespace);
  return names;
};

await step("resource groups", async () => {
  await resources.resourceGroups.createOrUpdate("js", { location: "westeurope" });
  return (await namesIn(resources.resourceGroups.list())).includes("js");
});
await step("resource providers", async () => (await namesIn(resources.providers.list())).includes("Microsoft.App"));
await step("workspaces", async () => {
  const { workspaces: own } = workspaces;
  const create = own.beginCreateOrUpdateAndWait ?? own.createOrUpdate;
  await create.call(own, "js", "jslogs", { location: "westeurope" });
  return (await namesIn(own.listByResourceGroup("js"))).includes("jslogs");
});
await step("shared keys", async () => {
  const { primarySharedKey } = await workspaces.sharedKeys.getSharedKeys("js", "jslogs");
  return typeof primarySharedKey === "string";
});
await step("identities, roles by name, and role assignments", async () => {
  const { principalId } = await identities.userAssignedIdentities.createOrUpdate("js", "who", {
    location: "westeurope",
  });
  const filter = "roleName eq 'Reader'";
  const found = [];
  for await (const role of roles.roleDefinitions.list(`/subscriptions/${subscription}`, { filter })) found.push(role);
  const assignment = { roleDefinitionId: found[0].id, principalId, principalType: "ServicePrincipal" };
  await roles.roleAssignments.create(group, crypto.randomUUID(), assignment);
  return found.length === 1 && (await namesIn(roles.roleAssignments.listForScope(group))).length === 1;
});
await step("container apps", async () => {
  await apps.managedEnvironments.createOrUpdate("js", "env", { location: "westeurope" }, quick);
  const { latestRevisionName } = await apps.containerApps.createOrUpdate(
    "js",
    "shop",
    {
      location: "westeurope",
      managedEnvironmentId: environment,
      configuration: { ingress: { external: true, targetPort: 8080 } },
      template: { containers: [{ name: "web", image: "registry.example/web:1" }], scale: { minReplicas: 1 } },
    },
    quick,
  );
  return (await namesIn(apps.containerAppsRevisions.listRevisions("js", "shop"))).includes(latestRevisionName);
});
await step("a list with a filter", async () => {
  const filter = "resourceType eq 'Microsoft.App/containerApps'";
  return (await namesIn(resources.resources.list({ filter }))).join() === "shop";
});
await step("action groups, rules and diagnostic settings", async () => {
  await monitor.actionGroups.createOrUpdate("js", "group", {
    location: "Global",
    groupShortName: "group",
    enabled: true,
  });
  const criterion = { query: "AppMetrics", timeAggregation: "Count", operator: "GreaterThan", threshold: 0 };
  await monitor.scheduledQueryRules.createOrUpdate("js", "rule", {
    location: "westeurope",
    severity: 1,
    scopes: [workspace],
    evaluationFrequency: "PT5M",
    windowSize: "PT5M",
    criteria: { allOf: [criterion] },
  });
  const logs = [{ category: "ContainerAppHTTPLogs", enabled: true }];
  await monitor.diagnosticSettings.createOrUpdate(environment.slice(1), "rows", { workspaceId: workspace, logs });
  return true;
});
await step("deletion", async () => {
  await apps.containerApps.delete("js", "shop", quick);
  return (await namesIn(apps.containerApps.listBySubscription())).length === 0;
});
