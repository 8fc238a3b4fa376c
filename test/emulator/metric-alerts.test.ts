// Metric alert rules are checked, kept, and evaluated where stored rows show their metric; their alerts are those that
// the control plane reads.
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseListedAlert } from "../../engines/remediation/alerts/parse.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";
import { hostOf } from "../support/emulator/vault.ts";

let at: CloudForTests;
let group: string;
const version = "api-version=2018-03-01";
const vaultId = (): string => `${group}/providers/Microsoft.KeyVault/vaults/keys-of-alerts`;

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/monitor`;
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", `${vaultId()}?api-version=2024-11-01`, {
    location: "westeurope",
    properties: {
      tenantId: at.cloud.environment["ARM_TENANT_ID"],
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
    },
  });
});
afterAll(() => at.close());

const criterion = {
  name: "saturation",
  criterionType: "StaticThresholdCriterion",
  metricName: "SaturationShoebox",
  timeAggregation: "Average",
  operator: "GreaterThan",
  threshold: 75,
};
const single = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria";
const put = (properties: object = {}, condition: object = {}) =>
  at.ask("PUT", `${group}/providers/Microsoft.Insights/metricAlerts/rule?${version}`, {
    location: "global",
    properties: {
      severity: 1,
      enabled: true,
      scopes: [vaultId()],
      evaluationFrequency: "PT5M",
      windowSize: "PT15M",
      criteria: { "odata.type": single, allOf: [{ ...criterion, ...condition }] },
      ...properties,
    },
  });

test("a rule is kept as it was sent, and what Azure refuses is refused by name", async () => {
  const refused: readonly (readonly [object, object, string])[] = [
    [{ scopes: [`${vaultId()}-other`] }, {}, "was not found"],
    [{ scopes: [vaultId(), vaultId()] }, {}, "several resources"],
    [{ windowSize: "PT1M" }, {}, "shorter than evaluationFrequency"],
    [{ windowSize: "PT7M" }, {}, "Supported are: 1, 5, 15"],
    [{ severity: 7 }, {}, "0 to 4"],
    [{ actions: [{ actionGroupId: `${group}/none` }] }, {}, "was not found"],
    [{}, { metricName: "cpu_percent" }, "Couldn't find a metric named cpu_percent"],
    [{}, { criterionType: "DynamicThresholdCriterion" }, "dynamic thresholds"],
    [{}, { dimensions: [{ name: "StatusCode", operator: "Include", values: [] }] }, "needs a value"],
    [{}, { dimensions: [{ name: "StatusCode", operator: "Include", values: ["*"] }] }, "no dimension 'StatusCode'"],
  ];
  for (const [properties, condition, text] of refused) {
    const answer = await put(properties, condition);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining(text)]);
  }
  const url = `${group}/providers/Microsoft.Insights/metricAlerts/rule?${version}`;
  expect((await at.ask("GET", url)).status).toBe(404);
  expect((await put()).status).toBe(201);
  expect((await at.ask("GET", url)).body.properties).toMatchObject({
    criteria: { "odata.type": single, allOf: [criterion] },
    autoMitigate: true,
  });
});

test("a rule fires on the answers of its vault, and its alert names the vault", async () => {
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  await at.ask("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  const logs = [{ categoryGroup: "audit", enabled: true }];
  await at.ask(
    "PUT",
    `${vaultId()}/providers/Microsoft.Insights/diagnosticSettings/audit?api-version=2021-05-01-preview`,
    { properties: { workspaceId: workspace, logAnalyticsDestinationType: "Dedicated", logs } },
  );
  await at.ask("DELETE", `${group}/providers/Microsoft.Insights/metricAlerts/rule?${version}`);
  const begin = Date.parse("2030-01-01T12:00:00Z");
  await at.ask("POST", "/_emulator/clock", { at: begin });
  const unauthorized = { name: "StatusCode", operator: "Include", values: ["401"] };
  const written = await put(
    { windowSize: "PT5M" },
    { metricName: "ServiceApiResult", timeAggregation: "Count", threshold: 1, dimensions: [unauthorized] },
  );
  expect(written.status).toBeLessThan(300);
  for (let asked = 0; asked < 2; asked++)
    await at.ask("GET", `${hostOf("keys-of-alerts")}/secrets?api-version=7.4`, undefined, { token: null });
  await at.ask("POST", "/_emulator/clock", { at: begin + 60 * 60_000 });
  const list =
    `/subscriptions/${at.cloud.subscription}/providers/Microsoft.AlertsManagement/alerts` +
    "?api-version=2019-05-05-preview&timeRange=7d&includeContext=true";
  const { value } = (await at.ask("GET", list)).body;
  expect(value.map(parseListedAlert)).toEqual([
    {
      alert: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: "metric",
        rule: "rule",
        severity: 1,
        condition: "resolved",
        firedAt: begin + 5 * 60_000,
        resolvedAt: begin + 20 * 60_000,
        resources: [vaultId().toLowerCase()],
        dimensions: { StatusCode: "401" },
        value: 2,
      },
    },
  ]);
});
