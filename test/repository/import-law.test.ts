// The law of imports, on a small table and on small bad files. `tidy.test.ts` runs it over the repository with the
// table of docs/explain/architecture.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importLaw, readTable } from "../support/repository/import-law.ts";
import { allImportsOf } from "../support/repository/imports.ts";

const table = readTable(`
| folder | may import | must never |
|---|---|---|
| \`errors\` | nothing | anything |
| \`core/engines\` | \`errors\` | any package, \`node:*\`, and whatever is impure |
| \`core/adapters\` | \`core/engines/plan.ts\`, \`errors\`, \`node:*\`, libraries | \`cloud\`, one another |
| \`components\`, \`config.ts\` | \`core/engines\`, \`@pulumi/*\` | the rest of \`core\` |
| \`cloud\` | \`node:*\`, libraries, no \`@azure/*\` | everything of ours |
| \`examples\` | \`ballast\`, libraries | everything else of ours |
| \`demo\`, \`test/support\` | anything | being imported, except by the roots below |
| \`tools\` | \`demo\`, \`core\` | being imported |
| \`index.ts\`, \`core/main.ts\`, \`test\` | anything | being imported |

Text after it.`);
const verdict = (path: string, text: string): readonly string[] =>
  importLaw(table)([{ path, text, executable: false }]);

test.each([
  ["errors/a.ts", 'import { b } from "./b.ts";'],
  ["core/engines/a.ts", 'import { b } from "../../errors/b.ts";'],
  ["core/engines/x/a.ts", 'import { b } from "../y/b.ts";'],
  ["core/adapters/azure/a.ts", 'import type { B } from "../../engines/plan.ts"; import fs from "node:fs";'],
  ["core/adapters/azure/a.ts", 'import x from "@azure/x"; import { b } from "./b.ts";'],
  ["components/a.ts", 'import { plan } from "../core/engines/x/plan.ts"; import p from "@pulumi/pulumi";'],
  ["cloud/a.ts", 'import x from "jose";'],
  [
    "cloud/a.ts",
    'new Worker(new URL("worker.ts", import.meta.url)); new URL("../../node_modules/x", import.meta.url);',
  ],
  [
    "cloud/a.ts",
    "new URL(path, origin); config.require(key); const { require } = config; const o = { require: 1, vi: 2 };",
  ],
  ["examples/a.ts", 'import x from "ballast";'],
  ["demo/a.ts", 'import "./b.ts"; import "../cloud/a.ts";'],
  ["tools/a.ts", 'import "../demo/a.ts";'],
  ["index.ts", 'import "./cloud/a.ts"; import "./core/adapters/azure/a.ts"; import y from "anything";'],
  ["index.ts", 'import "./index/part.ts"; import "./demo/a.ts";'],
  ["test/a.test.ts", 'import "./support/b.ts"; import "../core/main.ts"; import "../index.ts"; import "../demo/a.ts";'],
  ["test/support/a.ts", 'import "../../demo/a.ts"; import "../../core/main.ts";'],
])("the law permits %s: %s", (path, text) => expect(verdict(path, text)).toEqual([]));

