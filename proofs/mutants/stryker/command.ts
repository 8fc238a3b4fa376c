// The command that Stryker's command runner starts in its copy of the project before it tries any mutant. It surveys
// the tests, lets every mutant face the tests that reach it, and writes into the folder BALLAST_MUTANTS what became of
// each: a line in outcomes.jsonl, and an empty file in `killed`. For each mutant Stryker then only looks for that file.
// So a mutant costs its tests and no start of a process.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { faceAll } from "./face-all.ts";
import type { Note } from "./score.ts";
import { mutantsIn, type Survey, type Surveyed, type SurveyedFile } from "./survey.ts";

/** The global in which Stryker's instrumented source counts what was executed. */
interface Instrumented {
  currentTestId?: string | undefined;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

const folder = process.env["BALLAST_MUTANTS"]!;
const asked = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as {
  readonly tests: readonly string[];
  readonly secondsPerMutant: number;
  readonly concurrency: number;
  readonly until: number;
};
enableCompileCache(join(folder, "compiled"));

/** Surveys one test file in this process. */
async function surveyFile(file: string): Promise<SurveyedFile> {
  const instrumented: Instrumented = Reflect.get(globalThis, "__stryker__") ?? {};
  Object.assign(globalThis, { __stryker__: instrumented });
  const { runTests } = await import("./run-tests.ts");
  const ran: Omit<Surveyed, "hits">[] = [];
  const failure = await runTests(file, 600, {
    isChosen: () => true,
    started: (title) => {
      instrumented.currentTestId = title;
    },
    ended: (run) => {
      if (run.failure !== undefined) throw new Error(`${file} fails on unchanged source: ${run.title}: ${run.failure}`);
      ran.push(run);
    },
  });
  if (failure !== undefined) throw new Error(`${file} fails on unchanged source: ${failure}`);
  const { static: loading = {}, perTest = {} } = instrumented.mutantCoverage ?? {};
  instrumented.mutantCoverage = { static: {}, perTest: {} };
  await runTests(file, 600, { isChosen: () => false, started: () => {}, ended: () => {} });
  const loadingAgain = instrumented.mutantCoverage.static;
  return { file, loading, loadingAgain, tests: ran.map((run) => ({ ...run, hits: perTest[run.title] ?? {} })) };
}

/** Surveys every test file, each in a process of its own, since a module is loaded once per process. */
function surveyAll(): Survey {
  return asked.tests.map((file) => {
    const ran = spawnSync(process.execPath, [import.meta.filename, file], { encoding: "utf8", maxBuffer: 2 ** 28 });
    if (ran.status !== 0) throw new Error(`${file}: ${ran.stderr}${ran.stdout}`);
    return JSON.parse(ran.stdout.slice(ran.stdout.lastIndexOf("\n{") + 1)) as SurveyedFile;
  });
}

function note(outcome: Note): void {
  appendFileSync(join(folder, "outcomes.jsonl"), `${JSON.stringify(outcome)}\n`);
  if (outcome.how === "killed") writeFileSync(join(folder, "killed", outcome.mutant), "");
}

const surveyedFile = process.argv[2];
if (surveyedFile !== undefined) {
  const surveyed = await surveyFile(surveyedFile);
  process.stdout.write(`\n${JSON.stringify(surveyed)}`, () => process.exit(0));
} else {
  const survey = surveyAll();
  writeFileSync(join(folder, "survey.json"), JSON.stringify(survey));
  mkdirSync(join(folder, "killed"));
  await faceAll(mutantsIn(survey), survey, asked, note);
  process.exit(0);
}
