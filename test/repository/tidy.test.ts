// Runs every law over the whole repository. A violation names the file, the line and the remedy. So that no law passes
// because it sees nothing, each also runs over small bad files: here, and in the tests of imports, frames and
// errors beside it.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { catalogue } from "../../errors/catalogue.ts";
import { importErrors, wordingsOf } from "../../toolchain/package/reference-errors.ts";
import { evenWordings, provokedErrors } from "../support/repository/error-laws.ts";
import * as exceptions from "../support/repository/exceptions.ts";
import { frameLaw, frames } from "../support/repository/frame-law.ts";
import { importLaw, readTable } from "../support/repository/import-law.ts";
import * as laws from "../support/repository/laws.ts";
import { readRepository, type SourceFile } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");
const repository = readRepository(root);
const architecture = repository.find(({ path }) => path === "docs/explain/architecture.md")?.text ?? "";

const errors = await importErrors();
const wordings = [...errors.values()]
  .flatMap((exports) => [...wordingsOf(exports).values()].flat())
  .map(({ id, message, fix, left }) => ({ id, title: catalogue().get(id)!.title, message, fix, left }));

describe("the repository", () => {
  test("has files to check", () => {
    const paths = repository.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["package.json", "test/repository/tidy.test.ts", "toolchain/node/node24.mjs", ".ci/run"]),
    );
    expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
  });

  test("imports only what docs/explain/architecture.md permits", () =>
    expect(importLaw(readTable(architecture), exceptions.computedImports)(repository)).toEqual([]));
  test("has frames that know no kind of work", () => expect(frameLaw(frames)(repository)).toEqual([]));
  test("has no circle of imports, including imports of types", () => expect(laws.noCircles(repository)).toEqual([]));
  test("has functions of 70 lines at most", () =>
    expect(laws.shortFunctions(exceptions.longFunctions)(repository)).toEqual([]));
  test("has files of 400 lines at most", () => expect(laws.shortFiles(exceptions.longFiles)(repository)).toEqual([]));
  test("has lines of 120 columns at most", () =>
    expect(laws.narrowLines(exceptions.wideLines)(repository)).toEqual([]));
  test("has a short file that carries out effects", () =>
    expect(
      repository.find(({ path }) => path === "controlplane/performers/rollout.ts")?.text.split("\n").length,
    ).toBeLessThan(120));
  test("opens every file with a comment on its purpose", () => expect(laws.openingComments(repository)).toEqual([]));
  test("has names that say what a thing is", () => expect(laws.sayingNames(repository)).toEqual([]));
  test("has source folders three deep at most", () => expect(laws.shallowFolders(repository)).toEqual([]));
  test("exports everything by its name", () => expect(laws.namedExports(repository)).toEqual([]));
  test("has run bits only on its launchers", () => expect(laws.runBits(repository)).toEqual([]));
  test("has file extensions in its imports", () => expect(laws.wholeImports(repository)).toEqual([]));
  test("contains no machine paths and no registries", () => expect(laws.placelessFiles(repository)).toEqual([]));
  test("has a lock file without addresses", () => expect(laws.lockWithoutAddresses(repository)).toEqual([]));
  test("words all errors in one form", () => {
    expect(new Set(wordings.map(({ id }) => id))).toEqual(new Set(catalogue().keys()));
    expect(evenWordings(wordings)(repository)).toEqual([]);
  });
  test("provokes every error of the catalogue in a test", () =>
    expect(provokedErrors(catalogue().keys())(repository)).toEqual([]));
});

const file = (path: string, text: string, executable = false): SourceFile => ({ path, text, executable });
/** Gives the places of the violations. */
const places = (law: laws.Law, ...files: readonly SourceFile[]): readonly string[] =>
  law(files).map((line) => line.split("  ")[0] ?? "");

