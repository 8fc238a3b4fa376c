// Log alert rules as the emulator evaluates them: on the rows of their workspace, at their frequency on its clock; the
// alerts API; and what webhooks get. Times are compared with a calculation that shares no code with the emulator.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CloudForTests, rawClient, startCloudForTests } from "../support/emulator/cloud.ts";
import { startCloudProcess } from "../support/emulator/cloud-process.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { hostOf, vaultBody } from "../support/emulator/vault.ts";

let at: CloudForTests;
let group: string;
let receiver: http.Server;
let hook: string;
let answer = 200;
let received: any[] = [];
const minute = 60_000;
let begin = Date.parse("2030-01-01T12:00:00Z");
let name = "";

const workspace = (): string => `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const insights = (): string => `${group}/providers/Microsoft.Insights`;
const put = (where: string, version: string, body: object) => at.ask("PUT", `${where}?api-version=${version}`, body);
const setClock = (to: number) => at.ask("POST", "/_emulator/clock", { at: to });

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/alerts`;
  await put(group, "2024-03-01", { location: "westeurope" });
  await put(workspace(), "2023-09-01", { location: "westeurope", properties: {} });
  receiver = http.createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    received.push(JSON.parse(body));
    response.writeHead(answer).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  await at?.close();
  receiver?.closeAllConnections();
  receiver?.close();
});
let number = 0;
/** A rule that is left behind is evaluated in every later test. */
const deleteRule = (which = name) =>
  at.ask("DELETE", `${insights()}/scheduledQueryRules/${which}?api-version=2025-01-01-preview`);
afterEach(() => deleteRule());
beforeEach(async () => {
  received = [];
  answer = 200;
  begin += 3 * 86_400_000;
  name = `rule-${++number}`;
  await at.ask("DELETE", "/_emulator/rows");
  await setClock(begin);
});

interface Row {
  readonly app: string;
  readonly atMinutes: number;
  readonly status: number;
  readonly lateMinutes?: number;
}

/** Stores rows of requests, each visible some time after its request. */
async function store(rows: readonly Row[]): Promise<void> {
  const { customerId } = (await at.ask("GET", `${workspace()}?api-version=2023-09-01`)).body.properties;
  await at.ask("POST", "/_emulator/rows", {
    rows: rows.map(({ app, atMinutes, status, lateMinutes = 0 }) => ({
      TenantId: customerId,
      ContainerAppName: app,
      StatusCode: status,
      TimeGenerated: new Date(begin + atMinutes * minute).toISOString(),
      visibleAt: new Date(begin + (atMinutes + lateMinutes) * minute).toISOString(),
    })),
  });
}

const failing = "ContainerAppHTTPLogs | where StatusCode >= 500 | project TimeGenerated, ContainerAppName, StatusCode";
const byApp = [{ name: "ContainerAppName", operator: "Include", values: ["*"] }];

/** Puts the rule of this test. */
const rule = (properties: object = {}, condition: object = {}) =>
  put(`${insights()}/scheduledQueryRules/${name}`, "2025-01-01-preview", {
    location: "westeurope",
    properties: {
      scopes: [workspace()],
      severity: 1,
      evaluationFrequency: "PT5M",
      windowSize: "PT5M",
      autoMitigate: true,
      criteria: {
        allOf: [
          {
            query: failing,
            timeAggregation: "Count",
            operator: "GreaterThan",
            threshold: 2,
            dimensions: byApp,
            ...condition,
          },
        ],
      },
      ...properties,
    },
  });

const alertsPath = (query = ""): string =>
  `/subscriptions/${at.cloud.subscription}/providers/Microsoft.AlertsManagement/alerts` +
  `?api-version=2019-05-05-preview&timeRange=7d&alertRule=${name}${query}`;
const listed = async (query = ""): Promise<readonly any[]> => (await at.ask("GET", alertsPath(query))).body.value;

