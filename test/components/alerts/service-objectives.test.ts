// Burn-rate alerts: the query that is deployed is the query that is run here, on rows of which the burn rate is
// calculated a second time, by other means. A request that is missing is neither good nor bad.
import { describe, expect, test } from "vitest";
import { ServiceObjectives, type ServiceObjectivesArgs } from "../../../components/alerts/service-objectives.ts";
import { evaluate } from "../../../emulator/kql/evaluate.ts";
import { read } from "../../../engines/form.ts";
import { remediationsForm } from "../../../engines/remediation/declaration.ts";
import { budgetLeft } from "../../../engines/remediation/objectives/objective.ts";
import { objectionsToPolicy } from "../../../engines/remediation/policy.ts";
import { record, valueOf } from "../../support/program/mocks.ts";

const scope = "/subscriptions/s/resourceGroups/shop";
const args: ServiceObjectivesArgs = {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: "workspace",
  app: "web",
  actionGroupIds: ["group"],
  owner: "shop team",
  runbook: "Failing app",
  objectives: [{ measures: "availability", goodPercent: 99.9 }],
};
const made = async (change: Partial<ServiceObjectivesArgs> = {}) => {
  const { declared, made: component } = await record(() => new ServiceObjectives("promise", { ...args, ...change }));
  const rules = declared.filter(({ type }) => type === "azure-native:monitor:ScheduledQueryRule");
  return { component, rules, ruleOf: (id: string) => rules.find(({ name }) => name === `promise-alert-${id}`)!.inputs };
};
const refusal = (change: object): Promise<string> =>
  made(change as Partial<ServiceObjectivesArgs>).then(
    () => "",
    (error: unknown) => String((error as Error).message ?? error),
  );

const minute = 60_000;
const now = Date.UTC(2026, 0, 5, 12);
interface Row {
  readonly at: number;
  readonly status: number;
  readonly duration: number;
  readonly authority?: string;
}
const columns = [
  { name: "TimeGenerated", type: "datetime" },
  { name: "ContainerAppName", type: "string" },
  { name: "Authority", type: "string" },
  { name: "StatusCode", type: "int" },
  { name: "RequestDuration", type: "long" },
] as const;
/** Runs a rule's query as the service does: over the rows of its window. */
const fires = (rule: { readonly [key: string]: any }, rows: readonly Row[], windowMinutes: number): boolean =>
  evaluate(
    rule["criteria"].allOf[0].query,
    {
      ContainerAppHTTPLogs: {
        columns,
        rows: rows
          .filter(({ at }) => at > now - windowMinutes * minute)
          .map(({ at, status, duration, authority = "web.example.net" }) => ({
            TimeGenerated: at,
            ContainerAppName: "web",
            Authority: authority,
            StatusCode: status,
            RequestDuration: duration,
          })),
      },
    },
    now,
  ).rows.length > 0;

