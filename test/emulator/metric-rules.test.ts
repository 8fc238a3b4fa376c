// Metric alert rules on stored rows: which series a rule sees, and when its alerts fire and resolve, held against a
// calculation that shares no code with the emulator.
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { RuleBook } from "../../emulator/alertsmanagement/alert-book.ts";
import { metricRules } from "../../emulator/alertsmanagement/metric-rules.ts";
import { step } from "../../emulator/alertsmanagement/steps.ts";
import { samplesOf, watchReplicas } from "../../emulator/app/replica-samples.ts";
import { requestRows, rowFrom } from "../../emulator/app/request-rows.ts";
import type { Body, Cloud, Resource } from "../../emulator/arm/resource.ts";

const minute = 60_000;
const begin = Date.parse("2030-01-01T12:00:00Z");
const group = "/subscriptions/s/resourcegroups/rg/providers";
const app = `${group}/microsoft.app/containerapps/web`;
const environment = `${group}/microsoft.app/managedenvironments/env`;
const workspace = `${group}/microsoft.operationalinsights/workspaces/logs`;

const resources: readonly Resource[] = [
  {
    id: app,
    type: "Microsoft.App/containerApps",
    body: { name: "web", properties: { managedEnvironmentId: environment } },
  },
  { id: workspace, type: "Microsoft.OperationalInsights/workspaces", body: { properties: { customerId: "w" } } },
];
const setting: Resource = {
  id: `${environment}/providers/microsoft.insights/diagnosticsettings/logs`,
  type: "Microsoft.Insights/diagnosticSettings",
  body: {
    properties: { workspaceId: workspace, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] },
  },
};

interface Request {
  readonly atMinutes: number;
  readonly status: number;
  readonly name?: string;
  readonly milliseconds?: number;
}

/** A cloud that has nothing but an app and rows of its requests. */
function cloudWith(requests: readonly Request[], isWired = true): Cloud {
  const all = isWired ? [...resources, setting] : resources;
  const store = {
    get: (id: string) => all.find((each) => each.id === id.toLowerCase()),
    list: (below = "") => all.filter(({ id }) => id.startsWith(below.toLowerCase())),
  };
  const cloud = { store, clock: { now: () => begin + 1000 * minute } } as unknown as Cloud;
  requestRows(cloud).put(
    requests.map(({ atMinutes, status, name = "web", milliseconds = 5 }) => ({
      ...rowFrom(
        { ContainerAppName: name, StatusCode: status, TimeGenerated: begin + atMinutes * minute, TenantId: "w" },
        cloud,
      ),
      RequestDuration: milliseconds,
      RevisionName: `${name}--1`,
      TenantId: "w",
      visibleAt: 0,
    })),
  );
  return cloud;
}

const criterion = {
  name: "failures",
  criterionType: "StaticThresholdCriterion",
  metricName: "Requests",
  timeAggregation: "Total",
  operator: "GreaterThan",
  threshold: 2,
};
const failures = { name: "statusCodeCategory", operator: "Include", values: ["5xx"] };
const ruleOf = (allOf: readonly object[], more: object = {}): Resource => ({
  id: `${group}/microsoft.insights/metricalerts/rule`,
  type: "Microsoft.Insights/metricAlerts",
  body: {
    name: "rule",
    properties: { scopes: [app], evaluationFrequency: "PT1M", windowSize: "PT5M", criteria: { allOf }, ...more },
  },
});
const at = begin + 5 * minute;
const three = [1, 2, 3].map((atMinutes) => ({ atMinutes, status: 500 }));

/** The dimensions, value and verdict of each series that a rule sees. */
function seen(cloud: Cloud, ...conditions: readonly object[]) {
  const found = metricRules.look(cloud, ruleOf(conditions.map((each) => ({ ...criterion, ...each }))), at);
  if (typeof found === "string") return found;
  return [...found.values()].map(({ series, failing }) => [
    Object.values(series.dimensions).join(),
    series.value,
    failing,
  ]);
}

