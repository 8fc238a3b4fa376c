// The sessions of a credential's database, as the rotator sees and ends them: who blocks the others, and what is slow.
// No text of a statement is read from sessions: it may hold a password or a person's data.
import type pg from "pg";
import type { Result } from "../../../engines/engine.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { many } from "../../../engines/wording.ts";
import type { Culprit, Sessions } from "../../performers/remediation-ports.ts";
import { type CredentialAccess, connected, optionsOf } from "./connected.ts";

/** How long a session must have been idle in its transaction: a shorter one may be about to go on. */
const idleSecondsMin = 5;
/** How long a session may take to end. All of them together must stay within the limit of a statement. */
const endMilliseconds = 3000;

/**
 * The sessions that block others, wait for nobody, and do nothing themselves. A victim blocks others too, but it waits.
 * Only sessions that wait for a lock are asked who blocks them, because each such question stops all locking.
 */
const culpritsQuery = `
  select culprit.pid, culprit.backend_start::text as since, culprit.usename as role,
    culprit.application_name as application, count(distinct victim.pid)::int as victims,
    extract(epoch from clock_timestamp() - culprit.state_change)::int as "idleSeconds"
  from pg_stat_activity victim
  cross join lateral unnest(pg_blocking_pids(victim.pid)) as blocking(pid)
  join pg_stat_activity culprit on culprit.pid = blocking.pid
  where victim.wait_event_type = 'Lock'
    and culprit.datname = current_database()
    and culprit.backend_type = 'client backend'
    and culprit.state like 'idle in transaction%'
    and cardinality(pg_blocking_pids(culprit.pid)) = 0
    and culprit.state_change < clock_timestamp() - make_interval(secs => ${idleSecondsMin})
  group by culprit.pid, culprit.backend_start, culprit.usename, culprit.application_name, culprit.state_change
  order by victims desc, culprit.pid`;

const activityQuery = `
  select count(*)::int as times, format('in the state %s, the longest for %s s', coalesce(state, 'unknown'),
    coalesce(max(extract(epoch from clock_timestamp() - state_change))::int, 0)) as line
  from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
    and pid <> pg_backend_pid() group by state order by count(*) desc limit 5`;

/**
 * Constants are parameters here, but not always: ALTER ROLE keeps its password, and a query that was forgotten while it
 * ran comes back with its values. So only queries are read, and no text with a literal, a number or a comment.
 */
const slowQuery = `
  select least(calls, 2147483647)::int as times, format('of %s ms: %s', round(mean_exec_time::numeric), left(
    regexp_replace(query, '\\s+', ' ', 'g'), 200)) as line
  from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())
    and query ~* '^\\s*(select|insert|update|delete|with)\\M'
    and query !~ '''|/\\*|--|\\$\\D|(^|[^\\w$])\\d' order by total_exec_time desc limit 5`;

/** Opens the sessions of credentials' databases. */
export function createSessions(access: CredentialAccess): Sessions {
  const asRotator = <Value>(credential: Credential, act: (client: pg.Client) => Promise<Result<Value>>) =>
    connected(optionsOf(credential, access, credential.rotator, access.password), act);
  return {
    culprits: (credential) =>
      asRotator(credential, async (client) => ({ ok: true, value: (await client.query<Culprit>(culpritsQuery)).rows })),
    end: (credential, culprits, fence) =>
      asRotator(credential, async (client) => {
        if (!(await fence()))
          return { ok: false, reason: "another process now owns the incident, so no session was ended" };
        // A session that has gone on since is no longer one of them, and its number may be that of another.
        const ended = await client.query<Culprit & { readonly ended: boolean }>(
          `select culprit.*, pg_terminate_backend(culprit.pid, ${endMilliseconds}) as ended
             from (${culpritsQuery}) culprit
             where (culprit.pid, culprit.since) in (select * from unnest($1::int[], $2::text[]))`,
          [culprits.map(({ pid }) => pid), culprits.map(({ since }) => since)],
        );
        const left = ended.rows.filter((each) => !each.ended).map(({ pid }) => pid);
        return left.length === 0
          ? { ok: true, value: ended.rows }
          : { ok: false, reason: `told to end, but still there: ${left.join(", ")}` };
      }),
    evidence: (credential) =>
      asRotator(credential, async (client) => {
        const linesOf = async (query: string, noun: string): Promise<readonly string[]> =>
          (await client.query<{ times: number; line: string }>(query)).rows.map(
            ({ times, line }) => `${many(times, noun)} ${line}`,
          );
        const slow = await linesOf(slowQuery, "call").catch(() => [
          "slow queries cannot be read; they need pg_stat_statements",
        ]);
        return { ok: true, value: [...(await linesOf(activityQuery, "session")), ...slow] };
      }),
  };
}
