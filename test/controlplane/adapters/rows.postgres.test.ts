// Rows that cannot be trusted, in PostgreSQL: those of journals of the first release, those of a previous version that
// still writes during a deployment, and those whose journals were changed by hand. Readers get the journal's truth.
import { describe, expect, it, onTestFinished } from "vitest";
import { connectionOptions } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { appendAtEnd, journalInPostgres } from "../../support/controlplane/journals.ts";
import { appendRelease1, createRelease1 } from "../../support/controlplane/release-1.ts";
import { rejected } from "../../support/controlplane/service.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const postgres = postgresForTests();
const pen = { process: "p1" };
const stream = "rollout/shop/api/api--0000002";
const never = new AbortController().signal;

describe("the row of a stream", () => {
  it("is filled in for the journals of the first release, which still writes meanwhile", async () => {
    const database = await postgres.fresh();
    const pool = postgres.pool(database);
    await createRelease1(pool);
    const old = {
      append: async (to: string, length: number, events: readonly RolloutEvent[]) =>
        expect(await appendRelease1(pool, to, length, events, "old")).toBe("appended"),
    };
    const names = Array.from({ length: 5 }, (_, index) => `rollout/shop/api/api--${index}`);
    for (const name of names) await old.append(name, 0, rejected.slice(0, 2));
    await old.append(names[0]!, 2, rejected.slice(2));
    await migrate(pool);
    const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
    onTestFinished(() => journal.close());
    const stale = async () =>
      (await pool.query("select 1 from ballast.streams where described is distinct from length")).rowCount;
    expect(await stale()).toBe(5);
    // A list is right before anything is filled in, and fills in what it shows.
    const { streams } = await journal.list({ kind: "rollout", limit: 2 });
    expect(streams).toMatchObject([{ facts: 2 }, { facts: 2 }]);
    expect(await stale()).toBe(3);
    await journal.refresh(never);
    expect(await stale()).toBe(0);
    expect(await journal.show(names[0]!)).toMatchObject({
      facts: 4,
      overview: { ended: { result: "rejected" }, summary: { result: "rejected", facts: 4 } },
    });
    // The previous version writes once more: its row counts as written then, and readers see the new fact.
    await old.append(names[1]!, 2, rejected.slice(2, 3));
    expect((await journal.pulse()).overdueSeconds).toBeGreaterThan(0);
    expect(await journal.show(names[1]!)).toMatchObject({ facts: 3, overview: { summary: { facts: 3 } } });
    expect(await stale()).toBe(0);
  });

  it.each([
    ["its last fact was changed", "update ballast.facts set event = event || '{\"at\": 7}' where index = 3"],
    ["its last fact was replaced", "update ballast.facts set hash = repeat('0', 64) where index = 3"],
    ["its last fact was removed", "delete from ballast.facts where index = 3"],
  ])("is not believed when %s", async (_what, change) => {
    const { journal, pool } = await journalInPostgres(postgres);
    onTestFinished(() => journal.close());
    await journal.append(stream, [], rejected, pen);
    await pool.query(change);
    // A change that leaves the hash in place shows once someone reads the journal; from then on lists show it too.
    await expect(journal.read(stream)).rejects.toMatchObject({ id: "journal-chain-broken" });
    for (const _twice of [1, 2]) {
      expect(await journal.show(stream)).toMatchObject({ error: { id: "journal-chain-broken" } });
      const { streams } = await journal.list({ kind: "rollout", limit: 10 });
      expect(streams).toMatchObject([{ stream, error: { id: "journal-chain-broken" } }]);
    }
  });

  it("gives the facts after a place, and nothing if the stream does not continue from there", async () => {
    const { journal } = await journalInPostgres(postgres);
    onTestFinished(() => journal.close());
    await journal.append(stream, [], rejected.slice(0, 2), pen);
    const known = await journal.read(stream);
    await appendAtEnd(journal, stream, rejected.slice(2), pen);
    const all = await journal.read(stream);
    expect(await journal.after(stream, known.at(-1)!)).toEqual(all.slice(2));
    expect(await journal.after(stream, { index: 0 })).toEqual(all.slice(1));
    expect(await journal.after(stream, all.at(-1)!)).toEqual([]);
    expect(await journal.after(stream, { index: 1, hash: "other" })).toBeUndefined();
    expect(await journal.after(stream, { index: 9 })).toBeUndefined();
    expect(await journal.after("rollout/shop/api/none", { index: 0 })).toBeUndefined();
  });
});
