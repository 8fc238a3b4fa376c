// Files that are nearly right: examples of the rules with values replaced, moved and cut. No reader and no rule stops
// with an error, every finding has a place and words, and a second run says the same. A failure prints its seed.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import type { Files } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";

const bad = join(import.meta.dirname, "..", "..", "examples", "bad-orchestration");
const examples: readonly Files[] = [
  ...rulebook.flatMap(({ failing, nearMisses }) => [...failing, ...nearMisses.map(({ files }) => files)]),
  Object.fromEntries(
    globSync(["**/*.{yml,yaml,json}", ".*/**/*.{yml,md,json}", "*/.*/**/*.{yml,md,json}"], { cwd: bad })
      .toSorted()
      .map((file) => [file, readFileSync(join(bad, file), "utf8")]),
  ),
];

/** Words and shapes that a file may hold by mistake or on purpose. */
const odd: readonly unknown[] = [
  ...[null, "", 0, -1, 1e21, true, false, [], {}, [[]], [null], { a: null }, "\0", "\uD800", "x".repeat(5000)],
  ...["__proto__", "constructor", "toString", { toString: 1 }, { constructor: {} }, "*", "..", "/", "a/b@c", "./x"],
  ...["${{", "${{ needs.* }}", "${{ fromJSON('[') }}", "always()", "!", "&&", "(((((", "refs/heads/main"],
  ...["git push", "az ", "kubectl", "docker run -d", "curl", "`", "$(", "$((", "<<EOF", '"', "\\", "if [", "for x in"],
];

type Step = readonly [file: number, path: number, how: number, value: number];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const pathsOf = (value: unknown, path: readonly string[] = []): readonly (readonly string[])[] => [
  path,
  ...(isObject(value) ? Object.keys(value).flatMap((key) => pathsOf(value[key], [...path, key])) : []),
];

/** Changes one value: by nothing, by a list or a mapping of it, by a text with something inside, by something else. */
function changed(value: unknown, [, at, how, which]: Step): unknown {
  const paths = pathsOf(value);
  const path = paths[at % paths.length]!;
  const other = odd[which % odd.length];
  if (path.length === 0) return other;
  const copy = structuredClone(value);
  const parent = path.slice(0, -1).reduce((each: any, name) => each[name], copy as any);
  const key = path.at(-1)!;
  const old = parent[key];
  if (how === 0) delete parent[key];
  else if (how === 1) parent[key] = [old];
  else if (how === 2) parent[key] = { run: old };
  else if (how === 3 && typeof old === "string") parent[key] = `${old.slice(0, which)}${other}${old.slice(which)}`;
  else parent[key] = other;
  return copy;
}

/** Writes a file again with one value changed, or cut off; as it is if an earlier change made it unreadable. */
function rewritten(file: string, text: string, step: Step): string {
  const [, head, body = ""] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
  try {
    if (step[2] === 5) return text.slice(0, step[1] % (text.length + 1));
    if (file.endsWith(".json")) return JSON.stringify(changed(JSON.parse(text), step));
    return head === undefined
      ? stringify(changed(parse(text), step))
      : `---\n${stringify(changed(parse(head), step))}---\n${body}`;
  } catch {
    return text;
  }
}

function mutated(files: Files, steps: readonly Step[]): Files {
  const names = Object.keys(files);
  const texts = new Map(Object.entries(files));
  for (const step of steps) {
    const file = names[step[0] % names.length]!;
    texts.set(file, rewritten(file, texts.get(file)!, step));
  }
  return Object.fromEntries(texts);
}

test("no reader and no rule stops with an error, and the same files give the same findings", async () => {
  const big = fc.nat(100_000);
  const step = fc.tuple(big, big, fc.nat(5), big);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...examples),
      fc.array(step, { minLength: 1, maxLength: 4 }),
      async (files, steps) => {
        const folder = folderOf(mutated(files, steps));
        const { graph, findings, failed } = await analyze(folder, { asksGitHub: false });
        expect([failed, graph.notJudged.filter(({ because }) => because.includes("defect of Ballast"))]).toEqual([
          [],
          [],
        ]);
        expect(
          findings.filter(({ place, message }) => !(place.line >= 1 && place.column >= 1) || message === ""),
        ).toEqual([]);
        expect((await analyze(folder, { asksGitHub: false })).findings).toEqual(findings);
      },
    ),
    { numRuns: 400 },
  );
}, 120_000);

test("a reader that stops with an error costs its own files, and no other system", async () => {
  const [unloaded] = rulebook.find(({ id }) => id === "agent-file-not-loaded")!.failing;
  const files = { ...unloaded, ".github/workflows/a.yml": "on: push\njobs: {}\n" };
  const { read, files: names } = folderOf(files);
  const { graph, findings } = await analyze(
    {
      files: names,
      read: (file) => {
        if (file.endsWith(".yml")) throw new RangeError("a secret");
        return read(file);
      },
    },
    { asksGitHub: false },
  );
  expect(graph.notJudged).toEqual([
    {
      file: ".github/workflows/a.yml",
      because: expect.stringMatching(/^the reader of github stopped with a RangeError/),
    },
  ]);
  expect(findings.map(({ rule }) => rule)).toContain("agent-file-not-loaded");
});
