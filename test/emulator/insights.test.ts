// The emulator's Application Insights, called by Microsoft's own exporter: what it accepts, from whom,
// and the rows of the workspace that result.
import { readFileSync } from "node:fs";
import tls from "node:tls";
import {
  type AzureMonitorExporterOptions,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from "@azure/monitor-opentelemetry-exporter";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cloud, Resource } from "../../emulator/arm/resource.ts";
import { makeStore } from "../../emulator/arm/store.ts";
import { keepEnvelope, visibleTelemetry } from "../../emulator/insights/telemetry-rows.ts";
import { type CloudForTests, type Reply, startCloudForTests } from "../support/emulator/cloud.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { logRows } from "../support/emulator/log-rows.ts";
import { throughAgent } from "../support/emulator/sdk-client.ts";

process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "1";
const publisher = "3913510d-42f4-4e42-8a64-420c390055eb";
const reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const shop = "resourceGroups/telemetry";
const insights = "providers/Microsoft.Insights";
let at: CloudForTests;
let group: string;
let customerId: string;
let connectionString: string;
let closedConnectionString: string;

const put = async (where: string, version: string, body: object): Promise<Reply> =>
  at.ask("PUT", `${where}?api-version=${version}`, body);
const workspaceId = (): string => `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const component = (name: string, properties: object) =>
  put(`${group}/${insights}/components/${name}`, "2020-02-02", {
    location: "westeurope",
    kind: "web",
    properties: { Application_Type: "web", WorkspaceResourceId: workspaceId(), ...properties },
  });

beforeAll(async () => {
  at = await startCloudForTests();
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
  group = `/subscriptions/${at.cloud.subscription}/${shop}`;
  await put(group, "2024-03-01", { location: "westeurope" });
  customerId = (await put(workspaceId(), "2023-09-01", { location: "westeurope", properties: {} })).body.properties
    .customerId;
  connectionString = (await component("open", {})).body.properties.ConnectionString;
  closedConnectionString = (await component("closed", { DisableLocalAuth: true })).body.properties.ConnectionString;
});
afterAll(() => at?.close());

const query = (text: string) => logRows(at, customerId, text);

const options = (): AzureMonitorExporterOptions => ({
  connectionString,
  disableOfflineStorage: true,
  ...throughAgent(at.agent),
});
const resource = resourceFromAttributes({
  "service.name": "shop",
  "service.version": "shop--2",
  "service.instance.id": "shop--2-abc",
});

test("telemetry of Microsoft's exporter becomes rows of AppRequests, AppDependencies and AppMetrics", async () => {
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(new AzureMonitorTraceExporter(options()))],
  });
  const tracer = tracing.getTracer("test");
  const request = tracer.startSpan("GET /products", {
    kind: SpanKind.SERVER,
    startTime: 1_790_000_000_000,
    attributes: { "http.request.method": "GET", "http.response.status_code": 503, "url.path": "/products" },
  });
  request.setStatus({ code: SpanStatusCode.ERROR }).end(1_790_000_000_250);
  tracer.startSpan("ShiftTraffic", { attributes: { attempt: 2 } }).end();
  await tracing.shutdown();
  const metrics = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new AzureMonitorMetricExporter(options()),
        exportIntervalMillis: 3_600_000,
      }),
    ],
  });
  const histogram = metrics.getMeter("test").createHistogram("took");
  for (const seconds of [0.5, 2]) histogram.record(seconds, { effect: "Wait" });
  await metrics.shutdown();
  const who = { AppRoleName: "shop", AppVersion: "shop--2", AppRoleInstance: "shop--2-abc", ItemCount: 1 };
  await eventually(
    () => query("AppMetrics | where Name == 'took'"),
    (rows) => rows.length === 1,
  );
  expect(
    await query(
      "AppMetrics | where Name == 'took' " +
        "| extend effect = tostring(Properties.effect), other = tostring(Properties['no such'])",
    ),
  ).toMatchObject([{ ...who, ItemCount: 2, Sum: 2.5, Min: 0.5, Max: 2, effect: "Wait", other: "" }]);
  expect(await query("AppRequests")).toMatchObject([
    {
      ...who,
      Name: "GET /products",
      Success: false,
      ResultCode: "503",
      DurationMs: 250,
      OperationName: "GET /products",
      OperationId: expect.stringMatching(/^[0-9a-f]{32}$/),
    },
  ]);
  expect(
    await query(
      "AppDependencies | project Name, DependencyType, Success, attempt = toint(tostring(Properties.attempt))",
    ),
  ).toEqual([{ Name: "ShiftTraffic", DependencyType: "Dependency", Success: true, attempt: 2 }]);
});

const envelope = (key: string, more: object = {}) => ({
  ver: 1,
  name: "Microsoft.ApplicationInsights.Metric",
  time: new Date().toISOString(),
  iKey: key,
  tags: {},
  data: { baseType: "MetricData", baseData: { ver: 2, metrics: [{ name: "sent by hand", value: 1 }], properties: {} } },
  ...more,
});
const keyOf = (text: string): string => /InstrumentationKey=([^;]+)/.exec(text)![1]!;
const track = (items: unknown, token: string | null = null, path = "/v2.1/track") =>
  at.ask("POST", `https://westeurope-0.in.applicationinsights.ballast.localhost${path}`, items, { token });

