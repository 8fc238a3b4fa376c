// Microsoft's JavaScript clients of Resource Manager on an emulator, each with its default api-version. It runs
// beside the packages in a temporary folder and prints one line of JSON a step. Its argument is the file that
// describes the emulator. The types of packages that this repository does not install cannot be checked here.
// @ts-nocheck
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { EventGridManagementClient } from "@azure/arm-eventgrid";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
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

const [resources, workspaces, identities, roles, apps, monitor, vaults, events] = [
  ResourceManagementClient,
  OperationalInsightsManagementClient,
  ManagedServiceIdentityClient,
  AuthorizationManagementClient,
  ContainerAppsAPIClient,
  MonitorClient,
  KeyVaultManagementClient,
  EventGridManagementClient,
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
const vault = `${group}/providers/Microsoft.KeyVault/vaults/jsvault`;
await step("a vault", async () => {
  const create = vaults.vaults.beginCreateOrUpdateAndWait ?? vaults.vaults.createOrUpdate;
  const sku = { family: "A", name: "standard" };
  const properties = { tenantId: tenant, sku, enableRbacAuthorization: true };
  await create.call(vaults.vaults, "js", "jsvault", { location: "westeurope", properties }, quick);
  return (await namesIn(vaults.vaults.listByResourceGroup("js"))).includes("jsvault");
});
await step("a topic and a subscription", async () => {
  const receiver = http.createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    response.end(JSON.stringify({ validationResponse: JSON.parse(text)[0].data.validationCode }));
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const { systemTopics: topics, systemTopicEventSubscriptions: subscriptions } = events;
  const topic = { location: "westeurope", source: vault, topicType: "Microsoft.KeyVault.vaults" };
  await topics.beginCreateOrUpdateAndWait("js", "jstopic", topic, quick);
  const endpointUrl = `http://127.0.0.1:${receiver.address().port}/hook`;
  const wanted = { destination: { endpointType: "WebHook", endpointUrl } };
  await subscriptions.beginCreateOrUpdateAndWait("js", "jstopic", "jshook", wanted, quick);
  receiver.close();
  return (await subscriptions.getFullUrl("js", "jstopic", "jshook")).endpointUrl === endpointUrl;
});
await step("a deleted vault", async () => {
  await vaults.vaults.delete("js", "jsvault");
  const purge = vaults.vaults.beginPurgeDeletedAndWait ?? vaults.vaults.purgeDeleted;
  const deleted = await namesIn(vaults.vaults.listDeleted());
  await purge.call(vaults.vaults, "jsvault", "westeurope", quick);
  return deleted.includes("jsvault") && (await namesIn(vaults.vaults.listDeleted())).length === 0;
});
await step("deletion", async () => {
  await apps.containerApps.delete("js", "shop", quick);
  return (await namesIn(apps.containerApps.listBySubscription())).length === 0;
});
