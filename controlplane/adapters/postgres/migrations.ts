// The tables of journal and claims, as numbered steps that are taken once and never edited. They may only add, because
// during a deployment the version before still works on them.
import type pg from "pg";

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

/** Any number will do that nobody else uses; it spells "ballast" on a telephone. */
const lockNumber = 2255278;

/** Brings the schema `ballast` up to date. Replicas that start together take turns, and the later ones find nothing to do. */
export async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await client.query("select pg_advisory_xact_lock($1)", [lockNumber]);
    await client.query(`create schema if not exists ballast;
      create table if not exists ballast.migrations (number integer primary key, at timestamptz not null default clock_timestamp())`);
    const { rows } = await client.query<{ taken: number }>("select count(*)::integer as taken from ballast.migrations");
    const taken = rows[0]?.taken ?? 0;
    for (const [index, step] of steps.entries()) {
      if (index < taken) continue;
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
