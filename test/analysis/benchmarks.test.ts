// Two benchmarks for linters of workflows, which the usual linters pass without a finding: a repository with seven
// defects, and a caller and callee that wait for each other. All are found, and nothing else above info.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyze } from "../../analysis/analyze.ts";
import { openFolder } from "../../analysis/folder.ts";
import { rankOf } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";

async function found(name: string): Promise<readonly string[]> {
  const { findings } = await analyze(openFolder(join(import.meta.dirname, "fixtures", name)));
  return findings
    .filter(({ severity }) => rankOf(severity) > 0)
    .map(({ rule, place }) => `${rule} ${place.file.split("/").at(-1)}:${place.line}`)
    .toSorted();
}

test("all seven defects are found, each in its place, and nothing else above info", async () => {
  expect(await found("seven-defects")).toEqual([
    "callee-permissions a.yml:11",
    "preview-skipped nightly.yml:19",
    "release-cancelled-midway deploy.yml:8",
    "release-lock-misses-target nightly.yml:7",
    "release-no-timeout-holding-a-lock deploy.yml:10",
    "release-no-timeout-holding-a-lock nightly.yml:9",
    "trigger-loop b.yml:4",
    "workflow-needless-needs b.yml:19",
  ]);
});

test("the deadlock of caller and callee is found, and nothing else above info", async () => {
  expect(await found("deadlock")).toEqual(["deadlock build.yml:5"]);
});

test("this repository's own workflows have no finding above info", async () => {
  const root = join(import.meta.dirname, "..", "..");
  const { findings, graph } = await analyze(openFolder(root), { scope: ["github"] });
  expect(graph.judged.length).toBeGreaterThan(2);
  expect(graph.notJudged).toEqual([]);
  expect(findings.filter(({ severity }) => rankOf(severity) > 0)).toEqual([]);
});

test("in the bad example every rule finds something, each at the line that says so, and nothing else", async () => {
  const folder = join(import.meta.dirname, "..", "..", "examples", "bad-orchestration");
  const marked = globSync(["**/*.{yml,yaml,json}", ".*/**/*.{yml,md,json}"], { cwd: folder }).flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .flatMap((line, at) =>
        (/<- finding ([\w -]+\w)/.exec(line)?.[1]?.split(" ") ?? []).map(
          // JSON has no comments: there the mark stands on the line below.
          (rule) => `${rule} ${file}:${line.includes('"note"') ? at : at + 1}`,
        ),
      ),
  );
  const { findings } = await analyze(openFolder(folder));
  const reported = findings
    .filter(({ severity }) => rankOf(severity) > 0)
    .map(({ rule, place }) => `${rule} ${place.file}:${place.line}`);
  expect(reported.toSorted()).toEqual([...new Set(marked)].toSorted());
  expect(rulebook.map(({ id }) => id).filter((id) => !reported.some((line) => line.startsWith(`${id} `)))).toEqual([]);
});
