// `npm run mutants`: runs the mutation tests, which show that our tests detect bugs. Each mutant of
// mutants.json is a deliberate bug in our source, or a quirk of the emulator switched off. The command tries
// each one in a copy of the project, fails if no test detects it, and writes docs/evidence/mutants.md. Then it runs the
// mutants that Stryker generates, in stryker/.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCommandLine } from "../command-line.ts";
import { check, type Detection, type Mutant, mutantsOf, page, unchanged } from "./mutants.ts";
import { generatedPartOf, withGeneratedPart } from "./stryker/page.ts";
import { updateScore } from "./stryker/update-score.ts";

const help = `npm run mutants -- [options]

Tries the mutants of mutants.json, then those that Stryker generates in files that changed, and writes
docs/evidence/mutants.md. Exit code 1: a mutant that no test detects, or a survivor without a reason.

  --only NAME            try one mutant of mutants.json, and write nothing
  --generated            try the generated mutants only
  --file PATH            try the generated mutants of this file only; may be repeated
  --minutes NUMBER       start no generated mutant after so many minutes (default: 50)
  --concurrency NUMBER   try so many generated mutants at once (default: 2)`;

const root = join(import.meta.dirname, "..", "..");
const pagePath = join(root, "docs", "evidence", "mutants.md");

/** Copies the source of the project; the copy shares node_modules. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "ballast-mutants-"));
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

/** Tries one mutant in a copy, and gives the first test that failed; undefined if none did. */
function tryMutant(mutant: Mutant): Detection | undefined {
  const copy = copyProject();
  const began = performance.now();
  try {
    for (const { file, find, replace } of mutant.mutations ?? []) {
      const text = readFileSync(join(copy, file), "utf8");
      writeFileSync(
        join(copy, file),
        text.replace(find, () => replace),
      );
    }
    const output = join(copy, "mutant-report.json");
    const ran = spawnSync(
      process.execPath,
      [
        join(root, "node_modules", "vitest", "vitest.mjs"),
        "run",
        "--bail=1",
        "--reporter=json",
        `--outputFile=${output}`,
        ...(mutant.title ? ["-t", mutant.title] : []),
        ...mutant.tests,
      ],
      {
        cwd: copy,
        env: { ...process.env, ...(mutant.without ? { BALLAST_EMULATOR_WITHOUT: mutant.without } : {}) },
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
    // A test file that cannot be loaded has detected nothing: the mutant itself is broken.
    if (failed === undefined) {
      const messages = testResults.map(({ message }) => message).join(" ");
      throw new Error(`${mutant.name}: vitest failed, but no test did: ${(messages || ran.stderr).slice(0, 500)}`);
    }
    return { ...failed, seconds };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const values = readCommandLine(help, {
  only: { type: "string" },
  generated: { type: "boolean", default: false },
  file: { type: "string", multiple: true, default: [] },
  minutes: { type: "string", default: "50" },
  concurrency: { type: "string", default: "2" },
});

/** Runs the generated mutants, and prints what a person still has to answer. */
function tryGenerated(): void {
  const open = updateScore({
    files: values.file,
    concurrency: Number(values.concurrency),
    minutes: Number(values.minutes),
  });
  console.log([...open, `${open.length} open`].join("\n"));
  if (open.length > 0) process.exitCode = 1;
}

if (values.generated || values.file.length > 0) {
  tryGenerated();
  process.exit();
}
const mutants = mutantsOf(readFileSync(join(import.meta.dirname, "mutants.json"), "utf8"));
const asked = mutants.filter(({ name }) => values.only === undefined || name === values.only);
if (asked.length === 0)
  throw new Error(`There is no mutant ${values.only}. The mutants are ${mutants.map(({ name }) => name).join(", ")}.`);
const problems = check(mutants, (file) => readFileSync(join(root, file), "utf8"));
if (problems.length > 0) throw new Error(problems.join("\n"));

// A test that fails on unchanged source would seem to detect every mutant.
for (const run of unchanged(asked)) {
  const failure = tryMutant(run);
  if (failure) throw new Error(`${failure.file} fails on unchanged source: ${failure.title}`);
}
const detections = new Map<Mutant, Detection>();
for (const mutant of asked) {
  const by = tryMutant(mutant);
  console.log(
    by
      ? `detected    ${mutant.name}: ${by.file}, ${by.title} (${by.seconds.toFixed(1)} s)`
      : `UNDETECTED  ${mutant.name}: ${mutant.standsFor}`,
  );
  if (by) detections.set(mutant, by);
  else process.exitCode = 1;
}
if (values.only === undefined && process.exitCode !== 1)
  writeFileSync(pagePath, withGeneratedPart(page(detections), generatedPartOf(readFileSync(pagePath, "utf8"))));
if (values.only === undefined) tryGenerated();
