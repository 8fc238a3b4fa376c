// The contract of the Journal port, held against every adapter of it; then what only PostgreSQL can show.

import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { chain } from "../../../controlplane/adapters/postgres/chain.ts";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { openJournal, type PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Appended, Claim, Claims, Fact, Journal, Pen } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { prepared } from "../../support/postgres/prepared.ts";
import { memoryClaims, memoryJournal } from "../../support/worlds/memory.ts";

const postgres = postgresForTests();
const target = { resourceGroup: "rg", app: "web" };
const waited = (at: number): RolloutEvent => ({ kind: "Waited", at });
const finished: RolloutEvent = { kind: "Finished", at: 9, result: "promoted", sentence: "promoted: yes" };
const retried: RolloutEvent = { kind: "Signalled", at: 10, signal: "retry", by: "ann", reason: "again" };
const pen = { process: "p1" };
const never = new AbortController().signal;
let count = 0;
/** Appends to the stream as it is now. */
const add = async (journal: Journal, stream: string, events: readonly RolloutEvent[], by: Pen): Promise<Appended> =>
  journal.append(stream, await journal.read(stream), events, by);
const fresh = (): string => `rollout/rg/web/web--${++count}`;

interface Kept {
  readonly journal: Journal;
  readonly claims: Claims;
}

const inPostgresAsRole = async () => inPostgres(await prepared(await postgres.fresh()));

async function inPostgres(
  given?: Database,
): Promise<Kept & { readonly journal: PostgresJournal; readonly pool: pg.Pool }> {
  const database = given ?? (await postgres.fresh());
  const pool = postgres.pool(database);
  await migrate(pool);
  return { pool, journal: openJournal(pool, connectionOptions(database), () => {}), claims: openClaims(pool, 30) };
}

async function inMemory(): Promise<Kept> {
  const claims = memoryClaims(30);
  return { claims, journal: memoryJournal(claims.stillOurs) };
}

