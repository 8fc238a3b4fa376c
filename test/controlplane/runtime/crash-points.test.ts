// Kills a whole rollout at every point, one after the other: before and after each effect, before and after each
// append. Another replica continues it, and neither the journal nor the world may show a difference. The test
// expires the lease by hand, so that this takes minutes and not hours; two-writers.test.ts tests that no process
// recovers a stream before.
import fc from "fast-check";
import type pg from "pg";
import { expect, type TestContext, test } from "vitest";
import { openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { createCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import { createDeadlyWorld, dawn } from "../../support/worlds/deadly-world.ts";
import { type Replica, startReplica } from "../../support/worlds/replicas.ts";

const postgres = postgresForTests();
const leaseSeconds = 30;

/** What a rollout left: its facts without their writers, the writes in order, and the final weights. */
interface Left {
  readonly events: readonly RolloutEvent[];
  readonly sent: readonly string[];
  readonly weights: unknown;
  /** The log of the replica that finished it. */
  readonly logged: readonly string[];
}

interface Theatre {
  /** Runs a rollout to its end. The replica that drives it dies at the first point, its successor at the second. */
  readonly carry: (...deaths: readonly number[]) => Promise<Left>;
  /** Gives how many points the living replica has passed. */
  readonly points: () => Promise<number>;
}

/** A database with replicas, in which the same rollout runs repeatedly. */
async function theatre(app: string, onTestFinished: TestContext["onTestFinished"]): Promise<Theatre> {
  const target = { resourceGroup: "rg", app };
  const stream = streamOf(target, `${app}--1`);
  const database = await postgres.fresh();
  const pool = postgres.pool(database);
  const setUp = openPool(database, () => {});
  await migrate(setUp);
  await createCloud(setUp);
  await createDeadlyWorld(setUp);
  await setUp.end();
  let count = 0;
  const another = (): Promise<Replica> =>
    startReplica(
      { database, name: `replica-${++count}`, leaseSeconds, engine: "rollout", deadly: true },
      { onTestFinished },
    );
  let next = another();
  let current = await another();
  const { intent } = quickRequest(target, [50]);
  const request = {
    kind: "Request",
    at: dawn,
    intent: { ...intent, strategy: { ...intent.strategy, intervalSeconds: 1, bakeSeconds: 1, probeSeconds: 1 } },
  };

  async function carry(...deaths: readonly number[]): Promise<Left> {
    await forget(pool);
    current.tell({ arm: { dieAt: deaths[0] } });
    current.tell({ start: [stream, request] });
    for (const [index] of deaths.entries()) {
      const dying = current;
      await eventually(() => dying.isDead(), `${dying.name} to die at its point ${deaths[index]}`, 60);
      current = await next;
      next = another();
      next.catch(() => undefined); // Awaited at the next death.
      await pool.query("update ballast.claims set expires_at = clock_timestamp()");
      current.tell({ arm: { dieAt: deaths[index + 1] } });
      if ((await eventsOf(pool, stream)).length === 0)
        current.tell({ start: [stream, request] }); // The request was never answered, so it is repeated.
      else current.tell({ recover: true });
    }
    await eventually(
      async () =>
        (await pool.query("select 1 from ballast.claims where holder is not null")).rowCount === 0 &&
        (await eventsOf(pool, stream)).at(-1)?.kind === "Finished",
      `${stream} to finish and to be given back`,
      60,
    );
    expect((await pool.query("select workflow_uuid from dbos.workflow_status")).rows).toEqual([]);
    return {
      events: await eventsOf(pool, stream),
      sent: (await pool.query<{ effect: object }>("select effect from public.sent order by place")).rows.map(
        ({ effect }) => JSON.stringify(effect),
      ),
      weights: (await pool.query("select weights from public.cloud")).rows,
      logged: current.said.flatMap(({ log }) => log ?? []),
    };
  }
  const points = async (): Promise<number> => {
    const before = current.said.length;
    current.tell({ points: true });
    return eventually(
      () => current.said.slice(before).find((line) => line.points !== undefined)?.points,
      "the count of points",
    );
  };
  return { carry, points };
}

const forget = async (pool: pg.Pool): Promise<void> =>
  void (await pool.query(
    `delete from ballast.facts; delete from ballast.streams; delete from public.sent; delete from public.cloud;
     update public.clock set now = ${dawn}`,
  ));

const eventsOf = async (pool: pg.Pool, stream: string): Promise<readonly RolloutEvent[]> =>
  (
    await pool.query<{ event: RolloutEvent }>("select event from ballast.facts where stream = $1 order by index", [
      stream,
    ])
  ).rows.map(({ event }) => event);

/** How often a write was sent again right after itself, the only permitted difference between `sent` and `plain`. */
function sentAgain(sent: readonly string[], plain: readonly string[]): number {
  const first = sent.filter((effect, index) => index === 0 || effect !== sent[index - 1]);
  const firstOfPlain = plain.filter((effect, index) => index === 0 || effect !== plain[index - 1]);
  expect(first).toEqual(firstOfPlain);
  return sent.length - plain.length;
}

const paths = [
  ["shop", "promoted"],
  ["bad-shop", "rolled-back"],
] as const;
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

test.concurrent.for(paths)(
  "%s: killed at any point of a rollout that is %s, it ends with the same facts, and repeats only unrecorded effects",
  { timeout: 600_000 },
  async ([app, result], { onTestFinished }) => {
    const { carry, points } = await theatre(app, onTestFinished);
    const plain = await carry();
    expect(plain.events.at(-1)).toMatchObject({ kind: "Finished", result });
    expect(replay(plain.events)).toBeUndefined();
    const last = await points();
    const again: number[] = [];
    const troubles: string[] = [];
    for (let point = 1; point <= last; point++) {
      const left = await carry(point);
      expect(left.events, `the facts after a death at point ${point}`).toEqual(plain.events);
      expect(left.weights).toEqual(plain.weights);
      again.push(sentAgain(left.sent, plain.sent));
      if (left.logged.length > 0)
        troubles.push(`point ${point}, sent again ${again.at(-1)}: ${left.logged.join("; ")}`);
    }
    // A pass has four points. At one of them an effect was sent but is not recorded; at the next it is recorded, which
    // counts for writes only, because the next process repeats the reads of a dead one.
    const writes = plain.sent.filter((effect) => /"kind":"(ShiftTraffic|Activate|Deactivate)"/.test(effect)).length;
    const repeated = 2 * plain.sent.length - writes;
    expect(again.toSorted(), `by point ${again.join("")}, trouble: ${troubles.join("\n")}`).toEqual([
      ...Array<number>(last - repeated).fill(0),
      ...Array<number>(repeated).fill(1),
    ]);
    console.log(`${app}: ${last} points, ${plain.sent.length} effects`);

    for (const [point, second] of fc.sample(
      fc.tuple(fc.integer({ min: 1, max: last - 4 }), fc.integer({ min: 1, max: 3 })),
      { seed, numRuns: 10 },
    )) {
      const left = await carry(point, second);
      expect(
        left.events,
        `the facts after deaths at point ${point} and the successor's point ${second}, seed ${seed}`,
      ).toEqual(plain.events);
      expect(sentAgain(left.sent, plain.sent)).toBeLessThanOrEqual(2);
    }
    console.log(`${app}: ten pairs of deaths, seed ${seed}`);
  },
);
