// `npm run kill-table`: proof that the tests have teeth. Each row is a deliberate bug in our source, or a truth of the stand-in switched off;
// each is tried in a copy of the project, and a row that no test notices makes the command fail. With `--only <name>` one row, without writing.
// Rows are in kill-table.json; what they stand for is said there.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { check, type Killed, type Row, rowsOf, table, unchanged } from "./rows.ts";

const root = join(import.meta.dirname, "..", "..");

/** Copies the project without what is not source; the packages are shared. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "ballast-kill-"));
  cpSync(root, copy, { recursive: true, filter: (path) => !/\/(node_modules|\.git)$/.test(path) });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

/** Tries one row in a copy, and gives the first test that noticed; undefined where none did. */
function tryRow(row: Row): Killed | undefined {
  const copy = copyProject();
  const began = performance.now();
  try {
    for (const { file, find, replace } of row.mutations ?? []) {
      const text = readFileSync(join(copy, file), "utf8");
      writeFileSync(
        join(copy, file),
        text.replace(find, () => replace),
      );
    }
    const output = join(copy, "kill-report.json");
    const ran = spawnSync(
      process.execPath,
      [
        join(root, "node_modules", "vitest", "vitest.mjs"),
        "run",
        "--bail=1",
        "--reporter=json",
        `--outputFile=${output}`,
        ...(row.title ? ["-t", row.title] : []),
        ...row.tests,
      ],
      {
        cwd: copy,
        env: { ...process.env, ...(row.without ? { BALLAST_STANDIN_WITHOUT: row.without } : {}) },
        encoding: "utf8",
      },
    );
    const seconds = (performance.now() - began) / 1000;
    if (ran.status === 0) return undefined;
    const { testResults } = JSON.parse(readFileSync(output, "utf8")) as Report;
    const failed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ title }) => ({ file: name.slice(copy.length + 1), title })),
    )[0];
    // A file that cannot even be loaded has noticed nothing: the row is broken, not killed.
    if (failed === undefined)
      throw new Error(
        `${row.name}: no test failed, but vitest did: ${
          testResults
            .map(({ message }) => message)
            .join(" ")
            .slice(0, 500) || ran.stderr.slice(0, 500)
        }`,
      );
    return { ...failed, seconds };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { only: { type: "string" } } });
const rows = rowsOf(readFileSync(join(import.meta.dirname, "mutants.json"), "utf8"));
const asked = rows.filter(({ name }) => values.only === undefined || name === values.only);
if (asked.length === 0)
  throw new Error(`there is no row ${values.only}; there are ${rows.map(({ name }) => name).join(", ")}`);
const complaints = check(rows, (file) => readFileSync(join(root, file), "utf8"));
if (complaints.length > 0) throw new Error(complaints.join("\n"));

// A test that fails without any bug would kill every row.
for (const row of unchanged(asked)) {
  const noticed = tryRow(row);
  if (noticed) throw new Error(`${noticed.file} fails although nothing was changed: ${noticed.title}`);
}
const killed = new Map<Row, Killed>();
for (const row of asked) {
  const by = tryRow(row);
  console.log(
    by
      ? `killed    ${row.name}: ${by.file}, ${by.title} (${by.seconds.toFixed(1)} s)`
      : `SURVIVED  ${row.name}: ${row.standsFor}`,
  );
  if (by) killed.set(row, by);
  else process.exitCode = 1;
}
if (values.only === undefined && process.exitCode !== 1)
  writeFileSync(join(root, "docs", "evidence", "mutants.md"), table(killed));
