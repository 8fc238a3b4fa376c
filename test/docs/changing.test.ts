// What CONTRIBUTING.md tells whoever changes the code, done in a clone. First its first change: a test fails and shows
// the journals that it got, one command rewrites them, git shows the changed behaviour, and another command takes it
// back. Then its table: each new thing that lacks a place is named by the command in its row.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloneInto } from "../support/repository/clone.ts";

const root = join(import.meta.dirname, "..", "..");
const contributing = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const judge = "engines/rollout/judge/judge.ts";
let clone: string;

function run(command: string): { readonly code: number | null; readonly said: string } {
  const { FORCE_COLOR: _force, ...inherited } = process.env;
  // The variables that vitest sets for its workers must not reach the vitest that is started here.
  const env = Object.fromEntries(
    Object.entries({ ...inherited, NO_COLOR: "1" }).filter(([name]) => !/^VITEST|^TEST$|^NODE_ENV$/.test(name)),
  );
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd: clone,
    encoding: "utf8",
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, said: stdout + stderr };
}

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "ballast-clone-"));
  cloneInto(clone);
  const picture = join("docs", "start", "rollback.png"); // a clone has text files only, and the README links this one
  cpSync(join(root, picture), join(clone, picture));
  expect(
    run(
      "git init --quiet && git add --all && " +
        "git -c user.name=ann -c user.email=ann@example.com commit --quiet --message 'as it was'",
    ),
  ).toEqual({ code: 0, said: "" });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

