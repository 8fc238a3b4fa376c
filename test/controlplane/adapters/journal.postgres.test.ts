// The journal in PostgreSQL beyond the contract that all adapters share: unknown facts, migrations, broken connections,
// notifications to other processes, passwords and encryption.
import { describe, expect, it, onTestFinished } from "vitest";
import { connectionOptions, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { appendAtEnd, journalInPostgres, waited } from "../../support/controlplane/journals.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const postgres = postgresForTests();
const pen = { process: "p1" };
const never = new AbortController().signal;
let count = 0;
const fresh = (): string => `rollout/rg/web/web--${++count}`;

describe("a journal in PostgreSQL alone", () => {
  it("refuses to read an unknown fact, and names it", async () => {
    const { journal } = await journalInPostgres(postgres);
    onTestFinished(() => journal.close());
    const stream = fresh();
    // A newer version may write this.
    await journal.append(stream, [], [waited(1), { kind: "Teleported", at: 2 } as unknown as RolloutEvent], pen);
    await expect(journal.read(stream)).rejects.toMatchObject({
      id: "journal-fact-unknown",
      message: expect.stringContaining(`Fact 1 of ${stream}`),
    });
  });

  it("is migrated once by replicas that start together", async () => {
    const pool = postgres.pool(await postgres.fresh());
    await Promise.all(Array.from({ length: 6 }, () => migrate(pool)));
    await migrate(pool);
    const { rows } = await pool.query<{ number: number }>("select number from ballast.migrations order by number");
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("still appends, reads and notifies after every connection was broken", async () => {
    const { journal, pool } = await journalInPostgres(postgres);
    onTestFinished(() => journal.close());
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    const growth = journal.grown(stream, 1, never);
    await pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity " +
        "where datname = current_database() and pid <> pg_backend_pid()",
    );
    await eventually(
      () =>
        appendAtEnd(journal, stream, [waited(2)], pen).then(
          (came) => came !== "fenced",
          () => false,
        ),
      "an append",
    );
    await growth;
    expect(await journal.read(stream)).toHaveLength(2);
  });

  it("notifies readers of another process of every append, up to its end, without polling", async () => {
    const database = await postgres.fresh();
    const { journal: writer, pool } = await journalInPostgres(postgres, { database });
    const reader = openJournal(pool, connectionOptions(database), rollouts, () => {}, 600);
    const streams = Array.from({ length: 30 }, fresh);
    onTestFinished(() => reader.close());
    await eventually(
      async () =>
        (await pool.query("select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'"))
          .rowCount === 2,
      "both to listen",
    );
    for (const stream of streams) await writer.append(stream, [], [waited(1)], pen);
    let notified = 0;
    for (const stream of streams)
      void reader.grown(stream, 1, never).then(() => {
        notified++;
      });
    await reader.grown(streams[0]!, 0, never); // Queries run one after the other, so earlier ones have ended too.
    for (const stream of streams) await appendAtEnd(writer, stream, [waited(2)], pen);
    await writer.close();
    await eventually(() => notified === streams.length, "all readers to be notified");
  });

  it("wakes no waiter for a notification with a wrong length, such as a late or foreign one", async () => {
    const { journal, pool } = await journalInPostgres(postgres);
    onTestFinished(() => journal.close());
    const stream = fresh();
    const other = fresh();
    const cancel = new AbortController();
    const woken: string[] = [];
    for (const each of [stream, other]) await journal.append(each, [], [waited(1)], pen);
    const waits = [stream, other].map((each) =>
      journal.grown(each, 1, cancel.signal).then(() => {
        if (!cancel.signal.aborted) woken.push(each);
      }),
    );
    await eventually(
      async () =>
        (await pool.query("select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'"))
          .rowCount === 1,
      "it to listen",
    );
    // The second is true, and arrives after the first.
    await pool.query("update ballast.streams set length = 2 where stream = $1", [other]);
    for (const each of [stream, other]) await pool.query("select pg_notify('ballast_journal', $1)", [`2 ${each}`]);
    await eventually(() => woken.length > 0, "the true one to wake");
    expect(woken).toEqual([other]);
    cancel.abort();
    await Promise.all(waits);
  });

  it("fetches the password for each connection, so that a token may change", async () => {
    const database = await postgres.fresh();
    let asked = 0;
    const pool = openPool(
      {
        ...database,
        password: async () => {
          asked++;
          return database.password as string;
        },
      },
      () => {},
    );
    onTestFinished(() => pool.end());
    await Promise.all([pool.query("select pg_sleep(0.05)"), pool.query("select pg_sleep(0.05)")]);
    expect(asked).toBe(2);
  });

  it("is not connected to without encryption over a network", () => {
    const database = {
      host: "db.example",
      port: 5432,
      name: "ballast",
      user: "ballast",
      password: "secret",
      tls: "disable",
    } as const;
    expect(() => connectionOptions(database)).toThrowError(expect.objectContaining({ id: "database-tls-disabled" }));
    expect(connectionOptions({ ...database, tls: "require" }).ssl).toMatchObject({ rejectUnauthorized: true });
  });
});
