// A runbook of your own: ends the idle session that blocks all others. Ballast starts it as a Container Apps Job, with
// the incident in its environment, and its exit is the outcome: 0 for done, anything else for "this did not help".
//
// Only the culprit is ended: a session that holds a lock, waits for nobody, and has been idle in its transaction for a
// while. Its victims go on by themselves. It is safe to run twice: the second time there is no culprit left.
import pg from "pg";

const { DATABASE_URL: connectionString, BALLAST_TARGET: target, BALLAST_KEY: key, IDLE_SECONDS = "5" } = process.env;
const log = (line: object): void => void process.stdout.write(`${JSON.stringify({ target, key, ...line })}\n`);

/** The sessions that block others, wait for nobody, and do nothing themselves. */
const culprits = `
  select distinct culprit.pid, culprit.usename, culprit.application_name,
    extract(epoch from clock_timestamp() - culprit.state_change)::int as idle_seconds
  from pg_stat_activity victim
  cross join lateral unnest(pg_blocking_pids(victim.pid)) as blocking(pid)
  join pg_stat_activity culprit on culprit.pid = blocking.pid
  where culprit.datname = current_database()
    and culprit.state like 'idle in transaction%'
    and cardinality(pg_blocking_pids(culprit.pid)) = 0
    and culprit.state_change < clock_timestamp() - make_interval(secs => $1)`;

const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, application_name: "runbook-job" });
try {
  await client.connect();
  const { rows } = await client.query(culprits, [Number(IDLE_SECONDS)]);
  if (rows.length === 0) {
    log({ what: "nothing-to-end", message: "no idle session blocks another one" });
    process.exitCode = 2;
  }
  for (const { pid, ...about } of rows) {
    const [ended] = (await client.query("select pg_terminate_backend($1) as ended", [pid])).rows;
    log({ what: "ended", pid, ...about, ended: ended?.ended });
    if (ended?.ended !== true) process.exitCode = 1;
  }
} catch (error) {
  log({ what: "failed", message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
} finally {
  await client.end();
}
