// Request rows from a real request to a query: the whole emulator over TLS,
// Microsoft's own LogsQueryClient, and Kusto text.
import { LogsQueryClient } from "@azure/monitor-query-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually, storefrontApp } from "../../support/emulator/container-cloud.ts";
import { throughAgent } from "../../support/emulator/sdk-client.ts";

const storefront = new URL("../../../examples/storefront/", import.meta.url).pathname;
let at: CloudForTests;
let logs: LogsQueryClient;
let customerId: string;
let revision: string;
const host = "shop.local.westeurope.ballast.localhost";

/** Puts a resource and waits until it has succeeded. */
async function put(where: string, version: string, body: Body): Promise<Body> {
  const url = `${where}?api-version=${version}`;
  const answer = await at.settle("PUT", url, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: expect.toSatisfy((status) => status < 300) });
  return eventually(
    async () => (await at.ask("GET", url)).body,
    ({ properties }) => properties.provisioningState === undefined || properties.provisioningState === "Succeeded",
  );
}

beforeAll(async () => {
  at = await startCloudForTests({ images: { storefront: { folder: storefront, entry: "main.ts" } } });
  const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
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
        token: await at.tokenFor(String(scopes).replace("/.default", "")),
        expiresOnTimestamp: Date.now() + 3_600_000,
      }),
    },
    {
      endpoint: `https://api.loganalytics.${at.cloud.suffix}/v1`,
      credentials: { scopes: [`https://api.loganalytics.${at.cloud.suffix}/.default`] },
      retryOptions: { maxRetries: 0 },
      ...throughAgent(at.agent),
    },
  );
  await eventually(
    () => at.ask("GET", `${shop}/revisions/${revision}?api-version=2025-07-01`),
    ({ body }) => body.properties.healthState === "Healthy",
  );
});

afterAll(() => at?.close());

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
    statuses.push(
      (
        await at.ask("GET", `https://${host}/products/5`, undefined, {
          token: null,
          headers: { "x-request-id": `q${number}` },
        })
      ).status,
    );
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
  const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/local`;
  const settings = `${environment}/providers/Microsoft.Insights/diagnosticSettings`;
  const setting = `${settings}/requests?api-version=2021-05-01-preview`;
  const { body } = await at.ask("GET", setting);
  const quiet = {
    ...body.properties,
    logs: body.properties.logs.map((log: Body) => ({ ...log, enabled: log["category"] === "ContainerAppHTTPLogs" })),
  };
  await at.ask("PUT", setting, { properties: quiet });
  expect(await query("ContainerAppConsoleLogs")).toEqual([]);
});

test("a test can put late and duplicate rows, and a late row is visible only from its time on", async () => {
  const rows = [
    { RequestId: "twice" },
    { RequestId: "twice" },
    { RequestId: "late", visibleAt: Date.now() + 3_600_000 },
  ].map((row) => ({ ContainerAppName: "shop", RevisionName: "shop--made-up", ...row }));
  expect((await at.ask("POST", "/_emulator/rows", { rows })).body).toEqual({ kept: 3 });
  expect(await query(`ContainerAppHTTPLogs | where RevisionName == "shop--made-up" | project RequestId`)).toEqual([
    { RequestId: "twice" },
    { RequestId: "twice" },
  ]);
  expect((await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 3600 })).body).toEqual({ lagSeconds: 3600 });
  await at.ask("GET", `https://${host}/`, undefined, { token: null, headers: { "x-request-id": "unseen" } });
  await eventually(
    () => at.ask("GET", "/_emulator/rows?app=shop"),
    ({ body }) => body.rows.some((row: Body) => row["RequestId"] === "unseen"),
  );
  expect(await query(`ContainerAppHTTPLogs | where RequestId == "unseen"`)).toEqual([]);
  await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 0.3 });
});

test("a query beyond the subset is refused in Log Analytics' envelope, which names the operator", async () => {
  await expect(query("ContainerAppHTTPLogs | join (ContainerAppHTTPLogs) on RequestId")).rejects.toMatchObject({
    statusCode: 400,
    code: "BadArgumentError",
    message: expect.anything(),
  });
  const service = `https://api.loganalytics.${at.cloud.suffix}`;
  const answer = await at.ask(
    "POST",
    `${service}/v1/workspaces/${customerId}/query`,
    { query: "ContainerAppHTTPLogs | render timechart" },
    { token: await at.tokenFor(service) },
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
