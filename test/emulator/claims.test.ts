// Holds docs/evidence/emulator.md to the tests: every claim names its evidence and an existing test, and
// everything that the emulator serves has a claim. What it serves is read from its tables and its sources, so that
// a new route without a claim fails at once.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { quirks } from "../../emulator/controls/quirks.ts";
import { resourceTypes } from "../../emulator/resource-types.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Claim {
  /** The served names that it is about, in backticks in its first column; empty for other claims. */
  readonly names: readonly string[];
  readonly text: string;
  readonly evidence: readonly string[];
  readonly proofs: readonly { readonly file: string; readonly title: string }[];
}

/**
 * Reads the tables of claims: subject, behaviour, evidence, and tests as file › title, separated by `<br>`. A table in
 * which no claim is about a served name has no column for the subject.
 */
function claimsOf(page: string): readonly Claim[] {
  const rows = page.split("\n").filter((line) => /^\|.*\b[\w.-]+ › /.test(line));
  return rows.map((row) => {
    const cells = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [about = "", text = "", evidence = "", tests = ""] = cells.length === 3 ? ["", ...cells] : cells;
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

/** Lists what is wrong with the claims of a page. `served` are the names that must have a claim. */
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
      // A title of `test.each` comes after its table, so the search is for the text of the title.
      ...proofs
        .filter(
          ({ file, title }) =>
            title === "" ||
            !textOf(file)
              ?.replaceAll(/\(\s+"/g, '("')
              .includes(`("${title}",`),
        )
        .map(({ file, title }) => `"${text}" is proven by no test "${title}" in ${file}`),
    ]),
    ...served.filter((each) => !named.includes(each)).map((each) => `no claim names \`${each}\``),
  ];
}

/** Gives every resource type, quirk, action, route below a resource, and control that the sources serve. */
function servedNames(): readonly string[] {
  const found = (file: string, pattern: RegExp, named: (found: RegExpExecArray) => string): readonly string[] => {
    const names = [...read(file).matchAll(pattern)].map(named);
    if (names.length === 0)
      throw new Error(`${file} has no match of ${pattern}: name the file that serves these names now`);
    return names;
  };
  return [
    ...resourceTypes.map(({ type }) => type),
    ...Object.keys(quirks),
    ...resourceTypes.flatMap(({ type, actions }) =>
      Object.keys(actions ?? {}).map((action) => `POST ${type.split("/").at(-1)}/${action}`),
    ),
    ...found(
      "emulator/app/revision-routes.ts",
      /verb === "(GET|POST) (\w+)"/g,
      ([, method, route]) => `${method} revisions/${route}`,
    ),
    ...found(
      "emulator/app/revision-routes.ts",
      /toLowerCase\(\) !== "(\w+)"/g,
      ([, route]) => `GET containerApps/${route}`,
    ),
    ...found("emulator/app/jobs.ts", /toLowerCase\(\) !== "(\w+)"/g, ([, route]) => `GET jobs/${route}`),
    ...found("emulator/controls/emulator-routes.ts", /case "((?:GET|POST|DELETE) \w+)"/g, ([, route]) => route!),
    ...found("emulator/controls/control.ts", /case "(?:GET|POST) \/_emulator\/(\w+)"/g, ([, route]) => route!),
  ];
}

test("every claim names explained evidence and an existing test, and nothing is served without a claim", () => {
  const page = read("docs/evidence/emulator.md");
  expect(claimsOf(page).length).toBeGreaterThan(40);
  expect(
    faultsOf(page, [...new Set(servedNames())], (file) => (existsSync(join(root, file)) ? read(file) : undefined)),
  ).toEqual([]);
});

test("a quirk that is unverified is unverified on the page", () => {
  const claims = claimsOf(read("docs/evidence/emulator.md"));
  const doubted = Object.entries(quirks).flatMap(([name, quirk]) => ("unverified" in quirk ? [name] : []));
  expect(doubted.length).toBeGreaterThan(0);
  expect(
    doubted.filter((name) => !claims.some(({ names, evidence }) => names.includes(name) && evidence.includes("U"))),
  ).toEqual([]);
});

test("reports a claim without evidence, explanation or test, and a served name without a claim", () => {
  const page = [
    "**S** is the schema.",
    "| what | how | evidence | test |",
    "|---|---|---|---|",
    "| `A` | is good | S | a › it is |",
    "| `B` | is none | | a › it is |",
    "| `C` | is odd | X | a › it is |",
    "| `D` | is not seen | S | a › it will be |",
    "",
  ].join("\n");
  const faults = faultsOf(page, ["A", "E"], (file) =>
    file === "test/a.test.ts" ? 'test("it is", () => {' : undefined,
  );
  expect(faults).toEqual([
    '"is none" has no evidence',
    '"is odd" has the evidence X, which is not explained',
    '"is not seen" is proven by no test "it will be" in test/a.test.ts',
    "no claim names `E`",
  ]);
});
