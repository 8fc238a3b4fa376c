// The laws of the catalogue of errors, on small bad samples. `tidy.test.ts` runs them over the catalogue itself.
import { expect, test } from "vitest";
import { evenWordings, provokedErrors, type Wording } from "../support/repository/error-laws.ts";
import type { SourceFile } from "../support/repository/source.ts";

const file = (path: string, text: string): SourceFile => ({ path, text, executable: false });

const good: Wording = {
  id: "area-one",
  title: "A sigh",
  message: "<app> sighed: <reason>",
  fix: "run `ballast sigh`; or breathe",
  left: "Nothing was changed.",
};

test("the wording of an error may end its message with what another program printed", () =>
  expect(
    evenWordings(
      [
        { left: undefined },
        { message: "It sighed. Its last output:\n(empty)" },
        { message: "ballast:sighs must be a number." },
        { message: "Both ways failed.\n  <way> <message> (<id>)" },
        { title: "ballast:sighs is not a number" },
        { fix: "<fix>" },
      ].map((part) => ({ ...good, ...part }) as Wording),
    )([]),
  ).toEqual([]));

test.each([
  [{ title: "a sigh" }, "begin it with a capital letter"],
  [{ title: "A sigh." }, "remove its full stop: it is a heading"],
  [{ message: "it sighed." }, "begin it with a capital letter"],
  [{ message: "It sighed" }, "end it with a full stop"],
  [{ message: "Because of <reason>, it sighed" }, "end it with a full stop"],
  [{ fix: "Breathe" }, "begin it with a lower-case letter"],
  [{ fix: "breathe." }, "remove its full stop: it often ends in a command to copy"],
  [{ fix: "breathe. Then go on" }, "make it one piece of advice, without a full stop within"],
  [{ left: "nothing was changed." }, "begin it with a capital letter"],
  [{ left: "Nothing was changed" }, "end it with a full stop"],
])("the wording %j of an error is refused: %s", (part, remedy) => {
  const entries = file("errors/area.ts", '//\n    entry("area-one", {');
  const [[name, text] = []] = Object.entries(part);
  expect(evenWordings([good, { ...good, ...part }])([entries])).toEqual([
    `errors/area.ts:2  the ${name} of area-one is "${text}": ${remedy}.`,
  ]);
});

const catalogue = file("errors/area.ts", '//\nentry("area-one"\nentry("area-two"\nentry("Bad_Id"');
const unprovoked = (...tests: readonly SourceFile[]): readonly string[] =>
  provokedErrors(["area-one"])([catalogue, ...tests]);

test("a test is required for each whole id, and one form of ids", () =>
  expect(
    provokedErrors(["area-one", "area-two", "Bad_Id"])([
      catalogue,
      file("test/a.test.ts", 'expect(e.id).toBe("area-one"); f("area-two-more", "Bad_Id");'),
    ]),
  ).toEqual([
    "errors/area.ts:4  the error id Bad_Id does not have the form area-phrase: " +
      "write it in kebab-case, subsystem first.",
    "errors/area.ts:3  no test provokes area-two: write one that does and expects this id, or delete the entry.",
  ]));

test.each([
  ["test/a.test.ts", 'expect(e).toEqual({ id: "area-one" });'],
  ["test/a.test.ts", "expect(e).toMatch(/^area-one: .*/);"],
  ["test/a.test.ts", "expect(e).toBe(`area-one  ${text}`);"],
  ["test/a.test.ts", 'test.each([["x", "area-one"]])("%s", f);'],
  ["test/scenarios/a.yaml", "when: now # what is it?\nerror: area-one"],
  ["test/a/facts.jsonl", '{ "id": "area-one" }'],
])("an error is provoked in %s: %s", (path, text) => expect(unprovoked(file(path, text))).toEqual([]));

test.each([
  ["test/a.test.ts", "// area-one\nf(); /* area-one */"],
  ["test/a.test.ts", 'test("area-one is refused", () => {});'],
  ["test/a.test.ts", 'describe.skipIf(a)("area-one", () => {}); it.each([1])("area-one", f);'],
  ["test/a.test.ts", 'test("a: " + "area-one", f); test(`area-one ${b}`, f);'],
  ["test/support/a.ts", 'export const id = "area-one";'],
  ["test/scenarios/a.yaml", "# area-one\nwhen: now # area-one"],
  ["test/repository/a.test.ts", 'expect(all).toContain("area-one");'],
  ["test/README.md", "area-one"],
  ["cli/a.ts", 'throw f("area-one");'],
])("an error is not provoked in %s: %s", (path, text) => expect(unprovoked(file(path, text))).toHaveLength(1));
