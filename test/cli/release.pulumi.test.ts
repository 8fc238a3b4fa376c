// `ballast release …` as a person or a script meets it: a child process, its output and its exit code, against a
// control plane with canned answers. The Pulumi CLI is needed by the last tests only, which read a stack's outputs.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { messageOf } from "../../engines/rollout/tell.ts";
import { type CommandResult, cliFolder, putRollout, runBallast } from "../support/controlplane/ballast-command.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import { journal, putJournal } from "../support/controlplane/recorded-rollout.ts";
import { goodFacts, releaseInputs } from "../support/program/release-inputs.ts";
import { releaseProgram } from "../support/program/release-program.ts";

let plane: FakeControlPlane;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  plane = await startFakeControlPlane();
});
afterEach(async () => plane.stop());

const ballast = (
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd = folder,
  command?: string[],
): Promise<CommandResult> => runBallast(args, cwd, environment, command);
const release = (args: string, environment?: NodeJS.ProcessEnv): Promise<CommandResult> =>
  ballast(["release", ...args.split(" "), "--endpoint", plane.endpoint], environment);
const put = (revision: string, name?: string, app?: string, group?: string): Promise<void> =>
  putRollout(plane.endpoint, revision, name, app, group);

test("the launcher starts the command, and every command has help with an example", async () => {
  expect((await ballast(["--version"], {}, folder, [join(cliFolder, "ballast.mjs")])).out).toMatch(
    /^\d+\.\d+\.\d+\S*\n$/,
  );
  const commands = [
    "list",
    "show",
    "explain",
    "follow",
    "report",
    "pause",
    "resume",
    "approve",
    "promote",
    "abort",
    "retry",
  ];
  const helps = await Promise.all(commands.map((name) => ballast(["release", name, "--help"])));
  for (const [at, { code, out }] of helps.entries())
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`Examples?:\\n  ballast release ${commands[at]}`)),
    ]);
  for (const name of ["power", "backtest"])
    expect(await ballast([name, "--help"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`Examples:\\n  ballast ${name} `)),
    });
  expect((await ballast(["--help"])).out).toContain("3  the control plane or the emulator is unavailable");
});

test.each([
  ["an unknown command", ["release", "undo", "storefront"], "unknown command 'undo'"],
  ["a signal without a message", ["release", "abort", "storefront"], "required option '-m, --message <text>'"],
  [
    "an invalid rollout name",
    ["release", "show", "a/b/c/d", "--endpoint", "https://x.example"],
    "cli-rollout-name-unclear",
  ],
  ["a service without traffic figures", ["power", "--failure-percent", "1"], "cli-traffic-unknown"],
  ["traffic that is not a number", ["power", "--requests-per-minute", "many"], "Expected a number above 0."],
  ["a backtest without thresholds", ["backtest"], "required option '--thresholds <file>'"],
  ["an invalid index", ["release", "follow", "storefront", "--from", "start"], "Expected a whole number"],
])("exits with 2 on %s", async (_what, args, words) => {
  expect(await ballast(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(words) });
});

test.each([
  ["an unknown command", ["release", "undo", "storefront"], "Unknown command 'undo'."],
  ["a missing argument", ["release", "show"], "Missing required argument 'rollout'."],
  ["an option of another command", ["release"], "Unknown option '--json'."],
  [
    "an invalid value",
    ["release", "follow", "storefront", "--from", "start"],
    "Expected a whole number of at least 0.",
  ],
])("exits with 2 on %s, with --json as an error in JSON like any other", async (_what, args, words) => {
  const { code, out, err } = await ballast([...args, "--json"]);
  expect([code, err]).toEqual([2, ""]);
  expect(JSON.parse(out)).toEqual({
    error: {
      id: "cli-usage-wrong",
      message: expect.stringContaining(words),
      fix: expect.stringContaining("--help"),
      left: "Nothing was changed.",
    },
  });
});

test("lists rollouts newest first, as a table or as JSON", async () => {
  expect((await release("list")).out).toBe("There are no rollouts yet.\n");
  await put("r1");
  await put("r2", "two", "basket");
  const { code, out } = await release("list");
  expect(code).toBe(0);
  expect(out).not.toContain("\x1b");
  expect(
    out
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/).slice(0, 4)),
  ).toEqual([
    ["APP", "REVISION", "IMAGE", "RESULT"],
    ["basket", "r2", "-", "promoted"],
    ["storefront", "r1", "-", "promoted"],
  ]);
  const listed = JSON.parse((await release("list --app storefront --json")).out) as {
    rollouts: { revision: string }[];
  };
  expect(listed.rollouts.map(({ revision }) => revision)).toEqual(["r1"]);
  expect((await release("list", { FORCE_COLOR: "1" })).out).toContain("\x1b[32mpromoted");
});

