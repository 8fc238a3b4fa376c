// Metric alert rules are checked and kept, and never evaluated: the emulator has no platform metrics.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

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
