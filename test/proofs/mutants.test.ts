// Checks mutants.json without running the mutants: each snippet still occurs exactly once in our source. `npm run
// mutants`, which takes minutes, shows that a test detects each mutant.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { quirks } from "../../emulator/controls/quirks.ts";
import { check, type Mutant, mutantsOf, page, unchanged } from "../../proofs/mutants/mutants.ts";
import { literalText, type Node, nameOf, nodesOf, rootOf } from "../support/repository/syntax.ts";

const root = join(import.meta.dirname, "..", "..");
const mutants = mutantsOf(readFileSync(join(root, "proofs/mutants/mutants.json"), "utf8"));
const mutant: Mutant = { name: "a", standsFor: "b", mutations: [{ file: "f", find: "x", replace: "y" }], tests: ["t"] };

it("each mutant names snippets that occur once, and tests that exist", () => {
  expect(check(mutants, (file) => readFileSync(join(root, file), "utf8"))).toEqual([]);
  expect(mutants.flatMap(({ tests }) => tests).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it("every quirk of the emulator has a mutant, whose tests exist by title and do not use its switches", () => {
  const source = (file: string): string => readFileSync(join(root, file), "utf8");
  expect(mutants.flatMap(({ without }) => without ?? []).toSorted()).toEqual(Object.keys(quirks).toSorted());
  expect(
    mutants.flatMap(({ tests }) => tests).filter((file) => /controls\/quirks|_emulator\/quirks/.test(source(file))),
  ).toEqual([]);
  expect(
    mutants.filter(({ title, tests }) => title !== undefined && !tests.some((file) => source(file).includes(title))),
  ).toEqual([]);
});

it("the runs on unchanged source are exactly the tests that the mutants run", () => {
  const titled: Mutant = { ...mutant, name: "b", title: "holds" };
  expect(
    unchanged([mutant, titled, { ...titled, name: "c", tests: ["u"], title: "moves" }]).map(({ tests, title }) => [
      tests,
      title,
    ]),
  ).toEqual([
    [["t", "u"], "holds|moves"],
    [["t"], undefined],
  ]);
});

it("a mutant is refused if its snippet is absent or ambiguous, if it changes nothing, or if its name is taken", () => {
  const read = (text: string) => (): string => text;
  expect(check([mutant], read("x"))).toEqual([]);
  expect(check([mutant], read("z"))[0]).toMatch(/occurs 0 times/);
  expect(check([mutant], read("x x"))[0]).toMatch(/occurs 2 times/);
  expect(check([{ name: "a", standsFor: "b", tests: ["t"] }], read("x"))[0]).toMatch(/either mutations or a quirk/);
  expect(check([{ ...mutant, without: "quirk" }], read("x"))[0]).toMatch(/either mutations or a quirk/);
  expect(check([mutant, mutant], read("x"))[0]).toMatch(/two mutants/);
});

it("the page has a row for each mutant with the test that detected it", () => {
  expect(page(new Map([[mutant, { file: "test/a.test.ts", title: "holds", seconds: 1.25 }]]))).toContain(
    "| a | b | test/a.test.ts | holds | 1.3 |",
  );
});

describe("the page in docs/evidence", () => {
  const stored = readFileSync(join(root, "docs/evidence/mutants.md"), "utf8");
  const scenarios = readdirSync(join(root, "test/scenarios/rollout")).map((file) =>
    file.replace(".yaml", "").replaceAll("-", " "),
  );

  it("names tests that exist by their titles", () => {
    const rows = rowsOf(stored);
    expect(rows.length).toBeGreaterThan(40);
    const missing = rows.filter(
      ({ file, title }) =>
        !hasTitle(file, readFileSync(join(root, file), "utf8"), title) &&
        !(file === "test/engines/rollout/scenarios.test.ts" && scenarios.includes(title)),
    );
    expect(missing).toEqual([]);
  });

  it("would be refused with a title that is no longer there", () => {
    const text = 'it("holds", f); it.each([1])("moves %s of $b", f); it(`waits ${a}`, f); it(a, f); const b = "gone";';
    const titles = ["holds", "moves 1 of 2", "waits long", "gone", "hold", "moves", "anything"];
    expect(titles.filter((title) => hasTitle("a.ts", text, title))).toEqual(["holds", "moves 1 of 2", "waits long"]);
  });
});

/** Gives the tests that a page names. */
const rowsOf = (text: string): readonly { readonly file: string; readonly title: string }[] =>
  [...text.matchAll(/^\|.*\| (test\/\S+) \| (.*) \| [\d.]+ \|$/gm)].map(([, file = "", title = ""]) => ({
    file,
    title,
  }));

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Reports whether a file has a test of a title; what a title takes from a value may be anything. */
const hasTitle = (path: string, text: string, title: string): boolean =>
  nodesOf({ path, text }).some(({ node }) => {
    if (node.type !== "CallExpression" || !["it", "test"].includes(nameOf(rootOf(node)) ?? "")) return false;
    const [first] = node["arguments"] as readonly Node[];
    const parts: readonly string[] | undefined =
      first?.type === "TemplateLiteral"
        ? (first["quasis"] as readonly Node[]).map((each) => each["value"].cooked)
        : literalText(first)?.split(/%[sdifjo]|\$\w+(?:\.\w+)*/);
    return parts !== undefined && new RegExp(`^${parts.map(escaped).join(".+")}$`).test(title);
  });
