// Every rule on its own examples: it reports what its failing examples mark and nothing else reports there; switched
// off, its examples are red; its near misses are quiet; and one edit makes each of them a finding.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { type Files, type Rule, rankOf } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { rejectionsOf } from "../../analysis/systems/workflows/official.ts";

/** Gives `file:line rule` of every finding above info. GitHub's parser is asked only where a rule is about it. */
async function found(files: Files, rules: readonly Rule[], asksGitHub: boolean): Promise<readonly string[]> {
  const { findings } = await analyze(folderOf(files), { rules, asksGitHub });
  return [
    ...new Set(
      findings
        .filter(({ severity }) => rankOf(severity) > rankOf("info"))
        .map(({ place, rule }) => `${place.file}:${place.line} ${rule}`),
    ),
  ].toSorted();
}

const marked = (files: Files, id: string): readonly string[] =>
  Object.entries(files)
    .flatMap(([file, text]) =>
      text.split("\n").flatMap((line, at) => (line.includes("<- finding") ? [`${file}:${at + 1} ${id}`] : [])),
    )
    .toSorted();

test("each file of analysis/rules is one rule of the rulebook, which is sorted", () => {
  const files = readdirSync(join(import.meta.dirname, "..", "..", "analysis", "rules"));
  const ids = rulebook.map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted());
  expect(files.map((file) => file.replace(/\.ts$/, "")).toSorted()).toEqual(ids);
});

describe.each(rulebook)("the rule $id", (rule) => {
  const others = rulebook.filter((each) => each !== rule);
  const asksGitHub = rule.id === "workflow-dead";

  test("has failing examples and near misses", () => {
    expect(rule.failing.length).toBeGreaterThan(0);
    expect(rule.nearMisses.length).toBeGreaterThan(0);
    expect(rule.failing.filter((files) => marked(files, rule.id).length === 0)).toEqual([]);
  });

  test.each(rule.failing.map((files, at) => [at + 1, files] as const))(
    "reports exactly the marked lines of its failing example %i, and switched off it reports nothing there",
    async (_number, files) => {
      expect(await found(files, rulebook, asksGitHub)).toEqual(marked(files, rule.id));
      expect(await found(files, others, asksGitHub)).toEqual([]);
    },
  );

  test.each(rule.nearMisses.map((miss, at) => [at + 1, miss] as const))(
    "is quiet on its near miss %i, and its one edit makes it a finding",
    async (_number, { files, edit }) => {
      expect(await found(files, rulebook, asksGitHub)).toEqual([]);
      const before = files[edit.file]!;
      expect(before.split(edit.replace)).toHaveLength(2);
      const after = await found(
        { ...files, [edit.file]: before.replace(edit.replace, () => edit.by) },
        rulebook,
        asksGitHub,
      );
      expect(after.length).toBeGreaterThan(0);
      expect(after.filter((line) => !line.endsWith(` ${rule.id}`))).toEqual([]);
    },
  );
});

test("GitHub's own parser accepts every example, except those of the rule about files that it rejects", async () => {
  const examples = rulebook
    .filter(({ id }) => id !== "workflow-dead")
    .flatMap(({ id, failing, nearMisses }) =>
      [...failing, ...nearMisses.map(({ files }) => files)].map((files) => [id, files]),
    )
    .flatMap(([id, files]) =>
      Object.entries(files as Files)
        .filter(([file]) => file.startsWith(".github/workflows/"))
        .map(([file, text]) => ({ file: `${id} ${file}`, text })),
    );
  const { rejected, unchecked } = await rejectionsOf(examples);
  expect(unchecked).toEqual([]);
  expect([...rejected].filter(([, errors]) => errors.length > 0)).toEqual([]);
});