test.each<readonly [string, readonly Request[], object, unknown]>([
  [
    "counts the requests of its app alone",
    [...three, { atMinutes: 1, status: 500, name: "cart" }],
    {},
    [["", 3, true]],
  ],
  [
    "sees its window alone",
    [...three, { atMinutes: 5, status: 500 }, { atMinutes: -1, status: 500 }],
    {},
    [["", 3, true]],
  ],
  [
    "has a series for each value of a dimension",
    [...three, { atMinutes: 2, status: 200 }],
    { dimensions: [{ ...failures, values: ["*"] }] },
    [
      ["5xx", 3, true],
      ["2xx", 1, false],
    ],
  ],
  [
    "leaves out values that it does not name",
    [...three, { atMinutes: 2, status: 200 }],
    { dimensions: [failures] },
    [["5xx", 3, true]],
  ],
  [
    "averages the time of answers",
    [10, 20].map((milliseconds) => ({ atMinutes: 1, status: 200, milliseconds })),
    { metricName: "ResponseTime", timeAggregation: "Average", threshold: 14 },
    [["", 15, true]],
  ],
  [
    "without a value violates nothing",
    [],
    { metricName: "ResponseTime", timeAggregation: "Average", operator: "LessThan", threshold: 100 },
    [["", null, false]],
  ],
  [
    "of a metric that no row shows is not evaluated",
    three,
    { metricName: "CpuPercentage" },
    "the emulator has no values of CpuPercentage",
  ],
])("a rule %s", (_what, requests, condition, series) => expect(seen(cloudWith(requests), condition)).toEqual(series));

test("the criteria of a rule must all hold", () => {
  const cloud = cloudWith(three);
  const slow = { name: "slow", metricName: "ResponseTime", timeAggregation: "Average" };
  expect(seen(cloud, {}, { ...slow, threshold: 4 })).toEqual([["", 3, true]]);
  expect(seen(cloud, {}, { ...slow, threshold: 6 })).toEqual([["", 3, false]]);
  expect(seen(cloud, { dimensions: [failures] }, slow)).toMatch(/several criteria without dimensions only/);
});

test("without a diagnostic setting no row shows a metric", () =>
  expect(seen(cloudWith(three, false), {})).toMatch(/no diagnostic setting sends the rows that show Requests/));

/** Gives the minutes at which an alert fires and resolves, evaluation by evaluation as the emulator makes them. */
function evaluated(
  cloud: Cloud,
  properties: Body,
  every: number,
  until: number,
): readonly (readonly [string, number])[] {
  const rule = ruleOf([{ ...criterion, dimensions: [failures] }], properties);
  let book: RuleBook = { series: {}, alerts: [] };
  const changes: (readonly [string, number])[] = [];
  for (let now = every; now <= until; now += every) {
    const found = metricRules.look(cloud, rule, begin + now * minute);
    if (typeof found === "string") throw new Error(found);
    const next = step(rule.body["properties"], book, found, begin + now * minute, metricRules.cleanNeeded(properties));
    const fired = (key: string) => next.changes.some((each) => each.key === key && each.change === "fired");
    const series = Object.entries(next.series).map(([key, state]) => [
      key,
      fired(key) ? { ...state, alertId: "a" } : state,
    ]);
    book = { series: Object.fromEntries(series), alerts: [] };
    changes.push(...next.changes.map(({ change }): readonly [string, number] => [change, now]));
  }
  return changes;
}

/** The same from the rows alone: a line of yes and no, read from left to right. */
function calculated(requests: readonly Request[], every: number, window: number, until: number) {
  const line = Array.from({ length: Math.floor(until / every) }, (_, index) => {
    const now = (index + 1) * every;
    const bad = requests.filter(
      ({ atMinutes, status }) => status >= 500 && atMinutes >= now - window && atMinutes < now,
    );
    return bad.length > 2 ? "x" : ".";
  }).join("");
  return [...line.matchAll(/x(?:\.{0,2}x)*(\.{3})?/g)].flatMap((run): (readonly [string, number])[] => [
    ["fired", (run.index + 1) * every],
    ...(run[1] === undefined ? [] : [["resolved", (run.index + run[0].length) * every] as const]),
  ]);
}

test("a rule fires once and resolves after three clean checks, as an independent calculation says", () =>
  fc.assert(
    fc.property(
      fc.constantFrom([1, 5], [5, 5], [5, 15], [15, 60]),
      fc.array(
        fc.record({
          atMinutes: fc.integer({ min: 0, max: 150 }).map((whole) => whole + 0.5),
          status: fc.constantFrom(500, 503, 200),
        }),
        { maxLength: 80 },
      ),
      ([every = 1, window = 5], requests) => {
        const properties = { evaluationFrequency: `PT${every}M`, windowSize: `PT${window}M`, autoMitigate: true };
        expect(evaluated(cloudWith(requests), properties, every, 240)).toEqual(
          calculated(requests, every, window, 240),
        );
      },
    ),
    { numRuns: 40 },
  ));

