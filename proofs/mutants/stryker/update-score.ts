// Runs Stryker on the files that changed, keeps the result of every other file, and writes score.json and the second
// part of docs/evidence/mutants.md. Before that it shows on a tiny source that each outcome is recognized, because a
// broken runner would report a score too.
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reachOf } from "../../../test/support/repository/image-reach.ts";
import { checkMachinery } from "./check-machinery.ts";
import { generatedPart, withGeneratedPart } from "./page.ts";
import { runStryker } from "./run-stryker.ts";
import { mutated, only, reasonsShareMax, tests } from "./scope.ts";
import {
  type FileScore,
  isStale,
  openSurvivors,
  type Reason,
  reasonProblems,
  type Scores,
  scoreFile,
} from "./score.ts";
import type { Survey } from "./survey.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const filesPerBatch = 12;
const scorePath = join(root, "proofs/mutants/stryker/score.json");
const pagePath = join(root, "docs/evidence/mutants.md");

/** Which files to run, and for how long. */
export interface Wanted {
  /** Runs these files only, changed or not; empty runs every changed file. */
  readonly files: readonly string[];
  readonly concurrency: number;
  /** No mutant starts after so many minutes; the rest counts as surviving. */
  readonly minutes: number;
}

/** Gives the files of folders and files of the repository that end so. */
const filesOf = (paths: readonly string[], ending: string): readonly string[] =>
  paths
    .flatMap((path) => (path.endsWith(".ts") ? path : globSync(`${path}/**/*${ending}`, { cwd: root })))
    .filter((path) => existsSync(join(root, path)))
    .toSorted();

/** The source files whose mutants count. */
export const mutatedFiles = (): readonly string[] => filesOf(mutated, ".ts");

/** Reads the results of all files. */
export const readScores = (): Scores =>
  existsSync(scorePath) ? (JSON.parse(readFileSync(scorePath, "utf8")) as Scores) : {};

/** Reads why survivors change nothing that a test could see. */
export const readReasons = (): readonly Reason[] =>
  JSON.parse(readFileSync(join(root, "proofs/mutants/stryker/reasons.json"), "utf8")) as readonly Reason[];

/** Gives the hash of a file; undefined if there is none. */
const hashOf = (file: string): string | undefined =>
  existsSync(join(root, file))
    ? createHash("sha256")
        .update(readFileSync(join(root, file)))
        .digest("hex")
        .slice(0, 16)
    : undefined;

/** Gives the tests that reach one of a file's mutants. A simulated seed or a scenario reaches nearly everything. */
const testsReaching = (mutants: readonly { readonly id: string }[], survey: Survey): readonly string[] =>
  survey
    .filter(({ loading, tests: ran }) => mutants.some(({ id }) => id in loading || ran.some(({ hits }) => id in hits)))
    .map(({ file }) => file);

/** Updates the score, and lists what a person still has to do: an empty list is success. */
export function updateScore({ files, concurrency, minutes }: Wanted): readonly string[] {
  const until = Date.now() + minutes * 60_000;
  const broken = checkMachinery();
  if (broken.length > 0) throw new Error(`The mutation tests cannot be trusted: ${broken.join(" ")}`);
  const before = readScores();
  const all = mutatedFiles();
  const unknown = files.filter((file) => !all.includes(file));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: not mutated. scope.ts lists what is.`);
  const run = files.length > 0 ? files : all.filter((file) => isStale(before[file], hashOf, file));
  console.log(`${run.length} of ${all.length} files to run`);
  for (const some of inBatches(run)) save(scoresOf(some, concurrency, until), all);
  const reasons = readReasons();
  const scores = save({}, all);
  const missing = all.filter((file) => scores[file] === undefined);
  return [
    ...openSurvivors(scores, reasons),
    ...reasonProblems(scores, reasons, reasonsShareMax),
    ...(missing.length === 0 ? [] : [`Without a run so far: ${missing.join(", ")}`]),
  ];
}

/** Splits the files, so that a run that is stopped loses little. Each batch surveys its tests anew. */
const inBatches = (files: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(files.length / filesPerBatch) }, (_, batch) =>
    files.slice(batch * filesPerBatch, (batch + 1) * filesPerBatch),
  );

/** Writes the results of some files beside those of the others, and the page; gives all results. */
function save(some: Scores, all: readonly string[]): Scores {
  const known = { ...readScores(), ...some };
  const scores = Object.fromEntries(
    all.flatMap((file) => {
      const score = known[file];
      return score ? [[file, score] as const] : [];
    }),
  );
  writeFileSync(scorePath, `${JSON.stringify(scores, undefined, 1)}\n`);
  writeFileSync(pagePath, withGeneratedPart(readFileSync(pagePath, "utf8"), generatedPart(scores, readReasons(), all)));
  return scores;
}

function scoresOf(files: readonly string[], concurrency: number, until: number): Scores {
  const faced = filesOf(tests, ".test.ts").filter((test) =>
    reachOf(test).files.some((file) => files.includes(file) && file.startsWith(only[test] ?? "")),
  );
  // Taken now, since Stryker works on a copy: what is edited during the run has not been run.
  const hashes = new Map([...files, ...faced].map((file) => [file, hashOf(file) ?? ""]));
  const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
  const found = runStryker({
    files,
    tests: faced,
    excludedMutators: [],
    concurrency,
    until,
  });
  return Object.fromEntries(
    files.map((file) => {
      const mutants = found.mutants[file] ?? [];
      const score: FileScore = {
        source: hashes.get(file)!,
        tests: Object.fromEntries(testsReaching(mutants, found.survey).map((test) => [test, hashes.get(test)!])),
        ...scoreFile(sources.get(file)!, mutants, found.notes),
      };
      console.log(`${file}: ${score.killed} of ${score.mutants} killed in ${score.cpuSeconds} s of CPU time`);
      // A file with mutants that were not run is stale at once, so that the next command runs it again.
      const complete = score.survivors.every(({ how }) => how !== "not run");
      return [file, complete ? score : { ...score, source: "incomplete" }];
    }),
  );
}
