// Errors of `ballast migration`. A statement that the check refuses is a result, not an error.
import { entry } from "./catalogue.ts";

/** The folder cannot be read as migrations. */
export const migrationFolderUnclear = entry<{ folder: string; reason: string }>("migration-folder-unclear", {
  exitCode: 2,
  title: "Migrations unreadable",
  message: ({ folder, reason }) => `The migrations in ${folder} cannot be read: ${reason}.`,
  fix: () => "name the folder, and its files <number>_<name>.expand.sql or <number>_<name>.contract.sql",
  left: () => "Nothing was changed.",
});

/** The linter is a package of the project. */
export const migrationLinterMissing = entry<{ reason: string }>("migration-linter-missing", {
  title: "No linter for migrations",
  message: ({ reason }) => `The linter for migrations, squawk, cannot be run: ${reason}.`,
  fix: () => "run npm install --save-dev squawk-cli",
  left: () => "Nothing was changed.",
});

/** The environment does not say which database. */
export const migrationDatabaseUnclear = entry<{ missing: readonly string[] }>("migration-database-unclear", {
  exitCode: 2,
  title: "No database to migrate",
  variants: [{ missing: ["PGHOST"] }],
  message: ({ missing }) => `The environment does not say which database: ${missing.join(", ")} is missing.`,
  fix: ({ missing }) => `set ${missing.join(", ")}`,
  left: () => "Nothing was changed.",
});

/** The workflow was told the job of the other phase. */
export const migrationPhaseOther = entry<{ asked: string; own: string }>("migration-phase-other", {
  exitCode: 2,
  title: "Job of the other phase",
  message: ({ asked, own }) => `The workflow asked for the phase ${asked}, and this job runs ${own}.`,
  fix: ({ asked }) => `give the workflow db-migrate the job of the phase ${asked}`,
  left: () => "Nothing was changed.",
});

/** A file does not fit what has run before. */
export const migrationOutOfOrder = entry<{ file: string; reason: string }>("migration-out-of-order", {
  title: "A migration does not fit what has run before",
  message: ({ file, reason }) => `${file} was not run: ${reason}.`,
  fix: () => "put a change of what has run into a new file; run an expand before its contract",
  left: () => "Nothing was changed.",
});

/** The database refused a statement. */
export const migrationFailed = entry<{ file: string; reason: string; isAlone: boolean }>("migration-failed", {
  title: "A migration failed",
  variants: [{ isAlone: false }, { isAlone: true }],
  message: ({ file, reason }) => `${file} failed: ${reason}.`,
  fix: () => "mend the file, which has not run, and run the phase again",
  left: ({ isAlone }) =>
    isAlone
      ? "It was not in a transaction, since it works concurrently: an index that is not valid may be left. " +
        "The files before it have run."
      : "It was rolled back as a whole. The files before it have run.",
});