/** Numbers between 0 and 1 that follow from a seed. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test("a deployed query fires exactly when both windows burn too fast, on drawn rows", async () => {
  const { ruleOf } = await made({
    objectives: [
      { measures: "availability", goodPercent: 99.5 },
      { measures: "latency", goodPercent: 99, withinMilliseconds: 300 },
    ],
  });
  const seed = Number(process.env["SEED"] ?? 20);
  const next = drawing(seed);
  const fired: Record<string, number> = {};
  for (let story = 0; story < 24; story++) {
    const began = next() * 60;
    const badness = next() < 0.3 ? 0.005 : next() * 0.4;
    const rows = Array.from({ length: 300 }, (): Row => {
      const minutesAgo = next() * 60;
      const isBad = minutesAgo < began && next() < badness;
      return { at: now - minutesAgo * minute, status: isBad ? 503 : 200, duration: isBad ? 900 : 20 };
    });
    for (const [id, budget, bad] of [
      ["availability-fast", 0.005, (row: Row) => row.status >= 500],
      ["latency-fast", 0.01, (row: Row) => row.duration > 300],
    ] as const) {
      const recent = rows.filter(({ at }) => at > now - 7 * minute);
      const burn = (some: readonly Row[]): number => some.filter(bad).length / some.length / budget;
      const expected =
        rows.filter(bad).length >= 10 && burn(rows) > 13.44 && (recent.length === 0 || burn(recent) > 13.44);
      expect([`seed ${seed}, story ${story}, ${id}`, fires(ruleOf(id), rows, 60)]).toEqual([
        `seed ${seed}, story ${story}, ${id}`,
        expected,
      ]);
      if (expected) fired[id] = (fired[id] ?? 0) + 1;
    }
  }
  expect(Object.values(fired).every((count) => count >= 2 && count < 22)).toBe(true);
});

describe("rows that are missing", () => {
  const rowsOf = (fromMinute: number, toMinute: number, status: number): readonly Row[] =>
    Array.from({ length: 300 }, (_, index) => ({
      at: now - (fromMinute + ((toMinute - fromMinute) * index) / 300) * minute,
      status,
      duration: 10,
    }));

  test("keep a fired alert fired: an outage whose rows stop is not over", async () => {
    const { ruleOf } = await made();
    expect(fires(ruleOf("availability-fast"), rowsOf(10, 55, 503), 60)).toBe(true);
    expect(fires(ruleOf("availability-fast"), [...rowsOf(10, 55, 503), ...rowsOf(0, 6, 200)], 60)).toBe(false);
  });

  test("are an alert of their own, which names the app, unless the service may be idle", async () => {
    const { ruleOf } = await made();
    expect(fires(ruleOf("unmeasured"), [], 60)).toBe(true);
    expect(fires(ruleOf("unmeasured"), rowsOf(50, 55, 200), 60)).toBe(false);
    expect((await made({ silentMinutes: 0 })).rules).toHaveLength(2);
  });

  test("leave the error budget unknown and not whole", () => {
    const objective = { ...args.objectives[0]!, target: "app/shop/web", periodDays: 28, failuresMin: 10 };
    expect(budgetLeft(objective, { samples: 0, bad: 0 })).toBeNull();
    expect(budgetLeft(objective, { samples: 100_000, bad: 25 })).toBe(75);
    expect(budgetLeft(objective, { samples: 1000, bad: 3 })).toBe(-200);
  });
});

test("few requests wake nobody: three failures of four are fewer than the volume guard asks for", async () => {
  const { ruleOf } = await made();
  const rows = [503, 503, 503, 200].map((status) => ({ at: now - minute, status, duration: 10 }));
  expect(fires(ruleOf("availability-fast"), rows, 60)).toBe(false);
  const probes = Array.from({ length: 50 }, () => ({
    at: now - minute,
    status: 503,
    duration: 10,
    authority: "web--abc.example.net",
  }));
  expect(fires(ruleOf("availability-fast"), probes, 60)).toBe(false);
});

test("the alerts that wake a person get a policy, and its cool-down outlasts the rule", async () => {
  const { component, rules } = await made({
    remedy: { ladder: [{ runbook: "return-to-previous" }], verification: {}, budget: "half-spent" },
  });
  expect(component.policies.map(({ rule, targets, limits }) => [rule, targets, limits.actBelowPercent])).toEqual([
    ["promise-availability-fast", ["app/shop/web"], 50],
    ["promise-availability-slow", ["app/shop/web"], 50],
    ["promise-availability-ticket", ["app/shop/web"], 100],
  ]);
  for (const policy of component.policies) expect(objectionsToPolicy(policy)).toEqual([]);
  expect(component.policies.map(({ limits }) => limits.lookBackSeconds)).toEqual([22 * 60, 47 * 60, 6 * 3600]);
  expect(rules.map(({ inputs }) => [inputs["severity"], inputs["windowSize"]])).toEqual([
    [1, "PT1H"],
    [2, "PT6H"],
    [3, "PT1H"],
  ]);
  expect(await valueOf(component.rules)).toHaveLength(3);
});

test("the alert over three days is computed by the control plane, and calls a person without a remedy", async () => {
  const issue = { runbook: "open-issue", repository: "acme/shop" } as const;
  const ladderOf = async (change: object) => (await made(change)).component.policies.at(-1)!;
  expect(await ladderOf({})).toMatchObject({
    rule: "promise-availability-ticket",
    ladder: [{ runbook: "collect-diagnostics" }],
  });
  expect(
    await ladderOf({ remedy: { ladder: [{ runbook: "return-to-previous" }, issue], verification: {} } }),
  ).toMatchObject({ ladder: [issue] });
  const { component } = await made();
  const targets = [{ target: "app/shop/web", dependsOn: [] }];
  const { objectives, policies } = component;
  expect(read(remediationsForm, { targets, objectives, policies })).toHaveProperty("value");
  expect(read(remediationsForm, { targets, objectives, policies: [] })).toMatchObject({
    complaints: [expect.stringMatching(/^No policy is for promise-availability-ticket, so nobody would be told/)],
  });
});

test.each<[string, object, string]>([
  ["no budget", { objectives: [{ measures: "availability", goodPercent: 100 }] }, "objectives[0].goodPercent"],
  [
    "a budget so large that no outage uses it up that fast",
    { objectives: [{ measures: "availability", goodPercent: 90 }] },
    "The fast alert could never fire: it needs more than 134.4 percent of bad requests. Raise goodPercent (90)",
  ],
  ["a latency without a time", { objectives: [{ measures: "latency", goodPercent: 99 }] }, "needs withinMilliseconds"],
  ["a period of which no rows are kept", { objectives: [{ ...args.objectives[0], periodDays: 90 }] }, "periodDays"],
  ["no owner", { owner: "" }, "owner"],
  ["no action group", { actionGroupIds: [] }, "actionGroupIds"],
  ["a remedy without a verification", { remedy: { ladder: [{ runbook: "return-to-previous" }] } }, "verification"],
  [
    "a cool-down that ends while the alert is still fired",
    {
      remedy: {
        ladder: [{ runbook: "return-to-previous" }],
        verification: {},
        limits: { cooldownSeconds: 600 },
      },
    },
    "cooldownSeconds (600) is shorter than lookBackSeconds (1320)",
  ],
  [
    "a runbook without what it needs",
    { remedy: { ladder: [{ runbook: "end-blocking-session" }], verification: {} } },
    "end-blocking-session needs a credential.",
  ],
  [
    "a remedy whose verification cannot be measured",
    { remedy: { ladder: [{ runbook: "restart-revision" }], verification: { measure: "restarts" } } },
    "measures restarts, which the control plane cannot",
  ],
])("%s is refused by name at preview", async (_what, change, text) => {
  expect(await refusal(change)).toContain(text);
});