test.each([
  ["errors/a.ts", 'import fs from "node:fs";', "`errors` may not"],
  ["errors/a.ts", 'export { b } from "../core/engines/b.ts";', "`errors` may not"],
  ["core/engines/a.ts", 'import x from "jose";', "`core/engines` may not"],
  ["core/engines/a.ts", 'import fs from "node:fs";', "`core/engines` may not"],
  ["core/adapters/azure/a.ts", 'import type { B } from "../../engines/b.ts";', "`core/adapters` may not"],
  ["core/adapters/azure/a.ts", 'import { b } from "../postgres/b.ts";', "`core/adapters` may not"],
  ["core/adapters/azure/a.ts", 'import { b } from "../../../cloud/b.ts";', "`core/adapters` may not"],
  ["core/adapters/azure/a.ts", 'import b from "ballast";', "`core/adapters` may not"],
  ["components/a.ts", 'import type { B } from "../core/adapters/azure/b.ts";', "`components` may not"],
  ["config.ts", 'import { readFileSync } from "node:fs";', "`config.ts` may not"],
  ["cloud/a.ts", 'const x = await import("@azure/identity");', "`cloud` may not"],
  ["cloud/a.ts", 'import { b } from "../errors/b.ts";', "`cloud` may not"],
  ["cloud/a.ts", 'import { b } from "file:///errors/b.ts";', "`cloud` may not"],
  ["cloud/a.ts", 'import "../core/main.ts";', "an entry point, which is never imported"],
  ["cloud/a.ts", 'import "../demo/a.ts";', "only the roots know `demo`"],
  ["cloud/a.ts", 'import "../test/support/b.ts";', "only the roots know `test/support`"],
  ["demo/a.ts", 'import "../test/support/b.ts";', "only the roots know `test/support`"],
  ["test/support/a.ts", 'import "../a.test.ts";', "an entry point, which is never imported"],
  ["index.ts", 'import "./tools/a.ts";', "an entry point, which is never imported"],
  ["nowhere/a.ts", "", "has no row for it"],
  ["nowhere/a.tsx", "", "has no row for it"],
  ["cloud/a.cts", 'import b = require("../errors/b.cts");', "`cloud` may not"],
  ["cloud/a.mts", 'import "../errors/b.mts";', "`cloud` may not"],
  ["cloud/a.jsx", 'import "../errors/b.js"; const a = <b />;', "`cloud` may not"],
])("the law refuses %s: %s", (path, text, why) => {
  const [violation] = verdict(path, text);
  expect(violation).toContain(why);
  expect(violation).toMatch(new RegExp(`^${path}:1 {2}`));
});

test.each([
  'import { "a b" as b } from "../errors/b.ts";',
  'export * as c from "../errors/b.ts";',
  'import { type B } from "../errors/b.ts?raw";',
  'type B = import("../errors/b.ts").B;',
  "import(`../errors/b.ts`);",
  'import.meta.resolve("../errors/b.ts");',
  'const require = createRequire(import.meta.url);\nrequire("../errors/b.ts");',
  'createRequire(import.meta.url)("../errors/b.ts");',
  'createRequire(import.meta.url).resolve("../errors/b.ts");',
  'vi.mock("../errors/b.ts");',
  'vi.mock(import("../errors/b.ts"), f);',
  'await vi["importActual"]("../errors/b.ts");',
  '/// <reference path="../errors/b.ts" />',
  'declare module "../errors/b.ts" {}',
])("the law refuses another folder's source in the form %s", (text) =>
  expect(verdict("cloud/a.ts", text)).toEqual([expect.stringContaining("but `cloud` may not: move the code")]),
);

test.each(['/** @type {import("../errors/b.ts").B} */', '/** @import { B } from "../errors/b.ts" */'])(
  "the law refuses another folder's type in the comment %s of JavaScript",
  (text) => {
    expect(verdict("cloud/a.mjs", text)).toHaveLength(1);
    expect(verdict("cloud/a.ts", text)).toEqual([]);
  },
);

test.each([
  'new Worker(new URL("../errors/b.ts", import.meta.url));',
  'new URL("../errors/", import.meta.url);',
  'new URL("..", import.meta.url);',
  'new URL(`../errors/${name}`, import.meta["url"]);',
  'URL.parse("../errors/b.ts", import.meta.url);',
  'const here = import.meta.url; new Worker(new URL("../errors/b.ts", here));',
  'let here = import.meta.url; here = String(here); new Worker(new URL("../errors/b.ts", here));',
  'const here = import.meta.dirname; const b = here; fork(join(b, "..", "errors", "b.ts"));',
  'fork(path.join(import.meta.dirname, "../errors/b.ts"));',
  'spawn("node", [resolve(import.meta.dirname, "..", "errors/b.ts")]);',
  'readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../errors", name));',
  "readFileSync(`${import.meta.dirname}/../errors/b.ts`);",
  'readFileSync(import.meta.dirname + "/../errors/b.ts");',
  'readFileSync(join(__dirname, "..", "errors", "b.ts"));',
  'const root = join(import.meta.dirname, ".."); spawn("make", { cwd: root });',
  'export const root = join(import.meta.dirname, "..");',
  'readFileSync(join(import.meta.dirname, "..", "package.json"));',
  'readFileSync(new URL("../docs/page.md", import.meta.url));',
])("the law refuses another folder's file by its path in %s", (text) =>
  expect(verdict("cloud/a.ts", text)).toEqual([
    expect.stringMatching(/^cloud\/a\.ts:1 {2}it reaches .+ by the path .+ but `cloud` may not: move the code/),
  ]),
);

