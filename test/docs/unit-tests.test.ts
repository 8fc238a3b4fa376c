// The guide to unit tests, as a reader follows it: its blocks are written into an empty folder under the names in their
// first lines, and run with Node's own test runner and with Vitest. The package there is this repository's sources.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "guides", "unit-tests.md"), "utf8");
const blocks = [...page.matchAll(/^```(?:js|ts)\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, name, text]) => ({
  name: name!,
  text: text!,
}));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-unit-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "ballast"), { recursive: true });
  for (const name of ["@pulumi", "vitest"]) symlinkSync(join(root, "node_modules", name), join(modules, name));
  const manifest = { name: "ballast", type: "module", exports: "./index.js" };
  writeFileSync(join(modules, "ballast", "package.json"), JSON.stringify(manifest));
  const source = pathToFileURL(join(root, "package.ts")).href;
  writeFileSync(join(modules, "ballast", "index.js"), `export * from ${JSON.stringify(source)};\n`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const { name, text } of blocks) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]) =>
  runChild(process.execPath, args, {
    cwd: folder,
    // Neither runner may take itself for a child of this one.
    environment: {
      ...Object.fromEntries(
        Object.entries(process.env).filter(
          ([name]) => !/^(VITEST|NODE_TEST_CONTEXT|NODE_OPTIONS|NODE_ENV|FORCE_COLOR)/.test(name),
        ),
      ),
      NO_COLOR: "1",
    },
  });

test("the guide has a program, a test for Node and a test for Vitest", () =>
  expect(blocks.map(({ name }) => name)).toEqual(["shop.js", "shop.test.js", "shop.test.ts"]));

test("its JavaScript passes under Node's own test runner", async () => {
  const { code, output } = await run("--test", "--test-reporter=tap", "shop.test.js");
  expect(code, output).toBe(0);
  expect(output).toMatch(/^# pass 2$/m);
}, 120_000);

test("its TypeScript passes under Vitest", async () => {
  const { code, output } = await run("node_modules/vitest/vitest.mjs", "run", "--root", ".", "shop.test.ts");
  expect(code, output).toBe(0);
  expect(output).toMatch(/Tests +2 passed/);
}, 120_000);

test("a test fails if the program is wrong", async () => {
  const program = join(folder, "shop.js");
  const text = readFileSync(program, "utf8");
  writeFileSync(program, text.replace("failurePointsMax: 0.5", "failurePointsMax: 0.6"));
  const { code, output } = await run("--test", "--test-reporter=tap", "shop.test.js");
  writeFileSync(program, text);
  expect([code, /^# fail 1$/m.test(output)], output).toEqual([1, true]);
}, 120_000);
