// The `ballast` command as a person or a script meets it: a child process, its output and its exit code, against a control
// plane with canned answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { tell } from "../../engines/rollout/tell.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../support/controlplane/fake-control-plane.ts";
import { goodFacts, releaseInputs } from "../support/program/release-inputs.ts";
import { releaseProgram } from "../support/program/release-program.ts";
import { run } from "../support/worlds/pure-world.ts";
import { scenarios } from "../support/worlds/scenario.ts";

const cli = join(import.meta.dirname, "..", "..", "cli");
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

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ballast(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd = folder,
  command = [process.execPath, join(cli, "main.ts")],
): Promise<Said> {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  const child = spawn(command[0]!, [...command.slice(1), ...args], {
    cwd,
    env: { ...inherited, BALLAST_TOKEN: token, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes: Buffer) => {
    out += String(bytes);
  });
  child.stderr.on("data", (bytes: Buffer) => {
    err += String(bytes);
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}
const release = (args: string, environment?: NodeJS.ProcessEnv): Promise<Said> =>
  ballast(["release", ...args.split(" "), "--endpoint", plane.endpoint], environment);

/** Puts a rollout of a revision; what comes of it stands in the script of its release. */
async function put(revision: string, name = "one", app = "storefront", group = "rg"): Promise<void> {
  const { release: _release, pace, limits, probePath } = releaseInputs(plane.endpoint);
  await fetch(`${plane.endpoint}/rollouts/${group}/${app}/${revision}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ release: name, pace, limits, probePath }),
  });
}

test("the launcher starts the command, and every command has help with an example", async () => {
  expect((await ballast(["--version"], {}, folder, [join(cli, "ballast.mjs")])).out).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
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
  for (const name of ["power", "simulate"])
    expect(await ballast([name, "--help"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`Examples:\\n  ballast ${name} `)),
    });
  expect((await ballast(["--help"])).out).toContain("3  the control plane cannot be reached");
});

test.each([
  ["an unknown command", ["release", "undo", "storefront"], "unknown command 'undo'"],
  ["a signal without a reason", ["release", "abort", "storefront"], "required option '--reason <text>'"],
  [
    "a name that names no rollout",
    ["release", "show", "a/b/c/d", "--endpoint", "https://x.example"],
    "cli-rollout-name-unclear",
  ],
  ["a service of which nothing is known", ["power", "--failure-percent", "1"], "cli-traffic-unknown"],
  ["traffic that is no number", ["power", "--requests-per-minute", "many"], "not a number above 0"],
  ["a simulation without limits", ["simulate"], "required option '--limits <file>'"],
  ["an index that is none", ["release", "follow", "storefront", "--from", "start"], "not a whole number"],
])("exits with 2 on %s", async (_what, args, words) => {
  expect(await ballast(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(words) });
});

test("lists rollouts newest first, for people in columns and for machines in JSON", async () => {
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
      .map((line) => line.split(/ {2,}/).slice(0, 3)),
  ).toEqual([
    ["APP", "REVISION", "RESULT"],
    ["basket", "r2", "promoted"],
    ["storefront", "r1", "promoted"],
  ]);
  const listed = JSON.parse((await release("list --app storefront --json")).out) as {
    rollouts: { revision: string }[];
  };
  expect(listed.rollouts.map(({ revision }) => revision)).toEqual(["r1"]);
  expect((await release("list", { FORCE_COLOR: "1" })).out).toContain("\x1b[32mpromoted");
});

test("names a rollout whose journal is broken beside the others, and takes no older one for it", async () => {
  await put("r1");
  const broken = {
    id: "rollout/rg/storefront/r2",
    error: { id: "journal-chain-broken", message: "The journal of r2 cannot be believed.", fix: "compare it" },
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

test("finds a rollout by its app, by its revision and in full, and says when that is not enough", async () => {
  plane.scripts.set("slow", { facts: goodFacts, pausesAt: 3, result: "promoted", sentence: "promoted" });
  await put("r1");
  await put("r2", "slow");
  const shown = (await release("show storefront")).out;
  expect(shown).toContain("rg/storefront/r2");
  expect(shown).toContain("canary 25 percent, stable 75 percent");
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
    code: 1,
    err: expect.stringContaining("cli-rollout-ambiguous  storefront is in the resource groups other and rg."),
  });
});

test("shows how much of the evidence for either verdict is there, in one line, and none before there is any", async () => {
  plane.scripts.set("slow", {
    facts: goodFacts,
    pausesAt: 3,
    result: "promoted",
    sentence: "promoted",
    evidence: { against: 3.21, againstMax: 20, favour: 12.3, favourMin: 20 },
  });
  await put("r1");
  expect((await release("show storefront/r1")).out).not.toContain("evidence");
  await put("r2", "slow");
  expect((await release("show storefront")).out).toMatch(
    /evidence +1 : 3\.2 against of the 1 : 20 that rolls back; 1 : 12 in favour of the 1 : 20 that promotes\n/,
  );
});

test("follows a rollout to its end, and its exit code says whether that was good", async () => {
  plane.scripts.set("good", { facts: goodFacts, result: "promoted", sentence: "promoted: every step passed" });
  plane.scripts.set("bad", { facts: goodFacts.slice(0, 3), result: "rolled-back", sentence: "canary fails 9 percent" });
  await put("r1", "good");
  await put("r2", "bad");
  const good = await release("follow storefront/r1 --from 2");
  expect(good.code).toBe(0);
  expect(good.out).toContain("StepReached     canary has 5 percent");
  expect(good.out).not.toContain("waited");
  expect(good.out).toContain("promoted  promoted: every step passed");
  const bad = await release("follow storefront/r2 --json");
  expect(bad.code).toBe(1);
  const lines = bad.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ index, result }) => index ?? result)).toEqual([0, 1, 2, "rolled-back"]);
});

test("a signal carries its reason, and one that comes too late is refused with why", async () => {
  plane.scripts.set("slow", { facts: goodFacts, pausesAt: 3, result: "promoted", sentence: "promoted" });
  await put("r1", "slow");
  for (const signal of ["pause", "resume", "approve", "promote", "abort"]) {
    const said = await ballast([
      "release",
      signal,
      "storefront",
      "--reason",
      "carts are empty",
      "--endpoint",
      plane.endpoint,
    ]);
    expect(said).toMatchObject({ code: 0, out: `${signal} by tests: carts are empty\n` });
  }
  const late = await ballast([
    "release",
    "abort",
    "storefront",
    "--reason",
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
      left: expect.stringContaining("goes on as it was"),
    },
  });
  const retried = await ballast([
    "release",
    "retry",
    "storefront",
    "--reason",
    "once more",
    "--json",
    "--endpoint",
    plane.endpoint,
  ]);
  expect(JSON.parse(retried.out)).toEqual({
    accepted: true,
    id: "rollout/rg/storefront/r1",
    text: "retry by tests: once more",
  });
});

test("exits with 3 where the control plane cannot be reached", async () => {
  await plane.stop();
  const { code, err } = await release("list");
  expect(code).toBe(3);
  expect(err).toMatch(
    /^release-control-plane-unreachable  .*the connection was refused\.\n  fix   .+\n  left  users unmoved/,
  );
  await plane.start();
});

test("sends no token in the clear, and says how to sign in where there is none", async () => {
  expect(await ballast(["release", "list", "--endpoint", "http://ballast.example"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("release-endpoint-insecure"),
  });
  const unsigned = await release("list", {
    BALLAST_TOKEN: "",
    PATH: folder,
    AZURE_CLIENT_SECRET: "",
    ARM_CLIENT_SECRET: "",
  });
  expect(unsigned).toMatchObject({ code: 1, err: expect.stringContaining("release-not-signed-in") });
  expect(plane.asked).toEqual([]);
});

const [scenario] = scenarios().filter(({ name }) => name === "promotes-when-every-step-passes");
const journal = run(scenario!).journal;

/** Has the fake show a journal that the real engine wrote, with one fact changed where a test says so. */
async function putJournal(
  change: (event: (typeof journal)[number], index: number) => object = (event) => event,
): Promise<void> {
  const facts = journal.map((event, index) => ({ kind: event.kind, text: tell(event), event: change(event, index) }));
  plane.scripts.set("one", { facts, result: "promoted", sentence: "promoted: every step passed" });
  await put("r1");
}

test("explains each decision with its numbers, and replayed they come out equal", async () => {
  await putJournal();
  const { code, out } = await release("explain storefront --replay");
  expect(code).toBe(0);
  for (const event of journal) if (event.kind === "StepPassed") expect(out).toContain(tell(event));
  expect(out).toContain(`Decided again from the journal: all ${journal.length} facts come out equal.`);
  const explained = JSON.parse((await release("explain storefront --replay --json")).out) as {
    journal: object[];
    replay: object;
  };
  expect(explained.journal).toHaveLength(journal.length);
  expect(explained.replay).toEqual({ equal: true, facts: journal.length });
});

test("a report is one file with the verdict, made where it is told", async () => {
  await putJournal();
  const file = join(folder, "reports", "friday.html");
  expect(await release(`report storefront --out ${file}`)).toMatchObject({
    code: 0,
    out: `rg/storefront/r1 is told in ${file}\n`,
  });
  expect(readFileSync(file, "utf8")).toContain("<h1>promoted</h1>");
  expect(JSON.parse((await release("report storefront --json")).out)).toEqual({
    id: "rollout/rg/storefront/r1",
    file: join(folder, "out", "report.html"),
  });
});

test("a journal that was tampered with does not replay, and the first difference is shown", async () => {
  const index = journal.findIndex(({ kind }) => kind === "StepPassed");
  await putJournal((event, at) => (at === index ? { ...event, sentence: "all was well, believe me" } : event));
  const { code, out, err } = await release("explain storefront --replay");
  expect(code).toBe(1);
  expect(out).toContain("StepPassed");
  expect(err).toContain("cli-replay-differs");
  expect(err).toContain(`fact ${index} was written`);
  expect(err).toContain("all was well, believe me");
});

const ask = (args: string): Promise<Said> => ballast([...args.split(" "), "--endpoint", plane.endpoint]);
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

test("tells what a plan can see at a traffic, and exits with 1 where that is less than releases promise", async () => {
  const busy = await ask("power --requests-per-minute 12000 --failure-percent 0.5");
  expect(busy.code).toBe(0);
  expect(busy.out).toMatch(
    /12,000 requests a minute, 0\.5 % usually fail, dispersion 1\nplan +5 → 25 → 50 → 100 %, 5m of bake each, 3h at the most\n\nCANARY +ENDS +AFTER +ITS REQUESTS\nhealthy +promoted +36m +182,400\n\+1 point +rolled-back +6m /,
  );
  const quiet = await ask("power --requests-per-minute 20 --failure-percent 0.5");
  expect(quiet).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /healthy +undecided +more than 3h[^]*At 20 requests a minute, .* a healthy canary is not promoted: [^]* is not found within 3h\./,
    ),
  });
});

test("the example of docs/guides/power.md comes out as it is written", async () => {
  const [, args, answer] = /\$ ballast (power [^\n]*)\n([^`]*)```/.exec(
    readFileSync(join(cli, "..", "docs", "guides", "power.md"), "utf8"),
  )!;
  expect((await ask(args!)).out).toBe(answer);
});

test("takes a plan from files, and from the configuration of a stack in the folder", async () => {
  write("fast.yaml", "weights: [50]\nbakeSeconds: 60\n");
  write("lax.yaml", "falseRollbackPercentMax: 30");
  write("stricter.json", '{"falseRollbackPercentMax":1}');
  write(
    "Pulumi.quick.yaml",
    "config:\n  ballast:pace: { weights: [20, 40] }\n  ballast:limits: { failurePointsMax: 2 }\n",
  );
  const power = async (args: string) =>
    JSON.parse((await ask(`power --requests-per-minute 1200 --failure-percent 0.5 --json ${args}`)).out) as {
      pace: object;
      limits: object;
    };
  expect(await power("--pace fast.yaml --limits stricter.json")).toMatchObject({
    pace: { weights: [50], bakeSeconds: 60, warmUpSeconds: 180 },
    limits: { falseRollbackPercentMax: 1, oddsTolerated: 1.2 },
    shortfalls: [],
  });
  const said = await ask("power --requests-per-minute 1200 --failure-percent 0.5 --limits lax.yaml");
  expect(said.out).toContain(
    "falseRollbackPercentMax is 30, so that of a hundred good canaries up to 30 are rolled back.",
  );
  expect(await power("--stack quick")).toMatchObject({
    pace: { weights: [20, 40], bakeSeconds: 300 },
    limits: { failurePointsMax: 2 },
  });
});

test.each([
  ["cli-plan-unreadable", "nowhere.yaml", undefined, "nowhere.yaml cannot be read: ENOENT"],
  ["cli-plan-unreadable", "torn.yaml", "weights: [", "torn.yaml cannot be read"],
  [
    "cli-plan-malformed",
    "misspelt.yaml",
    "failurePointMax: 2",
    'What misspelt.yaml says cannot be carried out. limits has a field "failurePointMax" that is not known',
  ],
  ["cli-plan-malformed", "no-limits.yaml", "- 5", "limits is not an object"],
  [
    "cli-plan-malformed",
    "endless.yaml",
    "failurePointsMax: 19\nceilingPercent: 10",
    "failurePointsMax, 19, is not below ceilingPercent, 10",
  ],
])("refuses limits with %s where a file says %s", async (id, file, text, words) => {
  if (text !== undefined) write(file, text);
  const said = await ask(`power --requests-per-minute 1200 --failure-percent 0.5 --limits ${file}`);
  expect(said).toMatchObject({ code: 1, err: expect.stringContaining(id) });
  expect(said.err).toContain(words);
});

test("learns a service's traffic and plan from a rollout's journal, and says when it holds none", async () => {
  await putJournal();
  const learnt = JSON.parse((await ask("power --from-history storefront --json")).out) as {
    traffic: object;
    pace: object;
  };
  expect(learnt).toMatchObject({
    traffic: { requestsPerMinute: 3_000, failurePercent: expect.closeTo(0.2, 1), dispersion: 1 },
    pace: { weights: [5, 25, 50], warmUpSeconds: 60 },
  });
  expect(JSON.parse((await ask("power --from-history storefront --requests-per-minute 300 --json")).out)).toMatchObject(
    { traffic: { requestsPerMinute: 300 } },
  );
  plane.scripts.set("unmeasured", {
    facts: [{ kind: "Planned", text: "", event: journal[0]! }],
    result: "rejected",
    sentence: "rejected",
  });
  await put("r9", "unmeasured");
  expect(await ask("power --from-history storefront")).toMatchObject({
    code: 1,
    err: expect.stringContaining("cli-journal-unmeasured  In the rollout rg/storefront/r9 no request was measured"),
  });
});

test("says what other limits would have decided on all recorded rollouts, on those that are named, and on a journal in a file", async () => {
  write("never.yaml", "failurePointsMax: 0.01");
  await putJournal();
  await put("r2", "one", "basket");
  const all = await ask("simulate --limits never.yaml");
  expect(all.code).toBe(0);
  expect(all.out).toMatch(
    /^rg\/basket\/r2  promoted\n  STEP +DECIDED +THESE LIMITS\n  5 % +passed at 6m +would pass at 6m: canary fails .*\n.*\n  50 % +passed at 18m +would hold: .* in favour, 1 : 20 needed\n/,
  );
  expect(all.out).toContain(
    "Rollouts that were judged: 2. These limits would roll back 0, where 0 were aborted, and would hold 2 in a step that was passed.\nWhat comes after a different decision was not observed.",
  );
  const named = JSON.parse((await ask("simulate --limits never.yaml --json --journal storefront")).out) as {
    rollouts: { name: string; steps: object[] }[];
  };
  expect(named.rollouts.map(({ name, steps }) => [name, steps.length])).toEqual([["rg/storefront/r1", 4]]);
  write("journal.jsonl", journal.map((event) => JSON.stringify(event)).join("\n"));
  const told = journal
    .map((event, index) => JSON.stringify({ stream: "x", index, event, process: "p", epoch: 1, text: "" }))
    .join("\n");
  write("told.jsonl", told);
  const asked = plane.asked.length;
  const fromFile = async (file: string) =>
    (JSON.parse((await ask(`simulate --limits never.yaml --json --file ${file}`)).out) as typeof named).rollouts[0]!
      .steps;
  expect(await fromFile("journal.jsonl")).toEqual(named.rollouts[0]!.steps);
  expect(await fromFile("told.jsonl")).toEqual(named.rollouts[0]!.steps);
  expect(plane.asked.length).toBe(asked);
  write("torn.jsonl", told.slice(0, -5));
  expect(await ask("simulate --limits never.yaml --file torn.jsonl")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/cli-plan-unreadable  torn\.jsonl cannot be read: line \d+ is no JSON/),
  });
});

test("the stack's output says where the control plane is, and a stack without one is said so", async () => {
  using program = await releaseProgram({ BALLAST_TOKEN: token });
  await program.run("dev", ["stack", "init"]);
  program.configure("dev", releaseInputs(plane.endpoint));
  expect(await ballast(["release", "list", "--stack", "dev"], program.environment, program.folder)).toMatchObject({
    code: 1,
    err: expect.stringContaining("cli-endpoint-unknown  The stack dev gives no output controlPlaneEndpoint"),
  });
  await program.run("dev", ["up", "--yes", "--skip-preview"]);
  const { code, out } = await ballast(
    ["release", "show", "storefront", "--stack", "dev"],
    program.environment,
    program.folder,
  );
  expect([code, out]).toEqual([0, expect.stringContaining("rg/storefront/r1")]);
});

test("whom a token is for is what the stack's output says, else the usual, and an option or the environment says another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ballast-audience-"));
  const script = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script("az", "exit 1"); // Nobody is signed in, which names the audience that was wanted.
  const wanted = async (
    outputs: object,
    args: readonly string[] = [],
    more: NodeJS.ProcessEnv = {},
  ): Promise<string | undefined> => {
    script(
      "pulumi",
      `case "$1" in version) echo v3.259.0;; *) echo '${JSON.stringify({ controlPlaneEndpoint: plane.endpoint, ...outputs })}';; esac`,
    );
    const { err } = await ballast(
      ["release", "list", "--stack", "prod", ...args],
      { PATH: `${folder}:${process.env["PATH"]}`, BALLAST_TOKEN: "", ...more },
      folder,
    );
    return /release-not-signed-in .*?(api:\/\/[a-z/-]+)/.exec(err)?.[1] ?? err;
  };
  const prod = { controlPlaneAudience: "api://tenant/shop-prod" };
  expect([
    await wanted({}),
    await wanted(prod),
    await wanted(prod, ["--audience", "api://tenant/other"]),
    await wanted(prod, [], { BALLAST_AUDIENCE: "api://tenant/another" }),
  ]).toEqual(["api://ballast", "api://tenant/shop-prod", "api://tenant/other", "api://tenant/another"]);
  rmSync(folder, { recursive: true, force: true });
});
