// `npm run check` checks the types of every program in the repository. The compiler says which files it checks; a
// declaration file beside a program, or a pattern that misses an extension, would leave one out without a word.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { expect, test } from "vitest";
import { isProgram, readRepository, type SourceFile } from "../support/repository/source.ts";
import { nodesOf } from "../support/repository/syntax.ts";

const root = join(import.meta.dirname, "..", "..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Gives the programs that no project of the check holds. */
const unchecked = (files: readonly SourceFile[], checked: ReadonlySet<string>): readonly string[] =>
  files.flatMap((file) => (isProgram(file) && !checked.has(file.path) && !onlyImports(file) ? [file.path] : []));

/** Reports a launcher without an extension, which the compiler cannot check, but which has nothing to check either. */
const onlyImports = (file: SourceFile): boolean =>
  !/\.\w+$/.test(file.path) &&
  nodesOf(file).every(({ node, field }) => field !== "body" || node.type === "ImportDeclaration");

test("the check covers every program", () => {
  const projects = [...scripts["check"]!.matchAll(/\btsc --noEmit(?: -p (\S+))?/g)].map(([, project = "."]) => project);
  expect(projects.length).toBeGreaterThan(0);
  const listed = projects.flatMap((project) =>
    execFileSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, project), "--noEmit", "--listFilesOnly"],
      { encoding: "utf8" },
    ).split("\n"),
  );
  const checked = new Set(listed.map((file) => relative(root, file).split(sep).join("/")));
  expect(unchecked(readRepository(root), checked)).toEqual([]);
});

test("a program that the compiler does not list is found", () => {
  const file = (path: string, text = ""): SourceFile => ({ path, text, executable: false });
  const files = [file("a.ts"), file("b.mjs"), file("c.js"), file("d.md"), file("e", "#!/usr/bin/env node\nf();\n")];
  expect(unchecked([file("f", '#!/usr/bin/env node\nimport "./b.mjs";\n')], new Set())).toEqual([]);
  expect(unchecked(files, new Set(["a.ts"]))).toEqual(["b.mjs", "c.js", "e"]);
});
