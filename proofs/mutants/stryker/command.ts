// The command that Stryker's command runner starts in its copy of the project: once without a mutant, then once for
// each mutant. The first run surveys the tests. Each later one runs the tests that reach its mutant, stops at the first
// failure, and notes in the folder BALLAST_MUTANTS which test failed. A mutant without such a note is not killed.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { secondsUntilHung } from "./scope.ts";
import type { Outcome } from "./score.ts";
import { planFor, type Survey, type Surveyed, type SurveyedFile } from "./survey.ts";

/** The global in which Stryker's instrumented source keeps the active mutant and counts what was executed. */
interface Instrumented {
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}

const folder = process.env["BALLAST_MUTANTS"]!;
const { files, tests, secondsPerMutant, secondsOfProcess, until } = JSON.parse(
  readFileSync(join(folder, "run.json"), "utf8"),
) as {
  readonly files: readonly string[];
  readonly tests: readonly string[];
  readonly secondsPerMutant: number;
  readonly secondsOfProcess: number;
  readonly until: number;
};
const instrumented: Instrumented = Reflect.get(globalThis, "__stryker__") ?? {};
Object.assign(globalThis, { __stryker__: instrumented });
enableCompileCache(join(folder, "compiled"));

/** Surveys one test file in this process. */
async function surveyFile(file: string): Promise<SurveyedFile> {
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
  return { file, loading, tests: ran.map((run) => ({ ...run, hits: perTest[run.title] ?? {} })) };
}

/** Surveys every test file, each in a process of its own, since a module is loaded once per process. */
function surveyAll(): Survey {
  return tests.map((file) => {
    const ran = spawnSync(process.execPath, [import.meta.filename, file], { encoding: "utf8", maxBuffer: 2 ** 28 });
    if (ran.status !== 0) throw new Error(`${file}: ${ran.stderr}${ran.stdout}`);
    return JSON.parse(ran.stdout.slice(ran.stdout.lastIndexOf("\n{") + 1)) as SurveyedFile;
  });
}

/** Notes what became of the mutant, and ends the process at once: a mutant may have left timers behind. */
function end(mutant: string, outcome: Outcome): never {
  appendFileSync(
    join(folder, "outcomes.jsonl"),
    `${JSON.stringify({ mutant, cpu: process.cpuUsage(), ...outcome })}\n`,
  );
  process.exit(outcome.how === "killed" ? 1 : 0);
}

/** Gives the test files that killed the latest mutants. */
function recentKillers(): readonly string[] {
  const path = join(folder, "outcomes.jsonl");
  if (!existsSync(path)) return [];
  const latest = readFileSync(path, "utf8").trimEnd().split("\n").slice(-20);
  return latest.flatMap((line) => {
    const note = JSON.parse(line) as Outcome;
    return note.how === "killed" ? [note.by.file] : [];
  });
}

/** Kills this process once it has used so much CPU time. A busy machine ends no mutant early, and no loop lasts. */
function endAfter(seconds: number): void {
  const watch = `setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (user + system > ${seconds} * 1e6) process.kill(process.pid, "SIGKILL");
  }, 500);`;
  new Worker(watch, { eval: true }).unref();
}

async function face(mutant: string): Promise<never> {
  if (Date.now() > until) return end(mutant, { how: "not run" });
  const survey = JSON.parse(readFileSync(join(folder, "survey.json"), "utf8")) as Survey;
  const { stages, cut, hitLimit } = planFor(mutant, survey, secondsPerMutant, recentKillers());
  if (stages.length === 0) return end(mutant, { how: "uncovered" });
  Object.assign(instrumented, { hitCount: 0, hitLimit });
  endAfter(secondsOfProcess);
  const { runTests } = await import("./run-tests.ts");
  let at = { file: "", title: "" };
  const fail = (message: string): never =>
    /Hit count limit reached|timed out in \d+ms/.test(message) || (instrumented.hitCount ?? 0) > hitLimit
      ? end(mutant, { how: "timed out" })
      : end(mutant, { how: "killed", by: at });
  process.on("uncaughtException", ({ message }) => fail(message));
  process.on("unhandledRejection", (error) => fail(String(error)));
  for (const { file, titles } of stages) {
    at = { file, title: "" };
    const failure = await runTests(file, secondsUntilHung, {
      isChosen: (title) => titles.includes(title),
      started: (title) => {
        at = { file, title: title ?? "" };
      },
      ended: (run) => {
        at = { file, title: run.title };
        if (run.failure !== undefined) fail(run.failure);
      },
    });
    at = { file, title: "" };
    if (failure !== undefined) fail(failure);
  }
  return end(mutant, { how: cut ? "survived the quick tests" : "survived" });
}

const active = process.env["__STRYKER_ACTIVE_MUTANT__"];
if (process.argv[2] !== undefined) {
  const surveyed = await surveyFile(process.argv[2]);
  process.stdout.write(`\n${JSON.stringify(surveyed)}`, () => process.exit(0));
} else if (active === undefined) {
  const instrumentedFiles = Object.fromEntries(files.map((file) => [file, readFileSync(file, "utf8")]));
  writeFileSync(join(folder, "instrumented.json"), JSON.stringify(instrumentedFiles));
  writeFileSync(join(folder, "survey.json"), JSON.stringify(surveyAll()));
} else await face(active);
