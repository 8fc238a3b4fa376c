// What a Telemetry deploys: an Application Insights component that accepts no key alone, an identity that may publish
// there and nothing else, and a rule for each alert.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codesNeeded } from "../../components/platform/alert-addresses.ts";
import { alertsOf } from "../../components/platform/alerts.ts";
import { Telemetry, type TelemetryArgs } from "../../components/platform/telemetry.ts";
import { describedMetrics } from "../support/controlplane/described-metrics.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const parent = "ballast:index:Telemetry";
const args: TelemetryArgs = {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: "workspace",
  apps: ["storefront", "search"],
  leaseSeconds: 30,
};
const telemetry = (change: Partial<TelemetryArgs> = {}) =>
  record(() => new Telemetry("telemetry", { ...args, ...change }));
const alerts = alertsOf({ apps: ["storefront", "search"], leaseSeconds: 30, switchJob: "dead-mans-switch" });

test("the component is on the workspace and accepts nothing from a sender with only its key", async () => {
  const { declared, made } = await telemetry();
  expect(declared.find(({ name }) => name === "telemetry-insights")).toMatchObject({
    type: "azure-native:applicationinsights:Component",
    parent,
    inputs: { workspaceResourceId: "workspace", disableLocalAuth: true, applicationType: "web" },
  });
  expect(await valueOf(made.sender.insightsId)).toBe("telemetry-insights-id");
  expect(await valueOf(made.sender.connectionString)).toContain("IngestionEndpoint=https://ingestion.example.net/");
});

test("the senders' identity may publish at the component and has no other right", async () => {
  const { declared, made } = await telemetry();
  expect(made.sender.identity).toBe(`${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/telemetry`);
  expect(
    declared
      .filter(({ type }) => type.endsWith(":RoleAssignment"))
      .map(({ parent: above, inputs }) => [
        above,
        inputs["scope"],
        inputs["principalId"],
        inputs["roleDefinitionId"].split("/").at(-1),
      ]),
  ).toEqual([[parent, "telemetry-insights-id", "principal", "3913510d-42f4-4e42-8a64-420c390055eb"]]);
});

test("each alert is a rule on the workspace that fires on any row and notifies the action group", async () => {
  const { declared } = await telemetry({ emails: ["ann@example.com"] });
  expect(declared.find(({ name }) => name === "telemetry-action-group")!.inputs).toMatchObject({
    enabled: true,
    emailReceivers: [{ name: "ann@example.com", emailAddress: "ann@example.com", useCommonAlertSchema: true }],
  });
  const rules = declared.filter(({ type }) => type === "azure-native:monitor:ScheduledQueryRule");
  expect(rules.map(({ name }) => name)).toEqual(alerts.map(({ id }) => `telemetry-alert-${id}`).sort());
  for (const { id, query, severity, windowMinutes } of alerts) {
    expect(rules.find(({ name }) => name === `telemetry-alert-${id}`)!.inputs).toMatchObject({
      scopes: ["workspace"],
      severity,
      enabled: true,
      evaluationFrequency: "PT5M",
      windowSize: `PT${windowMinutes}M`,
      criteria: { allOf: [{ query, timeAggregation: "Count", operator: "GreaterThan", threshold: 0 }] },
      actions: { actionGroups: ["telemetry-action-group-id"] },
    });
  }
});

test("an alert about apps has a dimension that names the app, so that each app has an alert of its own", async () => {
  const { declared } = await telemetry();
  const dimensionOf = (id: string): string | undefined =>
    declared.find(({ name }) => name === `telemetry-alert-${id}`)!.inputs["criteria"].allOf[0].dimensions?.[0].name;
  expect(Object.fromEntries(alerts.map(({ id }) => [id, dimensionOf(id)]))).toEqual({
    "rollback-blocked": "app",
    "control-plane-silent": undefined,
    "journal-unreachable": undefined,
    "rollout-stuck": undefined,
    "switch-acted": undefined,
    "app-failing": "ContainerAppName",
    "effects-failing": "app",
    "intervals-late": "app",
  });
  for (const { query, dimension } of alerts) if (dimension !== undefined) expect(query).toContain(dimension);
});

test("without e-mail addresses there is still a rule for each alert", async () => {
  const { declared } = await telemetry();
  expect(declared.find(({ name }) => name === "telemetry-action-group")!.inputs["emailReceivers"]).toEqual([]);
  expect(declared.filter(({ type }) => type === "azure-native:monitor:ScheduledQueryRule")).toHaveLength(alerts.length);
});

test("alerts query existing metrics, look back at least as far as they run, and name an existing runbook", () => {
  const chapters = [...readFileSync("docs/guides/runbooks.md", "utf8").matchAll(/^## (.+)$/gm)].map(
    ([, chapter]) => chapter,
  );
  const names = describedMetrics.map(({ name }) => name as string);
  for (const { id, query, runbook, windowMinutes } of alerts) {
    expect([id, chapters.includes(runbook)]).toEqual([id, true]);
    expect(
      [...query.matchAll(/"(ballast\.[\w.]+)"/g)].map(([, name]) => name!).filter((name) => !names.includes(name)),
    ).toEqual([]);
    expect(windowMinutes).toBeGreaterThanOrEqual(5);
  }
  expect(alerts.find(({ id }) => id === "intervals-late")!.query).toContain("lag > 60");
  expect(alerts.find(({ id }) => id === "app-failing")!.query).toContain('in ("storefront", "search")');
});

test.each<[string, readonly string[] | undefined, readonly string[], string | undefined]>([
  ["a new group", undefined, ["ann@example.com"], "ann@example.com"],
  ["an address that is added", ["ann@example.com"], ["Ann@Example.com", "bob@example.com"], "bob@example.com"],
  ["no new address", ["ann@example.com", "bob@example.com"], ["bob@example.com"], undefined],
  ["a group without addresses", undefined, [], undefined],
])("whoever adds an address is told of its code: %s", (_what, before, now, told) => {
  const of = (addresses: readonly string[]) => ({
    emailReceivers: addresses.map((emailAddress) => ({ name: emailAddress, emailAddress })),
  });
  const message = codesNeeded(before && of(before), of(now));
  if (told === undefined) expect(message).toBeUndefined();
  else expect(message).toContain(`sends no alert to ${told} until the one-time code`);
});
