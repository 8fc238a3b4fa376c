// Shows that the mutation tests tell the outcomes apart, on a source of three functions whose outcomes are known. Every
// `npm run mutants` begins with it, and `npm test` runs it. A runner that runs no test fails it, and so does one in
// which every mutant fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runStryker } from "./run-stryker.ts";
import { outcomeOf, replacedText } from "./score.ts";

const source = "test/support/proofs/parcel.ts";

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

/** Runs the check, and lists what differs. It needs about ten seconds on an idle core. */
export function checkMachinery(): readonly string[] {
  const found = runStryker({
    files: [source],
    tests: ["test/support/proofs/parcel-tests.ts"],
    excludedMutators: ["StringLiteral", "ArrowFunction", "BlockStatement"],
    concurrency: 1,
    until: Number.MAX_SAFE_INTEGER,
  });
  const text = readFileSync(join(import.meta.dirname, "../../..", source), "utf8");
  const outcomes = new Map(
    (found.mutants[source] ?? []).map((mutant) => {
      const outcome = outcomeOf(mutant, found.notes.get(mutant.id));
      return [
        `${replacedText(text, mutant.location)} → ${mutant.replacement}`,
        outcome.how === "killed" ? `killed by ${outcome.by.title}` : outcome.how,
      ];
    }),
  );
  return Object.entries(expected).flatMap(([mutant, outcome]) =>
    outcomes.get(mutant) === outcome
      ? []
      : [`The mutant ${mutant} of ${source} should be "${outcome}"; it is "${outcomes.get(mutant)}".`],
  );
}
