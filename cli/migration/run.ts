// What `ballast migration run` does, in a job inside the app's network: it runs the files of a phase that have not run
// yet, one after another under the database's lock, and writes each into a table of the database.
import { setTimeout as sleep } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import pg from "pg";
import { connectionOptions, type Database } from "../../controlplane/adapters/postgres/connection.ts";
import { type RetryPolicy, restBefore } from "../../engines/retry.ts";
import { migrationDatabaseUnclear, migrationFailed, migrationOutOfOrder } from "../../errors/migration.ts";
import { boundedAnswers } from "../../http-answer.ts";
import { type Migration, type Phase, withoutComments } from "./files.ts";

/** Gives the database of an environment: a password, or a token of the identity. @throws migration-database-unclear */
export function databaseIn(environment: NodeJS.ProcessEnv): Database {
  const { PGHOST: host, PGDATABASE: name, PGUSER: user, PGPASSWORD: password, PGPORT: port = "5432" } = environment;
  const missing = Object.entries({ PGHOST: host, PGDATABASE: name, PGUSER: user }).flatMap(([key, value]) =>
    value ? [] : [key],
  );
  if (missing.length > 0) throw migrationDatabaseUnclear({ missing });
  return {
    host: host!,
    port: Number(port),
    name: name!,
    user: user!,
    password: password ?? tokenOf,
    tls: environment["PGSSLMODE"] === "disable" ? "disable" : "require",
  };
}

/** Gives a token of the job's identity; `AZURE_CLIENT_ID` says which, if it has several. */
async function tokenOf(): Promise<string> {
  const policy = boundedAnswers({ bytesMax: 2 ** 20, seconds: 30, restSecondsMax: 5 });
  const identity = new ManagedIdentityCredential({
    ...(process.env["AZURE_CLIENT_ID"] && { clientId: process.env["AZURE_CLIENT_ID"] }),
    additionalPolicies: [{ policy, position: "perRetry" }],
  });
  return (await identity.getToken("https://ossrdbms-aad.database.windows.net/.default")).token;
}

const ledger = `create table if not exists ballast_migrations (
    file text primary key, hash text not null, at timestamptz not null default now());
  alter table ballast_migrations add column if not exists trace text`;
/** One lock for all migrations of a database: two jobs never change it at a time. */
const lock = "select pg_advisory_lock(hashtext('ballast'), hashtext('migrations'))";

/** Who asked for a run, and who hears of it. */
interface Asked {
  readonly report: (line: string) => void;
  /** The trace of the workflow's run. It is written beside each file. */
  readonly trace?: string | undefined;
}

/**
 * Runs what has not run yet.
 *
 * @returns the files that were run
 * @throws migration-out-of-order, migration-failed
 */
export async function runMigrations(
  database: Database,
  all: readonly Migration[],
  phase: Phase,
  { report, trace }: Asked,
): Promise<readonly string[]> {
  const client = new pg.Client({ ...connectionOptions(database), statement_timeout: 0 });
  client.on("error", () => undefined); // the statement that is under way says it too
  await client.connect();
  try {
    await client.query("set lock_timeout = '30min'");
    await client.query(lock);
    await client.query(ledger);
    const { rows } = await client.query<{ file: string; hash: string }>("select file, hash from ballast_migrations");
    const known = new Map(rows.map(({ file, hash }) => [file, hash]));
    const pending = pendingOf(all, phase, known);
    for (const each of pending) {
      await runOne(client, each, trace);
      report(`${each.file} has run`);
    }
    return pending.map(({ file }) => file);
  } finally {
    await client.end();
  }
}

/** Gives the files to run. What has run must not have changed since, and a contract comes after its own expand. */
function pendingOf(all: readonly Migration[], phase: Phase, known: ReadonlyMap<string, string>): readonly Migration[] {
  const changed = all.find(({ file, hash }) => known.has(file) && known.get(file) !== hash);
  if (changed !== undefined)
    throw migrationOutOfOrder({ file: changed.file, reason: "it was changed after it had run" });
  const pending = all.filter((each) => each.phase === phase && !known.has(each.file));
  const early = pending.find(
    ({ change }) =>
      phase === "contract" &&
      all.some((each) => each.change === change && each.phase === "expand" && !known.has(each.file)),
  );
  if (early !== undefined) throw migrationOutOfOrder({ file: early.file, reason: "its expand has not run yet" });
  return pending;
}

/** A statement that waits for a table makes everyone behind it wait, so it gives up soon and comes again. */
const lockWait = "5s";
const lockPolicy: RetryPolicy = { budgetSeconds: 300, firstRestSeconds: 2, restSecondsMax: 30, backoffRate: 2 };
const lockNotAvailable = "55P03";

async function runOne(client: pg.Client, { file, text, hash }: Migration, trace: string | undefined): Promise<void> {
  const note = {
    text: "insert into ballast_migrations (file, hash, trace) values ($1, $2, $3)",
    values: [file, hash, trace ?? null],
  };
  // What is made concurrently cannot be in a transaction.
  const isAlone = /\bconcurrently\b/i.test(withoutComments(text));
  const began = performance.now();
  for (let attempts = 1; ; attempts += 1)
    try {
      await client.query(`set lock_timeout = '${lockWait}'`);
      if (!isAlone) await client.query("begin");
      await client.query(text);
      await client.query(note);
      if (!isAlone) await client.query("commit");
      return;
    } catch (error) {
      if (!isAlone) await client.query("rollback");
      const { code, message } = error as pg.DatabaseError;
      const spent = (performance.now() - began) / 1000;
      const rest = code === lockNotAvailable ? restBefore(lockPolicy, attempts, spent, 0, Math.random()) : undefined;
      if (rest === undefined) throw migrationFailed({ file, reason: message, isAlone });
      await sleep(rest * 1000);
    }
}
