// The rows of the kill table as they stand, without trying them: each would still change exactly what it names. That each is noticed is
// shown by `npm run kill-table`, which takes minutes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { truths } from "../../emulator/controls/quirks.ts";
import { check, type Row, rowsOf, table, unchanged } from "../../proofs/mutants/rows.ts";

const root = join(import.meta.dirname, "..", "..");
const rows = rowsOf(readFileSync(join(root, "proofs/mutants/mutants.json"), "utf8"));
const row: Row = { name: "a", standsFor: "b", mutations: [{ file: "f", find: "x", replace: "y" }], tests: ["t"] };

it("each row names source that occurs once, and tests that there are", () => {
  expect(check(rows, (file) => readFileSync(join(root, file), "utf8"))).toEqual([]);
  expect(rows.flatMap(({ tests }) => tests).filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it("every truth of the stand-in has a row, whose tests know nothing of its switches and have the title that the row names", () => {
  const source = (file: string): string => readFileSync(join(root, file), "utf8");
  expect(rows.flatMap(({ without }) => without ?? []).toSorted()).toEqual(Object.keys(truths).toSorted());
  expect(
    rows.flatMap(({ tests }) => tests).filter((file) => /controls\/quirks|_standin\/truths/.test(source(file))),
  ).toEqual([]);
  expect(
    rows.filter(({ title, tests }) => title !== undefined && !tests.some((file) => source(file).includes(title))),
  ).toEqual([]);
});

it("what must pass without any bug is what the rows try, and no more of it", () => {
  const titled: Row = { ...row, name: "b", title: "holds" };
  expect(
    unchanged([row, titled, { ...titled, name: "c", tests: ["u"], title: "moves" }]).map(({ tests, title }) => [
      tests,
      title,
    ]),
  ).toEqual([
    [["t", "u"], "holds|moves"],
    [["t"], undefined],
  ]);
});

it("a row is refused whose source has moved on or is ambiguous, that has nothing to try, or whose name is taken", () => {
  const read = (text: string) => (): string => text;
  expect(check([row], read("x"))).toEqual([]);
  expect(check([row], read("z"))[0]).toMatch(/occurs 0 times/);
  expect(check([row], read("x x"))[0]).toMatch(/occurs 2 times/);
  expect(check([{ name: "a", standsFor: "b", tests: ["t"] }], read("x"))[0]).toMatch(/either mutations or a truth/);
  expect(check([{ ...row, without: "truth" }], read("x"))[0]).toMatch(/either mutations or a truth/);
  expect(check([row, row], read("x"))[0]).toMatch(/two rows/);
});

it("the page has a line for each row with the test that noticed it", () => {
  expect(table(new Map([[row, { file: "test/a.test.ts", title: "holds", seconds: 1.25 }]]))).toContain(
    "| a | b | test/a.test.ts | holds | 1.3 |",
  );
});