test("lists a rollout with a broken journal beside the others, and finds no older one in its place", async () => {
  await put("r1");
  const broken = {
    id: "rollout/rg/storefront/r2",
    error: { id: "journal-chain-broken", message: "The journal of r2 failed verification.", fix: "compare it" },
  };
  const { rollouts } = JSON.parse((await release("list --json")).out) as {
    rollouts: readonly { resourceGroup: string; app: string }[];
  };
  const onTheWire = {
    rollouts: rollouts.map(({ resourceGroup, app, ...rest }) => ({ ...rest, target: { resourceGroup, app } })),
    unreadable: [broken],
  };
  plane.answerInstead = (_, response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(onTheWire));
  try {
    expect(await release("list")).toMatchObject({
      code: 0,
      out: expect.stringContaining("storefront  r1"),
      err: expect.stringContaining("journal-chain-broken  The journal of r2"),
    });
    expect(JSON.parse((await release("list --json")).out)).toMatchObject({
      rollouts: [{ revision: "r1" }],
      unreadable: [broken],
    });
    for (const name of ["storefront", "storefront/r2"])
      expect(await release(`show ${name}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining("journal-chain-broken"),
      });
    expect((await release("show storefront/r1")).out).toContain("r1");
  } finally {
    plane.answerInstead = undefined;
  }
});

test("finds a rollout by app, by revision or by its full name, and refuses an ambiguous name", async () => {
  plane.scripts.set("slow", { facts: goodFacts, pausesAt: 3, result: "promoted", message: "promoted" });
  await put("r1");
  await put("r2", "slow");
  const shown = (await release("show storefront")).out;
  expect(shown).toContain("rg/storefront/r2");
  expect(shown).toContain("canary 25 %, stable 75 %");
  expect(shown).toMatch(/phase +baking/);
  expect(shown).toContain("watching 25 percent");
  for (const name of ["storefront/R1", "rg/storefront/r1", "rollout/rg/storefront/r1"])
    expect(JSON.parse((await release(`show ${name} --json`)).out)).toMatchObject({ revision: "r1" });
  for (const name of ["nobody", "storefront/r9", "rg/storefront/r9"])
    expect(await release(`show ${name}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("cli-rollout-unknown"),
    });
  plane.goOn("rollout/rg/storefront/r2");
  await put("r1", "one", "storefront", "other");
  expect(await release("show storefront")).toMatchObject({
    code: 2,
    err: expect.stringContaining("cli-rollout-ambiguous  storefront exists in the resource groups other and rg."),
  });
});

test("shows the evidence for and against the canary once there is some", async () => {
  plane.scripts.set("slow", {
    facts: goodFacts,
    pausesAt: 3,
    result: "promoted",
    message: "promoted",
    evidence: { against: 3.21, againstMax: 20, favour: 12.3, favourMin: 20 },
  });
  await put("r1");
  expect((await release("show storefront/r1")).out).not.toContain("evidence");
  await put("r2", "slow");
  expect((await release("show storefront")).out).toMatch(
    /evidence +against the canary 3\.2 : 1, rolls back at 20 : 1; in its favour 12 : 1, and more than half .* 20 : 1\n/,
  );
});

test("follows a rollout to its end, and exits with 1 if the release did not end well", async () => {
  plane.scripts.set("good", { facts: goodFacts, result: "promoted", message: "promoted: every step passed" });
  plane.scripts.set("bad", { facts: goodFacts.slice(0, 3), result: "rolled-back", message: "canary fails 9 percent" });
  await put("r1", "good");
  await put("r2", "bad");
  const good = await release("follow storefront/r1 --from 2");
  expect(good.code).toBe(0);
  expect(good.out).toContain("StepReached     canary has 5 percent");
  expect(good.out).not.toContain("waited");
  expect(good.out).toContain("promoted  every step passed");
  const bad = await release("follow storefront/r2 --json");
  expect(bad.code).toBe(1);
  const lines = bad.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ index, result }) => index ?? result)).toEqual([0, 1, 2, "rolled-back"]);
});

