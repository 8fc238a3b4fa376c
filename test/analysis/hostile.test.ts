// A stranger's folder can hold anything. Every file that belongs to a system is judged or said not to be, with the
// reason; the run ends; and nothing outside of the folder is read. How long it takes is what `npm run bench:analysis --
// --speed` measures: a slow machine is no defect. A run that never ends fails at the deadline of its test.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runBallast } from "../support/controlplane/ballast-command.ts";

const root = join(import.meta.dirname, "..", "..");
const job = "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo a\n";
let folder: string;
let names: readonly string[];

/** Six levels of aliases, of which each stands for nine of the level below. */
function aliasBomb(): string {
  const levels = [1, 2, 3, 4, 5, 6].map((at) => `x${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}]\n`);
  return `on: push\nx0: &a0 [x]\n${levels.join("")}${job}`;
}

/** Each waits for the one before. */
const manyJobs = (count: number): string =>
  Array.from(
    { length: count },
    (_each, at) =>
      `  j${at}:\n    runs-on: u\n    needs: [${at > 0 ? `j${at - 1}` : ""}]\n    steps: [{ run: npm test }]\n`,
  ).join("");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-hostile-"));
  const workflows = join(folder, ".github", "workflows");
  mkdirSync(workflows, { recursive: true });
  const nested = (depth: number): string => `on: push\njobs: ${"[".repeat(depth)}`;
  const files: Readonly<Record<string, string | Buffer>> = {
    "bomb.yml": aliasBomb(),
    "long-line.yml": `on: push\n${job}      - run: echo ${"x".repeat(200_000)}\n`,
    "answers.yml":
      `on: push\n${job}      - run: fly deploy\n` +
      `      - name: Health check\n        run: |\n${"          X=$(curl a\n".repeat(20_000)}`,
    "many-answers.yml": `on: push\n${job}      - run: |\n${"          a=$()\n".repeat(60_000)}          fly deploy\n`,
    "variables.yml":
      `on: push\n${job}      - run: |\n          A=${"$A".repeat(3000)}\n          B=${"$B".repeat(200)}\n` +
      `          curl ${"$A".repeat(3000)}\n          curl ${"$B".repeat(900)}\n          fly deploy\n`,
    "many-words.yml": `on: push\n${job}      - name: Test\n        run: docker run ${"-a ".repeat(20_000)}\n`,
    "braces.yml": `on: push\n${job}      - run: echo ${"${{".repeat(30_000)}\n`,
    "operators.yml": `on: push\n${job.replace("    steps", `    if: ${"!".repeat(20_000)}true\n    steps`)}`,
    "binary.yml": Buffer.from(Array.from({ length: 4000 }, (_each, at) => (at * 7919) % 256)),
    "utf-16.yml": Buffer.from(`\uFEFFon: push\n${job}`, "utf16le"),
    "byte-order-mark.yml": `\uFEFFon: push\r\n${job.replaceAll("\n", "\r\n")}`,
    "on-true.yml": `on: true\n${job}`,
    "duplicate-keys.yml": `on: push\non: pull_request\n${job}`,
    "deep.yml": nested(20_000),
    "empty.yml": "",
    "scalar.yml": "hello",
    "calls-itself.yml": "on: [push, workflow_call]\njobs:\n  a:\n    uses: ./.github/workflows/calls-itself.yml\n",
    "many-jobs.yml": `on: push\njobs:\n${manyJobs(3000)}`,
    "wrong-types.yml":
      "on: push\njobs:\n  a:\n    steps: hello\n    concurrency: [a]\n    permissions: []\n    uses: 4\n",
    "number-as-key.yml": `on: push\n${job.replace("  a:", "  1:")}`,
    "two-documents.yml": `on: push\n${job}---\nsecond: one\n`,
    "tabs.yml": "on: push\njobs:\n\ta:\n\t\truns-on: ubuntu-24.04\n",
    "needs-itself.yml": `on: push\n${job.replace("    runs-on", "    needs: a\n    runs-on")}`,
    "<b>`|.yml": `name: "</script><b>"\non: push\n${job}`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(workflows, name), text);
  symlinkSync("loop.yml", join(workflows, "loop.yml"));
  symlinkSync(join(root, "package.json"), join(workflows, "outside.yml"));
  symlinkSync("..", join(folder, "up"));
  for (let at = 0; at < 10_000; at += 1) {
    const many = join(folder, "many", String(at % 100));
    if (at < 100) mkdirSync(many, { recursive: true });
    writeFileSync(join(many, `${at}.yml`), "a: 1\n");
  }
  names = [...Object.keys(files), "loop.yml", "outside.yml"];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Gives what the command prints. On a slow machine it says on standard error what it does, which is no part of it. */
const analyzed = (path: string, ...args: readonly string[]) => runBallast(["analyze", path, ...args], root);

test("a hostile folder is judged with the exit code 0 or 1, and every file is accounted for", async () => {
  const { code, out } = await analyzed(folder, "--format", "json");
  expect([0, 1]).toContain(code);
  expect(out).not.toContain("is a defect of Ballast");
  const { graph, findings } = JSON.parse(out) as {
    readonly graph: any;
    readonly findings: readonly { readonly place: { readonly file: string }; readonly message: string }[];
  };
  const judged = new Set<string>([...graph.judged, ...graph.notJudged.map(({ file }: { file: string }) => file)]);
  expect(names.filter((name) => !judged.has(`.github/workflows/${name}`))).toEqual([]);
  const because = Object.fromEntries(
    graph.notJudged.map((each: { file: string; because: string }) => [each.file.split("/").at(-1), each.because]),
  );
  expect(because).toMatchObject({
    "bomb.yml": "its YAML aliases expand to more than 100 copies",
    "binary.yml": "it is not encoded as UTF-8",
    "utf-16.yml": expect.stringContaining("UTF-16"),
    "many-jobs.yml": "it has 3000 jobs; more than 250 are not judged",
    "number-as-key.yml": "GitHub's own parser fails on it; everything else judged it",
    "deep.yml": "it is nested deeper than 100 levels",
    "loop.yml": "it is a link, and links are not followed",
    "outside.yml": "it is a link, and links are not followed",
  });
  expect(Object.keys(because)).not.toContain("byte-order-mark.yml");
  // What GitHub's parser says is said without excerpts, crashes and advice for programmers.
  const said = (name: string): string =>
    findings.find(({ place, message }) => place.file.endsWith(`/${name}`) && message.startsWith("GitHub rejects"))!
      .message;
  expect(said("wrong-types.yml")).toContain("Unexpected value 'hello'");
  expect(said("two-documents.yml")).toContain("The file holds more than one YAML document.");
  expect(said("tabs.yml")).toContain("Tabs are not allowed as indentation (and 1 more). Nothing");
});

test("a folder of workflows that is a link is said to be one", async () => {
  const linked = mkdtempSync(join(tmpdir(), "ballast-linked-"));
  symlinkSync(join(folder, ".github"), join(linked, ".github"));
  const { out } = await analyzed(linked);
  rmSync(linked, { recursive: true });
  expect(out).toContain("- `.github`: it is a link, and links are not followed");
});

test("the page shows names of files as text", async () => {
  const [page, html] = await Promise.all([analyzed(folder), analyzed(folder, "--format", "html")]);
  expect(page.out).toContain("Not judged");
  expect(page.out).not.toContain("`|.yml`");
  expect(html.out).toContain("<html");
  expect(html.out).not.toContain("<b>");
});
