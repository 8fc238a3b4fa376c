// Runs every law over the whole repository, and over small bad files, so that no law passes because it sees nothing. A
// violation names the file, the line and the remedy.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { catalogue } from "../../errors/catalogue.ts";
import * as exceptions from "../support/repository/exceptions.ts";
import { importLaw, readTable } from "../support/repository/import-law.ts";
import * as laws from "../support/repository/laws.ts";
import { readRepository, type SourceFile } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");
const repository = readRepository(root);
const architecture = repository.find(({ path }) => path === "docs/explain/architecture.md")?.text ?? "";

async function errorIds(): Promise<readonly string[]> {
  for (const name of readdirSync(join(root, "errors"))) await import(join(root, "errors", name));
  return [...catalogue().keys()];
}

describe("the repository", () => {
  test("has files to check", () => {
    const paths = repository.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["package.json", "test/repository/tidy.test.ts", "toolchain/node/node24.mjs", ".ci/run"]),
    );
    expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
  });

  test("imports only what docs/explain/architecture.md permits", () =>
    expect(importLaw(readTable(architecture))(repository)).toEqual([]));
  test("has no circle of imports, including imports of types", () => expect(laws.noCircles(repository)).toEqual([]));
  test("has functions of 70 lines at most", () =>
    expect(laws.shortFunctions(exceptions.longFunctions)(repository)).toEqual([]));
  test("has files of 400 lines at most", () => expect(laws.shortFiles(exceptions.longFiles)(repository)).toEqual([]));
  test("has lines of 120 columns at most", () =>
    expect(laws.narrowLines(exceptions.wideLines)(repository)).toEqual([]));
  test("has a short file that carries out effects", () =>
    expect(
      repository.find(({ path }) => path === "controlplane/runtime/perform.ts")?.text.split("\n").length,
    ).toBeLessThan(120));
  test("opens every file with a comment on its purpose", () => expect(laws.openingComments(repository)).toEqual([]));
  test("has names that say what a thing is", () => expect(laws.sayingNames(repository)).toEqual([]));
  test("has source folders three deep at most", () => expect(laws.shallowFolders(repository)).toEqual([]));
  test("exports everything by its name", () => expect(laws.namedExports(repository)).toEqual([]));
  test("has run bits only on its launchers", () => expect(laws.runBits(repository)).toEqual([]));
  test("has file extensions in its imports", () => expect(laws.wholeImports(repository)).toEqual([]));
  test("contains no machine paths and no registries", () => expect(laws.placelessFiles(repository)).toEqual([]));
  test("has a lock file without addresses", () => expect(laws.lockWithoutAddresses(repository)).toEqual([]));
  test("ends all errors' fixes and left texts in one form", () => expect(laws.evenWordings(repository)).toEqual([]));
  test("provokes every error of the catalogue in a test", async () =>
    expect(laws.provokedErrors(await errorIds())(repository)).toEqual([]));
});

const file = (path: string, text: string, executable = false): SourceFile => ({ path, text, executable });
/** Gives the places of the violations. */
const places = (law: laws.Law, ...files: readonly SourceFile[]): readonly string[] =>
  law(files).map((line) => line.split("  ")[0] ?? "");

