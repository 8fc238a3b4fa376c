// The baseline: thresholds that follow from the size that was bought, and those of a published baseline that can never
// fire or that warn of nothing, refused by name.
import { expect, test } from "vitest";
import { connectionsOf } from "../../../components/alerts/baseline.ts";
import { BaselineAlerts, type BaselineAlertsArgs } from "../../../components/alerts/baseline-alerts.ts";
import { RemediatedAlert, type RemediatedAlertArgs } from "../../../components/alerts/remediated-alert.ts";
import { record } from "../../support/program/mocks.ts";

const args: BaselineAlertsArgs = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  actionGroupIds: ["group"],
  owner: "platform team",
  runbook: "Capacity",
};
const rulesOf = async (change: Partial<BaselineAlertsArgs>) => {
  const { declared } = await record(() => new BaselineAlerts("baseline", { ...args, ...change }));
  return declared
    .filter(({ type }) => type === "azure-native:monitor:MetricAlert")
    .map(({ name, inputs }) => ({
      ...inputs["criteria"].allOf[0],
      name: name.replace("baseline-alert-", ""),
      inputs,
    }));
};
const app = { id: "app", name: "web", cpu: 0.25, memoryGib: 0.5 };
const server = { id: "server", name: "db", sku: "Standard_B1ms" };

test("a threshold follows from the size: a quarter of a core, and 35 connections of the smallest server", async () => {
  const shown = (rules: Awaited<ReturnType<typeof rulesOf>>) =>
    Object.fromEntries(rules.map(({ name, threshold }) => [name, threshold]));
  expect(shown(await rulesOf({ apps: [app] }))).toEqual({
    "app-cpu-web": 212_500_000,
    "app-memory-web": 483_183_821,
    "app-replicas-web": 1,
    "app-restarts-web": 3,
  });
  expect(shown(await rulesOf({ apps: [{ ...app, cpu: 4, scalesToZero: true }] }))).toEqual({
    "app-cpu-web": 3_400_000_000,
    "app-memory-web": 483_183_821,
    "app-restarts-web": 3,
  });
  expect(shown(await rulesOf({ databases: [server] }))["database-connections-db"]).toBe(28);
  expect(
    ["Standard_B2s", "Standard_D4ds_v5", "Standard_E4ads_v5", "Standard_D96ds_v5", "Standard_F4"].map(connectionsOf),
  ).toEqual([414, 1703, 3422, 4985, undefined]);
});

test("each rule watches one resource, names its owner and its runbook, and notifies the action groups", async () => {
  const rules = await rulesOf({
    apps: [app],
    databases: [server],
    vaults: [{ id: "vault", name: "secrets" }],
    topics: [{ id: "topic", name: "events" }],
  });
  expect(rules).toHaveLength(17);
  for (const { inputs } of rules) {
    expect(inputs["scopes"]).toHaveLength(1);
    expect(inputs["actions"]).toEqual([
      { actionGroupId: "group", webHookProperties: { owner: "platform team", runbook: "Capacity" } },
    ]);
  }
});

test.each<[string, object, string]>([
  [
    "10,737,418,240 transaction ids",
    { databases: [server], thresholds: { "database-transaction-ids": 10_737_418_240 } },
    "database-transaction-ids of db (10737418240) can never fire: maximum_used_transactionIDs is never more than " +
      "2,147,483,648 transaction ids.",
  ],
  [
    "0.9 cores of a quarter of a core",
    { apps: [app], thresholds: { "app-cpu": 900_000_000 } },
    "app-cpu of web (900000000) can never fire: UsageNanoCores is never more than 250,000,000.",
  ],
  [
    "120 connections of a server that has 50",
    { databases: [server], thresholds: { "database-connections": 120 } },
    "database-connections of db (120) can never fire: active_connections is never more than 50.",
  ],
  [
    "no replica of an app below zero",
    { apps: [app], thresholds: { "app-replicas": 0 } },
    "app-replicas of web (0) can never fire: Replicas is never less than 0 replicas.",
  ],
  ["an alert that warns of nothing", { apps: [app], thresholds: { "vault-hits": 80 } }, "vault-hits"],
  ["a size that is not known", { databases: [{ ...server, sku: "Standard_F4" }] }, "Standard_F4"],
  ["nothing to watch", {}, "Nothing is watched"],
  ["two resources of one name", { apps: [app, app] }, "Two resources are named web"],
])("%s is refused by name at preview", async (_what, change, text) => {
  await expect(rulesOf(change as Partial<BaselineAlertsArgs>)).rejects.toThrow(text);
});

const alert: RemediatedAlertArgs = {
  ...args,
  location: "westeurope",
  workspaceId: "workspace",
  title: "Conflicts",
  means: "A lock is stale.",
  query: "ContainerAppHTTPLogs | where StatusCode == 409 | summarize c = count() by ContainerAppName | where c > 20",
  dimension: "ContainerAppName",
  severity: 2,
  windowMinutes: 10,
  targets: ["app/shop/web"],
  remedy: { ladder: [{ runbook: "start-job", job: "release-locks" }], verification: {} },
};

test.each<[string, object, string]>([
  ["a query that names no target", { query: "ContainerAppHTTPLogs | count" }, "does not name ContainerAppName"],
  [
    "a threshold that the query never crosses",
    { query: "ContainerAppHTTPLogs | project ContainerAppName | take 5", threshold: 5 },
    "The threshold (5) can never be crossed: the query returns at most 5 rows.",
  ],
  ["a window shorter than its frequency", { windowMinutes: 5, everyMinutes: 10 }, "rows would be missed"],
  ["a window of more than two days", { windowMinutes: 4320 }, "windowMinutes"],
  ["a job without a name", { remedy: { ladder: [{ runbook: "start-job" }], verification: {} } }, "the name of a job"],
  [
    "a verification that cannot end",
    { remedy: { ...alert.remedy, verification: { windowSeconds: 30, intervalSeconds: 60 } } },
    "shorter than its interval",
  ],
  ...["restarts", "blocked-sessions"].map((measure): [string, object, string] => [
    `a verification by ${measure}`,
    { remedy: { ...alert.remedy, verification: { measure } } },
    `measures ${measure}, which the control plane cannot`,
  ]),
])("a remediated alert with %s is refused by name at preview", async (_what, change, text) => {
  await expect(
    record(() => new RemediatedAlert("conflicts", { ...alert, ...change } as RemediatedAlertArgs)),
  ).rejects.toThrow(text);
});
