// `ballast alert`: alerts from a file or from the alerts API, explained, and replayed with other limits.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ballastProgram } from "../../toolchain/package/reference-commands.ts";
import { startCloudForTests } from "../support/emulator/cloud.ts";

let folder: string;
const write = (name: string, content: unknown): string => {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
};
/** Runs the command in this process, and gives what it prints. */
async function ballast(...args: readonly string[]): Promise<string> {
  let said = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    await ballastProgram().parseAsync(["alert", ...args], { from: "user" });
  } finally {
    spy.mockRestore();
  }
  return said;
}

const start = Date.parse("2026-01-05T09:00:00Z");
const iso = (minutes: number): string => new Date(start + minutes * 60_000).toISOString();
const item = (id: string, rule: string, fires: number, resolves: number | null, dimension = "web") => ({
  id: `/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/${id}`,
  name: rule,
  properties: {
    essentials: {
      severity: "Sev1",
      signalType: "Log",
      monitorCondition: resolves === null ? "Fired" : "Resolved",
      monitorService: "Log Alerts V2",
      alertRule: `/subscriptions/s/resourceGroups/shop/providers/Microsoft.Insights/scheduledQueryRules/${rule}`,
      targetResource: "/subscriptions/s/resourcegroups/shop/providers/microsoft.operationalinsights/workspaces/logs",
      startDateTime: iso(fires),
      ...(resolves === null ? {} : { monitorConditionResolvedDateTime: iso(resolves) }),
    },
    context: {
      context: {
        properties: {},
        conditionType: "LogQueryCriteria",
        condition: {
          windowSize: "PT10M",
          allOf: [{ dimensions: [{ name: "ContainerAppName", value: dimension }], metricValue: 1 }],
        },
      },
    },
  },
});
const declared = (limits: object = {}) => ({
  targets: [{ target: "app/shop/web", dependsOn: [] }],
  policies: [
    {
      rule: "App-Failing",
      owner: "shop team",
      targets: ["app/shop/web"],
      ladder: [{ runbook: "restart-revision" }],
      verification: {},
      limits,
    },
  ],
});
const [first, second, third] = ["a1", "b2", "c3"].map((tail) => `66114d64-d9d9-478b-95c9-b789d65021${tail}`);

let alerts: string;
let usual: string;
let slower: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "ballast-alerts-"));
  alerts = write("alerts.json", {
    value: [
      item(first!, "app-failing", 0, 10),
      item(second!, "app-failing", 5, null, "strangers-app"),
      item(third!, "vault-slow", 7, null),
      { nothing: "known" },
    ],
  });
  usual = write("usual.json", declared());
  slower = write("slower.yaml", JSON.stringify(declared({ settleSeconds: 900 })));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("list shows the target that each alert names, and why nothing follows from it", async () => {
  const listed = await ballast("list", "--alerts", alerts, "--remediations", usual);
  expect(listed).toMatch(/app-failing +Sev1 +app\/shop\/web +resolved after 10m +may be acted on/);
  expect(listed).toMatch(/app-failing +Sev1 +none +fired +it names no declared target, or more than one/);
  expect(listed).toMatch(
    /vault-slow +Sev1 +app\/shop\/web +fired +no policy of the rule vault-slow names app\/shop\/web/,
  );
  expect(listed).toContain("not understood: The item is no alert");
  const { alerts: shown, refused } = JSON.parse(await ballast("list", "--alerts", alerts, "--json"));
  expect(shown.map(({ target }: { target: unknown }) => target)).toEqual([null, null, null]);
  expect(refused).toHaveLength(1);
});

test("explain shows one alert, and refuses a beginning that several ids have", async () => {
  const given = ["--alerts", alerts, "--remediations", usual];
  expect(await ballast("explain", first!, ...given)).toMatch(/action +restart-revision\nowner +shop team/);
  await expect(ballast("explain", "66114d64", ...given)).rejects.toMatchObject({ id: "cli-usage-wrong" });
});

test("replay decides with other limits, and prints what is decided differently", async () => {
  const replayed = await ballast("replay", "--alerts", alerts, "--remediations", usual);
  expect(replayed).toMatch(/app\/shop\/web +restart-revision +repaired +restart-revision worked/);
  expect(replayed).toContain("1 of 3 alerts would have led to a remediation, 1 to an action");
  const { outcomes } = JSON.parse(
    await ballast("replay", "--alerts", alerts, "--remediations", slower, "--beside", usual, "--json"),
  );
  expect(outcomes).toMatchObject([{ id: first, actions: [], result: "self-healed", reason: "cleared-by-itself" }]);
});

test("a file that is missing, or that is not what it must be, is refused by name", async () => {
  await expect(ballast("list", "--alerts", path.join(folder, "none"))).rejects.toMatchObject({
    id: "cli-plan-unreadable",
  });
  for (const args of [
    ["--alerts", write("no-list.json", { value: "none" })],
    ["--alerts", alerts, "--remediations", write("wrong.json", { targets: [] })],
  ])
    await expect(ballast("list", ...args)).rejects.toMatchObject({ id: "cli-alert-file-malformed" });
  await expect(ballast("list")).rejects.toMatchObject({ id: "cli-usage-wrong" });
});

test("without a file the alerts API is read, as the person who is signed in", async () => {
  const at = await startCloudForTests();
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
    for (const [name, value] of Object.entries(at.cloud.environment)) vi.stubEnv(name, value);
    const subscription = ["--subscription", at.cloud.subscription];
    const host = ["--resource-manager", `https://management.${at.cloud.suffix}`];
    expect(JSON.parse(await ballast("list", ...subscription, ...host, "--json"))).toEqual({ alerts: [], refused: [] });
    await expect(ballast("list", "--subscription", "none", ...host)).rejects.toMatchObject({
      id: "doctor-azure-unreachable",
    });
  } finally {
    vi.unstubAllEnvs();
    await at.close();
  }
});
