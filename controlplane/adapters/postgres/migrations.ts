// The tables of journal and claims, as numbered migrations that are applied once and never edited after a release. They
// may only add, because the previous version still uses the tables during a deployment.
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
   create table ballast.locks (
     target text primary key,
     id uuid not null default gen_random_uuid(),
     by text not null,
     until timestamptz not null);`,
  // Facts of the previous version have no hash, and it may write more of them during a deployment.
  `alter table ballast.facts add column hash text;
   alter table ballast.streams add column hash text;`,
  // The row with an empty stream records that the notifier is registered.
  `create table ballast.notifications (
     notifier text not null,
     stream text not null,
     delivered integer not null,
     failures integer not null default 0,
     due_at timestamptz not null default clock_timestamp(),
     primary key (notifier, stream));`,
  // A stream may have several targets, which its claims name; all are claimed or none. The rules are those of
  // runtime/claims.ts. Rows are made and locked in the order of their keys, so that no two claims wait for each other.
  `alter table ballast.streams alter column target drop not null;
   create function ballast.take(keys text[], stream text, by_process text, lease float8,
     out held_by text, out epoch integer) language plpgsql as $take$
   declare
     claim record;
     highest integer := 0;
     kept boolean := true;
   begin
     insert into ballast.claims (target, epoch, expires_at)
       select key, 0, '-infinity' from unnest(keys) as key order by key on conflict do nothing;
     for claim in
       select c.holder, c.process, c.epoch, c.expires_at > clock_timestamp() as live
       from ballast.claims c where c.target = any(keys) order by c.target for update
     loop
       if claim.holder <> stream then
         held_by := claim.holder;
       elsif claim.holder = stream and claim.live and claim.process <> by_process then
         held_by := coalesce(held_by, stream);
       end if;
       kept := kept and claim.holder is not distinct from stream and claim.live and highest in (0, claim.epoch);
       highest := greatest(highest, claim.epoch);
     end loop;
     if held_by is not null then
       return;
     end if;
     epoch := case when kept then highest else highest + 1 end;
     update ballast.claims c set holder = stream, process = by_process, epoch = take.epoch,
         expires_at = clock_timestamp() + make_interval(secs => lease)
       where c.target = any(keys);
   end $take$;`,
  // What lists, the heartbeat and telemetry show of a stream. `described` is the number of facts that the rest covers:
  // if it is not the length, as after a write of the previous version, whoever reads the row reads the journal instead.
  // A stream that only a signal can move is due at infinity.
  `alter table ballast.streams
     add column kind text generated always as (split_part(stream, '/', 1)) stored,
     add column described integer,
     add column phase text,
     add column ended jsonb,
     add column summary jsonb,
     add column due_at timestamptz,
     add column looked_at timestamptz;
   create index on ballast.streams (kind, created_at desc, stream);`,
  // Why the loop cannot go on with the stream: an error of the catalogue. The next fact ends that.
  "alter table ballast.streams add column stuck jsonb;",
  // What programs declare beside the settings, by its target.
  `create table ballast.declarations (
     target text primary key,
     value jsonb not null,
     written_at timestamptz not null default clock_timestamp());`,
  // Who has paused all remediations, until when and why. The last row counts; one without an end resumes.
  `create table ballast.pauses (
     number bigint generated always as identity primary key,
     at timestamptz not null default clock_timestamp(),
     by text not null,
     message text not null,
     until timestamptz);`,
];

/**
 * PostgreSQL's codes for a role without the right: invalid_authorization_specification, invalid_password,
 * insufficient_privilege.
 */
const notForUs = ["28000", "28P01", "42501"];

/** The key of our advisory lock: "ballast" on a telephone keypad. Any number that nothing else uses would do. */
const lockNumber = 2255278;

/**
 * Brings the schema `ballast` up to date. Replicas that start together wait for each other; the later ones find nothing
 * to do. If nothing is missing nothing is written, so a role without the right to create tables succeeds.
 *
 * @throws database-unprepared if the role lacks the rights for what is missing.
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  try {
    if ((await countApplied(pool)) < steps.length) await applySteps(pool);
  } catch (error) {
    if (!notForUs.includes((error as pg.DatabaseError).code ?? "")) throw error;
    throw databaseUnprepared({ role: pool.options.user ?? "its role", why: (error as Error).message });
  }
}

async function countApplied(client: Pick<pg.ClientBase, "query">): Promise<number> {
  const {
    rows: [found],
  } = await client.query<{ is: boolean }>("select to_regclass('ballast.migrations') is not null as is");
  if (!found?.is) return 0;
  const {
    rows: [counted],
  } = await client.query<{ steps: number }>("select count(*)::integer as steps from ballast.migrations");
  return counted?.steps ?? 0;
}

async function applySteps(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await client.query("select pg_advisory_xact_lock($1)", [lockNumber]);
    await client.query(`create schema if not exists ballast;
      create table if not exists ballast.migrations (
        number integer primary key,
        at timestamptz not null default clock_timestamp())`);
    const before = await countApplied(client);
    for (const [index, step] of steps.entries()) {
      if (index < before) continue;
      await client.query(step);
      await client.query("insert into ballast.migrations (number) values ($1)", [index + 1]);
    }
    await client.query("commit");
    client.release();
  } catch (error) {
    client.release(true); // Closing the connection rolls back, whatever state it was in.
    throw error;
  }
}
