// The journal as the first release created and wrote it: its tables and its statement, unchanged. They stay, because
// databases of that release are still migrated, and its processes still write during a migration.
import type pg from "pg";
import { eventsAsText } from "../../../controlplane/adapters/postgres/facts.ts";
import type { Claim } from "../../../controlplane/runtime/ports.ts";
import { finishes } from "../../../engines/rollout/facts.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

const schema = `create schema ballast;
   create table ballast.migrations (number integer primary key, at timestamptz not null default clock_timestamp());
   insert into ballast.migrations (number) values (1);
   create table ballast.streams (
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
     until timestamptz not null);`;

const appendStatement = `
with held as (
  select 1 from ballast.claims
  where target = $6 and holder = $1 and process = $5 and epoch = $7 and expires_at > clock_timestamp() for share
), head as (
  insert into ballast.streams as s (stream, target, length, finished)
  select $1, $8, jsonb_array_length($3::jsonb), coalesce($4::boolean, false)
  where ($2 = 0 or exists (select 1 from ballast.streams where stream = $1)) and ($6::text is null or exists (select 1 from held))
  on conflict (stream) do update set
    length = s.length + excluded.length, finished = coalesce($4::boolean, s.finished), written_at = clock_timestamp()
    where s.length = $2
  returning s.length
), written as (
  insert into ballast.facts (stream, index, event, process, epoch)
  select $1, $2 + given.place::integer - 1, given.event, $5, coalesce($7::integer, 0)
  from head, jsonb_array_elements($3::jsonb) with ordinality as given (event, place)
), told as (
  select pg_notify('ballast_journal', head.length || ' ' || $1) from head
)
select exists (select 1 from held) as held, (select count(*) from told)::integer as appended`;

/** Creates a database as the first release left it. */
export const createRelease1 = async (pool: pg.Pool): Promise<void> => void (await pool.query(schema));

/** Appends as the first release does, without hashes. */
export async function appendRelease1(
  pool: pg.Pool,
  stream: string,
  length: number,
  events: readonly RolloutEvent[],
  process: string,
  claim?: Claim,
): Promise<string> {
  const values = [
    stream,
    length,
    eventsAsText(events),
    finishes(events) ?? null,
    process,
    claim?.targets[0] ?? null,
    claim?.epoch ?? null,
    stream.split("/").slice(1, -1).join("/"),
  ];
  const { rows } = await pool.query<{ held: boolean; appended: number }>(appendStatement, values);
  if (rows[0]?.appended) return "appended";
  return claim && !rows[0]?.held ? "fenced" : "conflict";
}
