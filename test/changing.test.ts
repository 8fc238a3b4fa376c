// The first change that the README proposes, made in a clone as it is described there: a test turns red and shows the journals that it got, one command rewrites
// them, git shows the behaviour that was changed, and another command takes it all back.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloneInto } from "./support/clone.ts";

const clone = mkdtempSync(join(tmpdir(), "ballast-clone-"));
const judge = join(clone, "controlplane", "engines", "rollout", "judge.ts");

function run(command: string): { readonly code: number | null; readonly said: string } {
  const { FORCE_COLOR: _force, ...inherited } = process.env;
  // What vitest tells its workers is not for the one that is started here.
  const env = Object.fromEntries(Object.entries({ ...inherited, NO_COLOR: "1" }).filter(([name]) => !/^VITEST|^TEST$|^NODE_ENV$/.test(name)));
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: clone, encoding: "utf8", env, maxBuffer: 64 * 1024 * 1024 });
  return { code: status, said: stdout + stderr };
}

beforeAll(() => {
  cloneInto(clone);
  expect(run("git init --quiet && git add --all && git -c user.name=ann -c user.email=ann@example.com commit --quiet --message 'as it was'")).toEqual({ code: 0, said: "" });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

test("the scenarios are green to begin with, and nothing is changed by running them", () => {
  expect(run("npx vitest run test/engines.test.ts").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});

test("another number turns those red that it decided, each with the journal that it got", () => {
  const before = readFileSync(judge, "utf8"), after = before.replace(/badRequestsMin = \d+/, "badRequestsMin = 100");
  expect(after).not.toBe(before);
  writeFileSync(judge, after);
  const { code, said } = run("npx vitest run test/engines.test.ts");
  expect(code).toBe(1);
  expect(said).toContain("a rollout in the pure world > aborts when failures exceed the limit");
  expect(said).toMatch(/^\+ +\w+ +Aborted .*canary fails/m);
});

test("UPDATE=1 rewrites the journals, git shows how each decides later, and git checkout takes it back", () => {
  const updated = run("UPDATE=1 npx vitest run test/engines.test.ts");
  expect([updated.code, updated.said]).toEqual([0, expect.stringMatching(/passed/)]);
  const { said } = run("git diff");
  expect(said).toMatch(/^diff --git a\/test\/scenarios\/rollout\/aborts-when-failures-exceed-the-limit\.yaml[^]*?^-.*Aborted.*\n[^]*?^\+.*Aborted/m);
  expect(run("git checkout .").code).toBe(0);
  expect(run("git diff")).toEqual({ code: 0, said: "" });
});
