// The scanner with which the laws read our sources: what is code, what a file imports, and which functions it has.
import { describe, expect, test } from "vitest";
import { functionsOf, importsOf, onlyCode } from "../support/repository/source.ts";

describe("the scanner", () => {
  test("keeps code in its place and blanks everything else", () => {
    const text = 'a("/*"); // {\n/* } */ b(`x${c({ d: "}" })}y{`, /["{/]/g, 1 / 2 / 3); \'"\' + e';
    expect(onlyCode(text)).toBe('a("  ");     \n        b(`  {c({ d: " " })}  `, /      g, 1 / 2 / 3); \' \' + e');
    expect(onlyCode(text)).toHaveLength(text.length);
  });

  test("finds imports of every form, also over several lines, but not in strings", () => {
    const text = [
      '// import "no";',
      "import {",
      "  type A,",
      "  b,",
      '} from "one";',
      'import type C from "two";',
      'export { type D } from "three";',
      'await import("four");',
      'import "five";',
      'require("six");',
      "const s = 'import \"no\"';",
      "",
    ].join("\n");
    expect(importsOf(text).map(({ specifier, line, typeOnly }) => [specifier, line, typeOnly])).toEqual([
      ["one", 2, false],
      ["two", 6, true],
      ["three", 7, true],
      ["four", 8, false],
      ["five", 9, false],
      ["six", 10, false],
    ]);
  });

  test("finds the names of functions, also after types that look like code", () => {
    const text = [
      "interface A { f(a: string): void }",
      "export const one = async <T,>(a: (b: T) => void): Promise<void> => {",
      "};",
      "function two({ a }: A) {",
      "}",
      "for (const x of y) {",
      "}",
      "",
    ].join("\n");
    expect(functionsOf("a.ts", text).map(({ name, line, lines }) => [name, line, lines])).toEqual([
      ["one", 2, 2],
      ["two", 4, 2],
    ]);
  });
});