describe("the law about", () => {
  test("functions finds declarations, methods and arrows, and ignores groups of tests", () => {
    const long = "  x();\n".repeat(70);
    for (const head of [
      "function f(a: string): void {",
      "export const f = async (a: { b: number }): Promise<void> => {",
      "const o = { f(a) {",
      "class C { async f<T>(a: T): Promise<T> {",
    ]) {
      expect(
        laws.shortFunctions()([
          file("a.ts", `\n${head}\n${long}}${head.includes("{ f(") || head.includes("class") ? "}" : ""}\n`),
        ]),
      ).toEqual(["a.ts:2  f has 72 lines: split it by subject, to 70 lines at most."]);
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

  test("lines finds wide ones, also in comments", () => {
    const wide = `// ${"x".repeat(118)}\n`;
    expect(places(laws.narrowLines(), file("a.ts", `//\n${wide}`), file("b.ts", wide.slice(1)))).toEqual(["a.ts:2"]);
    expect(laws.narrowLines({ "a.ts": 2 })([file("a.ts", wide + wide)])).toEqual([]);
  });

  test("opening comments finds files without one, also after a #! line", () => {
    expect(
      places(
        laws.openingComments,
        file("a.ts", 'import "x";\n'),
        file("b.mjs", "#!/usr/bin/env node\nx();\n"),
        file("c.ts", "// Says it.\n"),
      ),
    ).toEqual(["a.ts:1", "b.mjs:1"]);
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
      ),
    ).toEqual(["a.ts:2", "b.ts:1"]);
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

  test("errors' wording finds a full stop after a fix, and a missing one after what was left", () => {
    const text = [
      'entry("a-b", {',
      '  fix: () => "go.",',
      '  left: () => "well.",',
      "});",
      'entry("a-c", {',
      "  fix: ({ a }) =>",
      '    a ? `see \\`x\\`` : "go. Then stay",',
      "  left: unmoved,",
      "});",
      'entry("a-d", {',
      "  fix: () =>",
      '    a ? "go." : "stay",',
      '  left: () => "well",',
      "});",
    ].join("\n");
    expect(places(laws.evenWordings, file("errors/a.ts", text), file("cli/a.ts", text))).toEqual([
      "errors/a.ts:2",
      "errors/a.ts:11",
      "errors/a.ts:13",
    ]);
  });

  test("errors requires a test for each whole id, and one form of ids", () => {
    const law = laws.provokedErrors(["area-one", "area-two", "Bad_Id"]);
    const files = [
      file("errors/area.ts", '//\nentry("area-one"\nentry("area-two"\nentry("Bad_Id"'),
      file("test/a.test.ts", 'expect(e.id).toBe("area-one"); "area-two-more"; "Bad_Id"'),
    ];
    expect(law(files)).toEqual([
      "errors/area.ts:3  no test provokes area-two: write one that does and expects this id, or delete the entry.",
      "errors/area.ts:4  the error id Bad_Id does not have the form area-phrase: " +
        "write it in kebab-case, subsystem first.",
    ]);
  });
});

describe("the law of imports", () => {
  const table = readTable(`
| folder | may import | must never |
|---|---|---|
| \`errors\` | nothing | anything |
| \`core/engines\` | \`errors\` | any package, \`node:*\`, \`Date\`, \`Math.random\`, \`process\`, \`async\` |
| \`core/adapters\` | \`core/engines\` (types), \`errors\`, \`node:*\`, libraries | \`cloud\`, one another |
| \`components\`, \`config.ts\` | \`core/engines\` (plan, types), \`@pulumi/*\` | the rest of \`core\` |
| \`cloud\` | \`node:*\`, libraries, no \`@azure/*\` | everything of ours |
| \`index.ts\`, \`core/main.ts\`, \`test\` | anything | being imported |

Text after it.`);
  const law = importLaw(table);
  const verdict = (path: string, statement: string): readonly string[] => law([file(path, statement)]);

  test.each([
    ["errors/a.ts", 'import { b } from "./b.ts";'],
    ["core/engines/a.ts", 'import { b } from "../../errors/b.ts";'],
    ["core/engines/x/a.ts", 'import { b } from "../y/b.ts";'],
    [
      "core/engines/a.ts",
      "const a = { process: 1, at: b.Date, async: 2 }; // Date, await\ntype F = { readonly process: string };",
    ],
    [
      "core/adapters/azure/a.ts",
      [
        'import type { B } from "../../engines/b.ts";',
        'import { type C } from "../../engines/c.ts";',
        'import fs from "node:fs"; import x from "@azure/x";',
      ].join(" "),
    ],
    ["core/adapters/azure/a.ts", 'import { b } from "./b.ts";'],
    [
      "components/a.ts",
      [
        'import { plan } from "../core/engines/x/plan.ts";',
        'import type { B } from "../core/engines/b.ts";',
        'import p from "@pulumi/pulumi";',
      ].join(" "),
    ],
    ["cloud/a.ts", 'import x from "jose";'],
    ["index.ts", 'import "./cloud/a.ts"; import "./core/adapters/azure/a.ts"; import y from "anything";'],
    ["index.ts", 'import "./index/part.ts";'],
    ["test/a.test.ts", 'import "./support/b.ts"; import "../core/main.ts"; import "../index.ts";'],
  ])("permits %s: %s", (path, statement) => expect(verdict(path, statement)).toEqual([]));

  test.each([
    ["errors/a.ts", 'import fs from "node:fs";', "`errors` may not"],
    ["errors/a.ts", 'export { b } from "../core/engines/b.ts";', "`errors` may not"],
    ["core/engines/a.ts", 'import x from "jose";', "`core/engines` may not"],
    ["core/engines/a.ts", 'import fs from "node:fs";', "`core/engines` may not"],
    ["core/engines/a.ts", "const a = Date.now();", "it uses Date"],
    ["core/engines/a.ts", "function f(a: Date) {}", "it uses Date"],
    ["core/engines/a.ts", "const a = Math.random();", "it uses Math.random"],
    ["core/engines/a.ts", "const a = process.env;", "it uses process"],
    ["core/engines/a.ts", "const a = async () => 1;", "it uses async"],
    ["core/engines/a.ts", "function f(): Promise<void> {}", "it uses async"],
    ["core/adapters/azure/a.ts", 'import { b } from "../../engines/b.ts";', "may import its types only"],
    ["core/adapters/azure/a.ts", 'import { b } from "../postgres/b.ts";', "`core/adapters` may not"],
    ["core/adapters/azure/a.ts", 'import { b } from "../../../cloud/b.ts";', "`core/adapters` may not"],
    ["components/a.ts", 'import { plan, decide } from "../core/engines/x/decide.ts";', "may import its types only"],
    ["components/a.ts", 'import type { B } from "../core/adapters/azure/b.ts";', "`components` may not"],
    ["config.ts", 'import { readFileSync } from "node:fs";', "`config.ts` may not"],
    ["cloud/a.ts", 'const x = await import("@azure/identity");', "`cloud` may not"],
    ["cloud/a.ts", 'import { b } from "../errors/b.ts";', "`cloud` may not"],
    ["cloud/a.ts", 'import "../core/main.ts";', "an entry point, which is never imported"],
    ["index.ts", 'import "./test/support/b.ts";', "an entry point, which is never imported"],
    ["nowhere/a.ts", "", "has no row for it"],
  ])("refuses %s: %s", (path, statement, why) => {
    const [violation] = verdict(path, statement);
    expect(violation).toContain(why);
    expect(violation).toMatch(new RegExp(`^${path}:1 {2}`));
  });

  test("cannot be read from a page without the table", () =>
    expect(() => readTable("# Architecture\n")).toThrow("has no table"));
});
