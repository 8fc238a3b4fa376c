// The hash chain of a journal in PostgreSQL: which edits of the database it detects, what happens to journals of the
// first release, and that no process drives a stream with a broken chain.

import { readFileSync } from "node:fs";
import path from "node:path";
import type pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Appended, Journal } from "../../../controlplane/runtime/ports.ts";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { appKey } from "../../../engines/targets.ts";
import { appendAtEnd, journalInPostgres, waited } from "../../support/controlplane/journals.ts";
import { appendRelease1, createRelease1 } from "../../support/controlplane/release-1.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";

const postgres = postgresForTests();
const target = { resourceGroup: "rg", app: "web" };
const stream = "rollout/rg/web/web--1";
const other = "rollout/rg/web/web--2";
const pen = { process: "new" };
const broken = (index: number, why: string, of = stream) =>
  expect.objectContaining({
    id: "journal-chain-broken",
    message: expect.stringMatching(new RegExp(`${of} cannot be trusted from fact ${index} on: ${why}`)),
    left: expect.stringContaining("The traffic stays where it is"),
  });

async function opened(prepare: (pool: pg.Pool) => Promise<void> = migrate) {
  const its = await journalInPostgres(postgres, { prepare });
  onTestFinished(() => its.journal.close());
  return its;
}

const add = (journal: Journal<RolloutEvent>, events: readonly RolloutEvent[]): Promise<Appended> =>
  appendAtEnd(journal, stream, events, pen);

describe("a journal of five facts, the last two written together", () => {
  const written = "it is not what was written";
  it.each<[string, string, number, string]>([
    [
      "whose event is changed",
      "update ballast.facts set event = jsonb_set(event, '{at}', '7') where index = 2 and stream = $1",
      2,
      written,
    ],
    [
      "whose event has got a field more",
      `update ballast.facts set event = event || '{"by":"me"}' where index = 2 and stream = $1`,
      2,
      written,
    ],
    ["whose writer is changed", "update ballast.facts set process = 'me' where index = 2 and stream = $1", 2, written],
    ["whose epoch is changed", "update ballast.facts set epoch = 9 where index = 2 and stream = $1", 2, written],
    [
      "whose hash is changed",
      "update ballast.facts set hash = repeat('0', 64) where index = 2 and stream = $1",
      2,
      written,
    ],
    [
      "whose last fact is changed",
      "update ballast.facts set process = 'me' where index = 4 and stream = $1",
      4,
      written,
    ],
    [
      "whose last hash is taken away",
      "update ballast.facts set hash = null where index = 4 and stream = $1",
      4,
      "the last hash",
    ],
    [
      "all of whose hashes are taken away",
      "update ballast.facts set hash = null where stream = $1",
      0,
      "the last hash",
    ],
    [
      "from whose middle a fact is removed",
      "delete from ballast.facts where index = 2 and stream = $1",
      2,
      "it is missing, and fact 3 follows",
    ],
    [
      "from whose end a fact is removed",
      "delete from ballast.facts where index = 4 and stream = $1",
      4,
      "it is missing",
    ],
    [
      "from whose end a fact is removed, with the length",
      "with gone as (delete from ballast.facts where index = 4 and stream = $1) " +
        "update ballast.streams set length = 4 where stream = $1",
      4,
      "the last hash",
    ],
    [
      "to whose end a fact is added",
      "insert into ballast.facts (stream, index, event, process, epoch) " +
        "select stream, 5, event, process, epoch from ballast.facts where index = 4 and stream = $1",
      5,
      "only 5 facts",
    ],
    [
      "two of whose facts have changed places",
      "update ballast.facts f set event = g.event, process = g.process, epoch = g.epoch, hash = g.hash " +
        "from ballast.facts g where f.stream = $1 and g.stream = $1 and f.index in (2, 3) and g.index = 5 - f.index",
      2,
      written,
    ],
    [
      "that holds facts of another stream",
      "update ballast.facts f set event = g.event, process = g.process, epoch = g.epoch, hash = g.hash " +
        "from ballast.facts g where f.stream = $1 and g.stream = '" +
        other +
        "' and f.index = g.index",
      0,
      written,
    ],
    [
      "whose length is changed",
      "update ballast.streams set length = 6 where stream = $1",
      5,
      "it is missing, though 6",
    ],
    [
      "whose head is changed",
      "update ballast.streams set hash = repeat('0', 64) where stream = $1",
      5,
      "the last hash",
    ],
    ["whose head is taken away", "update ballast.streams set hash = null where stream = $1", 5, "the last hash"],
  ])("%s is refused with the first fact that cannot be trusted", async (_, tamper, index, why) => {
    const { pool, journal } = await opened();
    for (const events of [[waited(1)], [waited(2)], [waited(3)], [waited(4), waited(5)]]) await add(journal, events);
    await journal.append(other, [], [1, 2, 3, 4, 5].map(waited), pen);
    await pool.query("alter table ballast.facts drop constraint facts_pkey, drop constraint facts_stream_fkey");
    expect(await journal.read(stream)).toHaveLength(5);
    await pool.query({ text: tamper, values: [stream] });
    await expect(journal.read(stream)).rejects.toEqual(broken(index, why));
    expect(await journal.read(other)).toHaveLength(5);
  });

  it("is not written by a process that read another journal of the same length", async () => {
    const { pool, journal } = await opened();
    await add(journal, [waited(1), waited(2)]);
    const read = await journal.read(stream);
    await pool.query("delete from ballast.facts; delete from ballast.streams");
    await add(journal, [waited(1), waited(3)]);
    expect(await journal.append(stream, read, [waited(4)], pen)).toBe("conflict");
    expect((await journal.read(stream)).map(({ event }) => event.at)).toEqual([1, 3]);
  });
});

