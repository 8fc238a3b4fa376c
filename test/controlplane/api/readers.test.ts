// Readers and the control loop in one process: however many callers list, show and follow long rollouts, no lease is
// renewed late. Followers of a long rollout read its new facts only.
import { expect, test } from "vitest";
import { measureReaders } from "../../../bench/performance/readers.ts";
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

test("twelve readers of a hundred long rollouts make no renewal of a lease late", { timeout: 240_000 }, async () => {
  const { beside, calls } = await measureReaders({
    database: await postgres.fresh(),
    events: long,
    rollouts: 100,
    readers: 12,
    leaseSeconds: patience.leaseSeconds,
    rounds: 3,
  });
  expect(calls).toHaveLength(12 * 3 * 3);
  expect(beside.length).toBeGreaterThan(0);
  expect(beside.filter((milliseconds) => milliseconds >= patience.leaseSeconds * 100)).toEqual([]);
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
