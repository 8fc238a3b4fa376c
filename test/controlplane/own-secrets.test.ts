// The control plane's own secret rotates while alerts fire: the one by which it signs in to read them. Two replicas
// poll, of which the old one keeps a secret that is void from some moment on. Every alert is taken, once.
import { expect, it } from "vitest";
import { createAlerts } from "../../controlplane/adapters/azure/alerts.ts";
import { patienceOf } from "../../controlplane/adapters/azure/trouble.ts";
import { takeAlerts } from "../../controlplane/performers/remediation-intake.ts";
import { after } from "../../engines/time.ts";
import { policyWith } from "../support/worlds/incident-scenario.ts";

const start = Date.parse("2031-01-01T12:00:00Z");
const alertsMax = 120;
const targets = Array.from({ length: alertsMax }, (_, index) => `app/shop/a${index}`);
const policies = [policyWith({ rule: "app-failing", targets })];

const uncut = new AbortController().signal;

const alertsPath = "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts";

/** One alert each half minute, as the alerts API lists it. */
const itemOf = (index: number): object => ({
  id: `${alertsPath}/00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  properties: {
    essentials: {
      alertRule: "/subscriptions/s/resourceGroups/shop/providers/Microsoft.Insights/scheduledQueryRules/app-failing",
      severity: "Sev3",
      monitorCondition: "Fired",
      monitorService: "Log Alerts V2",
      startDateTime: new Date(start + index * 30_000).toISOString(),
    },
    context: {
      context: {
        conditionType: "LogQueryCriteria",
        condition: { allOf: [{ dimensions: [{ name: "ContainerAppName", value: `a${index}` }], metricValue: 1 }] },
      },
    },
  },
});

/** When a secret is valid, in minutes from the start. */
interface Secret {
  readonly name: string;
  readonly fromMinutes: number;
  readonly untilMinutes: number;
}

it.each([
  ["both are valid for a while", { old: 40, next: 20 }],
  ["the old one is void when the new one begins", { old: 30, next: 30 }],
  ["none is valid for ten minutes", { old: 20, next: 30 }],
  ["the new one counts an hour late", { old: 20, next: 55 }],
])("while %s, no alert is lost and none is taken twice", async (_when, { old, next }) => {
  const secrets: readonly Secret[] = [
    { name: "old", fromMinutes: 0, untilMinutes: old },
    { name: "new", fromMinutes: next, untilMinutes: 1_000 },
  ];
  let now = start;
  const started: string[] = [];
  const troubles = new Set<string>();
  // What both replicas share is the journal, which starts a stream once.
  const startOnce = async (stream: string) => {
    if (started.includes(stream)) return "exists" as const;
    started.push(stream);
    return "started" as const;
  };
  const replicas = secrets.map(({ name, fromMinutes, untilMinutes }) => {
    const sendRequest = async () => {
      const minutes = (now - start) / 60_000;
      if (minutes < fromMinutes || minutes >= untilMinutes) return { status: 401, bodyAsText: "{}" };
      const fired = Math.min(alertsMax, Math.floor((now - start) / 30_000) + 1);
      return { status: 200, bodyAsText: JSON.stringify({ value: targets.slice(0, fired).map((_, at) => itemOf(at)) }) };
    };
    const alerts = createAlerts({
      connection: { apps: { pipeline: { sendRequest } } } as never,
      patience: patienceOf(1),
      resourceManager: "https://management.example.test",
      subscription: "s",
      graph: targets.map((target) => ({ target, dependsOn: [] })),
      policies,
      now: () => now,
      log: (message) => troubles.add(message),
    });
    return { name, intake: { alerts, known: new Set<string>(), start: startOnce } };
  });
  for (let minute = 0; minute < 90; minute++) {
    now = after(start, minute * 60);
    for (const { name, intake } of replicas) {
      const taken = await takeAlerts(intake, now, uncut);
      if (!taken.ok) troubles.add(`${name}: ${taken.reason}`);
    }
  }
  expect([started.length, new Set(started).size]).toEqual([alertsMax, alertsMax]);
  expect([...troubles].toSorted()).toEqual([
    expect.stringMatching(/^new: the alerts cannot be read: 401/),
    expect.stringMatching(/^old: the alerts cannot be read: 401/),
  ]);
});
