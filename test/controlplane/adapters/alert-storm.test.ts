// A storm of alerts through the shipped adapter and intake: pages of the alerts API, the newest alerts first, and a
// critical one that is older than all pages that are read.
import { expect, test } from "vitest";
import { createAlerts } from "../../../controlplane/adapters/azure/alerts.ts";
import { withTickets } from "../../../controlplane/adapters/azure/tickets.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { startsMax, takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import { policyWith } from "../../support/worlds/incident-scenario.ts";

const now = Date.parse("2031-01-01T12:00:00Z");
const resourceManager = "https://management.example.test";
const uncut = new AbortController().signal;
const targetOf = (index: number): string => `app/shop/a${index}`;

const alertsPath = "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts";

/** One alert as the alerts API lists it. */
const itemOf = (index: number, severity: number): object => ({
  id: `${alertsPath}/00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  properties: {
    essentials: {
      alertRule: "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Insights/scheduledQueryRules/app-failing",
      severity: `Sev${severity}`,
      monitorCondition: "Fired",
      monitorService: "Log Alerts V2",
      startDateTime: new Date(now - 60_000).toISOString(),
    },
    context: {
      context: {
        conditionType: "LogQueryCriteria",
        condition: { allOf: [{ dimensions: [{ name: "ContainerAppName", value: `a${index}` }], metricValue: 1 }] },
      },
    },
  },
});

/** The alerts API: pages of 250, with the filter of the severity. */
function apiOf(severities: readonly number[]) {
  let requests = 0;
  const sendRequest = async (_client: unknown, { url }: { readonly url: string }) => {
    requests += 1;
    const asked = new URL(url).searchParams;
    const wanted = asked.get("severity");
    const listed = severities.flatMap((severity, index) =>
      wanted === null || wanted === `Sev${severity}` ? [itemOf(index, severity)] : [],
    );
    const from = Number(asked.get("$skiptoken") ?? 0);
    const next = new URL(url);
    next.searchParams.set("$skiptoken", String(from + 250));
    return {
      status: 200,
      bodyAsText: JSON.stringify({
        value: listed.slice(from, from + 250),
        ...(from + 250 < listed.length && { nextLink: next.href }),
      }),
    };
  };
  const targets = severities.map((_, index) => targetOf(index));
  const alerts = createAlerts({
    connection: { apps: { pipeline: { sendRequest } } } as never,
    patience: patienceOf(1),
    resourceManager,
    subscription: "s",
    graph: targets.map((target) => ({ target, dependsOn: [] })),
    policies: [policyWith({ rule: "app-failing", targets })],
    now: () => now,
    log: () => undefined,
  });
  return { alerts, requests: () => requests };
}

test("1,500 alerts of a minute are taken in parts, the critical ones first, and none twice", async () => {
  const severities = Array.from({ length: 1500 }, (_, index) => (index % 500 === 499 ? 0 : 3));
  const { alerts, requests } = apiOf(severities);
  const started: string[] = [];
  const intake = {
    alerts,
    known: new Set<string>(),
    start: async (stream: string) => {
      started.push(stream);
      return "started" as const;
    },
  };
  const polls: number[] = [];
  for (let poll = 0; poll < 9; poll++) {
    const taken = await takeAlerts(intake, now, uncut);
    polls.push(taken.ok ? taken.value.length : -1);
  }
  expect(
    started
      .slice(0, 3)
      .map((stream) => stream.split("/")[3])
      .toSorted(),
  ).toEqual(["a1499", "a499", "a999"]);
  expect([started.length, new Set(started).size]).toEqual([1500, 1500]);
  expect(polls).toEqual([...Array.from({ length: 7 }, () => startsMax), 100, 0]);
  expect(requests(), "a list that ends within its pages needs no second one").toBe(9 * 6);
});

test("a critical alert that is older than all pages is read by its severity, and what is missing is said", async () => {
  const { alerts } = apiOf([...Array.from({ length: 4000 }, () => 3), 0]);
  const listed = await alerts.list(now - 86_400_000, uncut);
  if (!listed.ok) throw new Error(listed.reason);
  expect(listed.value.alerts[0]).toMatchObject({ target: targetOf(4000), severity: 0, covered: true });
  expect(listed.value.alerts).toHaveLength(2001);
  expect(listed.value.leftOut).toBe(1);
});

test("an alert over three days that was read stays as it is while its rows cannot be read", async () => {
  const objective = {
    target: targetOf(0),
    measures: "availability" as const,
    goodPercent: 99,
    periodDays: 28,
    failuresMin: 10,
    ticket: "Promise-availability-ticket",
  };
  const hour = 3_600_000;
  const columnDescriptors = ["hour", "requests", "bad"].map((name) => ({ name, type: "long" }));
  let answer: object | Error = new Error("no rows");
  let at = now;
  const lines: string[] = [];
  const alerts = withTickets(apiOf([]).alerts, {
    logs: {
      queryWorkspace: async () => {
        if (answer instanceof Error) throw Object.assign(answer, { statusCode: 403 });
        return answer;
      },
    } as never,
    patience: patienceOf(1),
    workspace: "w",
    objectives: [objective],
    policies: [policyWith({ rule: "promise-availability-ticket", targets: [targetOf(0)] })],
    now: () => at,
    log: (line) => lines.push(line),
  });
  const list = async () => {
    const listed = await alerts.list(at - 86_400_000, uncut);
    if (!listed.ok) throw new Error(listed.reason);
    return listed.value;
  };
  expect(await list(), "what was never read is missing, and no empty list").toEqual({ alerts: [], leftOut: 1 });
  const rows = Array.from({ length: 5 }, (_, index) => [new Date(now - (6 - index) * hour), 1000, 50]);
  at += 300_000;
  answer = { status: "Success", tables: [{ columnDescriptors, rows }] };
  const fired = await list();
  expect(fired).toMatchObject({
    leftOut: 0,
    alerts: [
      {
        kind: "objective",
        rule: "promise-availability-ticket",
        severity: 3,
        target: targetOf(0),
        covered: true,
        firedAt: now - 5 * hour,
        resolvedAt: null,
      },
    ],
  });
  answer = new Error("no rows");
  at += 24 * hour;
  expect(await list()).toEqual(fired);
});