test("sends a signal with its message, and reports why a late one is refused", async () => {
  plane.scripts.set("slow", { facts: goodFacts, pausesAt: 3, result: "promoted", message: "promoted" });
  await put("r1", "slow");
  for (const signal of ["pause", "resume", "approve", "promote", "abort"]) {
    const result = await ballast([
      "release",
      signal,
      "storefront",
      "--message",
      "carts are empty",
      "--endpoint",
      plane.endpoint,
    ]);
    expect(result).toMatchObject({ code: 0, out: `${signal} by tests: carts are empty\n` });
  }
  const late = await ballast([
    "release",
    "abort",
    "storefront",
    "--message",
    "again",
    "--json",
    "--endpoint",
    plane.endpoint,
  ]);
  expect(late).toMatchObject({ code: 1, err: "" });
  expect(JSON.parse(late.out)).toEqual({
    error: {
      id: "signal-disregarded",
      message: expect.stringContaining("too late"),
      fix: expect.stringContaining("ballast release show"),
      left: expect.stringContaining("Nothing was changed"),
    },
  });
  const retried = await ballast([
    "release",
    "retry",
    "storefront",
    "--message",
    "once more",
    "--json",
    "--endpoint",
    plane.endpoint,
  ]);
  expect(JSON.parse(retried.out)).toEqual({
    accepted: true,
    id: "rollout/rg/storefront/r1",
    message: "retry by tests: once more",
  });
});

test("exits with 3 if the control plane cannot be reached", async () => {
  await plane.stop();
  const { code, err } = await release("list");
  expect(code).toBe(3);
  expect(err).toMatch(
    /^release-control-plane-unreachable {2}.*refused\.\n {2}fix {3}.+\n {2}left {2}No traffic was moved/,
  );
  await plane.start();
});

test("sends no token over plain HTTP, and reports a missing sign-in", async () => {
  expect(await ballast(["release", "list", "--endpoint", "http://ballast.example"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("release-endpoint-insecure"),
  });
  const unsigned = await release("list --audience api://ballast", {
    BALLAST_TOKEN: "",
    PATH: folder,
    AZURE_CLIENT_SECRET: "",
    ARM_CLIENT_SECRET: "",
  });
  expect(unsigned).toMatchObject({ code: 1, err: expect.stringContaining("release-not-signed-in") });
  expect(plane.asked).toEqual([]);
});

test("explains each decision with its numbers, and a replay makes the same decisions", async () => {
  await putJournal(plane);
  const { code, out } = await release("explain storefront --replay");
  expect(code).toBe(0);
  for (const event of journal) if (event.kind === "StepPassed") expect(out).toContain(messageOf(event));
  expect(out).toContain(`Replayed ${journal.length} facts: every decision is the same.`);
  const explained = JSON.parse((await release("explain storefront --replay --json")).out) as {
    journal: object[];
    replay: object;
  };
  expect(explained.journal).toHaveLength(journal.length);
  expect(explained.replay).toEqual({ equal: true, facts: journal.length });
});

test("writes a report to the file that --out names", async () => {
  await putJournal(plane);
  const file = join(folder, "reports", "friday.html");
  expect(await release(`report storefront --out ${file}`)).toMatchObject({
    code: 0,
    out: `Wrote the report of rg/storefront/r1 to ${file}\n`,
  });
  expect(readFileSync(file, "utf8")).toContain("<h1>promoted</h1>");
  expect(JSON.parse((await release("report storefront --json")).out)).toEqual({
    id: "rollout/rg/storefront/r1",
    file: join(folder, "out", "r1.html"),
  });
});

test("a journal that was tampered with fails the replay at the first difference", async () => {
  const index = journal.findIndex(({ kind }) => kind === "StepPassed");
  await putJournal(plane, (event, at) => (at === index ? { ...event, message: "all was well, believe me" } : event));
  const { code, out, err } = await release("explain storefront --replay");
  expect(code).toBe(1);
  expect(out).toContain("StepPassed");
  expect(err).toContain("cli-replay-differs");
  expect(err).toContain(`fact ${index} is {`);
  expect(err).toContain("all was well, believe me");
});

test("reads the control plane's address from the stack's output, and reports a stack without one", async () => {
  using program = await releaseProgram({ BALLAST_TOKEN: token });
  await program.run("dev", ["stack", "init"]);
  program.configure("dev", releaseInputs(plane.endpoint));
  expect(await ballast(["release", "list", "--stack", "dev"], program.environment, program.folder)).toMatchObject({
    code: 2,
    err: expect.stringContaining("cli-endpoint-unknown  There is no output controlPlaneEndpoint in the stack dev"),
  });
  await program.run("dev", ["up", "--yes", "--skip-preview"]);
  const { code, out } = await ballast(
    ["release", "show", "storefront", "--stack", "dev"],
    program.environment,
    program.folder,
  );
  expect([code, out]).toEqual([0, expect.stringContaining("rg/storefront/r1")]);
});
