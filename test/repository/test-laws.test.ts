// The laws about tests and about folders, over the repository and over small bad files.
import { join } from "node:path";
import { expect, test } from "vitest";
import { testFolders } from "../support/repository/exceptions.ts";
import { readRepository, type SourceFile } from "../support/repository/source.ts";
import { noDrawers, noneLeftOut, sameSubjects } from "../support/repository/test-laws.ts";

const repository = readRepository(join(import.meta.dirname, "..", ".."));
const file = (path: string, text = ""): SourceFile => ({ path, text, executable: false });

test("the folders of tests have the subjects of the sources", () =>
  expect(sameSubjects(testFolders)(repository)).toEqual([]));
test("no folder is a drawer", () => expect(noDrawers(repository)).toEqual([]));
test("no test is left out without a reason", () => expect(noneLeftOut(repository)).toEqual([]));

test("a test that lies flat or has no source folder is found, and so is a spent entry", () => {
  const files = ["engines/rollout/a.ts", "test/a.test.ts", "test/engines/rollout/a.test.ts", "test/motors/a.test.ts"];
  const more = ["test/support/engines/a.ts", "test/support/a.ts", "test/support/motors/a.ts", "test/whole/a/b.json"];
  const law = sameSubjects({ "test/whole": "it holds whole programs", "test/gone": "it held others" });
  expect(law([...files, ...more].map((path) => file(path)))).toEqual([
    "test/a.test.ts:1  it lies flat in test/: move it to the folder of its subject.",
    "test/motors/a.test.ts:1  no source folder is called motors: move it to the folder of its subject.",
    "test/support/motors/a.ts:1  no source folder is called motors: move it to the folder of its subject.",
    "test/support/repository/exceptions.ts:1  test/gone is gone: remove its entry.",
  ]);
});

test("a folder without a subject is found", () => {
  const paths = ["a/misc/b.ts", "various/b.md", "a/common/b.json", "a/commons/b.ts", "common.ts"];
  expect(noDrawers(paths.map((path) => file(path))).map((line) => line.split(":")[0])).toEqual(paths.slice(0, 3));
});

test.each([
  'test.only("a", f);',
  '// Only this one.\ntest.only("a", f);',
  'describe.only("a", f);',
  'it.only.each([1])("a", f);',
  'test["only"]("a", f);',
  'test("a", { only: true }, f);',
  'fit("a", f);',
  'test.skip("a", f);',
  'test.todo("a");',
  'test.skipIf(isMac)("a", f);',
  'xtest("a", f);',
  'test("a", { skip: true }, f);',
  '// A file.\nconst a = 1;\ntest.skip("a", f);',
])("a test that is left out is found: %s", (text) =>
  expect(noneLeftOut([file("test/a.test.ts", text)])).toHaveLength(1),
);

test.each([
  '// Windows has no signals.\ntest.skipIf(isWindows)("a", f);',
  '// Not fixed yet.\n(open ? it.fails : it)("a", f);',
  'clock.skip(60); list.only("a"); test("a.only", f); const fit = 1; f({ skip: false });',
])("a test with a reason, and other uses of the words, pass: %s", (text) =>
  expect(noneLeftOut([file("test/a.test.ts", text)])).toEqual([]),
);
