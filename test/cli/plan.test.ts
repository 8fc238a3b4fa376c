// `ballast power` and `ballast backtest` as a person or a script meets them: child processes, their output and their
// exit codes, with plans and journals from files and from a control plane with canned answers.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { type CommandResult, cliFolder, putRollout, runBallast } from "../support/controlplane/ballast-command.ts";
import { type FakeControlPlane, startFakeControlPlane } from "../support/controlplane/fake-control-plane.ts";
import { journal, putJournal } from "../support/controlplane/recorded-rollout.ts";

let plane: FakeControlPlane;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-plans-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  plane = await startFakeControlPlane();
});
afterEach(async () => plane.stop());

const ballast = (args: string): Promise<CommandResult> =>
  runBallast([...args.split(" "), "--endpoint", plane.endpoint], folder);
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

test("power estimates what a plan can detect, and exits with 1 if that is less than releases promise", async () => {
  const busy = await ballast("power --requests-per-minute 12000 --failure-percent 0.5");
  expect(busy.code).toBe(0);
  expect(busy.out).toMatch(
    new RegExp(
      "12,000 requests a minute, 0\\.5 % baseline failures, dispersion 1\n" +
        "plan +5 → 25 → 50 → 95 → 100 %, bake 5m each, maximum 3h\n\n" +
        "CANARY +RESULT +AFTER +CANARY REQUESTS\nhealthy +promoted +45m +285,000\n\\+1 point +rolled-back +6m ",
    ),
  );
  const quiet = await ballast("power --requests-per-minute 20 --failure-percent 0.5");
  expect(quiet).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      new RegExp(
        "healthy +undecided +more than 3h[^]*" +
          "does not see \\+1 point within 3h, and many healthy canaries are not promoted within 3h; raise " +
          "maximumSeconds or failurePointsMax, or send requests[^]*" +
          "At 20 requests a minute .* a healthy canary is not promoted: [^]* is not detected within 3h\\.",
      ),
    ),
  });
});

