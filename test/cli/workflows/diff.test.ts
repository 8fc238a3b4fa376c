// `ballast workflows diff`: what breaks a caller of a reusable workflow, on folders and on commits, and which step of a
// version allows it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allowsBreaking, compareAll } from "../../../cli/workflows/compare.ts";
import { readContract } from "../../../cli/workflows/contract.ts";
import { runChild } from "../../../toolchain/child.ts";
import { runBallast } from "../../support/controlplane/ballast-command.ts";

const workflow = `# Updates a stack.
name: up
on:
  workflow_call:
    inputs:
      stack: { description: The stack., type: string, required: true }
      level: { description: How much., type: number, default: 1 }
    secrets:
      token: { description: A token., required: false }
    outputs:
      result: { description: The result., value: "\${{ jobs.up.outputs.result }}" }
permissions: {}
jobs:
  up:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - run: echo
`;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-diff-"));
  for (const side of ["before", "after"]) mkdirSync(join(folder, side, ".github", "workflows"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (side: string, text: string): void =>
  writeFileSync(join(folder, side, ".github", "workflows", "up.yml"), text);
const diff = (...args: readonly string[]) => runBallast(["workflows", "diff", ...args], folder);

/** Compares the workflow with an edit of it. */
function differencesOf(find: string, by: string): ReturnType<typeof compareAll> {
  expect(workflow).toContain(find);
  const contracts = [workflow, workflow.replace(find, by)].map((text) => readContract("up.yml", text)!);
  const [before, after] = contracts.map((contract) => new Map([["up.yml", contract]]));
  return compareAll(before!, after!);
}

const breaking: readonly (readonly [kind: string, find: string, by: string])[] = [
  ["input-removed", "      level: { description: How much., type: number, default: 1 }\n", ""],
  ["input-required", "type: number, default: 1", "type: number, required: true"],
  ["output-renamed", "      result: { description", "      outcome: { description"],
  ["permission-raised", "contents: read", "contents: write"],
  ["secret-required", "A token., required: false", "A token., required: true"],
  ["secret-required", "    outputs:", "      other: { required: true }\n    outputs:"],
  ["input-required", "    secrets:", "      more: { type: string, required: true }\n    secrets:"],
  ["permission-raised", "contents: read", "contents: read\n      issues: write"],
  ["input-type", "type: number", "type: string"],
  ["secret-removed", "    secrets:\n      token: { description: A token., required: false }\n", ""],
  [
    "output-removed",
    '    outputs:\n      result: { description: The result., value: "${{ jobs.up.outputs.result }}" }\n',
    "",
  ],
];

test.each(breaking)("%s breaks callers: %j as %j", (kind, find, by) =>
  expect(differencesOf(find, by)).toMatchObject([{ workflow: "up.yml", kind, isBreaking: true }]),
);

test("what breaks callers fails until the major version moves", async () => {
  const [[, find, by]] = breaking as readonly [(typeof breaking)[number]];
  put("before", workflow);
  put("after", workflow.replace(find, by));
  const ends = await Promise.all(
    [[], ["--from", "1.4.0", "--to", "1.5.0"], ["--from", "1.4.0", "--to", "2.0.0"]].map(async (versions) => {
      const { code, out } = await diff("before", "after", "--json", ...versions);
      const { breaking: count, isAllowed } = JSON.parse(out);
      return [code, count, isAllowed];
    }),
  );
  expect(ends).toEqual([
    [1, 1, false],
    [1, 1, false],
    [0, 1, true],
  ]);
});

test.each([
  ["input-added", "    secrets:", "      more: { type: string }\n    secrets:"],
  ["input-default", "default: 1", "default: 2"],
  ["secret-added", "    outputs:", "      other: { required: false }\n    outputs:"],
  ["output-added", "permissions: {}\n", '      more: { value: "${{ jobs.up.outputs.more }}" }\npermissions: {}\n'],
  ["permission-lowered", "contents: read", "contents: none"],
] as const)("%s breaks no caller", (kind, find, by) =>
  expect(differencesOf(find, by)).toMatchObject([{ kind, isBreaking: false }]),
);

test("a workflow that is gone breaks its callers, and one that is no longer reusable is gone", async () => {
  put("before", workflow);
  put("after", workflow);
  writeFileSync(join(folder, "before", ".github", "workflows", "other.yml"), workflow);
  const { code, out } = await diff("before", "after");
  expect([code, out]).toEqual([1, expect.stringContaining("breaking  other.yml: can no longer be called")]);
  expect((await diff("after", "before")).out).toContain("other.yml: can be called now");
  expect((await diff("before", "before")).out).toBe("No contract changed.\n");
});

test("commits are compared as folders are, without a checkout", async () => {
  const git = (...args: readonly string[]) =>
    runChild("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: folder });
  await git("init", "--quiet");
  mkdirSync(join(folder, ".github", "workflows"), { recursive: true });
  const file = join(folder, ".github", "workflows", "up.yml");
  writeFileSync(file, workflow);
  await git("add", ".github");
  await git("commit", "--quiet", "--message", "one");
  await git("tag", "v1.0.0");
  writeFileSync(file, workflow.replace("contents: read", "contents: write"));
  await git("commit", "--quiet", "--all", "--message", "two");
  const { code, out } = await diff("v1.0.0", "HEAD");
  expect([code, out]).toEqual([
    1,
    "breaking  up.yml: the permission contents was read and is write\n" +
      "1 of these changes break callers, so the major version must move.\n",
  ]);
});

test("a side that is nothing, an option of git, or without reusable workflows is refused", async () => {
  put("before", workflow);
  put("after", workflow.replace("workflow_call:", "workflow_dispatch:"));
  for (const sides of [
    ["before", "after"],
    ["before", "none"],
    ["before", "--", "--output=x"],
  ]) {
    const { code, err } = await diff(...sides);
    expect([code, err]).toEqual([2, expect.stringContaining("workflows-side-unreadable")]);
  }
});

test("a job without permissions takes what the caller has, so nothing is said about them", () => {
  const own = "    permissions:\n      contents: read\n";
  expect(differencesOf(own, "")).toMatchObject([{ kind: "permission-lowered" }]);
  const without = workflow.replace("permissions: {}\n", "").replace(own, "");
  const [before, after] = [without, workflow.replace(own, "")].map(
    (text) => new Map([["up.yml", readContract("up.yml", text)!]]),
  );
  expect(compareAll(before!, after!)).toEqual([]);
});

test("a major version allows breaking changes, and before 1.0 a minor one does", () => {
  expect([
    allowsBreaking("1.9.0", "2.0.0"),
    allowsBreaking("v0.1.0", "v0.2.0"),
    allowsBreaking("0.9.0", "1.0.0"),
    allowsBreaking("1.1.0", "1.2.0"),
    allowsBreaking("0.1.0", "0.1.1"),
    allowsBreaking("2.0.0", "1.0.0"),
  ]).toEqual([true, true, true, false, false, false]);
});