describe.each<[string, () => Promise<Kept>]>([
  ["PostgreSQL", () => inPostgres()],
  ["PostgreSQL under the role that is made for it", inPostgresAsRole],
  ["memory", inMemory],
])("a journal in %s", (_, open) => {
  let journal: Journal;
  let claims: Claims;
  beforeAll(async () => ({ journal, claims } = await open()));
  afterAll(async () => (journal as Partial<PostgresJournal>).close?.());

  it("gives facts back in order, with who wrote them", async () => {
    const stream = fresh();
    expect(await journal.read(stream)).toEqual([]);
    expect(await journal.append(stream, [], [waited(1), waited(2)], pen)).toBe("appended");
    expect(await add(journal, stream, [finished], { process: "p2" })).toBe("appended");
    expect(await journal.read(stream)).toMatchObject([
      { stream, index: 0, event: waited(1), process: "p1", epoch: 0 },
      { stream, index: 1, event: waited(2), process: "p1", epoch: 0 },
      { stream, index: 2, event: finished, process: "p2", epoch: 0 },
    ]);
  });

  it.each([
    [1, 0],
    [1, 2],
    [0, 1],
  ])("refuses to append to a stream of %i facts what was decided on %i", async (length, expected) => {
    const stream = fresh();
    await journal.append(
      stream,
      [],
      Array.from({ length }, (_, at) => waited(at)),
      pen,
    );
    const believed = Array.from(
      { length: expected },
      (_, index): Fact => ({ stream, index, event: waited(index), process: "p1", epoch: 0, hash: "believed" }),
    );
    expect(await journal.append(stream, believed, [finished], pen)).toBe("conflict");
    expect(await journal.read(stream)).toHaveLength(length);
  });

  it("refuses what was decided on as many facts that are not these", async () => {
    const stream = fresh();
    const other = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    await journal.append(other, [], [waited(1)], pen);
    expect(await journal.append(stream, await journal.read(other), [finished], pen)).toBe("conflict");
    expect(await journal.read(stream)).toHaveLength(1);
  });

  it("chains each fact to the one before, whether they were written together or apart", async () => {
    const together = fresh();
    await journal.append(together, [], [waited(1), waited(2), finished], pen);
    const facts = await journal.read(together);
    expect(new Set(facts.map(({ hash }) => hash)).size).toBe(3);
    for (const { hash } of facts) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(chain(undefined, facts)).toEqual(facts);
    const apart = fresh();
    for (const event of [waited(1), waited(2), finished]) await add(journal, apart, [event], pen);
    expect(chain(undefined, await journal.read(apart))).toEqual(await journal.read(apart));
    expect((await journal.read(apart)).at(-1)?.hash).not.toBe(facts.at(-1)?.hash);
  });

  it("lets one of many writers win when all expect the same length", async () => {
    const stream = fresh();
    const came = await Promise.all(
      Array.from({ length: 20 }, (_, at) => journal.append(stream, [], [waited(at), waited(at)], pen)),
    );
    expect(came.filter((each) => each === "appended")).toHaveLength(1);
    expect(came.filter((each) => each === "conflict")).toHaveLength(19);
    expect(await journal.read(stream)).toHaveLength(2);
  });

  it("keeps any text that the world may say, whole characters as they are", async () => {
    const stream = fresh();
    const said = (reason: string): RolloutEvent => ({ kind: "AttemptFailed", at: 1, effect: "Probe", reason });
    await journal.append(stream, [], [said('it\'s \\u0000 "quoted" ü 🚢'), said("zero \0 half \uD83D")], pen);
    expect((await journal.read(stream)).map(({ event }) => event)).toEqual([
      said('it\'s \\u0000 "quoted" ü 🚢'),
      said("zero \uFFFD half \uFFFD"),
    ]);
  });

  it("writes under a claim that holds, and keeps its epoch", async () => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    expect(await journal.append(stream, [], [waited(1)], { process: "p1", claim })).toBe("appended");
    expect((await journal.read(stream))[0]).toMatchObject({ process: "p1", epoch: claim.epoch });
    await claims.release(claim);
  });

  it.each<[string, (claim: Claim) => Claim]>([
    ["another epoch", (claim) => ({ ...claim, epoch: claim.epoch + 1 })],
    ["another process", (claim) => ({ ...claim, process: "p2" })],
    ["another stream", (claim) => ({ ...claim, holder: "rollout/rg/web/other" })],
    ["another target", (claim) => ({ ...claim, target: "rg/other" })],
  ])("fences a writer whose claim is of %s", async (_, change) => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    const false_ = change(claim);
    expect(await journal.append(stream, [], [waited(1)], { process: false_.process, claim: false_ })).toBe("fenced");
    expect(await journal.read(stream)).toEqual([]);
    await claims.release(claim);
  });

  it("fences a writer whose lease has run out, even if nobody has taken over", async () => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    await claims.lapse(claim);
    expect(await journal.append(stream, [], [waited(1)], { process: "p1", claim })).toBe("fenced");
    await claims.release(claim);
  });

  it("gives all facts to a reader who knows some of them, and those of today to one who knows what is no longer there", async () => {
    const stream = fresh();
    const other = fresh();
    await journal.append(stream, [], [waited(1), waited(2)], pen);
    const known = await journal.read(stream);
    expect(await journal.read(stream, known)).toEqual(known);
    await add(journal, stream, [waited(3)], pen);
    await add(journal, stream, [finished], { process: "p2" });
    const whole = await journal.read(stream);
    expect(whole.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const length of [0, 1, 2, 4]) expect(await journal.read(stream, whole.slice(0, length))).toEqual(whole);
    await journal.append(other, [], [waited(7), waited(8)], pen);
    // As after a database was put back from a copy: what is known is longer, or another.
    expect(await journal.read(other, whole)).toEqual(await journal.read(other));
    expect(await journal.read(other, known)).toEqual(await journal.read(other));
    expect(await journal.read(fresh(), known)).toEqual([]);
    // Whoever drives goes on from what it has: it can append to it.
    expect(
      await journal.append(other, await journal.read(other, (await journal.read(other)).slice(0, 1)), [waited(9)], pen),
    ).toBe("appended");
  });

  it("wakes all who wait, each for its own stream and length", async () => {
    const streams = [fresh(), fresh(), fresh()];
    for (const stream of streams) await journal.append(stream, [], [waited(1)], pen);
    const woken: string[] = [];
    const cancel = new AbortController();
    const waits = streams.flatMap((stream) =>
      [1, 2].map((length) =>
        journal.grown(stream, length, cancel.signal).then(() => {
          if (!cancel.signal.aborted) woken.push(`${stream} ${length}`);
        }),
      ),
    );
    await add(journal, streams[1]!, [waited(2)], pen);
    await eventually(() => woken.length > 0, "the first to wake");
    await add(journal, streams[2]!, [waited(2), waited(3)], pen);
    await eventually(() => woken.length === 3, "the others to wake");
    cancel.abort();
    await Promise.all(waits);
    expect(woken.toSorted()).toEqual([`${streams[1]} 1`, `${streams[2]} 1`, `${streams[2]} 2`]);
  });

  it("tells a waiting reader that the stream has grown", async () => {
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    await journal.grown(stream, 0, never);
    let told = false;
    const telling = journal.grown(stream, 1, never).then(() => {
      told = true;
    });
    expect(told).toBe(false);
    await add(journal, stream, [waited(2)], pen);
    await telling;
  });

  it("stops waiting for growth at once when cancelled", async () => {
    const stream = fresh();
    const cancel = new AbortController();
    const waiting = journal.grown(stream, 0, cancel.signal);
    cancel.abort();
    await waiting;
    await journal.grown(stream, 0, cancel.signal);
  });

  it("lists the streams of a target newest first, and those that are unfinished", async () => {
    const mine = { resourceGroup: "RG", app: "Shop" };
    const [first, second, third] = ["a", "b", "c"].map((name) => `rollout/rg/shop/shop--${name}`) as [
      string,
      string,
      string,
    ];
    for (const stream of [first, second, third]) await journal.append(stream, [], [waited(1)], pen);
    await add(journal, second, [finished], pen);
    await add(journal, third, [finished], pen);
    await add(journal, third, [retried], pen);
    expect(await journal.streams({ target: mine })).toEqual([third, second, first]);
    expect(await journal.streams({ target: mine, unfinished: true })).toEqual([third, first]);
    expect(await journal.streams({ unfinished: true })).toEqual(expect.arrayContaining([third, first]));
    expect(await journal.streams({ target: { resourceGroup: "rg", app: "sho" } })).toEqual([]);
  });

  it("says how much is in flight, and when it was last written to, how long ago that is by its own clock included", async () => {
    const before = Date.now();
    const { inFlight } = await journal.pulse();
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    const { lastWrite, ...flying } = await journal.pulse();
    expect(flying).toEqual({ inFlight: inFlight + 1 });
    expect(lastWrite!.at).toBeGreaterThanOrEqual(before - 5);
    expect(lastWrite!.at).toBeLessThanOrEqual(Date.now() + 5);
    await eventually(
      async () => (await journal.pulse()).lastWrite!.secondsAgo > lastWrite!.secondsAgo,
      "the last write to be longer ago",
    );
    expect(lastWrite!.secondsAgo).toBeLessThan((Date.now() - before) / 1000);
    await journal.append(stream, await journal.read(stream), [finished], pen);
    expect((await journal.pulse()).inFlight).toBe(inFlight);
  });
});

