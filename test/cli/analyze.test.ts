// `ballast analyze` as a command: exit codes, options, refusals, patches that are written to a clean tree only, and
// that it loads nothing of the control plane.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";
import { runBallast } from "../support/controlplane/ballast-command.ts";
import { reachOf } from "../support/repository/image-reach.ts";

const root = join(import.meta.dirname, "..", "..");
const fixtures = join(root, "test", "analysis", "fixtures");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-analyze-"));
  cpSync(join(fixtures, "seven-defects"), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Gives what the command prints, without the lines by which a slow machine says that it still works. */
async function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const { code, out, err } = await runBallast(["analyze", ...args], root);
  return { code, output: out + err.replaceAll(/^ … .*\n/gm, "") };
}
const git = (...args: readonly string[]) =>
  runChild("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: folder });

test("findings above the limit give exit code 1, others 0", async () => {
  expect((await analyze(folder)).code).toBe(1);
  expect((await analyze(folder, "--fail-on", "critical")).code).toBe(0);
  expect(await analyze(folder, "--validate-only")).toMatchObject({ code: 1, output: "" });
});

test("--json is --format json, and no other format beside it", async () => {
  const [short, long, both] = await Promise.all([
    analyze(folder, "--json"),
    analyze(folder, "--format", "json"),
    analyze(folder, "--json", "--format", "html"),
  ]);
  expect(JSON.parse(short.output)).toEqual(JSON.parse(long.output));
  expect([both.code, JSON.parse(both.output).error.id]).toEqual([2, "cli-usage-wrong"]);
});

test("a folder without anything to judge is green, and says so", async () => {
  rmSync(join(folder, ".github"), { recursive: true });
  const { code, output } = await analyze(folder);
  expect([code, output]).toEqual([0, expect.stringContaining("Nothing to judge")]);
});

test("a scope that cannot be read yet is never green", async () => {
  const { code, output } = await analyze(folder, "--scope", "production");
  expect([code, output]).toEqual([1, expect.stringContaining("program code is not read yet")]);
});

test("a focus and recommendations narrow the page", async () => {
  const { output } = await analyze(folder, "--focus", "performance", "--output", "recommendations");
  expect(output).toContain("remove lint from the needs of test");
  expect(output).not.toContain("cancel-in-progress");
});

test("a missing folder is refused", async () => {
  const { code, output } = await analyze(join(folder, "none"));
  expect([code, output]).toEqual([2, expect.stringContaining("cli-analyze-folder-missing")]);
});

test("a file that is no baseline is refused", async () => {
  writeFileSync(join(folder, "baseline.json"), "{}");
  const { code, output } = await analyze(folder, "--baseline", join(folder, "baseline.json"));
  expect([code, output]).toEqual([2, expect.stringContaining("cli-analyze-baseline-unreadable")]);
});

test("a baseline that cannot be written is refused", async () => {
  const { code, output } = await analyze(folder, "--write-baseline", join(folder, "none", "baseline.json"));
  expect([code, output]).toEqual([2, expect.stringContaining("cli-analyze-baseline-unwritable")]);
});

test("a run history turns a cost into a measured time, and a file that is none is refused", async () => {
  const history = join(folder, "..", `${basename(folder)}-jobs.json`);
  const seconds = { lint: 60, test: 200 };
  const at = (second: number): string => new Date(Date.UTC(2026, 1, 28, 23, 59, second)).toISOString();
  const jobs = [1, 2, 3, 4, 5].flatMap((run) =>
    Object.entries(seconds).map(([name, took]) => ({
      run_id: run,
      workflow_name: "b",
      name,
      conclusion: "success",
      started_at: at(0),
      completed_at: at(took + run - 3),
    })),
  );
  writeFileSync(history, JSON.stringify([{ jobs }]));
  const { output } = await analyze(folder, "--history", history);
  expect(output).toContain("Every run takes 60 s longer (measured, from medians of 5 runs).");
  writeFileSync(history, JSON.stringify([{ jobs: jobs.slice(0, 8) }]));
  expect((await analyze(folder, "--history", history)).output).not.toContain("(measured");
  writeFileSync(history, "[");
  expect(await analyze(folder, "--history", history)).toMatchObject({
    code: 2,
    output: expect.stringContaining("cli-analyze-history-unreadable"),
  });
  rmSync(history);
});

test("with a baseline of now nothing is left to show", async () => {
  const baseline = join(folder, "baseline.json");
  await analyze(folder, "--write-baseline", baseline);
  expect(await analyze(folder, "--baseline", baseline)).toMatchObject({
    code: 0,
    output: expect.stringContaining("No finding above info"),
  });
});

test("patches are shown without changing anything, refused on a dirty tree, and written to a clean one", async () => {
  const file = join(folder, ".github", "workflows", "deploy.yml");
  const crlf = readFileSync(file, "utf8").replaceAll("\n", "\r\n");
  writeFileSync(file, crlf);
  const shown = await analyze(folder, "--dry-run");
  expect(shown.output).toContain("+  cancel-in-progress: false");
  expect(readFileSync(file, "utf8")).toBe(crlf);

  const outside = await analyze(folder, "--implement");
  expect([outside.code, outside.output]).toEqual([1, expect.stringContaining("cli-analyze-tree-dirty")]);
  await git("init", "--quiet");
  expect((await analyze(folder, "--implement")).output).toContain("it has uncommitted changes");
  expect(readFileSync(file, "utf8")).toBe(crlf);

  await git("add", "-A");
  await git("-c", "core.autocrlf=false", "commit", "--quiet", "-m", "a");
  const written = await analyze(folder, "--implement");
  const [, wayBack] = /The way back: `(git apply [^`]+)`/.exec(written.output)!;
  const patched = readFileSync(file, "utf8");
  expect(patched).toContain("  cancel-in-progress: false\r\n");
  expect(patched.replaceAll("\r\n", "")).not.toContain("\n");
  const again = await analyze(folder, "--format", "json");
  const rules = JSON.parse(again.output).findings.map(({ rule }: { rule: string }) => rule);
  expect(rules).not.toContain("release-cancelled-midway");
  expect(rules).not.toContain("workflow-needless-needs");
  expect((await git("status", "--porcelain")).output.trim()).not.toContain("??");
  await git(...wayBack!.split(" ").slice(1));
  expect(readFileSync(file, "utf8")).toBe(crlf);
  expect((await git("status", "--porcelain")).output.trim()).toBe("");
});

test.each([
  ["with a byte order mark", (text: string) => `\uFEFF${text}`],
  ["without a line break at the end", (text: string) => text.trimEnd()],
  ["with both kinds of line ends", (text: string) => text.replace("\n", "\r\n")],
])("the way back of a file %s is exact to the byte, also in a folder of the repository", async (_what, change) => {
  const below = join(folder, "a folder");
  mkdirSync(below);
  renameSync(join(folder, ".github"), join(below, ".github"));
  const file = join(below, ".github", "workflows", "deploy.yml");
  const before = change(readFileSync(file, "utf8"));
  writeFileSync(file, before);
  await git("init", "--quiet");
  await git("add", "-A");
  await git("-c", "core.autocrlf=false", "commit", "--quiet", "-m", "a");
  const { output } = await analyze(below, "--implement");
  const after = readFileSync(file, "utf8");
  expect(after).not.toBe(before);
  const undo = readFileSync(join(folder, ".git", "ballast", "undo.patch"), "utf8");
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
  expect(undo).toContain(`sha256 ${sum(after)} becomes ${sum(before)}`);
  expect(output).toContain("The way back: `git apply --whitespace=nowarn ../.git/ballast/undo.patch`");
  await runChild("git", ["apply", "--whitespace=nowarn", "../.git/ballast/undo.patch"], { cwd: below });
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("the analyser loads nothing of the control plane, of Pulumi or of a cloud", () => {
  const { files, packages } = reachOf("cli/analyze/run-analyze.ts");
  // Engines are pure, and rules apply what they know of bad declarations.
  const own = /^(analysis|cli\/analyze|engines|errors)\/|^cli\/(terminal|still-running)\.ts$/;
  expect(files.filter((file) => !own.test(file))).toEqual([]);
  expect(packages.filter((name) => /azure|pulumi|dbos|grpc|pg$|undici/.test(name))).toEqual([]);
  expect(files.length).toBeGreaterThan(40);
});