test.each([
  'const here = import.meta.dirname; readFileSync(join(here, "recordings", name)); readFileSync(`${here}/b.json`);',
  "spawn(process.execPath, [import.meta.filename]); const root = join(import.meta.dirname, '..'); f(root2);",
  'const root = join(import.meta.dirname, ".."); readFileSync(join(root, "node_modules", "x", "y.json"));',
  'readFileSync(join(folder, "..", "errors", "b.ts")); function f(here: string) { return join(here, "../errors"); }',
])("the law permits the paths in %s", (text) => expect(verdict("cloud/a.ts", text)).toEqual([]));

test("the law lists a path with a reason, and lets it reach what its row allows", () => {
  const file = { path: "cloud/a.ts", text: 'f(join(import.meta.dirname, "../errors/b.ts"));', executable: false };
  const key = 'cloud/a.ts join(import.meta.dirname, "../errors/b.ts")';
  expect(importLaw(table, { [key]: "it only counts the lines" })([file])).toEqual([]);
  expect(verdict("core/engines/a.ts", 'f(new URL("../../errors/b.ts", import.meta.url));')).not.toContainEqual(
    expect.stringContaining("by the path"),
  );
});

test.each([
  "import(name)",
  "import(`../${name}.ts`)",
  'import("../errors/" + name)',
  "import.meta.resolve(name)",
  "createRequire(import.meta.url)(name)",
  "vi.mock(path)",
  "new URL(name, import.meta.url)",
  "join(import.meta.dirname, name)",
  "URL.parse(name, import.meta.url)",
])("the law refuses %s, whose module cannot be read, unless it is listed with a reason", (text) => {
  const file = { path: "cloud/a.ts", text: `const a = f(${text});`, executable: false };
  expect(importLaw(table)([file])).toEqual([
    `cloud/a.ts:1  what ${text} imports cannot be read: ` +
      "name the module by a literal, or list it with a reason in exceptions.ts.",
  ]);
  const listed = importLaw(table, { [`cloud/a.ts ${text}`]: "it loads them all" });
  expect(listed([file])).toEqual([]);
  expect(listed([{ ...file, text: "" }])).toEqual([expect.stringContaining("is no computed import any more")]);
});

test.each([
  'import { createRequire as load } from "node:module";',
  'import { "createRequire" as load } from "node:module";',
  "const load = createRequire(import.meta.url);",
  "const load = module.createRequire(import.meta.url);",
  "const load = createRequire;",
  "const load = require;",
  "f(require);",
  "f(require.resolve);",
  "const { resolve } = import.meta;",
  "const load = import.meta.resolve;",
  'import { vi as mocks } from "vitest";',
  'import * as module from "node:module";',
  'import module from "module";',
  'import { default as module } from "node:module";',
  'const { createRequire: load } = await import("node:module");',
  'const { createRequire: load } = require("module");',
  'process.getBuiltinModule("module");',
  'process["getBuiltinModule"]("module");',
  'process["getBuiltin" + "Module"]("module");',
  'import { getBuiltinModule } from "node:process";',
  'module._load("../errors/b.ts");',
  "const { mock } = vi;",
])("the law refuses a loader that is given away: %s", (text) =>
  expect(allImportsOf({ path: "a.ts", text }).unreadable).toHaveLength(1),
);

test("the law reads the first line of a launcher", () => {
  const launcher = (options: string): readonly string[] =>
    importLaw(table)([{ path: "cloud/a", text: `#!/usr/bin/env -S ${options}\n`, executable: true }]);
  expect(launcher("node --disable-warning=X")).toEqual([]);
  for (const options of ["node --import ../errors/b.ts", "node24 --import=../errors/b.ts", "npx tsx -r ../errors/b.ts"])
    expect(launcher(options)).toEqual([expect.stringContaining("`cloud` may not")]);
});

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "explain", "architecture.md"), "utf8");

test("the page keeps the list of the kinds, the command, the demo and the tests' support to the roots", () => {
  const kept = readTable(page).filter(({ importers }) => importers === "roots");
  expect(kept.flatMap(({ folders }) => folders)).toEqual(["engines/kinds.ts", "cli", "demo", "test/support"]);
});

test("the law cannot be read from a page without the table", () =>
  expect(() => readTable("# Architecture\n")).toThrow("has no table"));
