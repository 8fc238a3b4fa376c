// The workbook of a service: each of its queries runs on rows as the service has them, and its content is one that the
// portal reads.
import { expect, test } from "vitest";
import { ServiceWorkbook } from "../../../components/alerts/service-workbook.ts";
import { panelsOf, workbookOf } from "../../../components/alerts/workbook-content.ts";
import { evaluate } from "../../../emulator/kql/evaluate.ts";
import type { Table } from "../../../emulator/kql/values.ts";
import { record } from "../../support/program/mocks.ts";

const now = Date.UTC(2031, 0, 5, 12);
const objectives = [
  { target: "app/shop/web", measures: "availability" as const, goodPercent: 99, periodDays: 28, failuresMin: 10 },
  {
    target: "app/shop/web",
    measures: "latency" as const,
    goodPercent: 90,
    withinMilliseconds: 100,
    periodDays: 28,
    failuresMin: 10,
  },
];
const column = (name: string, type: Table["columns"][number]["type"] = "string") => ({ name, type });
const when = column("TimeGenerated", "datetime");
const tables = {
  ContainerAppHTTPLogs: {
    columns: [
      when,
      ...["ContainerAppName", "Authority", "RevisionName", "Path"].map((name) => column(name)),
      column("StatusCode", "int"),
      column("RequestDuration", "long"),
    ],
    rows: [200, 200, 200, 503, 500].map((status, index) => ({
      TimeGenerated: now - index * 1000 - 1000,
      ContainerAppName: "web",
      Authority: index === 4 ? "web--two.example.net" : "web.example.net",
      RevisionName: "web--two",
      Path: "/cart",
      StatusCode: status,
      RequestDuration: status === 503 ? 900 : 20,
    })),
  },
  AppExceptions: {
    columns: [
      when,
      ...["AppRoleName", "ExceptionType", "ProblemId"].map((name) => column(name)),
      column("ItemCount", "int"),
    ],
    rows: [{ TimeGenerated: now, AppRoleName: "Web", ExceptionType: "TypeError", ProblemId: "price", ItemCount: 3 }],
  },
  ContainerAppSystemLogs: {
    columns: [when, ...["ContainerAppName", "RevisionName", "Reason", "Log"].map((name) => column(name))],
    rows: [
      { TimeGenerated: now, ContainerAppName: "web", RevisionName: "web--two", Reason: "Restarted", Log: "it ended" },
    ],
  },
};
const shown = (title: RegExp) =>
  evaluate(panelsOf({ app: "web", objectives }).find((panel) => title.test(panel.title))!.query, tables, now).rows;

test.each<[string, RegExp, object]>([
  ["requests, without probes of a revision", /^Requests/, { requests: 4, failed: 1 }],
  ["failures by revision", /by revision/, { RevisionName: "web--two", failedPercent: 25 }],
  ["times", /^Milliseconds/, { p50: 20, p99: 900 }],
  ["the burn rate of failures", /^Burn rate of availability \(99 percent over 28 days\)/, { burn: 25 }],
  ["the burn rate of times", /^Burn rate of latency \(90 percent within 100 ms/, { burn: 2.5 }],
  ["paths that fail", /^Paths/, { Path: "/cart", StatusCode: 503, requests: 1 }],
  ["exceptions, whatever the letters of the role", /^Exceptions/, { ExceptionType: "TypeError", times: 3 }],
  ["what the platform did", /^What the platform/, { Reason: "Restarted" }],
])("shows %s", (_what, title, expected) => expect(shown(title)).toMatchObject([expected]));

test("is one resource, named by a GUID, whose content has each panel over the reader's time", async () => {
  const { declared } = await record(
    () =>
      new ServiceWorkbook("page", {
        scope: "/subscriptions/s/resourceGroups/shop",
        resourceGroupName: "shop",
        location: "westeurope",
        workspaceId: "workspace",
        app: "web",
        runbook: "Failing app",
        objectives,
      }),
  );
  const workbook = declared.find(({ type }) => type === "azure-native:applicationinsights:Workbook")!;
  expect(workbook.inputs).toMatchObject({ kind: "shared", category: "workbook", sourceId: "workspace" });
  expect(workbook.inputs["resourceName"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const content = JSON.parse(String(workbook.inputs["serializedData"]));
  expect(content).toEqual(
    JSON.parse(
      JSON.stringify(workbookOf({ app: "web", runbook: "Failing app", objectives, workspaceId: "workspace" })),
    ),
  );
  const queries = content.items.filter(({ type }: { type: number }) => type === 3);
  expect(queries).toHaveLength(panelsOf({ app: "web", objectives }).length);
  for (const { content: panel } of queries)
    expect(panel).toMatchObject({ timeContextFromParameter: "Time", crossComponentResources: ["workspace"] });
});