async function identityToken(name: string, role: string): Promise<string> {
  const subscription = `/subscriptions/${at.cloud.subscription}`;
  const { body } = await put(
    `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
    "2023-01-31",
    { location: "westeurope" },
  );
  await put(
    `${group}/${insights}/components/closed/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`,
    "2022-04-01",
    {
      properties: {
        principalId: body.properties.principalId,
        roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      },
    },
  );
  // Only a replica gets such a token, so a replica is started that answers with its environment.
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/senders`;
  await at.settle("PUT", `${environment}?api-version=2025-07-01`, { location: "westeurope", properties: {} });
  await at.settle("PUT", `${group}/providers/Microsoft.App/containerApps/${name}?api-version=2025-07-01`, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [body.id]: {} } },
    properties: {
      managedEnvironmentId: environment,
      configuration: { ingress: { external: true, targetPort: 8080 } },
      template: { containers: [{ name, image: "registry.example/web:1" }], scale: { minReplicas: 1 } },
    },
  });
  const { body: told } = await eventually(
    () => at.ask("GET", `https://${name}.senders.westeurope.ballast.localhost/environment`),
    ({ body: said }) => said?.IDENTITY_ENDPOINT !== undefined,
  );
  const reply = await fetch(
    `${told.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent("https://monitor.azure.com")}`,
    { headers: { "X-IDENTITY-HEADER": told.IDENTITY_HEADER } },
  );
  return ((await reply.json()) as { access_token: string }).access_token;
}

test("with local authentication disabled, a sender needs a token and the right to publish", async () => {
  const items = [envelope(keyOf(closedConnectionString))];
  expect(await track(items)).toMatchObject({ status: 401, body: { itemsAccepted: 0 } });
  expect(await track(items, await at.tokenFor("https://management.azure.com"))).toMatchObject({ status: 401 });
  expect(await track(items, await identityToken("looker", reader))).toMatchObject({
    status: 403,
    body: { errors: [{ index: 0, statusCode: 403 }] },
  });
  expect(await track(items, await identityToken("sender", publisher))).toMatchObject({
    status: 200,
    body: { itemsReceived: 1, itemsAccepted: 1, errors: [] },
  });
});

test("an exception and an event of a span become rows of AppExceptions and AppTraces", async () => {
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(new AzureMonitorTraceExporter(options()))],
  });
  const span = tracing.getTracer("test").startSpan("GET /prices", { kind: SpanKind.SERVER });
  span.recordException(new TypeError("no price"));
  span.addEvent("priced anew").end();
  await tracing.shutdown();
  const thrown = await eventually(
    () => query("AppExceptions"),
    (rows) => rows.length === 1,
  );
  expect(thrown).toMatchObject([{ AppRoleName: "shop", ExceptionType: "TypeError", OuterMessage: "no price" }]);
  const told = await eventually(
    () => query("AppTraces"),
    (rows) => rows.length === 1,
  );
  expect(told).toMatchObject([{ AppRoleName: "shop", Message: "priced anew" }]);
});

test("items with an unknown key, type or time are refused one by one, and the others are accepted", async () => {
  const key = keyOf(connectionString);
  const otherType = { data: { baseType: "PageViewData", baseData: {} } };
  expect(
    await track([envelope(key), envelope("nobody's"), envelope(key, otherType), envelope(key, { time: "soon" })]),
  ).toMatchObject({
    status: 206,
    body: { itemsReceived: 4, itemsAccepted: 1, errors: [{ index: 1, statusCode: 400 }, { index: 2 }, { index: 3 }] },
  });
  expect(await track([envelope("nobody's")])).toMatchObject({ status: 400 });
  expect(await track("{}")).toMatchObject({ status: 400 });
  expect(await track([envelope(key)], null, "/v3/track")).toMatchObject({ status: 404 });
});

test("a component without a workspace and a rule with an invalid query or resource are refused", async () => {
  expect(await component("classic", { WorkspaceResourceId: undefined })).toMatchObject({ status: 400 });
  // A resource of another type is no workspace.
  expect(await component("classic", { WorkspaceResourceId: group })).toMatchObject({ status: 400 });
  const rule = (text: string, more: object = {}) =>
    put(`${group}/${insights}/scheduledQueryRules/rule`, "2025-01-01-preview", {
      location: "westeurope",
      properties: {
        scopes: [workspaceId()],
        severity: 1,
        evaluationFrequency: "PT5M",
        windowSize: "PT10M",
        criteria: { allOf: [{ query: text, timeAggregation: "Count", operator: "GreaterThan", threshold: 0 }] },
        ...more,
      },
    });
  expect(await rule("AppMetrics | where")).toMatchObject({ status: 400 });
  expect(
    await rule("AppMetrics", { actions: { actionGroups: [`${group}/${insights}/actionGroups/nobody`] } }),
  ).toMatchObject({ status: 400 });
  const notified = await put(`${group}/${insights}/actionGroups/on-call`, "2024-10-01-preview", {
    location: "Global",
    properties: { groupShortName: "on-call", enabled: true },
  });
  expect(await rule("AppMetrics", { actions: { actionGroups: [notified.body.id] } })).toMatchObject({ status: 201 });
});

test("a table keeps only its newest rows", () => {
  const cloud = { store: makeStore(), clock: { now: () => 1e13 } } as unknown as Cloud;
  const holder = { id: "", type: "", body: { properties: {} } } satisfies Resource;
  for (let index = 0; index < 56_000; index++)
    keepEnvelope(
      cloud,
      holder,
      envelope("any", { data: { baseType: "MetricData", baseData: { metrics: [{ name: "many", value: index }] } } }),
    );
  const rows = visibleTelemetry({ ...cloud, clock: { now: () => 2e13 } } as Cloud, "AppMetrics", "undefined");
  expect(rows.length).toBeLessThanOrEqual(55_000);
});
