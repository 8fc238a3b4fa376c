// Ballast's own alerts, each in its situation and in health. A real control plane, storefront, database and dead man's
// switch send telemetry and logs, and each alert's query runs on the emulator over the window of its rule. No test
// writes rows itself.
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Context } from "../../cli/doctor/context.ts";
import { examine } from "../../cli/doctor/finding.ts";
import { telemetryChecks } from "../../cli/doctor/telemetry-checks.ts";
import { type Alert, alertsOf } from "../../components/platform/alerts.ts";
import { leaseSeconds, quarterStrategy } from "../support/controlplane/deploy-plane.ts";
import { openWatchedEstate, usersOf, type WatchedEstate } from "../support/controlplane/watched-estate.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import type { LogRow } from "../support/emulator/log-rows.ts";

const logs = "https://api.loganalytics.ballast.localhost";
let estate: WatchedEstate;
let users: { readonly end: () => Promise<void> };
// The switch's container has another name in this estate.
const alerts = alertsOf({ apps: ["storefront", "search"], leaseSeconds, switchJob: "switch" });
const fires = (alert: Alert): Promise<readonly LogRow[]> =>
  eventually(
    () => estate.firing(alert),
    (rows) => rows.length > 0,
    60,
  );
const quiet = (alert: Alert): Promise<readonly LogRow[]> =>
  eventually(
    () => estate.firing(alert),
    (rows) => rows.length === 0,
    60,
  );
const byId = (id: string): Alert => alerts.find((alert) => alert.id === id)!;

beforeAll(async () => {
  estate = await openWatchedEstate();
  users = usersOf(estate, "storefront");
  await estate.inMidCanary();
}, 120_000);
afterAll(async () => {
  await users?.end();
  await estate?.close();
});

/** How each alert's situation begins and, if it can end, how it ends. */
const situations: readonly {
  readonly alert: string;
  readonly begin: () => Promise<unknown>;
  readonly end?: () => Promise<unknown>;
  readonly row: LogRow;
}[] = [
  {
    alert: "effects-failing",
    row: { app: "storefront", failed: expect.any(Number) },
    begin: async () => {
      await estate.inMidCanary();
      await estate.fault({ method: "GET", path: "containerApps/storefront$", times: 10_000, status: 503 });
    },
    end: () => estate.fault(),
  },
  {
    alert: "rollback-blocked",
    row: { app: "storefront", Name: "ballast.effects" },
    begin: async () => {
      await estate.inMidCanary();
      await estate.fault({
        method: "PATCH",
        path: "containerApps/storefront$",
        times: 10_000,
        status: 403,
        code: "ScopeLocked",
      });
      await estate.plane("POST", `/rollouts/estate/storefront/${estate.canary}/signals`, {
        signal: "abort",
        message: "to see whether it is carried out",
      });
    },
    end: () => estate.fault(),
  },
  {
    alert: "app-failing",
    row: { ContainerAppName: "search", failed: expect.any(Number) },
    begin: async () => {
      await estate.release({ RELEASE: "1", FAULT: "errors", FAULT_PERCENT: "50" }, "search");
      failing = usersOf(estate, "search");
    },
    end: () => failing!.end(),
  },
  {
    // A fact of a version to come: recovery finds the stream, and cannot read it.
    alert: "rollout-stuck",
    row: { stuck: 1 },
    begin: async () => {
      await inJournal(`insert into ballast.streams (stream, length, finished) values ('${unreadable}', 1, false)`);
      await inJournal(
        "insert into ballast.facts (stream, index, event, process, epoch) " +
          `values ('${unreadable}', 0, '{"kind": "Unheard", "at": 1}', 'p', 1)`,
      );
    },
    end: () => inJournal(`update ballast.streams set finished = true where stream = '${unreadable}'`),
  },
  {
    alert: "control-plane-silent",
    row: { reports: 0 },
    begin: async () => {
      await estate.inMidCanary();
      await eventually(
        () =>
          estate.query('AppMetrics | where Name == "ballast.interval.lag" | summarize measured = sum(ItemCount)', 3),
        ([row]) => row!["measured"] > 1,
        30,
      );
      await estate.signalPlane("SIGSTOP");
    },
  },
  {
    alert: "intervals-late",
    row: { app: "storefront", lag: expect.any(Number) },
    begin: async () => {
      // The process was stopped in the test before. A measurement is late only from an interval after the last one, and
      // the last export may be a second older than the stop; one more second is the margin.
      await eventually(
        () => estate.query("AppMetrics | summarize latest = max(TimeGenerated)"),
        ([row]) =>
          Date.now() - Date.parse(row!["latest"]) > (2 * leaseSeconds + quarterStrategy.intervalSeconds + 2) * 1000,
        30,
      );
      await estate.signalPlane("SIGCONT");
    },
    end: () => Promise.resolve(),
  },
  {
    alert: "journal-unreachable",
    row: { reached: 0, missed: expect.any(Number) },
    begin: async () => {
      await estate.inMidCanary();
      await estate.postgres.stop();
    },
  },
  {
    alert: "switch-acted",
    row: { Log: expect.stringContaining('"restored"') },
    begin: async () => {
      await estate.putSwitch({ BALLAST_HEALTH: "https://control-plane.estate.westeurope.ballast.localhost/health" });
      await estate.run();
    },
  },
];
/** A rollout of an app that no claim holds. */
const unreadable = "rollout/estate/other/other--1";
async function inJournal(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: estate.postgres.url("journal") });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
let failing: { readonly end: () => Promise<void> } | undefined;

