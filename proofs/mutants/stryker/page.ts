// The second part of docs/evidence/mutants.md: the score of the generated mutants. The first part, the named mutants,
// is rendered by ../mutants.ts. Each part is written by its own run and leaves the other alone.
import { mutated, reasonsShareMax, secondsOfProcess, secondsPerMutant, secondsUntilHung } from "./scope.ts";
import { type Reason, type Scores, scoreTable } from "./score.ts";

const heading = "## Generated mutants";

/** Renders the part. */
export const generatedPart = (scores: Scores, reasons: readonly Reason[], files: readonly string[]): string =>
  `${heading}

\`npm run mutants\` also lets Stryker change the source in every way that it knows, one change at a time, in
${mutated.map((path) => `\`${path}\``).join(", ")}. No kind of change is left out. A mutant is
killed only if Stryker saw the tests fail and the failed test is on record. Every other mutant counts as surviving: one
that no test reaches, one that ran into a limit, one that Stryker disabled, one that the command had no time for.

| limit | value |
|---|---|
| time of a mutant's tests, measured on unchanged source; the quickest come first | ${secondsPerMutant} s |
| CPU time of a mutant's process, after which it counts as timed out | ${secondsOfProcess} s |
| time of a test that hangs, after which its mutant counts as timed out | ${secondsUntilHung} s |
| survivors with a reason | ${reasons.length}, of ${reasonsShareMax * 100} % at most of all mutants |

The command fails while a survivor has neither a test nor a reason, and lists each. In \`proofs/mutants/stryker\`,
\`score.json\` keeps them, and for each file the hashes of its source and of the tests that reached it. A file is run
again when one of them changes. \`npm run mutants -- --file <path>\` runs one file, and
\`npm run mutants -- --generated\` every file that changed, for 50 minutes at most. A run begins with a check on a tiny
source, in which mutants of every outcome are known. The first run installs Stryker, from the lock file of
\`proofs/mutants/tool\`.

Not mutated: the adapters. The claims in PostgreSQL are a function in the database, so each mutant would need one.
\`claims.contract.test.ts\` runs them against the same cases as the rule in \`controlplane/runtime/claims.ts\`.

${scoreTable(scores, reasons, files)}`;

/** Replaces this part of a page, or adds it. */
export const withGeneratedPart = (page: string, part: string): string => `${namedPart(page).trimEnd()}\n\n${part}`;

/** Gives the page without this part. */
export const namedPart = (page: string): string => page.split(heading)[0] ?? "";

/** Gives this part of a page; empty if it has none. */
export const generatedPartOf = (page: string): string => page.slice(namedPart(page).length);
