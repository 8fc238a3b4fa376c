// What tests of kinds of defects are written with: short workflows, and the question which rules report them. A kind is
// a defect that public repositories had and the rules' own examples do not show, with the least change that cures it.
import { expect, test } from "vitest";
import { analyze } from "../../../analysis/analyze.ts";
import { folderOf } from "../../../analysis/folder.ts";
import { type Finding, rankOf } from "../../../analysis/rule.ts";

export type Files = Readonly<Record<string, string>>;

export interface Kind {
  readonly name: string;
  readonly rule: string;
  readonly files: Files;
  /** What to replace in the first file to make it right. */
  readonly cure: readonly [string, string];
}

/** Begins a workflow that a person starts, with one input and a lock. */
export const head = (
  name: string,
  { input = "skip: { type: boolean, default: false }", lock = "shop" }: { input?: string; lock?: string } = {},
): string => `name: ${name}
on:
  workflow_dispatch:
    inputs:
      ${input}
concurrency: ${lock}
jobs:
`;
export const job = (key: string, more: string, ...steps: readonly string[]): string =>
  `  ${key}:\n${more}    runs-on: ubuntu-24.04\n    timeout-minutes: 15\n    steps:\n${steps
    .map((step) => `      - ${step}\n`)
    .join("")}`;
export const deploy = "run: fly deploy";
export const script = (name: string, ...lines: readonly string[]): string =>
  [`name: ${name}\n        run: |`, ...lines].join("\n          ");
export const one = (text: string): Files => ({ ".github/workflows/main.yml": text });
export const main = (...jobs: readonly string[]): Files => one(head("main") + jobs.join(""));
export const unlocked = (...jobs: readonly string[]): Files =>
  one(head("main").replace("concurrency: shop\n", "") + jobs.join(""));

export const findingsIn = async (files: Files): Promise<readonly Finding[]> =>
  (await analyze(folderOf(files), { asksGitHub: false })).findings;

/** Tests that each kind is reported above info, and no longer when it is cured. */
export const testKinds = (kinds: readonly Kind[]): void =>
  test.each(kinds)("$name", async ({ rule, files, cure: [bad, good] }) => {
    const rules = async (all: Files): Promise<readonly string[]> =>
      (await findingsIn(all)).filter(({ severity }) => rankOf(severity) > 0).map((each) => each.rule);
    const [first = ""] = Object.keys(files);
    expect(files[first]).toContain(bad);
    expect(await rules(files)).toContain(rule);
    expect(await rules({ ...files, [first]: files[first]!.replace(bad, good) })).not.toContain(rule);
  });