test("every alert has a situation in this test", () =>
  expect(situations.map(({ alert }) => alert).sort()).toEqual(alerts.map(({ id }) => id).sort()));

test("no alert fires in health, with a rollout in flight and users", { timeout: 60_000 }, async () => {
  // Most alerts do not fire without rows either, so the rows must exist.
  const reported = (name: string) =>
    estate.query(`AppMetrics | where Name == "${name}" | summarize rows = count()`, 15);
  for (const name of ["ballast.heartbeat", "ballast.effects", "ballast.interval.lag"])
    await eventually(
      () => reported(name),
      ([row]) => row!["rows"] > 3,
      30,
    );
  await eventually(
    () =>
      estate.query('ContainerAppHTTPLogs | where ContainerAppName == "storefront" | summarize requests = count()', 10),
    ([row]) => row!["requests"] >= 100,
    30,
  );
  for (const alert of alerts) expect([alert.id, await estate.firing(alert)]).toEqual([alert.id, []]);
});

test("in health, `ballast doctor` finds that telemetry arrives", async () => {
  const token = await estate.tokenFor(logs);
  const stack = {
    plane: `${estate.group}/providers/Microsoft.App/containerApps/control-plane`,
    insights: `${estate.group}/providers/Microsoft.Insights/components/telemetry`,
  };
  const context = {
    stack,
    ask: (method: string, id: string, version: string) => estate.ask(method, `${id}?api-version=${version}`),
    query: (workspace: string, query: string) =>
      estate.ask("POST", `${logs}/v1/workspaces/${workspace}/query`, { query }, { token }),
  } as unknown as Context;
  expect(await examine(telemetryChecks, context)).toEqual([
    {
      check: "telemetry",
      state: "ok",
      message: expect.stringMatching(/^the control plane's last report arrived \d+ s ago$/),
    },
  ]);
});

describe("in trouble", () => {
  test.each(situations)(
    "$alert fires in its situation",
    { timeout: 180_000 },
    async ({ alert: id, begin, end, row }) => {
      const alert = byId(id);
      await begin();
      expect((await fires(alert))[0]).toMatchObject(row);
      if (end === undefined) return;
      await end();
      await quiet(alert);
    },
  );
});
