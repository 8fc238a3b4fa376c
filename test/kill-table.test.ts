// The rows of the kill table as they stand, without trying them: each would still change exactly what it names. That each is noticed is
// shown by `npm run kill-table`, which takes minutes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { check, rowsOf, table, type Row } from "../bench/kill-rows.ts";

const root = join(import.meta.dirname, "..");
const rows = rowsOf(readFileSync(join(root, "bench/kill-table.json"), "utf8"));
const row: Row = { name: "a", standsFor: "b", mutations: [{ file: "f", find: "x", replace: "y" }], tests: ["t"] };

it("each row names source that occurs once, and tests that there are", () => {
  expect(check(rows, (file) => readFileSync(join(root, file), "utf8"))).toEqual([]);
  expect(rows.flatMap(({ tests }) => tests).filter((file) => !existsSync(join(root, file)))).toEqual([]);
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
  expect(table(new Map([[row, { file: "test/a.test.ts", title: "holds", seconds: 1.25 }]]))).toContain("| a | b | test/a.test.ts | holds | 1.3 |");
});
