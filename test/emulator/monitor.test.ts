// Alert rules, action groups and diagnostic settings: what Azure refuses, the emulator refuses, with Azure's code and
// text if they are public. Nothing of a refused body is stored.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let at: CloudForTests;
let group: string;
const insights = "providers/Microsoft.Insights";
const workspace = (): string => `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const registry = (): string => `${group}/providers/Microsoft.ContainerRegistry/registries/images1`;
const put = (where: string, version: string, body: object) => at.ask("PUT", `${where}?api-version=${version}`, body);

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/monitor`;
  await put(group, "2024-03-01", { location: "westeurope" });
  await put(workspace(), "2023-09-01", { location: "westeurope", properties: {} });
  await at.settle("PUT", `${registry()}?api-version=2023-01-01-preview`, {
    location: "westeurope",
    sku: { name: "Basic" },
  });
});
afterAll(() => at.close());

const own = "EmulatorUnsupported";

describe("a rule", () => {
  const criterion = { query: "AppMetrics", timeAggregation: "Count", operator: "GreaterThan", threshold: 0.5 };
  const rule = (properties: object, more: object = {}, condition: object = {}) =>
    put(`${group}/${insights}/scheduledQueryRules/rule`, "2025-01-01-preview", {
      location: "westeurope",
      properties: {
        scopes: [workspace()],
        severity: 1,
        evaluationFrequency: "PT5M",
        windowSize: "PT10M",
        criteria: { allOf: [{ ...criterion, ...condition }] },
        ...properties,
      },
      ...more,
    });

  test.each<[string, object, string, string]>([
    ["severity 9", { severity: 9 }, own, "0 to 4"],
    ["half a severity", { severity: 1.5 }, own, "whole number"],
    ["no severity", { severity: undefined }, own, "0 to 4"],
    ["a frequency that is no period", { evaluationFrequency: "banana" }, own, "Supported granularities are: 1, 5, 10"],
    ["a window of a length that Azure lacks", { windowSize: "PT7M" }, own, "Supported granularities are"],
    ["a window shorter than its frequency", { evaluationFrequency: "PT1H" }, own, "shorter than evaluationFrequency"],
    ["no scopes", { scopes: [] }, own, "needs a scope"],
    ["an unknown scope", { scopes: [`/subscriptions/x/resourceGroups/y`] }, "BadRequest", "was not found"],
    ["no criteria", { criteria: { allOf: [] } }, own, "needs a criterion"],
    ["a time range shorter than its window", { overrideQueryTimeRange: "PT5M" }, own, "as long as windowSize"],
    [
      "actions muted for less than its frequency",
      { muteActionsDuration: "PT1M" },
      "InvalidRequestContent",
      "EvaluationFrequency cannot be greater than MuteActionsDuration",
    ],
    ["actions muted and resolved", { muteActionsDuration: "PT1H", autoMitigate: true }, own, "cannot have both"],
  ])("with %s is refused", async (_, properties, code, words) => {
    const { status, body } = await rule(properties);
    expect({ status, code: body.error.code }).toEqual({ status: 400, code });
    expect(body.error.message).toContain(words);
  });

  test.each<[string, object, string, string]>([
    ["an aggregation without a column", { timeAggregation: "Average" }, own, "column was not specified"],
    [
      "a column that is no number",
      { timeAggregation: "Average", metricMeasureColumn: "Name" },
      own,
      "no numeric column",
    ],
    ["an aggregation that Azure lacks", { timeAggregation: "Median" }, own, "must be one of 'Count'"],
    ["an operator that Azure lacks", { operator: "Around" }, own, "must be one of 'Equals'"],
    ["an unknown table", { query: "Elsewhere" }, own, "no table 'Elsewhere'"],
    ["a query with an unknown column", { query: "AppMetrics | where Nothing == 1" }, "BadRequest", "'Nothing'"],
    ["a query that is none", { query: "AppMetrics | where" }, "BadRequest", "error"],
    [
      "a dimension that its query lacks",
      { dimensions: [{ name: "App", operator: "Include", values: ["*"] }] },
      own,
      "no column 'App'",
    ],
    ["more failing periods than periods", { failingPeriods: { minFailingPeriodsToAlert: 2 } }, own, "failingPeriods"],
    ["a dynamic threshold", { criterionType: "DynamicThresholdCriterion" }, own, "dynamic thresholds"],
  ])("with %s is refused", async (_, condition, code, words) => {
    const { status, body } = await rule({}, {}, condition);
    expect({ status, code: body.error.code }).toEqual({ status: 400, code });
    expect(body.error.message).toContain(words);
  });

  test("is not stored when it is refused, and may skip the check of its query", async () => {
    const url = `${group}/${insights}/scheduledQueryRules/rule?api-version=2025-01-01-preview`;
    expect((await at.ask("GET", url)).status).toBe(404);
    expect((await rule({ skipQueryValidation: true }, {}, { query: "Elsewhere" })).status).toBe(201);
    const measured = { timeAggregation: "Average", metricMeasureColumn: "Sum" };
    expect((await rule({}, {}, measured)).body).toMatchObject({ kind: "LogAlert", properties: { severity: 1 } });
    expect((await at.ask("DELETE", url)).status).toBe(200);
  });
});