/** Gives the alerts of this test's rule: the app, and the minutes at which each fired and resolved. */
async function times(): Promise<readonly (readonly [string, number, number | null])[]> {
  const minutes = (text: string | undefined) => (text === undefined ? null : (Date.parse(text) - begin) / minute);
  return (await listed("&includeContext=true"))
    .map(({ properties: { essentials, context } }): readonly [string, number, number | null] => [
      context.context.condition.allOf[0].dimensions[0]?.value ?? "",
      minutes(essentials.startDateTime)!,
      minutes(essentials.monitorConditionResolvedDateTime),
    ])
    .toSorted((one, other) => one[1] - other[1] || (one[0] < other[0] ? -1 : 1));
}

const bad = (app: string, fromMinutes: number, count: number): readonly Row[] =>
  Array.from({ length: count }, (_, index) => ({ app, atMinutes: fromMinutes + index / 100, status: 500 }));

describe("a rule", () => {
  test("fires once for each app, and resolves each after three clean periods", async () => {
    await rule();
    await store([...bad("web", 1, 3), ...bad("web", 6, 3), ...bad("cart", 6, 3), ...bad("pay", 6, 2)]);
    await setClock(begin + 60 * minute);
    expect(await times()).toEqual([
      ["web", 5, 25],
      ["cart", 10, 25],
    ]);
  });

  test("sees a row only when it has arrived", async () => {
    await rule({ windowSize: "PT15M" });
    await store(bad("web", 1, 3).map((row) => ({ ...row, lateMinutes: 7 })));
    await setClock(begin + 60 * minute);
    expect(await times()).toEqual([["web", 10, 30]]);
  });

  test("sees a row that another service wrote only when it has arrived", async () => {
    const vault = `${group}/providers/Microsoft.KeyVault/vaults/watched`;
    await put(vault, "2024-11-01", vaultBody(at));
    const logs = [{ categoryGroup: "audit", enabled: true }];
    const properties = { workspaceId: workspace(), logAnalyticsDestinationType: "Dedicated", logs };
    await put(`${vault}/providers/Microsoft.Insights/diagnosticSettings/a`, "2021-05-01-preview", { properties });
    await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 7 * 60 });
    await rule({ windowSize: "PT15M" }, { query: "AZKVAuditLogs", threshold: 0, dimensions: [] });
    await at.ask("GET", `${hostOf("watched")}/secrets?api-version=7.4`, undefined, { token: null });
    await setClock(begin + 60 * minute);
    expect(await times()).toEqual([["", 10, 30]]);
  });

  test("without dimensions counts no rows as zero, and an aggregate of nothing as nothing", async () => {
    await rule({}, { dimensions: [], operator: "LessThan", threshold: 1 });
    await setClock(begin + 5 * minute);
    expect(await times()).toEqual([["", 5, null]]);
    await deleteRule();
    name = `${name}-b`;
    await rule(
      {},
      { dimensions: [], operator: "LessThan", timeAggregation: "Average", metricMeasureColumn: "StatusCode" },
    );
    await setClock(begin + 15 * minute);
    expect(await times()).toEqual([]);
  });

  test("fires when enough of its periods fail", async () => {
    await rule({}, { failingPeriods: { numberOfEvaluationPeriods: 3, minFailingPeriodsToAlert: 2 } });
    await store([...bad("web", 1, 3), ...bad("web", 11, 3), ...bad("cart", 1, 3)]);
    await setClock(begin + 20 * minute);
    expect(await times()).toEqual([["web", 15, null]]);
  });

  test("that is stateless fires at each evaluation, and its actions rest while they are muted", async () => {
    await actions();
    await rule({ autoMitigate: false, muteActionsDuration: "PT10M", ...told() });
    await store([1, 6, 11, 16].flatMap((from) => bad("web", from, 3)));
    await setClock(begin + 30 * minute);
    expect((await times()).map(([, firedAt]) => firedAt)).toEqual([5, 10, 15, 20]);
    await eventually(
      async () => received.length,
      (count) => count === 2,
    );
    expect(received.map(({ data }) => (Date.parse(data.essentials.firedDateTime) - begin) / minute)).toEqual([5, 15]);
  });

  test("that is disabled, deleted or not served never fires", async () => {
    await rule({ enabled: false });
    await store(bad("web", 1, 3));
    await setClock(begin + 10 * minute);
    expect(await times()).toEqual([]);
    await rule();
    await deleteRule();
    await store(bad("web", 11, 3));
    await setClock(begin + 30 * minute);
    expect(await times()).toEqual([]);
    await rule({ skipQueryValidation: true }, { query: "Elsewhere | count", dimensions: [] });
    await setClock(begin + 60 * minute);
    expect(await times()).toEqual([]);
  });

  test("fires and resolves when an independent calculation says so", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          frequency: fc.constantFrom(1, 5, 10, 15, 30),
          windows: fc.integer({ min: 1, max: 2 }),
          threshold: fc.integer({ min: 0, max: 3 }),
          rows: fc.array(
            fc.record({
              app: fc.constantFrom("web", "cart"),
              atMinutes: fc.integer({ min: 0, max: 110 }).map((whole) => whole + 0.5),
              status: fc.constantFrom(500, 503, 200),
              lateMinutes: fc.integer({ min: 0, max: 6 }),
            }),
            { maxLength: 60 },
          ),
        }),
        async ({ frequency, windows, threshold, rows }) => {
          const windowMinutes = frequency === 10 ? 30 : frequency * windows;
          if (![1, 5, 10, 15, 30, 60].includes(windowMinutes)) return;
          begin += 3 * 86_400_000;
          name = `rule-${++number}`;
          await at.ask("DELETE", "/_emulator/rows");
          await setClock(begin);
          await rule({ evaluationFrequency: `PT${frequency}M`, windowSize: `PT${windowMinutes}M` }, { threshold });
          await store(rows);
          await setClock(begin + 180 * minute);
          const found = await times();
          await deleteRule();
          expect(found).toEqual(calculated(rows, frequency, windowMinutes, threshold, 180));
        },
      ),
      { numRuns: 25 },
    ));
});

