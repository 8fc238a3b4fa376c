// `ballast migration`: changes the schema of an app's database around a rollout, so that both revisions can serve.
import { type Command, Option } from "commander";
import { traceOf } from "../../engines/trace.ts";
import { migrationPhaseOther } from "../../errors/migration.ts";
import { print, printJson } from "../terminal.ts";
import { type Phase, phases } from "./files.ts";

interface MigrationOptions {
  readonly phase: Phase;
  readonly json?: boolean;
}

/** Adds the group `migration`. */
export function addMigration(program: Command): void {
  const group = program.command("migration").description("change a database's schema before and after a rollout");
  const phase = (): Option =>
    new Option("--phase <phase>", "which files: those before a rollout, or those after it")
      .choices([...phases])
      .makeOptionMandatory();
  group
    .command("check")
    .description("refuse statements that the stable revision cannot live with, or that lock a table for long")
    .argument("[folder]", "folder with the SQL files", "migrations")
    .addOption(phase())
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A file's name says when it runs: 0007_email.expand.sql before a rollout, 0007_email.contract.sql after it. The linter
is squawk, which the project installs: npm install --save-dev squawk-cli. The exit code is 1 if a statement is refused.

Examples:
  ballast migration check --phase expand
  ballast migration check database/migrations --phase contract`,
    )
    .action(async (folder: string, options: MigrationOptions) => {
      const [{ migrationsIn }, { refusals }] = await Promise.all([import("./files.ts"), import("./check.ts")]);
      const found = refusals(migrationsIn(folder), options.phase, folder);
      if (found.length > 0) process.exitCode = 1;
      if (options.json) return printJson({ refused: found });
      if (found.length === 0) return print("Nothing is refused.");
      print(found.map(({ file, line, rule, message }) => `${file}:${line}  ${rule}  ${message}`).join("\n"));
    });
  group
    .command("run")
    .description("run the files that have not run yet, one after another under the database's lock")
    .argument("[folder]", "folder with the SQL files", "migrations")
    .addOption(phase())
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
The database is in PGHOST, PGPORT, PGDATABASE and PGUSER. The password is in PGPASSWORD; without one, the identity's
token is the password. Run it in a Container Apps Job: the workflow db-migrate starts that, and never this command.
The trace that TRACEPARENT names is printed, and written beside each file into the table ballast_migrations. If
BALLAST_MIGRATION_PHASE names the other phase, nothing runs: the workflow was told the wrong job.

Example:
  ballast migration run --phase expand`,
    )
    .action(async (folder: string, options: MigrationOptions) => {
      const [{ migrationsIn }, { databaseIn, runMigrations }] = await Promise.all([
        import("./files.ts"),
        import("./run.ts"),
      ]);
      const asked = process.env["BALLAST_MIGRATION_PHASE"];
      if (asked && asked !== options.phase) throw migrationPhaseOther({ asked, own: options.phase });
      const all = migrationsIn(folder);
      const report = options.json ? () => undefined : print;
      const trace = traceOf(process.env["TRACEPARENT"]);
      if (trace !== undefined) report(`Trace: ${trace}`);
      const ran = await runMigrations(databaseIn(process.env), all, options.phase, { report, trace });
      if (options.json) return printJson({ ran, trace: trace ?? null });
      if (ran.length === 0) print("Nothing was left to run.");
    });
}