describe("an action group", () => {
  const groupOf = (properties: object) =>
    put(`${group}/${insights}/actionGroups/on-call`, "2024-10-01-preview", {
      location: "Global",
      properties: { groupShortName: "on-call", enabled: true, ...properties },
    });
  const webhook = (more: object = {}) => ({ name: "hook", serviceUri: "https://example.com/alerts", ...more });

  test.each<[string, object, string, string]>([
    ["a short name of 13 characters", { groupShortName: "a-longer-name" }, "GroupShortNameIsTooLong", "too long"],
    [
      "a webhook that is no URI",
      { webhookReceivers: [webhook({ serviceUri: "not a uri" })] },
      own,
      "not a URI of http",
    ],
    [
      "a webhook of another scheme",
      { webhookReceivers: [webhook({ serviceUri: "ftp://a" })] },
      own,
      "not a URI of http",
    ],
    ["two receivers of one name", { webhookReceivers: [webhook(), webhook({ name: "HOOK" })] }, own, "have the name"],
    [
      "an address that is none",
      { emailReceivers: [{ name: "a", emailAddress: "nobody" }] },
      own,
      "not an e-mail address",
    ],
    ["a secure webhook of no application", { webhookReceivers: [webhook({ useAadAuth: true })] }, own, "objectId"],
    ["a webhook with an identity", { webhookReceivers: [webhook({ managedIdentity: "x" })] }, own, "managed identity"],
  ])("with %s is refused", async (_, properties, code, words) => {
    const { status, body } = await groupOf(properties);
    expect({ status, code: body.error.code }).toEqual({ status: 400, code });
    expect(body.error.message).toContain(words);
  });

  test("is kept with its receivers when they are right", async () => {
    const email = { name: "mail", emailAddress: "on-call@example.com" };
    const { status, body } = await groupOf({ webhookReceivers: [webhook()], emailReceivers: [email] });
    expect({ status, receivers: body.properties.emailReceivers }).toEqual({ status: 201, receivers: [email] });
  });
});

describe("a diagnostic setting", () => {
  const setting = (name: string, properties: object, resource = registry()) =>
    put(`${resource}/${insights}/diagnosticSettings/${name}`, "2021-05-01-preview", {
      properties: { workspaceId: workspace(), ...properties },
    });
  const logins = { category: "ContainerRegistryLoginEvents", enabled: true };

  test.each<[string, object, number, string, string]>([
    ["no sink", { workspaceId: undefined }, 400, "BadRequest", "At least one data sink needs to be specified."],
    [
      "an unknown category",
      { logs: [{ ...logins, category: "Bananas" }] },
      400,
      "BadRequest",
      "Category 'Bananas' is not",
    ],
    [
      "an unknown group",
      { logs: [{ categoryGroup: "some", enabled: true }] },
      400,
      "BadRequest",
      "Category group 'some'",
    ],
    ["a log without a category", { logs: [{ enabled: true }] }, 400, "BadRequest", "either a category or"],
    [
      "an unknown metric",
      { metrics: [{ category: "Some", enabled: true }] },
      400,
      "BadRequest",
      "Metric category 'Some' is not supported, supported categories are: 'AllMetrics'",
    ],
    [
      "days of retention",
      { logs: [{ ...logins, retentionPolicy: { enabled: true, days: 9 } }] },
      400,
      "BadRequest",
      "does not support retention",
    ],
  ])("with %s is refused in the flat form", async (_, properties, status, code, words) => {
    const reply = await setting("wrong", properties);
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code });
    expect(reply.body.message).toContain(words);
    expect(Object.keys(reply.body)).toEqual(["code", "message"]);
  });

  test("whose sink is no workspace is refused", async () => {
    expect(await setting("wrong", { workspaceId: group })).toMatchObject({
      status: 404,
      body: { code: "ResourceNotFound" },
    });
  });

  test("of a storage account is refused by name, and so is one of a type that has none", async () => {
    expect((await setting("stored", { storageAccountId: "/x" })).body.error).toMatchObject({ code: own });
    expect((await setting("identity", {}, await identity())).body).toMatchObject({ code: "ResourceTypeNotSupported" });
  });

  test("may not send a category to a workspace that gets it by another setting", async () => {
    expect((await setting("first", { logs: [logins] })).status).toBe(200);
    const second = await setting("second", { logs: [logins] });
    expect(second).toMatchObject({ status: 409, body: { code: "Conflict" } });
    expect(second.body.message).toBe(
      `Data sink '${workspace()}' is already used in diagnostic setting 'first' for category ` +
        "'ContainerRegistryLoginEvents'. Data sinks can't be reused in different settings on the same category " +
        "for the same resource.",
    );
    expect((await setting("first", { logs: [logins] })).status).toBe(200);
    expect((await setting("second", { metrics: [{ category: "AllMetrics", enabled: true }] })).status).toBe(200);
  });

  test("is answered in Resource Manager's form by a naive cloud", async () => {
    await at.ask("POST", "/_emulator/quirks", { "error-forms-differ": false });
    expect((await setting("wrong", { workspaceId: undefined })).body.error).toMatchObject({ code: "BadRequest" });
    await at.ask("POST", "/_emulator/quirks", { "error-forms-differ": true });
    expect((await setting("wrong", { workspaceId: undefined })).body).toMatchObject({ code: "BadRequest" });
  });

  async function identity(): Promise<string> {
    const where = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/who`;
    await put(where, "2023-01-31", { location: "westeurope" });
    return where;
  }
});
