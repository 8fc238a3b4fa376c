// The tables of journal and claims, as numbered steps that are taken once and never edited. They may only add, because
// during a deployment the version before still works on them.
import type pg from "pg";
import { databaseUnprepared } from "../../../errors/journal.ts";

const steps: readonly string[] = [
  `create table ballast.streams (
     stream text primary key,
     target text not null,
     length integer not null,
     finished boolean not null,
     created_at timestamptz not null default clock_timestamp(),
     written_at timestamptz not null default clock_timestamp());
   create index on ballast.streams (target, created_at);
   create index on ballast.streams (created_at) where not finished;
   create index on ballast.streams (written_at);
   create table ballast.facts (
     stream text not null references ballast.streams,
     index integer not null,
     event jsonb not null,
     process text not null,
     epoch integer not null,
     written_at timestamptz not null default clock_timestamp(),
     primary key (stream, index));
   create table ballast.claims (
     target text primary key,
     holder text,
     process text,
     epoch integer not null,
     expires_at timestamptz not null);
   create table ballast.holds (
     target text primary key,
     id uuid not null default gen_random_uuid(),
     by text not null,
     until timestamptz not null);`,
  // Facts of the version before have no hash, and it may write more of them during a deployment.
  `alter table ballast.facts add column hash text;
   alter table ballast.streams add column hash text;`,
  // The row without a stream says since when there is such a channel.
  `create table ballast.notices (
     channel text not null,
     stream text not null,
     told integer not null,
     failures integer not null default 0,
     due_at timestamptz not null default clock_timestamp(),
     primary key (channel, stream));`,
];

/** PostgreSQL's words for a role that may not: invalid_authorization_specification, invalid_password, insufficient_privilege. */
const notForUs = ["28000", "28P01", "42501"];

/** Any number will do that nobody else uses; it spells "ballast" on a telephone. */
const lockNumber = 2255278;

/**
 * Brings the schema `ballast` up to date. Replicas that start together take turns, and the later ones find nothing to do.
 *
 * Where nothing is missing nothing is written, so that a role which may not write tables gets by; where it would have to, it is told who may.
 *
 * @throws database-unprepared
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  try {
    if ((await taken(pool)) < steps.length) await takeSteps(pool);
  } catch (error) {
    if (!notForUs.includes((error as pg.DatabaseError).code ?? "")) throw error;
    throw databaseUnprepared({ role: pool.options.user ?? "its role", why: (error as Error).message });
  }
}

/** Counts the steps that were taken. */
async function taken(client: Pick<pg.ClientBase, "query">): Promise<number> {
  const {
    rows: [found],
  } = await client.query<{ is: boolean }>("select to_regclass('ballast.migrations') is not null as is");
  if (!found?.is) return 0;
  const {
    rows: [counted],
  } = await client.query<{ steps: number }>("select count(*)::integer as steps from ballast.migrations");
  return counted?.steps ?? 0;
}

async function takeSteps(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await client.query("select pg_advisory_xact_lock($1)", [lockNumber]);
    await client.query(`create schema if not exists ballast;
      create table if not exists ballast.migrations (number integer primary key, at timestamptz not null default clock_timestamp())`);
    const before = await taken(client);
    for (const [index, step] of steps.entries()) {
      if (index < before) continue;
      await client.query(step);
      await client.query("insert into ballast.migrations (number) values ($1)", [index + 1]);
    }
    await client.query("commit");
    client.release();
  } catch (error) {
    client.release(true); // A closed connection rolls back by itself, whatever state it was in.
    throw error;
  }
}
