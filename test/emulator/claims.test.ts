// docs/evidence/emulator.md held to its word: every claim names the evidence it has and a test that is there, and nothing that the stand-in serves
// goes without a claim. What it serves is read from its own tables and switches, so that a new route is missed on the day it is added.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { truths } from "../../emulator/controls/quirks.ts";
import { resourceKinds } from "../../emulator/resource-types.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Claim {
  /** What of the stand-in it is about, each in backticks in its first column; empty for a claim about none of these. */
  readonly names: readonly string[];
  readonly text: string;
  readonly evidence: readonly string[];
  readonly proofs: readonly { readonly file: string; readonly title: string }[];
}

/** Reads the table of claims: what it is about, how it behaves, evidence, and the test as file › title, several apart by `<br>`. */
function claimsOf(page: string): readonly Claim[] {
  const rows = page.split("\n").filter((line) => /^\|.*\b[\w.-]+ › /.test(line));
  return rows.map((row) => {
    const [about = "", text = "", evidence = "", tests = ""] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    return {
      names: [...about.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
      text,
      evidence: evidence.split(/\s+/).filter(Boolean),
      proofs: tests.split("<br>").map((each) => {
        const [file = "", ...title] = each.trim().split(" › ");
        return { file: `test/${file}.test.ts`, title: title.join(" › ") };
      }),
    };
  });
}

const explainedBy = (page: string): readonly string[] =>
  [...page.matchAll(/\*\*([A-Z])\*\* /g)].map(([, letter]) => letter!);

/** Says what is wrong with the claims of a page; `served` is what none may leave out. */
function faultsOf(
  page: string,
  served: readonly string[],
  textOf: (file: string) => string | undefined,
): readonly string[] {
  const claims = claimsOf(page);
  const letters = explainedBy(page);
  const named = claims.flatMap(({ names }) => names);
  return [
    ...claims.flatMap(({ text, evidence, proofs }) => [
      ...(evidence.length === 0 ? [`"${text}" has no evidence`] : []),
      ...evidence
        .filter((letter) => !letters.includes(letter))
        .map((letter) => `"${text}" has the evidence ${letter}, which is not explained`),
      // A title of `test.each` stands behind its table, so the text of the title is what is looked for.
      ...proofs
        .filter(({ file, title }) => title === "" || !textOf(file)?.includes(`("${title}", `))
        .map(({ file, title }) => `"${text}" is proven by no test "${title}" in ${file}`),
    ]),
    ...served.filter((each) => !named.includes(each)).map((each) => `no claim names \`${each}\``),
  ];
}

/** Gives every kind, truth, action, route below a kind and control that the sources serve. */
function servedNames(): readonly string[] {
  const found = (file: string, pattern: RegExp, named: (found: RegExpExecArray) => string): readonly string[] => {
    const names = [...read(file).matchAll(pattern)].map(named);
    if (names.length === 0)
      throw new Error(`nothing of ${pattern} is in ${file} any more: say here where it is served now`);
    return names;
  };
  return [
    ...resourceKinds.map(({ type }) => type),
    ...Object.keys(truths),
    ...resourceKinds.flatMap(({ type, actions }) =>
      Object.keys(actions ?? {}).map((action) => `POST ${type.split("/").at(-1)}/${action}`),
    ),
    ...found(
      "emulator/app/container-apps.ts",
      /verb === "(GET|POST) (\w+)"/g,
      ([, method, route]) => `${method} revisions/${route}`,
    ),
    ...found(
      "emulator/app/container-apps.ts",
      /toLowerCase\(\) !== "(\w+)"/g,
      ([, route]) => `GET containerApps/${route}`,
    ),
    ...found("emulator/app/jobs.ts", /toLowerCase\(\) !== "(\w+)"/g, ([, route]) => `GET jobs/${route}`),
    ...found("emulator/controls/emulator-routes.ts", /case "((?:GET|POST|DELETE) \w+)"/g, ([, route]) => route!),
    ...found("emulator/controls/control.ts", /route === "\/_standin\/(\w+)"/g, ([, route]) => route!),
  ];
}

test("every claim about the stand-in names evidence that is explained and a test that is there, and nothing is served without a claim", () => {
  const page = read("docs/evidence/emulator.md");
  expect(claimsOf(page).length).toBeGreaterThan(40);
  expect(
    faultsOf(page, [...new Set(servedNames())], (file) => (existsSync(join(root, file)) ? read(file) : undefined)),
  ).toEqual([]);
});

test("what a truth calls unverified is so on the page", () => {
  const claims = claimsOf(read("docs/evidence/emulator.md"));
  const doubted = Object.entries(truths).flatMap(([name, truth]) => ("unverified" in truth ? [name] : []));
  expect(doubted.length).toBeGreaterThan(0);
  expect(
    doubted.filter((name) => !claims.some(({ names, evidence }) => names.includes(name) && evidence.includes("U"))),
  ).toEqual([]);
});

test("a claim without evidence, with an unexplained letter or without its test is named, and so is what no claim is about", () => {
  const page =
    "**S** is the schema.\n| what | how | evidence | test |\n|---|---|---|---|\n| `A` | is good | S | a › it is |\n| `B` | is none | | a › it is |\n| `C` | is odd | X | a › it is |\n| `D` | is not seen | S | a › it will be |\n";
  const said = faultsOf(page, ["A", "E"], (file) => (file === "test/a.test.ts" ? 'test("it is", () => {' : undefined));
  expect(said).toEqual([
    '"is none" has no evidence',
    '"is odd" has the evidence X, which is not explained',
    '"is not seen" is proven by no test "it will be" in test/a.test.ts',
    "no claim names `E`",
  ]);
});
