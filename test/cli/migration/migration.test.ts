// `ballast migration`: what the check refuses in each phase, and what a run does to a real PostgreSQL: in order, once,
// under the lock, a contract only after its expand, and nothing of a file that fails.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refusals } from "../../../cli/migration/check.ts";
import { migrationsIn, type Phase } from "../../../cli/migration/files.ts";
import { runMigrations } from "../../../cli/migration/run.ts";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { runBallast } from "../../support/controlplane/ballast-command.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { query } from "../../support/postgres/prepared.ts";

const postgres = postgresForTests();
let folder: string;
let database: Database;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-migration-"));
  database = await postgres.fresh();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
const rulesOf = (phase: Phase): readonly string[] =>
  refusals(migrationsIn(folder), phase, folder).map(({ line, rule }) => `${line} ${rule}`);
const breaking = [
  ["alter table orders drop column note;", "ban-drop-column"],
  ["alter table orders rename column a to b;", "renaming-column"],
  ["alter table orders rename to sales;", "renaming-table"],
  ["alter table orders add column email text not null;", "adding-required-field"],
  ["alter table orders alter column a type bigint;", "changing-column-type"],
  ["alter table orders alter column a drop not null;", "ban-drop-not-null"],
  ["drop table archive;", "ban-drop-table"],
  ["drop view recent;", "expand-only-adds"],
  ["delete from orders;", "expand-only-adds"],
] as const;

test.each(breaking)(
  "an expand refuses what stable cannot live with, and a contract is there for it: %s",
  (text, rule) => {
    write("0001_x.expand.sql", `-- drop view in a comment\n${text}\n`);
    write("0001_x.contract.sql", `${text}\n`);
    expect(rulesOf("expand")).toEqual([`2 ${rule}`]);
    expect(rulesOf("contract")).toEqual([]);
  },
);

test("both phases refuse an index that locks writers out, and take what only adds", () => {
  for (const phase of ["expand", "contract"]) write(`0001_i.${phase}.sql`, "create index i on orders (a);\n");
  expect([rulesOf("expand"), rulesOf("contract")]).toEqual([
    ["1 require-concurrent-index-creation"],
    ["1 require-concurrent-index-creation"],
  ]);
  write("0001_i.expand.sql", "create index concurrently if not exists i on orders (a);\n");
  write("0002_c.expand.sql", "alter table orders add column email text;\n");
  expect(rulesOf("expand")).toEqual([]);
});

test("without the linter the check says what to install, and is no success", () => {
  write("0001_x.expand.sql", "select 1;\n");
  const where = process.platform;
  Object.defineProperty(process, "platform", { value: "none" });
  try {
    expect(() => rulesOf("expand")).toThrow(expect.objectContaining({ id: "migration-linter-missing" }));
  } finally {
    Object.defineProperty(process, "platform", { value: where });
  }
});

test("the command ends with 1 for a refusal, and with 2 for a folder or a database that is unclear", async () => {
  write("0001_x.expand.sql", "drop table orders;\n");
  const check = (...args: readonly string[]) => runBallast(["migration", "check", ...args], folder);
  const { code, out } = await check(".", "--phase", "expand");
  expect([code, out]).toEqual([1, expect.stringContaining("0001_x.expand.sql:1  ban-drop-table")]);
  write("late.sql", "select 1;\n");
  const unclear = await check(".", "--phase", "expand");
  expect([unclear.code, unclear.err]).toEqual([2, expect.stringContaining("migration-folder-unclear")]);
  expect(unclear.err).toContain("late.sql does not say in its name when it runs");
  rmSync(join(folder, "late.sql"));
  const ran = await runBallast(["migration", "run", ".", "--phase", "expand"], folder, { PGHOST: "127.0.0.1" });
  expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("migration-database-unclear")]);
});
const run = (phase: Phase) => runMigrations(database, migrationsIn(folder), phase, { report: () => undefined });