describe("a journal of the first release", () => {
  const old = readFileSync(
    path.join(import.meta.dirname, "..", "..", "engines", "rollout", "journals", "rollout-v1-retried.jsonl"),
    "utf8",
  )
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RolloutEvent);

  async function upgraded() {
    const its = await opened(createRelease1);
    for (const [index, event] of old.entries())
      expect(await appendRelease1(its.pool, stream, index, [event], "old")).toBe("appended");
    await migrate(its.pool);
    return its;
  }

  it("still folds after the upgrade, and has a head", async () => {
    const { journal } = await upgraded();
    const facts = await journal.read(stream);
    expect(facts.map(({ event: { kind, at } }) => ({ kind, at }))).toEqual(old.map(({ kind, at }) => ({ kind, at })));
    expect(
      fold(
        rollout,
        facts.map(({ event }) => event),
      ),
    ).toMatchObject({ phase: "finished", attempt: 2 });
    expect(facts.at(-1)?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is written by old and new processes in turn, fenced and in order", async () => {
    const { pool, journal, claims } = await upgraded();
    const length = old.length;
    expect(await add(journal, [waited(1)])).toBe("appended");
    const read = await journal.read(stream);
    expect(await appendRelease1(pool, stream, length, [waited(2)], "old")).toBe("conflict");
    expect(await appendRelease1(pool, stream, length + 1, [waited(2), waited(3)], "old")).toBe("appended");
    expect(await journal.append(stream, read, [waited(4)], pen)).toBe("conflict");
    const claimed = await claims.take([appKey(target)], stream, "new");
    if (!("claim" in claimed)) throw new Error("held");
    expect(
      await appendRelease1(pool, stream, length + 3, [waited(4)], "old", { ...claimed.claim, process: "old" }),
    ).toBe("fenced");
    expect(await appendAtEnd(journal, stream, [waited(4)], { process: "new", claim: claimed.claim })).toBe("appended");
    expect((await journal.read(stream)).slice(length).map(({ event, process }) => [event.at, process])).toEqual([
      [1, "new"],
      [2, "old"],
      [3, "old"],
      [4, "new"],
    ]);
  });

  it("is sealed by the first fact with a hash: from then on, no earlier fact can be changed unnoticed", async () => {
    const { pool, journal } = await upgraded();
    const change = "update ballast.facts set event = jsonb_set(event, '{at}', '7') where stream = $1 and index = $2";
    await add(journal, [waited(1)]);
    await appendRelease1(pool, stream, old.length + 1, [waited(2)], "old");
    await pool.query(change, [stream, old.length + 1]);
    expect(await journal.read(stream)).toHaveLength(old.length + 2); // No later hash seals this fact yet.
    await add(journal, [waited(3)]);
    await pool.query(change, [stream, old.length + 1]);
    expect(await journal.read(stream)).toHaveLength(old.length + 3); // Unchanged.
    await pool.query(change.replace("'7'", "'8'"), [stream, old.length + 1]);
    await expect(journal.read(stream)).rejects.toEqual(
      broken(old.length + 1, `it, or another fact up to ${old.length + 2}, is not what was written`),
    );
    await pool.query(change, [stream, old.length + 1]);
    await pool.query(change, [stream, 3]);
    await expect(journal.read(stream)).rejects.toEqual(
      broken(0, `it, or another fact up to ${old.length}, is not what was written`),
    );
  });
});
