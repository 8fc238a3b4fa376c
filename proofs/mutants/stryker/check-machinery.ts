// Shows that the mutation tests tell the outcomes apart, on a source of three functions whose outcomes are known. Every
// `npm run mutants` begins with it. `npm test` does not install Stryker: it runs the same mutants on the source that
// Stryker instrumented in the last run of this check. A runner that runs no test fails both, and so does one in which
// every mutant fails.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strykerVersion } from "./installed.ts";
import { type Found, runStryker } from "./run-stryker.ts";
import { outcomeOf, type ReportedMutant, replacedText } from "./score.ts";

const root = join(import.meta.dirname, "../../..");
export const source = "test/support/proofs/parcel.ts";
export const sourceTests: readonly string[] = ["test/support/proofs/parcel-tests.ts"];
const recordingPath = join(root, "test/support/proofs/instrumented-parcel.json");

/** What Stryker made of the source. */
export interface Recording {
  readonly stryker: string;
  readonly source: string;
  readonly instrumented: string;
  readonly mutants: readonly ReportedMutant[];
}

/** Reads what the last check recorded. */
export const readRecording = (): Recording => JSON.parse(readFileSync(recordingPath, "utf8")) as Recording;

/** What must become of some mutants of the source, by what is replaced. */
const expected: Readonly<Record<string, string>> = {
  "grams > 500 → true": "killed by a parcel > of 400 grams costs 4",
  "grams > 500 → false": "killed by a parcel > of 600 grams costs 9",
  "grams > 500 → grams <= 500": "killed by a parcel > of 400 grams costs 4",
  "grams > 500 → grams >= 500": "survived",
  "grams > 2_000 → true": "uncovered",
  "grams > 2_000 → grams <= 2_000": "uncovered",
  "(grams: number): boolean => grams > 2_000 → () => undefined": "disabled",
  "left > 0 → left <= 0": "killed by a parcel > goes into a van with nine others",
  "left -= 10 → left += 10": "timed out",
  "count++ → count--": "killed by a parcel > goes into a van with nine others",
};

/** Gives what a mutant replaces, and with what. */
const changeOf = (text: string, { location, replacement }: ReportedMutant): string =>
  `${replacedText(text, location)} → ${replacement}`;

/** Gives the mutants of which it is known what must become of them. */
export const knownMutants = ({ source: text, mutants }: Recording): readonly ReportedMutant[] =>
  mutants.filter((mutant) => changeOf(text, mutant) in expected);

/** Lists the mutants of which something else became than must. */
export function machineryProblems(
  text: string,
  mutants: readonly ReportedMutant[],
  notes: Found["notes"],
): readonly string[] {
  const outcomes = new Map(
    mutants.map((mutant) => {
      const outcome = outcomeOf(mutant, notes.get(mutant.id));
      return [changeOf(text, mutant), outcome.how === "killed" ? `killed by ${outcome.by.title}` : outcome.how];
    }),
  );
  return Object.entries(expected).flatMap(([mutant, outcome]) =>
    outcomes.get(mutant) === outcome
      ? []
      : [`The mutant ${mutant} of ${source} should be "${outcome}"; it is "${outcomes.get(mutant)}".`],
  );
}

/** Runs the check with Stryker, records what it made of the source, and lists what differs. It needs ten seconds. */
export function checkMachinery(): readonly string[] {
  const found = runStryker({
    files: [source],
    tests: sourceTests,
    excludedMutators: ["StringLiteral", "ArrowFunction", "BlockStatement"],
    concurrency: 1,
    until: Number.MAX_SAFE_INTEGER,
  });
  const text = readFileSync(join(root, source), "utf8");
  const mutants = found.mutants[source] ?? [];
  const recording: Recording = {
    stryker: strykerVersion(),
    source: text,
    instrumented: found.instrumented[source]!,
    mutants: mutants.map(({ id, mutatorName, replacement, status, location }) => ({
      id,
      mutatorName,
      ...(replacement !== undefined && { replacement }),
      status: status === "Ignored" ? status : "Pending",
      location,
    })),
  };
  writeFileSync(recordingPath, `${JSON.stringify(recording, undefined, 2)}\n`);
  return machineryProblems(text, mutants, found.notes);
}
