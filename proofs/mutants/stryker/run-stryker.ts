// Starts Stryker with its command runner on a copy of the project, and gives its report joined with the notes of
// command.ts. Stryker's vitest runner is not used: with vitest 5 it runs no test and reports a score of 0 %.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installedStryker } from "./installed.ts";
import { secondsOfProcess, secondsPerMutant } from "./scope.ts";
import type { Note, ReportedMutant } from "./score.ts";
import type { Survey } from "./survey.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** What to run. Paths are relative to the root of the project. */
export interface Asked {
  readonly files: readonly string[];
  readonly tests: readonly string[];
  readonly excludedMutators: readonly string[];
  readonly concurrency: number;
  /** Mutants that have not started by then are not run. */
  readonly until: number;
}

/** What Stryker and the command found. */
export interface Found {
  readonly mutants: Readonly<Record<string, readonly ReportedMutant[]>>;
  readonly notes: ReadonlyMap<string, Note>;
  readonly survey: Survey;
  /** What Stryker made of each file: the source with all its mutants, of which an environment variable chooses one. */
  readonly instrumented: Readonly<Record<string, string>>;
}

/**
 * Mutates the files and runs the tests on each mutant.
 *
 * @throws If a test fails on unchanged source, or if Stryker ends without a report.
 */
export function runStryker({ files, tests, excludedMutators, concurrency, until }: Asked): Found {
  const folder = mkdtempSync(join(tmpdir(), "ballast-stryker-"));
  const inFolder = (name: string): string => join(folder, name);
  try {
    writeFileSync(inFolder("run.json"), JSON.stringify({ files, tests, secondsPerMutant, secondsOfProcess, until }));
    writeFileSync(
      inFolder("stryker.json"),
      JSON.stringify({
        testRunner: "command",
        commandRunner: {
          command: `exec "${process.execPath}" proofs/mutants/stryker/command.ts`,
        },
        plugins: [],
        mutate: files,
        mutator: { plugins: null, excludedMutations: excludedMutators },
        ignorePatterns: ["docs", "images", "dist"],
        disableTypeChecks: false,
        // Stryker reads tsconfig.json with an API that TypeScript 7 no longer has.
        tsconfigFile: "no-tsconfig.json",
        coverageAnalysis: "off",
        concurrency,
        timeoutMS: 300_000,
        timeoutFactor: 1,
        tempDirName: inFolder("copies"),
        reporters: ["json", "progress-append-only"],
        jsonReporter: { fileName: inFolder("report.json") },
        allowConsoleColors: false,
      }),
    );
    const ran = spawnSync(process.execPath, [installedStryker(), "run", inFolder("stryker.json")], {
      cwd: root,
      env: { ...process.env, BALLAST_MUTANTS: folder },
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (!existsSync(inFolder("report.json"))) throw new Error(`Stryker gave no report.\n${ran.stdout}${ran.stderr}`);
    return read(inFolder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(inFolder: (name: string) => string): Found {
  const { files } = JSON.parse(readFileSync(inFolder("report.json"), "utf8")) as {
    readonly files: Readonly<Record<string, { readonly mutants: readonly ReportedMutant[] }>>;
  };
  const notes = existsSync(inFolder("outcomes.jsonl"))
    ? readFileSync(inFolder("outcomes.jsonl"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Note)
    : [];
  return {
    mutants: Object.fromEntries(Object.entries(files).map(([file, { mutants }]) => [file, mutants])),
    notes: new Map(notes.map((note) => [note.mutant, note])),
    survey: JSON.parse(readFileSync(inFolder("survey.json"), "utf8")) as Survey,
    instrumented: JSON.parse(readFileSync(inFolder("instrumented.json"), "utf8")) as Readonly<Record<string, string>>,
  };
}
