// Request rows from a real request to a query: the whole emulator over TLS,
// Microsoft's own LogsQueryClient, and Kusto text.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { LogsQueryClient } from "@azure/monitor-query-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpsAgent, parseConnectTo } from "../../../connect-to.ts";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type RunningEmulator, startEmulator } from "../../../emulator/start.ts";
import { eventually, storefrontApp } from "../../support/emulator/container-cloud.ts";

const storefront = new URL("../../../examples/storefront/", import.meta.url).pathname;
let folder: string;
let cloud: RunningEmulator;
let agent: https.Agent;
let logs: LogsQueryClient;
let customerId: string;
let revision: string;
const host = "shop.local.westeurope.ballast.localhost";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: any;
}

/** Sends a request to any host of the emulator. */
function ask(url: string, options: https.RequestOptions = {}, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { agent, ...options }, async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: text === "" ? undefined : JSON.parse(text),
      });
    });
    request.on("error", reject).end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  });
}

async function token(audience: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: cloud.client.id,
    client_secret: cloud.client.secret,
    scope: `${audience}/.default`,
  }).toString();
  const { body } = await ask(
    `https://login.${cloud.suffix}/${cloud.tenant}/oauth2/v2.0/token`,
    { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } },
    form,
  );
  return body.access_token;
}

async function management(method: string, where: string, body?: Body): Promise<Answer> {
  const origin = `https://management.${cloud.suffix}`;
  return ask(
    `${origin}${where}`,
    { method, headers: { authorization: `Bearer ${await token(origin)}`, "content-type": "application/json" } },
    body,
  );
}

/** Puts a resource and waits until it has succeeded. */
async function put(where: string, version: string, body: Body): Promise<Body> {
  const answer = await management("PUT", `${where}?api-version=${version}`, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({
    status: expect.toSatisfy((status: number) => status === 200 || status === 201),
  });
  const read = async (): Promise<Body> => (await management("GET", `${where}?api-version=${version}`)).body;
  return eventually(
    read,
    ({ properties }) => properties.provisioningState === undefined || properties.provisioningState === "Succeeded",
  );
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ballast-logs-"));
  cloud = await startEmulator({ folder, images: { storefront: { folder: storefront, entry: "main.ts" } } });
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), await readFile(cloud.caFile, "utf8")]);
  agent = httpsAgent(parseConnectTo(cloud.environment["BALLAST_CONNECT_TO"]));
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const location = "westeurope";
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/local`;
  await put(group, "2024-03-01", { location });
  customerId = (await put(workspace, "2023-09-01", { location, properties: {} }))["properties"].customerId;
  await put(environment, "2025-02-02-preview", { location, properties: {} });
  await put(`${environment}/providers/Microsoft.Insights/diagnosticSettings/requests`, "2021-05-01-preview", {
    properties: {
      workspaceId: workspace,
      logs: ["ContainerAppHTTPLogs", "ContainerAppConsoleLogs"].map((category) => ({ category, enabled: true })),
    },
  });
  const shop = `${group}/providers/Microsoft.App/containerApps/shop`;
  revision = (
    await put(shop, "2025-02-02-preview", {
      location,
      properties: {
        managedEnvironmentId: environment,
        ...storefrontApp({ RELEASE: "1", FAULT: "errors", FAULT_PERCENT: "50" }),
      },
    })
  )["properties"].latestRevisionName;
  logs = new LogsQueryClient(
    {
      getToken: async (scopes) => ({
        token: await token(String(scopes).replace("/.default", "")),
        expiresOnTimestamp: Date.now() + 3_600_000,
      }),
    },
    {
      endpoint: `https://api.loganalytics.${cloud.suffix}/v1`,
      credentials: { scopes: [`https://api.loganalytics.${cloud.suffix}/.default`] },
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [
        {
          policy: {
            name: "way",
            sendRequest: (request, next) => {
              request.agent = agent;
              return next(request);
            },
          },
          position: "perCall",
        },
      ],
    },
  );
  await eventually(
    () => management("GET", `${shop}/revisions/${revision}?api-version=2025-07-01`),
    ({ body }) => body.properties.healthState === "Healthy",
  );
});

