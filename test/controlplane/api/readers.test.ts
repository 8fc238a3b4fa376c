// Readers and the control loop in one process: readers have no share in the connections that renew leases, and read the
// facts that they give and no others. How long a renewal takes beside readers is measured by bench/performance.
import type { QueryResult } from "pg";
import { expect, test } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import {
  connectionOptions,
  type Database,
  openPool,
  poolSizes,
} from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { startNotifying } from "../../../controlplane/runtime/notify.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { patience } from "../../../defaults.ts";
import { kinds } from "../../../engines/kinds.ts";
import { appendAtEnd } from "../../support/controlplane/journals.ts";
import { notificationsOf } from "../../support/controlplane/notifications.ts";
import { servicesForTests } from "../../support/controlplane/service.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { healthy } from "../../support/worlds/meddling.ts";
import { memoryJournal } from "../../support/worlds/memory.ts";
import { run } from "../../support/worlds/pure-world.ts";

const postgres = postgresForTests();
const { service } = servicesForTests();
const stream = "rollout/shop/storefront/storefront--2";
/** A rollout that a person paused for a day. */
const { journal: long } = await run({
  ...healthy,
  signals: [
    { atMinutes: 5, signal: "pause", by: "ann", message: "a holiday" },
    { atMinutes: 5 + 24 * 60, signal: "resume", by: "ann", message: "back" },
  ],
});

/** Opens the journal, the claims and the API as a control plane does, and counts the facts that statements give. */
async function opened(database: Database) {
  const [pool, claimsPool] = [
    openPool(database, () => undefined),
    openPool(database, () => undefined, poolSizes.claims),
  ];
  await migrate(pool);
  let facts = 0;
  const query = pool.query.bind(pool) as unknown as (...given: readonly unknown[]) => Promise<QueryResult>;
  pool.query = (async (...given: readonly unknown[]) => {
    const result = await query(...given);
    // A statement that reads facts gives their texts; a list gives rows of streams only.
    if (result.fields.some(({ name }) => name === "event")) facts += result.rows.length;
    return result;
  }) as unknown as typeof pool.query;
  const journal = openJournal(pool, connectionOptions(database), kinds, () => undefined, undefined, claimsPool);
  const { call } = service({ journal });
  return {
    pool,
    journal,
    call,
    claims: openClaims(claimsPool, patience.leaseSeconds),
    facts: () => facts,
    [Symbol.asyncDispose]: async () => {
      await journal.close();
      await Promise.all([pool.end(), claimsPool.end()]);
    },
  };
}

test("a lease is renewed, and the heartbeat heard, while readers use every connection that they may use", async () => {
  await using plane = await opened(await postgres.fresh());
  const { pool, journal, call, claims } = plane;
  await journal.append(stream, [], long, { process: "p" });
  const taken = await claims.take(["app/shop/other"], "rollout/shop/other/other--1", "p");
  if (!("claim" in taken)) throw new Error("the claim was not free");
  const busy = await Promise.all(Array.from({ length: poolSizes.shared }, () => pool.connect()));
  const readers = Array.from({ length: 12 }, () => call("GET", "/rollouts"));
  await eventually(() => pool.waitingCount === readers.length, "all readers to wait for a connection");
  expect(await claims.renew(taken.claim)).toBe(true);
  await journal.looked([stream]);
  expect(await call("GET", "/health")).toMatchObject({ status: 200, body: { status: "ok" } });
  expect(pool.waitingCount).toBe(readers.length);
  for (const connection of busy) connection.release();
  expect((await Promise.all(readers)).map(({ status }) => status)).toEqual(readers.map(() => 200));
});

test("lists and shows of long rollouts read no fact, and a follower at the end reads two rows", async () => {
  await using plane = await opened(await postgres.fresh());
  const { journal, call, facts } = plane;
  await journal.append(stream, [], long, { process: "p" });
  const path = "/rollouts/shop/storefront/storefront--2";
  const read = async (to: string): Promise<number> => {
    const before = facts();
    expect((await call("GET", to)).status).toBe(200);
    return facts() - before;
  };
  // A follower reads the last fact that it knows, too.
  expect(long.length).toBeGreaterThan(500);
  expect({
    list: await read("/rollouts"),
    filtered: await read("/rollouts?app=storefront&limit=5"),
    show: await read(path),
    follow: await read(`${path}/follow?from=${long.length - 1}`),
    whole: await read(`${path}/follow`),
  }).toEqual({ list: 0, filtered: 0, show: 0, follow: 2, whole: long.length });
});

/** Counts the facts that readers get of a journal. */
function counted(journal: Journal): { readonly journal: Journal; readonly facts: () => number } {
  let facts = 0;
  return {
    facts: () => facts,
    journal: {
      ...journal,
      read: async (...of) => {
        const found = await journal.read(...of);
        facts += found.length;
        return found;
      },
      after: async (...of) => {
        const found = await journal.after(...of);
        facts += found?.length ?? 0;
        return found;
      },
    },
  };
}

test("a follower reads each fact once, and one that reconnects reads none before its place", async () => {
  const memory = memoryJournal(kinds);
  const { journal, facts } = counted(memory);
  const known = long.length - 20;
  await memory.append(stream, [], long.slice(0, known), { process: "p" });
  const { call } = service({ journal });
  const path = "/rollouts/shop/storefront/storefront--2/follow";
  const following = call("GET", path);
  for (const event of long.slice(known)) await appendAtEnd(memory, stream, [event], { process: "p" });
  expect((await following).text.trim().split("\n")).toHaveLength(long.length + 1);
  expect(facts()).toBe(long.length);
  await call("GET", `${path}?from=${long.length - 3}`);
  expect(facts()).toBe(long.length + 3);
});

test("notifications read each fact of a long rollout once, whatever is retried", async () => {
  const { journal, facts } = counted(memoryJournal(kinds));
  await journal.append(stream, [], long, { process: "p" });
  let delivered = 0;
  let attempts = 0;
  const sent: string[] = [];
  const notifying = startNotifying({
    kinds,
    journal,
    notifications: {
      register: async () => undefined,
      borrow: async () => (delivered < long.length ? { stream, delivered, failures: 0 } : undefined),
      advance: async (_notifier, _stream, to) => {
        delivered = to;
      },
      postpone: async () => undefined,
    },
    notifiers: [
      {
        name: "slack",
        deliver: async ({ id }) => {
          if (attempts++ % 2 === 0) return { kind: "later", reason: "busy" };
          sent.push(id);
          return { kind: "delivered" };
        },
      },
    ],
    now: () => long.at(-1)!.at,
    log: () => undefined,
    lookSeconds: 0.001,
  });
  await eventually(() => delivered === long.length, "every notification to be delivered");
  await notifying.close();
  const last = notificationsOf(stream, long, 0).slice(-3); // The others are a day old, and no longer news.
  expect(sent).toEqual(last.map(({ id }) => id));
  expect(facts()).toBe(long.length);
});