test("files run once, in order; a contract waits for its expand; what failed is undone", async () => {
  write("0001_orders.expand.sql", "create table orders (id int primary key, note text);\n");
  write("0002_email.expand.sql", "alter table orders add column email text;\n");
  write("0002_email.contract.sql", "alter table orders drop column note;\n");
  await expect(run("contract")).rejects.toMatchObject({ id: "migration-out-of-order" });
  expect(await run("expand")).toEqual(["0001_orders.expand.sql", "0002_email.expand.sql"]);
  expect([await run("expand"), await run("contract")]).toEqual([[], ["0002_email.contract.sql"]]);
  write("0003_i.expand.sql", "create index concurrently i on orders (email);\n");
  write("0004_bad.expand.sql", "create table half (id int);\nselect no_such_column from orders;\n");
  await expect(run("expand")).rejects.toMatchObject({
    id: "migration-failed",
    message: expect.stringContaining("no_such_column"),
  });
  const client = new pg.Client(connectionOptions(database));
  await client.connect();
  const { rows } = await client.query("select to_regclass('half') as half, to_regclass('i')::text as i");
  await client.end();
  expect(rows).toEqual([{ half: null, i: "i" }]);
  rmSync(join(folder, "0004_bad.expand.sql"));
  write("0001_orders.expand.sql", "create table orders (id bigint primary key);\n");
  await expect(run("expand")).rejects.toMatchObject({ message: expect.stringContaining("changed after it had run") });
});

test("a second job waits for the lock of the first, and then finds nothing to do", async () => {
  write("0001_slow.expand.sql", "create table slow (id int);\n");
  const first = new pg.Client(connectionOptions(database));
  await first.connect();
  await first.query("select pg_advisory_lock(hashtext('ballast'), hashtext('migrations'))");
  const both = Promise.all([run("expand"), run("expand")]);
  const waiting = () =>
    first.query("select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted");
  await eventually(async () => (await waiting()).rows[0].n === 2, "two jobs to wait", 20);
  await first.end();
  expect((await both).map((ran) => ran.length).toSorted()).toEqual([0, 1]);
});

test("a job that was started for the other phase runs nothing, and needs no database to say so", async () => {
  write("0001_x.contract.sql", "drop table orders;\n");
  const started = (phase: string) =>
    runBallast(["migration", "run", ".", "--phase", "contract"], folder, { BALLAST_MIGRATION_PHASE: phase });
  const other = await started("expand");
  expect([other.code, other.err]).toEqual([2, expect.stringContaining("migration-phase-other")]);
  expect((await started("contract")).err).toContain("migration-database-unclear");
});

test("the command writes the trace of its caller beside each file that it runs", async () => {
  const { host, port, name, user, password } = database;
  const environment = {
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: name,
    PGUSER: user,
    PGPASSWORD: String(password),
  };
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const command = (traceparent: string, ...more: readonly string[]) =>
    runBallast(["migration", "run", ".", "--phase", "expand", ...more], folder, {
      ...environment,
      PGSSLMODE: "disable",
      TRACEPARENT: traceparent,
    });
  write("0001_a.expand.sql", "create table a (id int);\n");
  const first = await command(`00-${trace}-00f067aa0ba902b7-01`);
  expect([first.code, first.out]).toEqual([0, `Trace: ${trace}\n0001_a.expand.sql has run\n`]);
  write("0002_b.expand.sql", "create table b (id int);\n");
  const second = await command("'; drop table a; --", "--json");
  expect(JSON.parse(second.out)).toEqual({ ran: ["0002_b.expand.sql"], trace: null });
  expect(await query(database, "select file, trace from ballast_migrations order by file")).toEqual([
    { file: "0001_a.expand.sql", trace },
    { file: "0002_b.expand.sql", trace: null },
  ]);
  // A table that was made before it had the column gets it.
  await query(database, "alter table ballast_migrations drop column trace");
  write("0003_c.expand.sql", "create table c (id int);\n");
  expect((await command(`00-${trace}-00f067aa0ba902b7-01`)).code).toBe(0);
  expect(await query(database, "select trace from ballast_migrations where file like '0003%'")).toEqual([{ trace }]);
});
