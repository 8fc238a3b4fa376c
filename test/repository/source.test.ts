// What the laws read from our sources: what a file imports, and which functions it has.
import { expect, test } from "vitest";
import { functionsOf } from "../support/repository/functions.ts";
import { importsOf } from "../support/repository/imports.ts";
import { isProgram } from "../support/repository/source.ts";
import { nodesOf } from "../support/repository/syntax.ts";

test("programs are sources in every form of TypeScript and JavaScript, and launchers", () => {
  const named = (path: string, text = ""): boolean => isProgram({ path, text, executable: false });
  expect(["a.ts", "a.mts", "a.cts", "a.tsx", "a.js", "a.mjs", "a.cjs", "a.jsx"].filter((path) => !named(path))).toEqual(
    [],
  );
  expect(named("a", "#!/usr/bin/env node\n")).toBe(true);
  expect([named("a", "#!/bin/sh\n"), named("a.json"), named("a.ts.md")]).toEqual([false, false, false]);
});

test("nodes know their lines, also after characters of two units", () => {
  const text = 'const a = "😀";\n// b\nf(\n  `x${c}`,\n);\n';
  const lines = nodesOf({ path: "a.ts", text }).flatMap(({ node, line }) =>
    node.type === "Identifier" ? [[node["name"], line]] : [],
  );
  expect(lines).toEqual([
    ["a", 1],
    ["f", 3],
    ["c", 4],
  ]);
});

test("imports are found in every form, also over several lines, but not in comments and strings", () => {
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
    "const s = 'import \"no\"'; /* ` */ const t = `${f('`')} import \"no\"`; const u = /[\"'`]/;",
    'import "seven";',
    "",
  ].join("\n");
  expect(importsOf({ path: "a.ts", text }).map(({ specifier, line }) => [specifier, line])).toEqual([
    ["one", 2],
    ["two", 6],
    ["three", 7],
    ["four", 8],
    ["five", 9],
    ["six", 10],
    ["seven", 12],
  ]);
});

test("functions are found by their names, also after types that look like code", () => {
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
  expect(functionsOf({ path: "a.ts", text }).map(({ name, line, lines }) => [name, line, lines])).toEqual([
    ["one", 2, 2],
    ["two", 4, 2],
  ]);
});