afterAll(async () => {
  agent?.destroy();
  await cloud?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const query = async (text: string): Promise<readonly Body[]> => {
  const answer = await logs.queryWorkspace(customerId, text, { duration: "PT5M" });
  if (answer.status !== "Success") throw new Error("a part of the answer is missing");
  const [table] = answer.tables;
  return table!.rows.map((row) =>
    Object.fromEntries(table!.columnDescriptors.map(({ name }, index) => [name!, row[index]])),
  );
};

test("the real client reads the rows of real requests after the ingestion lag, each once", async () => {
  const statuses: number[] = [];
  for (let number = 0; number < 20; number += 1)
    statuses.push((await ask(`https://${host}/products/5`, { headers: { "x-request-id": `q${number}` } })).status);
  const failed = statuses.filter((status) => status === 500).length;
  expect(failed).toBeGreaterThan(0);
  const text = `ContainerAppHTTPLogs | where ContainerAppName == "shop" and RevisionName == "${revision}"`;
  const [summary] = await eventually(
    () =>
      query(
        `${text} | summarize requests = count(), ids = dcount(RequestId), ` +
          "failed = countif(StatusCode >= 500), earliest = min(TimeGenerated)",
      ),
    ([found]) => found!["requests"] >= 20,
  );
  expect(summary).toMatchObject({ requests: 20, ids: 20, failed, earliest: expect.any(Date) });
  const rows = await query(`${text} | where RequestId == "q3"`);
  expect(rows).toEqual([
    expect.objectContaining({
      StatusCode: statuses[3],
      Method: "GET",
      Path: "/products/5",
      Authority: host,
      EnvironmentName: "local",
      TenantId: customerId,
      StartTime: expect.any(Date),
      RequestDuration: expect.any(Number),
    }),
  ]);
});

test("an app's output is in ContainerAppConsoleLogs of the workspace of its diagnostic setting", async () => {
  const [line] = await eventually(
    () => query(`ContainerAppConsoleLogs | where ContainerAppName == "shop" and Log has "listening"`),
    (rows) => rows.length > 0,
  );
  expect(line).toMatchObject({
    RevisionName: revision,
    ContainerName: "storefront",
    JobName: "",
    TenantId: customerId,
    TimeGenerated: expect.any(Date),
    Log: expect.stringMatching(/^\{"at":/),
  });
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/local`;
  const settings = `${environment}/providers/Microsoft.Insights/diagnosticSettings`;
  const setting = `${settings}/requests?api-version=2021-05-01-preview`;
  const { body } = await management("GET", setting);
  const quiet = {
    ...body.properties,
    logs: body.properties.logs.map((log: Body) => ({ ...log, enabled: log["category"] === "ContainerAppHTTPLogs" })),
  };
  await management("PUT", setting, { properties: quiet });
  expect(await query("ContainerAppConsoleLogs")).toEqual([]);
});

test("a test can put late and duplicate rows, and a late row is visible only from its time on", async () => {
  const rows = [
    { RequestId: "twice" },
    { RequestId: "twice" },
    { RequestId: "late", visibleAt: Date.now() + 3_600_000 },
  ].map((row) => ({ ContainerAppName: "shop", RevisionName: "shop--made-up", ...row }));
  expect((await management("POST", "/_emulator/rows", { rows })).body).toEqual({ kept: 3 });
  expect(await query(`ContainerAppHTTPLogs | where RevisionName == "shop--made-up" | project RequestId`)).toEqual([
    { RequestId: "twice" },
    { RequestId: "twice" },
  ]);
  expect((await management("POST", "/_emulator/ingestion", { lagSeconds: 3600 })).body).toEqual({ lagSeconds: 3600 });
  await ask(`https://${host}/`, { headers: { "x-request-id": "unseen" } });
  await eventually(
    () => management("GET", "/_emulator/rows?app=shop"),
    ({ body }) => body.rows.some((row: Body) => row["RequestId"] === "unseen"),
  );
  expect(await query(`ContainerAppHTTPLogs | where RequestId == "unseen"`)).toEqual([]);
  await management("POST", "/_emulator/ingestion", { lagSeconds: 0.3 });
});

test("a query beyond the subset is refused in Log Analytics' envelope, which names the operator", async () => {
  await expect(query("ContainerAppHTTPLogs | join (ContainerAppHTTPLogs) on RequestId")).rejects.toMatchObject({
    statusCode: 400,
    code: "BadArgumentError",
    message: expect.anything(),
  });
  const answer = await ask(
    `https://api.loganalytics.${cloud.suffix}/v1/workspaces/${customerId}/query`,
    {
      method: "POST",
      headers: {
        authorization: `Bearer ${await token(`https://api.loganalytics.${cloud.suffix}`)}`,
        "content-type": "application/json",
      },
    },
    { query: "ContainerAppHTTPLogs | render timechart" },
  );
  expect(answer).toMatchObject({
    status: 400,
    body: {
      error: {
        code: "BadArgumentError",
        innererror: {
          code: "SemanticError",
          innererror: { message: expect.stringContaining("the operator 'render'") },
        },
      },
    },
  });
});
