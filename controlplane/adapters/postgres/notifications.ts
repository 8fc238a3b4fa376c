// How much of each stream each notifier has received, in PostgreSQL. A stream is lent by moving the time at which it is
// due, so that one replica delivers at a time, and what a dead replica was about to deliver becomes due again.
import type pg from "pg";
import type { Notifications, Undelivered } from "../../runtime/ports.ts";

// Older streams are skipped: with the index on written_at this stays cheap, however long the history is.
const borrowStatement = `
with due as (
  select s.stream, coalesce(n.delivered, 0) as delivered
  from ballast.streams s left join ballast.notifications n on n.notifier = $1 and n.stream = s.stream
  where s.written_at > clock_timestamp() - interval '2 days' and s.length > coalesce(n.delivered, 0)
    and coalesce(n.due_at, '-infinity') <= clock_timestamp()
  order by s.written_at limit 1
)
insert into ballast.notifications as n (notifier, stream, delivered, due_at)
select $1, stream, delivered, clock_timestamp() + make_interval(secs => $2) from due
on conflict (notifier, stream) do update set due_at = excluded.due_at
  where n.due_at <= clock_timestamp() and n.delivered = excluded.delivered
returning n.stream, n.delivered, n.failures`;

// In one statement, so that a process that dies in between has not registered at all.
const registerStatement = `
with registered as (
  insert into ballast.notifications (notifier, stream, delivered) values ($1, '', 0) on conflict do nothing returning 1
)
insert into ballast.notifications (notifier, stream, delivered)
select $1, stream, length from ballast.streams where exists (select 1 from registered)`;

const advanceStatement = `
update ballast.notifications set delivered = greatest(delivered, $3), failures = 0, due_at = clock_timestamp()
where notifier = $1 and stream = $2`;

const postponeStatement = `
update ballast.notifications set failures = failures + 1, due_at = clock_timestamp() + make_interval(secs => $3)
where notifier = $1 and stream = $2`;

/** Opens the store. */
export function openNotifications(pool: pg.Pool): Notifications {
  return {
    register: async (notifier) => void (await pool.query(registerStatement, [notifier])),
    borrow: async (notifier, seconds) => (await pool.query<Undelivered>(borrowStatement, [notifier, seconds])).rows[0],
    advance: async (notifier, stream, delivered) =>
      void (await pool.query(advanceStatement, [notifier, stream, delivered])),
    postpone: async (notifier, stream, seconds) =>
      void (await pool.query(postponeStatement, [notifier, stream, seconds])),
  };
}