test("the scenarios pass at first, and running them changes nothing", () => {
  expect(run("npx vitest run test/engines/rollout/scenarios.test.ts").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});

test("another number fails the scenarios that it decided, each with the journal that it got", () => {
  const before = readFileSync(join(clone, judge), "utf8");
  const after = before.replace(/badRequestsMin = \d+/, "badRequestsMin = 100");
  expect(after).not.toBe(before);
  writeFileSync(join(clone, judge), after);
  const { code, said } = run("npx vitest run test/engines/rollout/scenarios.test.ts");
  expect(code).toBe(1);
  expect(said).toContain("a rollout in the pure world > aborts when failures exceed the limit");
  expect(said).toMatch(/^\+ +\w+ +Aborted .*canary fails/m);
});

test("UPDATE=1 rewrites the journals, git diff shows each later decision, and git checkout takes it back", () => {
  const updated = run("UPDATE=1 npx vitest run test/engines/rollout/scenarios.test.ts");
  expect([updated.code, updated.said]).toEqual([0, expect.stringMatching(/passed/)]);
  const { said } = run("git diff");
  expect(said).toMatch(/^diff --git a\/test\/scenarios\/rollout\/aborts-when-failures-exceed-the-limit\.yaml/m);
  expect(said).toMatch(/rollout\/aborts-when-failures-exceed-the-limit\.yaml[^]*?^-.*Aborted.*\n[^]*?^\+.*Aborted/m);
  expect(run("git checkout .").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});

const sighComponent = `// A sigh.
import * as pulumi from "@pulumi/pulumi";

/** What a sigh takes. */
export interface SighArgs {
  /** How deep. */
  readonly depth: number;
}

/** A sigh. */
export class Sigh extends pulumi.ComponentResource {
  constructor(name: string, args: SighArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:Sigh", name, args, opts);
    this.registerOutputs({});
  }
}
`;

const edit = (file: string, from: string | RegExp, to: string): void => {
  const before = readFileSync(join(clone, file), "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${file} has no ${from} any more: forget something else here`);
  writeFileSync(join(clone, file), after);
};
const sigh = ["demo", "sigh"].join("-"); // whole, its mention here would pass for a test that provokes it
const vocabulary = "engines/rollout/vocabulary.ts";

/** Something new that lacks a place, by its row on the page, and a word of what must be said about it. */
const forgotten: Readonly<Record<string, readonly [forget: () => void, says: string]>> = {
  "a fact of a journal": [
    () => edit("engines/rollout/facts.ts", "const decided = {", "const decided = {\n  Sighed: object({}),"),
    "tell.ts",
  ],
  "an effect": [
    () => edit(vocabulary, "export type RolloutEffect =", 'export type RolloutEffect =\n  | { readonly kind: "Sigh" }'),
    "call-rollout-port.ts",
  ],
  "a threshold of the judge": [
    () =>
      edit(
        "engines/rollout/intent.ts",
        "const thresholdFields = {",
        "const thresholdFields = {\n" +
          '  sighsMax: limit({ least: 1, otherwise: 3, description: "How many sighs are heard." }),',
      ),
    "How many sighs are heard.",
  ],
  "a field of a release": [
    () =>
      edit(
        "engines/rollout/intent.ts",
        "export const askedFields = {",
        'export const askedFields = {\n  sigh: optional(line(80, { description: "The sigh of the release." })),',
      ),
    "The sigh of the release.",
  ],
  "a signal": [
    () =>
      edit(
        "engines/rollout/signals.ts",
        "export const personalSignals = {",
        'export const personalSignals = {\n  sigh: { description: "sigh", exampleMessage: "it is late" },',
      ),
    "evolve.ts",
  ],
  "an argument of a component": [
    () =>
      edit(
        "components/platform/image-registry.ts",
        "export interface ImageRegistryArgs {",
        "export interface ImageRegistryArgs {\n  /** How often it sighs. */\n  readonly sighs?: number;",
      ),
    "sighs",
  ],
  "a component": [
    () => {
      writeFileSync(join(clone, "components", "platform", "sigh.ts"), sighComponent);
      appendFileSync(
        join(clone, "package.ts"),
        'export { Sigh, type SighArgs } from "./components/platform/sigh.ts";\n',
      );
    },
    "examples/sigh",
  ],
  "an error": [
    () =>
      appendFileSync(
        join(clone, "errors", "demo.ts"),
        `\n/** A sigh. */\nexport const demoSigh = entry<object>("${sigh}", {\n` +
          '  title: "A sigh",\n  message: () => "It sighs.",\n  fix: () => "breathe",\n});\n',
      ),
    `no test provokes ${sigh}`,
  ],
  "a call of the API": [
    () =>
      edit(
        "controlplane/api/openapi-operations.ts",
        "export const guarded = {",
        'export const guarded = {\n  sigh: { method: "GET", path: "/sigh", role: "Rollout.Read", summary: "Sighs.", ' +
          'answers: { 200: { description: "It has sighed." } } },',
      ),
    "controlplane/api/app.ts",
  ],
  "a command of `ballast`": [
    () =>
      edit(
        "cli/release/top.ts",
        'withReachOptions(program.command("top"))',
        'program.command("sigh") && withReachOptions(program.command("top"))',
      ),
    "sigh",
  ],
  "a command on a page": [
    () => appendFileSync(join(clone, "docs", "guides", "api.md"), "\nRun `az sigh --deep`.\n"),
    "az sigh --deep",
  ],
  "a key of the configuration": [
    () =>
      edit(
        "Pulumi.yaml",
        "config:\n",
        'config:\n  sighs: { type: integer, default: 0, description: "How often it sighs." }\n',
      ),
    "sighs",
  ],
  "a resource type or a quirk of the emulator": [
    () =>
      edit(
        "emulator/controls/quirks.ts",
        "export const quirks = {",
        'export const quirks = {\n  "clouds-sigh": { azure: "clouds sigh", source: "nobody", naive: "they do not" },',
      ),
    "clouds-sigh",
  ],
  "a reusable workflow": [
    () =>
      writeFileSync(
        join(clone, ".github", "workflows", "sigh.yml"),
        "# Sighs.\nname: sigh\non:\n  workflow_call:\n    inputs:\n      depth:\n        type: string\n" +
          "permissions: {}\njobs:\n  sigh:\n    name: sigh\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n" +
          "    steps:\n      - run: echo sigh\n",
      ),
    "sigh.yml",
  ],
  "an action of another maker": [
    () => edit(join(".github", "workflows", "test.yml"), /actions\/checkout@\S+/, "acme/sigh@v1"),
    "acme/sigh",
  ],
  "a file that an image needs": [
    () => {
      writeFileSync(join(clone, "deadman", "sigh.ts"), "// A sigh.\nexport const sigh = 1;\n");
      edit("deadman/main.ts", /^import /m, 'import { sigh } from "./sigh.ts";\nvoid sigh;\nimport ');
    },
    "deadman/sigh.ts",
  ],
  "an import across folders": [
    () => edit("deadman/main.ts", /^import /m, 'import "../../errors/demo.ts";\nimport '),
    "deadman/main.ts",
  ],
  "a decision": [
    () => writeFileSync(join(clone, "docs", "decisions", "0099-clouds-sigh.md"), "# 99. Clouds sigh\n"),
    "0099-clouds-sigh.md",
  ],
  "a page": [() => writeFileSync(join(clone, "docs", "sighs.md"), "# Sighs\n"), "docs/sighs.md"],
};

const rows = [...contributing.matchAll(/^\| (an? .*?) \| .* \| `(np[mx] [^`]*)` \|$/gm)].map(([, thing, command]) => ({
  thing: thing!,
  command: command!,
}));

test("CONTRIBUTING.md has a row for each place that is forgotten here, and no other", () =>
  expect(rows.map(({ thing }) => thing)).toEqual(Object.keys(forgotten)));

/** What each command says in a clone that lacks the places of all its rows. One run answers for all of them. */
const answers = new Map<string, ReturnType<typeof run>>();

function answerOf(command: string): ReturnType<typeof run> {
  const known = answers.get(command);
  if (known) return known;
  const things = rows.filter((row) => row.command === command).map(({ thing }) => thing);
  for (const thing of things) forgotten[thing]![0]();
  const answer = run(things.includes("a command on a page") ? `${command} -t rule` : command);
  run("git checkout --quiet . && git clean --quiet --force -d");
  answers.set(command, answer);
  return answer;
}

test.each(rows)("$thing that lacks a place is found by $command", { timeout: 180_000 }, ({ thing, command }) => {
  const { code, said } = answerOf(command);
  const [, says] = forgotten[thing]!;
  expect([code === 0 ? "it was not found" : "found", said]).toEqual(["found", expect.stringContaining(says)]);
});