/** Says when alerts fire and resolve, from rows alone: a line of yes and no for each app, read from left to right. */
function calculated(rows: readonly Row[], every: number, window: number, threshold: number, until: number) {
  const needed = new Map([
    [1, 10],
    [5, 3],
    [10, 3],
    [15, 3],
    [30, 2],
  ]).get(every)!;
  const found: (readonly [string, number, number | null])[] = [];
  for (const app of ["cart", "web"]) {
    const line = Array.from({ length: Math.floor(until / every) }, (_, index) => {
      const now = (index + 1) * every;
      const seen = rows.filter(
        (row) =>
          row.app === app &&
          row.status >= 500 &&
          row.atMinutes >= now - window &&
          row.atMinutes < now &&
          row.atMinutes + (row.lateMinutes ?? 0) <= now,
      );
      return seen.length > threshold ? "x" : ".";
    }).join("");
    const runs = new RegExp(`x(?:\\.{0,${needed - 1}}x)*(\\.{${needed}})?`, "g");
    for (const run of line.matchAll(runs))
      found.push([app, (run.index + 1) * every, run[1] === undefined ? null : (run.index + run[0].length) * every]);
  }
  return found.toSorted((one, other) => one[1] - other[1] || (one[0] < other[0] ? -1 : 1));
}

const actions = (webhook: object = {}) =>
  put(`${insights()}/actionGroups/page`, "2024-10-01-preview", {
    location: "Global",
    properties: {
      groupShortName: "page",
      enabled: true,
      webhookReceivers: [{ name: "plane", serviceUri: hook, useCommonAlertSchema: true, ...webhook }],
    },
  });
const told = () => ({
  actions: { actionGroups: [`${insights()}/actionGroups/page`], customProperties: { owner: "shop" } },
});