const samples = [
  [0, "web--1", [["p1", 0, 200_000_000, 50_000_000]]],
  [
    1,
    "web--1",
    [
      ["p1", 2, 900_000_000, 60_000_000],
      ["p2", 0, 100_000_000, 10_000_000],
    ],
  ],
  [1, "web--2", []],
  [
    4,
    "web--1",
    [
      ["p1", 5, 800_000_000, 70_000_000],
      ["p2", 1, 100_000_000, 20_000_000],
    ],
  ],
  [5, "web--1", [["p1", 99, 9e9, 9e9]]],
] as const;

/** Keeps the samples of an app, and of another one that no rule is about. */
function sampledCloud(): Cloud {
  const cloud = cloudWith([]);
  for (const of of [app, `${app}2`])
    samplesOf(cloud).put(
      samples.map(([atMinutes, revision, pods]) => ({
        at: begin + atMinutes * minute,
        app: of,
        revision,
        pods: pods.map(([name, restarts, nanoCores, bytes]) => ({ name, restarts, nanoCores, bytes })),
      })),
    );
  return cloud;
}

const aggregated: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Average: (values) => values.reduce((sum, each) => sum + each, 0) / values.length,
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  Total: (values) => values.reduce((sum, each) => sum + each, 0),
};

test.each(
  Object.keys(aggregated).flatMap((timeAggregation) =>
    [
      ["Replicas", undefined, []],
      ["Replicas", undefined, ["revisionName"]],
      ["RestartCount", 1, []],
      ["RestartCount", 1, ["podName"]],
      ["UsageNanoCores", 2, ["revisionName", "podName"]],
      ["WorkingSetBytes", 3, []],
    ].map(([metric, place, names]) => [timeAggregation, metric, place, names] as const),
  ),
)("the %s of %s is that of an independent calculation (value %s, by %j)", (timeAggregation, metric, place, names) => {
  const values = new Map<string, number[]>();
  for (const [atMinutes, revision, pods] of samples) {
    if (atMinutes >= 5) continue; // The window ends before.
    const all: readonly (readonly [string, number])[] =
      place === undefined
        ? [["", pods.length]]
        : pods.map((pod) => [pod[0] as string, pod[place as 1 | 2 | 3] as number]);
    for (const [pod, value] of all) {
      const keys = (names as readonly string[]).map((name) => (name === "podName" ? pod : revision));
      values.set(keys.join(), [...(values.get(keys.join()) ?? []), value]);
    }
  }
  const threshold = 1.5;
  const expected = [...values].map(([key, each]) => {
    const value = aggregated[timeAggregation]!(each);
    return [key, value, value > threshold];
  });
  const dimensions = (names as readonly string[]).map((name) => ({ name, operator: "Include", values: ["*"] }));
  expect(seen(sampledCloud(), { metricName: metric, timeAggregation, threshold, dimensions })).toEqual(expected);
});

test("what the process of a replica uses is sampled once a minute of the emulator's clock", async () => {
  const cloud = cloudWith([]);
  let now = begin;
  const running = { ...cloud, clock: { now: () => now } } as unknown as Cloud;
  const containers = [{ pid: process.pid, restarts: 3 }];
  const web = {
    id: app,
    revisions: [{ name: "web--1", active: true, set: { replicas: [{ name: "p1", containers }] } }],
  };
  const closing = new AbortController();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  watchReplicas(running, new Map([["web", web as never]]), closing.signal);
  for (const milliseconds of [0, 30_000, 60_000, 120_000]) {
    now = begin + milliseconds;
    vi.advanceTimersByTime(1_000);
  }
  closing.abort();
  now += 600_000;
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  const { all } = samplesOf(running);
  expect(all.map((sample) => (sample.at - begin) / minute)).toEqual([0, 1, 2]);
  const [{ pods }] = all as [(typeof all)[number]];
  expect(pods).toMatchObject([{ name: "p1", restarts: 3 }]);
  const isLinux = process.platform === "linux";
  expect((pods[0]!.bytes ?? 0) > 1_000_000).toBe(isLinux);
  expect((pods[0]!.nanoCores ?? 0) > 0).toBe(isLinux);
});