test("power prints what the example of docs/guides/power.md shows", async () => {
  const [, args, answer] = /\$ ballast (power [^\n]*)\n([^`]*)```/.exec(
    readFileSync(join(cliFolder, "..", "docs", "guides", "power.md"), "utf8"),
  )!;
  expect((await ballast(args!)).out).toBe(answer);
});

test("power reads a plan from files, or from the configuration of a stack in the folder", async () => {
  write("fast.yaml", "weights: [50]\nbakeSeconds: 60\n");
  write("lax.yaml", "falseRollbackPercentMax: 30");
  write("stricter.json", '{"falseRollbackPercentMax":1}');
  write(
    "Pulumi.quick.yaml",
    "config:\n  ballast:strategy: { weights: [20, 40] }\n  ballast:thresholds: { failurePointsMax: 2 }\n",
  );
  const power = async (args: string) =>
    JSON.parse((await ballast(`power --requests-per-minute 1200 --failure-percent 0.5 --json ${args}`)).out) as {
      strategy: object;
      thresholds: object;
    };
  expect(await power("--strategy fast.yaml --thresholds stricter.json")).toMatchObject({
    strategy: { weights: [50], bakeSeconds: 60, warmUpSeconds: 180 },
    thresholds: { falseRollbackPercentMax: 1, oddsTolerated: 1.2 },
    shortfalls: [],
  });
  const result = await ballast("power --requests-per-minute 1200 --failure-percent 0.5 --thresholds lax.yaml");
  expect(result.out).toContain("falseRollbackPercentMax is 30: up to 30 of 100 good canaries are rolled back.");
  expect(await power("--stack quick")).toMatchObject({
    strategy: { weights: [20, 40], bakeSeconds: 300 },
    thresholds: { failurePointsMax: 2 },
  });
});

test.each([
  ["cli-plan-unreadable", "nowhere.yaml", undefined, "nowhere.yaml cannot be read: ENOENT"],
  ["cli-plan-unreadable", "torn.yaml", "weights: [", "torn.yaml cannot be read"],
  [
    "cli-plan-malformed",
    "misspelt.yaml",
    "failurePointMax: 2",
    'Invalid release plan in misspelt.yaml: thresholds has an unknown field "failurePointMax"',
  ],
  ["cli-plan-malformed", "no-thresholds.yaml", "- 5", "thresholds is the list [5], but must be an object"],
  [
    "cli-plan-malformed",
    "endless.yaml",
    "failurePointsMax: 19\nceilingPercent: 10",
    "failurePointsMax (19) must be below ceilingPercent (10)",
  ],
])("power refuses with %s the thresholds in %s", async (id, file, text, words) => {
  if (text !== undefined) write(file, text);
  const result = await ballast(`power --requests-per-minute 1200 --failure-percent 0.5 --thresholds ${file}`);
  expect(result).toMatchObject({ code: 2, err: expect.stringContaining(id) });
  expect(result.err).toContain(words);
});

test("power reads traffic and plan from a rollout's journal, and refuses one without requests", async () => {
  await putJournal(plane);
  const learnt = JSON.parse((await ballast("power --from-history storefront --json")).out) as {
    traffic: object;
    strategy: object;
  };
  expect(learnt).toMatchObject({
    traffic: { requestsPerMinute: 3_000, failurePercent: expect.closeTo(0.2, 1), dispersion: 1 },
    strategy: { weights: [5, 25, 50], warmUpSeconds: 60 },
  });
  expect(
    JSON.parse((await ballast("power --from-history storefront --requests-per-minute 300 --json")).out),
  ).toMatchObject({ traffic: { requestsPerMinute: 300 } });
  plane.scripts.set("unmeasured", {
    facts: [{ kind: "Planned", message: "", event: journal[0]! }],
    result: "rejected",
    message: "rejected",
  });
  await putRollout(plane.endpoint, "r9", "unmeasured");
  expect(await ballast("power --from-history storefront")).toMatchObject({
    code: 2,
    err: expect.stringContaining(
      "cli-journal-unmeasured  The journal of the rollout rg/storefront/r9 holds no measured requests",
    ),
  });
});

/** A preview that would start these releases. */
function previewOf(releases: Readonly<Record<string, object>>): string {
  const steps = Object.entries(releases).map(([app, inputs]) => ({
    op: "update",
    urn: `urn:pulumi:prod::shop::ballast:index:CanaryApp$ballast:index:Release::${app}-release`,
    newState: { inputs: { app, resourceGroup: "rg", ...inputs } },
  }));
  return write("preview.json", JSON.stringify({ steps, changeSummary: {} }));
}
const ordinary = { strategy: { ...defaultStrategy, weights: [50] }, thresholds: defaultThresholds };
const powerOf = (...more: readonly string[]): Promise<CommandResult> =>
  runBallast(["power", "--preview", "preview.json", "--endpoint", plane.endpoint, ...more], folder);

test("power estimates each release of a preview by its own plan, at its given or its measured traffic", async () => {
  await putJournal(plane);
  const unknown = { strategy: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
  previewOf({
    storefront: ordinary,
    basket: ordinary,
    fresh: ordinary,
    later: { ...ordinary, ...unknown },
    far: ordinary,
  });
  const { code, out } = await powerOf("--traffic", "basket 12000 0.5\n\nfar 10 1\n", "--json");
  expect(code).toBe(1); // the plan of `far` misses something at its traffic
  const { releases } = JSON.parse(out);
  expect(releases.map(({ app, traffic, unknown: why }: any) => [app, traffic?.requestsPerMinute ?? why])).toEqual([
    ["storefront", 3_000],
    ["basket", 12_000],
    ["fresh", "no rollout of it has measured its traffic yet"],
    ["later", "its plan is known after the update"],
    ["far", 10],
  ]);
  expect(releases[0]).toMatchObject({ strategy: { weights: [50] }, healthy: { ending: "promoted" } });
  expect(releases[4].shortfalls).not.toEqual([]);
  const table = (await powerOf("--traffic", "basket 12000 0.5")).out;
  expect(table).toContain("fresh: no rollout of it has measured its traffic yet.\n");
  expect(table).toMatch(/^basket\nservice +12,000 requests a minute[^]*CANARY +RESULT/m);
});

test("an app of this name in another group has other traffic", async () => {
  await putJournal(plane);
  previewOf({ storefront: { ...ordinary, resourceGroup: "elsewhere" } });
  expect(JSON.parse((await powerOf("--json")).out).releases).toEqual([
    { app: "storefront", unknown: "no rollout of it has measured its traffic yet" },
  ]);
});

test("a control plane that is away leaves the traffic unknown, and is asked only for what is not given", async () => {
  previewOf({ storefront: ordinary });
  const away = ["power", "--preview", "preview.json", "--endpoint", "https://127.0.0.1:9", "--audience", "api://b"];
  const known = await runBallast([...away, "--traffic", "storefront 12000 0.5", "--json"], folder);
  expect([known.code, JSON.parse(known.out).releases[0].healthy.ending]).toEqual([0, "promoted"]);
  const { code, out } = await runBallast([...away, "--json"], folder);
  expect([code, JSON.parse(out).releases[0].unknown]).toEqual([0, expect.stringContaining("could not be asked (")]);
});

test.each([
  ["a preview that is none", "[]", "storefront 1 1", "cli-plan-unreadable"],
  ["traffic without a rate", '{"steps":[]}', "storefront", "Expected a number above 0."],
  ["traffic with too many words", '{"steps":[]}', "storefront 1 1 1", "Expected an app"],
])("power refuses %s", async (_what, text, lines, words) => {
  write("preview.json", text);
  expect(await powerOf("--traffic", lines)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
});

test("backtest judges all recorded rollouts, named ones, or a journal in a file by other thresholds", async () => {
  write("never.yaml", "failurePointsMax: 0.01");
  await putJournal(plane);
  await putRollout(plane.endpoint, "r2", "one", "basket");
  const all = await ballast("backtest --thresholds never.yaml");
  expect(all.code).toBe(0);
  expect(all.out).toMatch(
    new RegExp(
      "^rg/basket/r2 {2}promoted\n {2}STEP +DECIDED +WITH THESE THRESHOLDS\n" +
        " {2}5 % +passed at 6m +would pass at 6m: canary fails .*\n.*\n" +
        " {2}50 % +passed at 18m +would wait: .* in its favour, 20 : 1 needed, which takes about 120,000 more .*\n",
    ),
  );
  expect(all.out).toContain(
    [
      "Rollouts judged: 2; aborted: 0.",
      "These thresholds would roll back 0, and would wait in a step that passed in 2.",
      "What would have followed a different decision was not observed.",
    ].join("\n"),
  );
  const named = JSON.parse((await ballast("backtest --thresholds never.yaml --json --journal storefront")).out) as {
    rollouts: { name: string; steps: object[] }[];
  };
  expect(named.rollouts.map(({ name, steps }) => [name, steps.length])).toEqual([["rg/storefront/r1", 4]]);
  write("journal.jsonl", journal.map((event) => JSON.stringify(event)).join("\n"));
  const recorded = journal
    .map((event, index) => JSON.stringify({ stream: "x", index, event, process: "p", epoch: 1, message: "" }))
    .join("\n");
  write("recorded.jsonl", recorded);
  const asked = plane.asked.length;
  const fromFile = async (file: string) =>
    (JSON.parse((await ballast(`backtest --thresholds never.yaml --json --file ${file}`)).out) as typeof named)
      .rollouts[0]!.steps;
  expect(await fromFile("journal.jsonl")).toEqual(named.rollouts[0]!.steps);
  expect(await fromFile("recorded.jsonl")).toEqual(named.rollouts[0]!.steps);
  expect(plane.asked.length).toBe(asked);
  write("torn.jsonl", recorded.slice(0, -5));
  expect(await ballast("backtest --thresholds never.yaml --file torn.jsonl")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/cli-plan-unreadable {2}torn\.jsonl cannot be read: line \d+ is not JSON/),
  });
});