describe("a journal in PostgreSQL alone", () => {
  it("refuses to read a fact that it does not know, and names it", async () => {
    const { journal } = await inPostgres();
    onTestFinished(() => journal.close());
    const stream = fresh();
    await journal.append(stream, [], [waited(1), { kind: "Teleported", at: 2 } as unknown as RolloutEvent], pen); // As a newer version would.
    await expect(journal.read(stream)).rejects.toMatchObject({
      id: "journal-fact-unknown",
      message: expect.stringContaining(`Fact 1 of ${stream}`),
    });
  });

  it("is brought up to date once by replicas that start together", async () => {
    const pool = postgres.pool(await postgres.fresh());
    await Promise.all(Array.from({ length: 6 }, () => migrate(pool)));
    await migrate(pool);
    expect((await pool.query("select number from ballast.migrations")).rows).toEqual([
      { number: 1 },
      { number: 2 },
      { number: 3 },
    ]);
  });

  it("still appends, reads and tells after every connection was broken", async () => {
    const { journal, pool } = await inPostgres();
    onTestFinished(() => journal.close());
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    const telling = journal.grown(stream, 1, never);
    await pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await eventually(
      () =>
        add(journal, stream, [waited(2)], pen).then(
          (came) => came !== "fenced",
          () => false,
        ),
      "an append",
    );
    await telling;
    expect(await journal.read(stream)).toHaveLength(2);
  });

  it("tells the readers of another process of every append, the last before its end included, though they never look by themselves", async () => {
    const database = await postgres.fresh();
    const { journal: writer, pool } = await inPostgres(database);
    const reader = openJournal(pool, connectionOptions(database), () => {}, 600);
    const streams = Array.from({ length: 30 }, fresh);
    onTestFinished(() => reader.close());
    await eventually(
      async () =>
        (await pool.query("select 1 from pg_stat_activity where datname = current_database() and query like 'listen%'"))
          .rowCount === 2,
      "both to listen",
    );
    for (const stream of streams) await writer.append(stream, [], [waited(1)], pen);
    let told = 0;
    for (const stream of streams)
      void reader.grown(stream, 1, never).then(() => {
        told++;
      });
    await reader.grown(streams[0]!, 0, never); // Looks are one after the other, so that those before it are over too.
    for (const stream of streams) await add(writer, stream, [waited(2)], pen);
    await writer.close();
    await eventually(() => told === streams.length, "all readers to be told");
  });

  it("wakes nobody for a notice that says more than is so, as one does that is late or somebody else's", async () => {
    const { journal, pool } = await inPostgres();
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
    // The second is true, and comes after the first.
    await pool.query("update ballast.streams set length = 2 where stream = $1", [other]);
    for (const each of [stream, other]) await pool.query("select pg_notify('ballast_journal', $1)", [`2 ${each}`]);
    await eventually(() => woken.length > 0, "the true one to wake");
    expect(woken).toEqual([other]);
    cancel.abort();
    await Promise.all(waits);
  });

  it("asks for a password anew for each connection, so that a token may change", async () => {
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

  it("is not spoken to in the clear over a network", () => {
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

describe("a fact", () => {
  const stored = (event: unknown) => ({
    stream: "rollout/rg/web/r",
    index: 7,
    event,
    process: "p",
    epoch: 1,
    hash: "h",
  });

  it.each<[unknown, string]>([
    [null, "fact is not a record"],
    ["Waited", "fact is not a record"],
    [{ kind: "Waited" }, "fact.at is not a number"],
    [{ kind: "toString", at: 1 }, "fact.kind is not one of"],
    [{ kind: "Finished", at: 1, result: "won", sentence: "" }, "Finished.result is not one of promoted"],
    [
      { kind: "TrafficRead", at: 1, weights: [{ revision: "a", percent: "5" }] },
      "TrafficRead.weights[0].percent is not a number",
    ],
    [{ kind: "Measured", at: 1, to: 2, bins: {} }, "Measured.bins is not a list"],
    [{ kind: "Started", at: 1, activate: true }, "Started.stable is not a text"],
  ])("is refused as %j", (event, why) => {
    expect(() => parseFact(stored(event))).toThrowError(
      expect.objectContaining({ id: "journal-fact-unknown", message: expect.stringContaining(why) }),
    );
  });

  it("may hold more than we know, of which we take what we know", () => {
    expect(
      parseFact(
        stored({
          kind: "TrafficRead",
          at: 1,
          weights: [{ revision: "a", percent: 100, label: "stable" }],
          mood: "good",
        }),
      ).event,
    ).toEqual({ kind: "TrafficRead", at: 1, weights: [{ revision: "a", percent: 100 }] });
  });
});

async function taken(claims: Claims, stream: string): Promise<Claim> {
  const claimed = await claims.take(target, stream, "p1");
  if (!("claim" in claimed)) throw new Error(`held by ${claimed.heldBy}`);
  return claimed.claim;
}
