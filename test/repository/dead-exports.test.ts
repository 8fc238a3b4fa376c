// The law about exports that nobody imports, over the repository and over small bad files.
import { join } from "node:path";
import { expect, test } from "vitest";
import { usedExports } from "../support/repository/dead-exports.ts";
import { publicEntries } from "../support/repository/exceptions.ts";
import { readRepository, type SourceFile } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");
const file = (path: string, text: string): SourceFile => ({ path, text, executable: false });
const dead = (...files: readonly SourceFile[]): readonly (string | undefined)[] =>
  usedExports(["entry.ts"])(files).map((line) => /no file imports (\w+)/.exec(line)?.[1]);

test("every exported value is imported, or exported by the package", () =>
  expect(usedExports(Object.keys(publicEntries))(readRepository(root))).toEqual([]));

test("an export that no file imports is found in every form", () => {
  const text =
    "export const a = 1, { b, c: [d] } = x; export function e() { a(); } export class F {} const g = 1; " +
    "export { g as h }; export type T = 1; export interface I {} export { k } from './other.ts';";
  expect(dead(file("a.ts", text))).toEqual(["a", "b", "d", "e", "F", "h", "k"]);
});

test("an import of another file's export of the same name saves nothing", () =>
  expect(dead(file("a.ts", "export const a = 1;"), file("b/c.ts", 'import { a } from "./a.ts";'))).toEqual(["a"]));

test.each([
  'import { a } from "./a.ts";',
  'import { a as b } from "./a.ts";',
  'import * as all from "./a.ts";',
  'const { a } = await import("./a.ts");',
  'export { a } from "./a.ts";',
  'export * from "./a.ts";',
  'type A = typeof import("./a.ts").a;',
])("%s uses an export", (text) =>
  expect(dead(file("a.ts", "export const a = 1;"), file("entry.ts", text))).toEqual([]),
);

test("an entry may export what others import", () => expect(dead(file("entry.ts", "export const a = 1;"))).toEqual([]));
