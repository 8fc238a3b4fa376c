// What is written for who changes the code, done in a clone. The first change of the README: a test turns red and shows the journals that it got, one command rewrites them, git
// shows the behaviour that was changed, and another command takes it all back. And docs/explain/changing.md: whatever is new and lacks a place, what its row names says so.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloneInto } from "../support/repository/clone.ts";

const judge = "engines/rollout/judge/judge.ts";
let clone: string;

function run(command: string): { readonly code: number | null; readonly said: string } {
  const { FORCE_COLOR: _force, ...inherited } = process.env;
  // What vitest tells its workers is not for the one that is started here.
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
  cloneInto((clone = mkdtempSync(join(tmpdir(), "ballast-clone-"))));
  expect(
    run(
      "git init --quiet && git add --all && git -c user.name=ann -c user.email=ann@example.com commit --quiet --message 'as it was'",
    ),
  ).toEqual({ code: 0, said: "" });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

test("the scenarios are green to begin with, and nothing is changed by running them", () => {
  expect(run("npx vitest run test/engines/rollout/scenarios.test.ts").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});

test("another number turns those red that it decided, each with the journal that it got", () => {
  const before = readFileSync(join(clone, judge), "utf8");
  const after = before.replace(/badRequestsMin = \d+/, "badRequestsMin = 100");
  expect(after).not.toBe(before);
  writeFileSync(join(clone, judge), after);
  const { code, said } = run("npx vitest run test/engines/rollout/scenarios.test.ts");
  expect(code).toBe(1);
  expect(said).toContain("a rollout in the pure world > aborts when failures exceed the limit");
  expect(said).toMatch(/^\+ +\w+ +Aborted .*canary fails/m);
});

test("UPDATE=1 rewrites the journals, git shows how each decides later, and git checkout takes it back", () => {
  const updated = run("UPDATE=1 npx vitest run test/engines/rollout/scenarios.test.ts");
  expect([updated.code, updated.said]).toEqual([0, expect.stringMatching(/passed/)]);
  const { said } = run("git diff");
  expect(said).toMatch(
    /^diff --git a\/test\/scenarios\/rollout\/aborts-when-failures-exceed-the-limit\.yaml[^]*?^-.*Aborted.*\n[^]*?^\+.*Aborted/m,
  );
  expect(run("git checkout .").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});

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
    () =>
      edit(
        vocabulary,
        "export type RolloutDecision =",
        'export type RolloutDecision =\n  | { readonly kind: "Sighed" }',
      ),
    "tell.ts",
  ],
  "an effect": [
    () => edit(vocabulary, "export type RolloutEffect =", 'export type RolloutEffect =\n  | { readonly kind: "Sigh" }'),
    "perform.ts",
  ],
  "a limit of the judge": [
    () =>
      edit(
        vocabulary,
        "export interface Limits {",
        "export interface Limits {\n  /** How many sighs are heard. */\n  readonly sighsMax: number;",
      ),
    "plan.ts",
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
      writeFileSync(
        join(clone, "components", "platform", "sigh.ts"),
        '// A sigh.\nimport * as pulumi from "@pulumi/pulumi";\n\n/** What a sigh takes. */\nexport interface SighArgs {\n  /** How deep. */\n  readonly depth: number;\n}\n\n/** A sigh. */\nexport class Sigh extends pulumi.ComponentResource {\n  constructor(name: string, args: SighArgs, opts?: pulumi.ComponentResourceOptions) {\n    super("ballast:index:Sigh", name, args, opts);\n    this.registerOutputs({});\n  }\n}\n',
      );
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
        `\n/** A sigh. */\nexport const demoSigh = entry<object>("${sigh}", { title: "A sigh", message: () => "It sighs.", fix: () => "breathe" });\n`,
      ),
    `no test provokes ${sigh}`,
  ],
  "a call of the API": [
    () =>
      edit(
        "controlplane/api/openapi-operations.ts",
        "export const operations = {",
        'export const operations = {\n  sigh: { method: "GET", path: "/sigh", role: undefined, summary: "Sighs.", answers: { 200: { description: "It has sighed." } } },',
      ),
    "app.ts",
  ],
  "a command of `ballast`": [
    () =>
      edit(
        "cli/release/top.ts",
        "export const addTop = (program: Command): Command => reachable(",
        'export const addTop = (program: Command): Command => program.command("sigh") && reachable(',
      ),
    "sigh",
  ],
  "a command on a page": [
    () => appendFileSync(join(clone, "docs", "reference", "api.md"), "\nRun `az sigh --deep`.\n"),
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
  "a kind or a truth of the stand-in": [
    () =>
      edit(
        "emulator/controls/quirks.ts",
        "export const truths = {",
        'export const truths = {\n  "clouds-sigh": { azure: "clouds sigh", source: "nobody", naive: "they do not" },',
      ),
    "clouds-sigh",
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

const rows = [
  ...readFileSync(join(import.meta.dirname, "..", "..", "docs", "explain", "changing.md"), "utf8").matchAll(
    /^\| (an? .*?) \| .* \| `(np[mx] [^`]*)` \|$/gm,
  ),
].map(([, thing, command]) => ({ thing: thing!, command: command! }));

test("the page has a row for all that is forgotten here, and nothing else", () =>
  expect(rows.map(({ thing }) => thing)).toEqual(Object.keys(forgotten)));

test.each(rows)("$thing that lacks a place is found by $command", { timeout: 180_000 }, ({ thing, command }) => {
  const [forget, says] = forgotten[thing]!;
  forget();
  const { code, said } = run(thing === "a command on a page" ? `${command} -t rule` : command);
  run("git checkout --quiet . && git clean --quiet --force -d");
  expect([code === 0 ? "it was not found" : "found", said]).toEqual(["found", expect.stringContaining(says)]);
});