describe("the law about", () => {
  test("functions finds declarations, methods and arrows, and ignores groups of tests", () => {
    const long = "  x();\n".repeat(70);
    for (const [head, key] of [
      ["function f(a: string): void {", "f"],
      ["export const f = async (a: { b: number }): Promise<void> => {", "f"],
      ["const o = { f(a) {", "f"],
      ["class C { async f<T>(a: T): Promise<T> {", "C > f"],
    ] as const) {
      expect(
        laws.shortFunctions()([
          file("a.ts", `\n${head}\n${long}}${head.includes("{ f(") || head.includes("class") ? "}" : ""}\n`),
        ]),
      ).toEqual([`a.ts:2  f has 72 lines (a.ts ${key}): split it by subject, to 70 lines at most.`]);
    }
    expect(places(laws.shortFunctions(), file("a.ts", `const f = () => ({\n${"  a: 1,\n".repeat(70)}});\n`))).toEqual([
      "a.ts:1",
    ]);
    expect(places(laws.shortFunctions(), file("a.ts", `function f(): void {\n${long.slice(14)}}\n`))).toEqual([]);
    expect(places(laws.shortFunctions(), file("a.test.ts", `describe("a, b", () => {\n${long}});\n`))).toEqual([]);
    expect(places(laws.shortFunctions(), file("a.test.ts", `test("a", () => {\n${long}});\n`))).toEqual([
      "a.test.ts:1",
    ]);
    expect(places(laws.shortFunctions(), file("a.ts", `if (a) {\n${long}}\n`))).toEqual([]);
  });

  test("files counts lines", () => {
    expect(
      places(
        laws.shortFiles(),
        file("a.ts", "//\n".repeat(401)),
        file("b.ts", "//\n".repeat(400)),
        file("c.json", "1\n".repeat(500)),
      ),
    ).toEqual(["a.ts:401"]);
  });

  test("exceptions requires their exact numbers, and that they are needed", () => {
    const files = [file("a.ts", "//\n".repeat(410)), file("b.ts", "//\n".repeat(420)), file("c.ts", "//\n")];
    expect(laws.shortFiles({ "a.ts": 410, "b.ts": 420 })(files)).toEqual([]);
    expect(laws.shortFiles({ "a.ts": 409, "b.ts": 430, "c.ts": 401 })(files)).toEqual([
      "a.ts:401  the file has 410 lines, but its exception says 409: bring it back to that, or below.",
      "b.ts:401  the file has 420 lines, but its exception says 430: write 420 into exceptions.ts.",
      "test/support/repository/exceptions.ts:1  c.ts needs no exception: remove its entry.",
    ]);
  });

  test("functions keeps an exception to its one function", () => {
    const long = `() => {\n${"  x();\n".repeat(70)}}`;
    const text = [
      `describe("a", () => {\ntest("b", async ${long});\ntest("c", ${long});\n});`,
      `beforeAll(async ${long});\nbeforeAll(async ${long});\nfunction f() { return ${long}; }\n`,
    ].join("\n");
    const keys = [
      'a.test.ts describe "a" > test "b"',
      'a.test.ts describe "a" > test "c"',
      'a.test.ts beforeAll ""',
      'a.test.ts beforeAll "" #2',
      "a.test.ts f",
      "a.test.ts f > function",
    ];
    const all = Object.fromEntries(keys.map((key) => [key, 72]));
    expect(laws.shortFunctions(all)([file("a.test.ts", text)])).toEqual([]);
    for (const key of keys) {
      const { [key]: _left, ...rest } = all;
      expect(laws.shortFunctions(rest)([file("a.test.ts", text)])).toEqual([expect.stringContaining(`(${key})`)]);
    }
  });

  test("lines finds wide ones, also in comments, and an exception holds the columns of its one line", () => {
    const wide = `// ${"x".repeat(118)}\n`;
    expect(places(laws.narrowLines(), file("a.ts", `//\n${wide}`), file("b.ts", wide.slice(1)))).toEqual(["a.ts:2"]);
    const key = `a.ts ${wide.slice(0, 40)}`;
    const law = laws.narrowLines({ [key]: 121 });
    expect(law([file("a.ts", wide)])).toEqual([]);
    expect(law([file("a.ts", wide + wide)])).toEqual([
      `a.ts:2  the line has 121 columns (${key} #2): break the comment or the text, to 120 columns at most.`,
    ]);
    expect(law([file("a.ts", `${wide.trim()}x\n`)])).toEqual([
      "a.ts:1  the line has 122 columns, but its exception says 121: bring it back to that, or below.",
    ]);
  });

  test("opening comments finds files without one, also after a #! line", () => {
    expect(
      places(
        laws.openingComments,
        file("a.ts", 'import "x";\n'),
        file("b.mjs", "#!/usr/bin/env node\nx();\n"),
        file("c.ts", "// Says what it is for.\n"),
        file("d.mjs", "#!/usr/bin/env node\n// Says what it is for,\n// in two lines.\nx();\n"),
        file("e.ts", "//\nx();\n"),
        file("f.ts", "/** Gives the sum of both numbers. */\nexport const f = 1;\n"),
        file("g.ts", "// biome-ignore lint/a/b: the caller needs it so.\nx();\n"),
        file("h.ts", "// @ts-expect-error: it has no types of its own.\nx();\n"),
        file("i.ts", '/// <reference path="./a.d.ts" />\nx();\n'),
        file("j.ts", "// The sum\nx();\n"),
      ),
    ).toEqual(["a.ts:1", "b.mjs:1", "e.ts:1", "f.ts:1", "g.ts:1", "h.ts:1", "i.ts:1", "j.ts:1"]);
  });

  test("names bans whole words in declared names, but no foreign names", () => {
    for (const text of [
      "const rowData = 1;",
      "function doIt() {}",
      "class RequestHandler {}",
      "interface UserInfo {}",
      "type SubnetNew = 1;",
      "const [a, utilB] = x;",
      "const { a: info } = x;",
      "let apiV2 = 1;",
      's.on("x", (data: Buffer) => data);',
      "function f(a: string, { b: helper }: C) {}",
      "function processOrders() {}",
      "const processAll = (a) => {};",
    ]) {
      expect(places(laws.sayingNames, file("a.ts", text)), text).toEqual(["a.ts:1"]);
    }
    for (const text of [
      "const { data } = x;",
      "const metadata = x.info;",
      "const x = { data: 1 };",
      's.on("data", (bytes) => bytes);',
      "const newest = renewed();",
      "const processId = 1; const undo = 2; const processOf = (a) => a;",
      "// the handler\nconst x = 'const data';",
      "type.info = data;",
      'import { type sendUnaryData } from "x";',
      "const resourceManager = 1;",
    ]) {
      expect(laws.sayingNames([file("a.ts", text)]), text).toEqual([]);
    }
    expect(
      places(
        laws.sayingNames,
        file("controlplane/utils/a.ts", ""),
        file("request-handler.ts", ""),
        file("a/common.test.ts", ""),
      ),
    ).toHaveLength(3);
  });

  test("folders counts depth", () => {
    expect(
      places(laws.shallowFolders, file("a/b/c/d/e.ts", ""), file("a/b/c/d.ts", ""), file("a/b/c/d/e.json", "")),
    ).toEqual(["a/b/c/d/e.ts:1"]);
  });

  test("exports finds default ones", () => {
    expect(
      places(
        laws.namedExports,
        file("a.ts", "\nexport default 1;"),
        file("b.ts", "export { a as default };"),
        file("c.ts", '// export default\nconst a = "export default";'),
        file("d.ts", 'export { default } from "x";'),
        file("e.ts", 'export { a as "default" };'),
      ),
    ).toEqual(["a.ts:2", "b.ts:1", "d.ts:1", "e.ts:1"]);
  });

  test("run bits works in both directions", () => {
    expect(
      places(
        laws.runBits,
        file("a", "#!/bin/sh\n"),
        file("b.ts", "", true),
        file("c", "#!/bin/sh\n", true),
        file("d.ts", ""),
      ),
    ).toEqual(["a:1", "b.ts:1"]);
  });

  test("imports requires file extensions", () => {
    expect(
      places(
        laws.wholeImports,
        file(
          "a.ts",
          'import a from "./a";\nexport * from "../b.js";\nawait import("./c");\nimport "./d.ts";\nimport e from "e";',
        ),
      ),
    ).toEqual(["a.ts:1", "a.ts:2", "a.ts:3"]);
  });

  test("circles finds them through types, re-exports and third files, but not in files that share an import", () => {
    const circle = [
      file("a/one.ts", '//\nimport type { T } from "./two.ts";'),
      file("a/two.ts", 'export { u } from "../b/three.ts";'),
      file("b/three.ts", 'import { v } from "../a/one.ts";'),
    ];
    expect(laws.noCircles([...circle, file("c.ts", 'import "./a/one.ts";')])).toEqual([
      "a/one.ts:2  it imports a/two.ts, which leads back to it: move what both need into a file of its own.",
      "a/two.ts:1  it imports b/three.ts, which leads back to it: move what both need into a file of its own.",
      "b/three.ts:1  it imports a/one.ts, which leads back to it: move what both need into a file of its own.",
    ]);
    expect(
      laws.noCircles([
        file("a.ts", 'import "./c.ts"; import "./b.ts";'),
        file("b.ts", 'import "./c.ts";'),
        file("c.ts", ""),
      ]),
    ).toEqual([]);
  });

  test("places finds machine paths and registries in any file", () => {
    const home = ["", "home", "ann", "x"].join("/");
    const host = ["proxy", "golang", "org"].join(".");
    expect(
      places(
        laws.placelessFiles,
        file("a.md", `see\n${home}`),
        file("b.yaml", `url: https://${host}/x`),
        file("c.ts", ["const a = `${b}", "work", "c`;"].join("/")),
      ),
    ).toEqual(["a.md:2", "b.yaml:1"]);
  });

  test("the lock file finds an address", () => {
    expect(
      places(
        laws.lockWithoutAddresses,
        file("package-lock.json", '{\n"resolved": "a/folder",\n  "link": true\n"resolved": "x",\n"resolved": "y"}'),
      ),
    ).toEqual(["package-lock.json:4"]);
  });
});
