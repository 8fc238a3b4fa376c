// New code during a rollout: a changed copy of the control plane recovers the rollouts of the code that began them,
// whether that ended in order or not, and continues journals of a much older version. The copies run as processes
// beside the present code.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { appKey } from "../../../engines/targets.ts";
import { factsIn } from "../../support/postgres/facts.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { freshCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import { createDeadlyWorld } from "../../support/worlds/deadly-world.ts";
import { startReplica } from "../../support/worlds/replicas.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const newer = mkdtempSync(join(tmpdir(), "ballast-newer-"));
const postgres = postgresForTests();
const target = { resourceGroup: "rg", app: "shop" };
const stream = streamOf(target, "shop--1");
let database: Database;
let pool: pg.Pool;

/** The next version: one changed message, and copies of all modules, so that it counts as another build. */
beforeAll(() => {
  for (const each of ["controlplane", "engines", "errors", "test/support", "connect-to.ts", "package.json"])
    cpSync(join(root, each), join(newer, each), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(newer, "node_modules"));
  const end = join(newer, "engines/rollout/decisions/end.ts");
  const text = readFileSync(end, "utf8");
  expect(text).toContain('"promoted: "');
  writeFileSync(end, text.replace('"promoted: "', '"promoted by newer code: "'));
});
afterAll(() => rmSync(newer, { recursive: true, force: true }));

beforeEach(async () => {
  database = await freshCloud(postgres);
  pool = postgres.pool(database);
});

const leaseSeconds = 600; // Too long to wait for: what continues at once was released.
const today = (name: string) => startReplica({ database, name, leaseSeconds, engine: "rollout" });
const tomorrow = (name: string) =>
  startReplica(
    { database, name, leaseSeconds, engine: "rollout" },
    { program: join(newer, "test/support/worlds/replica.ts") },
  );
const asked = () => {
  const request = quickRequest(target, [10, 50]);
  return {
    ...request,
    intent: { ...request.intent, strategy: { ...request.intent.strategy, bakeSeconds: 1.5, intervalSeconds: 0.5 } },
  };
};

const has = (kind: string): Promise<boolean> =>
  eventually(async () => (await factsIn(pool, stream)).some(({ event }) => event.kind === kind), kind);

test("code that ends leaves its rollouts, and newer code continues them at once to the end", async () => {
  const old = await today("old");
  old.tell({ start: [stream, asked()] });
  await has("StepReached");
  const next = await tomorrow("next");
  old.tell({ close: true });
  await eventually(() => old.said.some(({ closed }) => closed), "the old code to end");
  next.tell({ recover: true });
  await has("Finished");
  const facts = await factsIn(pool, stream);
  expect(facts.at(-1)).toMatchObject({
    process: "next",
    epoch: 2,
    event: { result: "promoted", message: expect.stringContaining("by newer code") },
  });
  expect(facts.some(({ process, epoch }) => process === "old" && epoch === 1)).toBe(true);
  // The replay differs at the changed message, and nowhere before.
  expect(replay(facts.map(({ event }) => event))).toMatchObject({ index: facts.length - 1 });
});

test("while both run side by side, each finishes its own rollouts, and a signal to either reaches both", async () => {
  const [old, next] = await Promise.all([today("old"), tomorrow("next")]);
  old.tell({ start: [stream, asked()] });
  const other = { resourceGroup: "rg", app: "web" };
  const request = quickRequest(other, [10]);
  next.tell({
    start: [
      streamOf(other, "web--1"),
      { ...request, intent: { ...request.intent, strategy: { ...request.intent.strategy, bakeSeconds: 60 } } },
    ],
  });
  await has("StepReached");
  const eventOf = async (app: string, kind: string) =>
    (
      await pool.query<{ process: string; event: RolloutEvent }>(
        "select process, event from ballast.facts where stream like $1 and event->>'kind' = $2",
        [`%/${app}/%`, kind],
      )
    ).rows;
  await eventually(async () => (await eventOf("web", "StepReached")).length > 0, "the other rollout's first step");
  old.tell({ signal: [streamOf(other, "web--1"), "abort"] });
  await has("Finished");
  await eventually(async () => (await eventOf("web", "Finished")).length > 0, "the other rollout to finish");
  expect(await eventOf("shop", "Finished")).toMatchObject([
    { process: "old", event: { result: "promoted", message: expect.not.stringContaining("newer") } },
  ]);
  expect(await eventOf("web", "Finished")).toMatchObject([{ process: "next", event: { result: "rolled-back" } }]);
});

test("a journal that a much older version left half-way is continued by today's code to the end", async () => {
  const events = readFileSync(
    join(import.meta.dirname, "../../engines/rollout/journals/rollout-v1-aborted.jsonl"),
    "utf8",
  )
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RolloutEvent);
  const before = events.slice(
    0,
    events.findIndex(({ kind }) => kind === "Signalled"),
  );
  const shop = { resourceGroup: "shop", app: "storefront" };
  const left = streamOf(shop, "storefront--2");
  const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
  await journal.append(left, [], before, { process: "then" });
  await journal.close();
  await createDeadlyWorld(pool);
  await pool.query("update public.clock set now = $1", [before.at(-1)!.at]);
  await pool.query(
    "insert into public.cloud select 'storefront', event->'weights' from ballast.facts " +
      "where event->>'kind' = 'TrafficShifted'",
  );
  await pool.query(
    "insert into ballast.claims (target, holder, process, epoch, expires_at) values ($1, $2, 'then', 1, now())",
    [appKey(shop), left],
  );
  await startReplica({ database, name: "now", leaseSeconds, engine: "rollout", deadly: true });
  const facts = await eventually(async () => {
    const { rows } = await pool.query<Fact<RolloutEvent>>(
      "select * from ballast.facts where stream = $1 order by index",
      [left],
    );
    return rows.at(-1)?.event.kind === "Finished" && rows;
  }, "the old rollout to finish");
  expect(facts.slice(before.length).map(({ process, epoch }) => `${process} ${epoch}`)).toEqual(
    facts.slice(before.length).map(() => "now 2"),
  );
  expect(facts.at(-1)?.event).toMatchObject({ result: "promoted" });
  expect(replay(facts.map((fact) => parseFact({ ...fact, hash: "" }, rollouts).event))).toBeUndefined();
});
