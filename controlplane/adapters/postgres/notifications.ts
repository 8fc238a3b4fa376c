// How far each channel has been told of each stream, in PostgreSQL. A stream is lent by moving the moment at which it is due, so that one
// replica tells at a time and what a dead one was about to tell comes up again. What a notice says is not known here.
import type pg from "pg";
import type { Notices, Untold } from "../../runtime/ports.ts";

// Older streams are not looked at: the index on written_at keeps this cheap, however long the history is.
const borrowStatement = `
with due as (
  select s.stream, coalesce(n.told, 0) as told
  from ballast.streams s left join ballast.notices n on n.channel = $1 and n.stream = s.stream
  where s.written_at > clock_timestamp() - interval '2 days' and s.length > coalesce(n.told, 0) and coalesce(n.due_at, '-infinity') <= clock_timestamp()
  order by s.written_at limit 1
)
insert into ballast.notices as n (channel, stream, told, due_at)
select $1, stream, told, clock_timestamp() + make_interval(secs => $2) from due
on conflict (channel, stream) do update set due_at = excluded.due_at where n.due_at <= clock_timestamp() and n.told = excluded.told
returning n.stream, n.told, n.failures`;

// In one statement, so that a process that dies in between has not registered at all.
const registerStatement = `
with registered as (
  insert into ballast.notices (channel, stream, told) values ($1, '', 0) on conflict do nothing returning 1
)
insert into ballast.notices (channel, stream, told)
select $1, stream, length from ballast.streams where exists (select 1 from registered)`;

/** Opens the store. */
export function openNotices(pool: pg.Pool): Notices {
  return {
    register: async (channel) => void (await pool.query(registerStatement, [channel])),
    borrow: async (channel, seconds) => (await pool.query<Untold>(borrowStatement, [channel, seconds])).rows[0],
    advance: async (channel, stream, told) =>
      void (await pool.query(
        "update ballast.notices set told = greatest(told, $3), failures = 0, due_at = clock_timestamp() where channel = $1 and stream = $2",
        [channel, stream, told],
      )),
    postpone: async (channel, stream, seconds) =>
      void (await pool.query(
        "update ballast.notices set failures = failures + 1, due_at = clock_timestamp() + make_interval(secs => $3) where channel = $1 and stream = $2",
        [channel, stream, seconds],
      )),
  };
}