describe("an action group", () => {
  test("gets an alert that fires and its resolution in the common schema", async () => {
    await actions();
    await rule(told());
    await store(bad("web", 1, 3));
    await setClock(begin + 30 * minute);
    await eventually(
      async () => received.length,
      (count) => count === 2,
    );
    const [fired, resolved] = received.map(({ data }) => data);
    expect(fired.essentials).toMatchObject({
      alertRule: name,
      severity: "Sev1",
      monitorCondition: "Fired",
      monitoringService: "Log Alerts V2",
    });
    expect(fired.alertContext.condition.allOf[0]).toMatchObject({
      dimensions: [{ name: "ContainerAppName", value: "web" }],
      threshold: "2",
      metricValue: 3,
    });
    expect(fired.customProperties).toEqual({ owner: "shop" });
    expect(resolved.essentials).toMatchObject({
      alertId: fired.essentials.alertId,
      monitorCondition: "Resolved",
      resolvedDateTime: new Date(begin + 20 * minute).toISOString(),
    });
  });

  test("of an older schema, or disabled, gets nothing", async () => {
    await actions({ useCommonAlertSchema: false });
    await rule(told());
    await store(bad("web", 1, 3));
    await setClock(begin + 10 * minute);
    expect(await times()).toHaveLength(1);
    const { deliveries } = (await at.ask("GET", "/_emulator/deliveries")).body;
    expect(deliveries.filter(({ madeAt }: { readonly madeAt: string }) => Date.parse(madeAt) >= begin)).toEqual([]);
  });
});

test("keeps its alerts when the emulator is killed, and fires none twice", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-alerts-"));
  const emulator = await startCloudProcess({ folder: path.join(folder, "cloud"), images: {} });
  const { ask, agent } = await rawClient(emulator);
  const before = at;
  try {
    at = { ...before, ask, cloud: { ...before.cloud, subscription: emulator.subscription } };
    await put(group, "2024-03-01", { location: "westeurope" });
    await put(workspace(), "2023-09-01", { location: "westeurope", properties: {} });
    await setClock(begin);
    await rule();
    await store(bad("web", 1, 3));
    await setClock(begin + 5 * minute);
    const [alert] = await listed();
    await emulator.kill();
    await emulator.revive();
    await store(bad("web", 6, 3));
    await setClock(begin + 40 * minute);
    expect((await listed()).map(({ id }) => id)).toEqual([alert.id]);
    expect(await times()).toEqual([["web", 5, 25]]);
  } finally {
    at = before;
    agent.destroy();
    await emulator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("the alerts API", () => {
  test("lists by filters and in pages, and refuses a filter that it does not serve", async () => {
    await rule();
    await store([...bad("web", 1, 3), ...bad("cart", 1, 3), ...bad("pay", 26, 3)]);
    await setClock(begin + 30 * minute);
    expect(await listed("&monitorCondition=Fired")).toHaveLength(1);
    expect(await listed("&monitorCondition=Resolved&severity=Sev1")).toHaveLength(2);
    expect(await listed("&severity=Sev3")).toEqual([]);
    const first = (await at.ask("GET", alertsPath("&pageCount=2"))).body;
    expect(first.value).toHaveLength(2);
    const { pathname, search } = new URL(first.nextLink);
    const second = (await at.ask("GET", `${pathname}${search}`)).body;
    expect(second.value).toHaveLength(1);
    expect(second.nextLink).toBeUndefined();
    const { status, body } = await at.ask("GET", alertsPath("&smartGroupId=1"));
    expect([status, body.error.code]).toEqual([400, "EmulatorUnsupported"]);
  });

  test("shows an alert with its history, and keeps the state that a person gives it", async () => {
    await rule();
    await store(bad("web", 1, 3));
    await setClock(begin + 5 * minute);
    const [alert] = await listed();
    const version = "?api-version=2019-05-05-preview";
    await at.ask("POST", `${alert.id}/changestate${version}&newState=Acknowledged`, { comments: "looking" });
    await setClock(begin + 30 * minute);
    const shown = (await at.ask("GET", `${alert.id}${version}`)).body.properties;
    expect(shown.essentials).toMatchObject({ alertState: "Acknowledged", monitorCondition: "Resolved" });
    const { modifications } = (await at.ask("GET", `${alert.id}/history${version}`)).body.properties;
    expect(modifications.map(({ modificationEvent: event, newValue }: any) => [event, newValue])).toEqual([
      ["AlertCreated", "New"],
      ["StateChange", "Acknowledged"],
      ["MonitorConditionChange", "Resolved"],
    ]);
    expect((await at.ask("GET", `${alert.id.slice(0, -4)}0000${version}`)).status).toBe(404);
    expect((await at.ask("GET", alertsPath().replace("2019-05-05-preview", "2018-05-05"))).status).toBe(400);
  });
});
