// Two replicas that both believe that they may write. Claims expire by the database's clock, facts carry the epoch, and
// a read-back corrects what was already on its way when its claim was lost.

import type pg from "pg";
import { beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, Target } from "../../../engines/rollout/vocabulary.ts";
import { factsIn } from "../../support/postgres/facts.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { freshCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import type { ReplicaSetting } from "../../support/worlds/replica.ts";
import { type Replica, startReplica } from "../../support/worlds/replicas.ts";

const postgres = postgresForTests();
let database: Database;
let pool: pg.Pool;
beforeEach(async () => {
  database = await freshCloud(postgres);
  pool = postgres.pool(database);
});

const replica = (name: string, more: Partial<ReplicaSetting> = {}): Promise<Replica> =>
  startReplica({ database, name, leaseSeconds: 3, engine: "rollout", ...more });
const appsOf = (count: number): readonly Target[] =>
  Array.from({ length: count }, (_, index) => ({ resourceGroup: "rg", app: `app-${index}` }));
const nameOf = (target: Target): string => streamOf(target, `${target.app}--1`);

/** Requests a rollout with two steps of this bake each. */
function request(target: Target, bakeSeconds: number): object {
  const asked = quickRequest(target, [10, 50]);
  return {
    ...asked,
    intent: {
      ...asked.intent,
      strategy: { ...asked.intent.strategy, bakeSeconds, intervalSeconds: 0.5, maximumSeconds: 3600 },
    },
  };
}

const has = async (target: Target, kind: string, count = 1): Promise<boolean> =>
  (await factsIn(pool, nameOf(target))).filter(({ event }) => event.kind === kind).length >= count;
const reached = (target: Target, kind: string, count = 1): Promise<boolean> =>
  eventually(() => has(target, kind, count), `${target.app} to have ${kind}, ${count} times`, 60);

/** The end that every rollout must reach, whichever process wrote what. */
async function promotedWhole(target: Target): Promise<readonly Fact<RolloutEvent>[]> {
  await reached(target, "Finished");
  const facts = await factsIn(pool, nameOf(target));
  expect(facts.at(-1)?.event).toMatchObject({ kind: "Finished", result: "promoted" });
  expect(replay(facts.map(({ event }) => event))).toBeUndefined();
  const epochs = facts.map(({ epoch }) => epoch).filter((epoch) => epoch > 0);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  for (const epoch of new Set(epochs))
    expect(
      new Set(facts.filter((fact) => fact.epoch === epoch).map(({ process }) => process)).size,
      `writers in epoch ${epoch}`,
    ).toBe(1);
  expect((await pool.query("select weights from public.cloud where app = $1", [target.app])).rows).toEqual([
    { weights: [{ revision: `${target.app}--1`, percent: 100 }] },
  ]);
  return facts;
}

describe("two replicas", { timeout: 120_000 }, () => {
  it("of which one slept longer than its lease keep twenty rollouts whole", async () => {
    const apps = appsOf(20);
    const [first, second] = await Promise.all([replica("first", { shiftSeconds: 2 }), replica("second")]);
    for (const [index, target] of apps.entries())
      (index < 10 ? first : second).tell({ start: [nameOf(target), request(target, 5)] });
    await Promise.all(
      apps.map((target) =>
        eventually(async () => (await factsIn(pool, nameOf(target))).length > 1, "every rollout to be under way"),
      ),
    );
    await eventually(
      () => first.said.filter(({ sending }) => sending).length >= 5,
      "five shifts that have passed the fence and are not sent",
    );
    await first.kill("SIGSTOP");
    const leases = new Map(
      (
        await pool.query<{ holder: string; expires_at: Date }>(
          "select holder, expires_at from ballast.claims where process = 'first'",
        )
      ).rows.map((row) => [row.holder, row.expires_at.getTime()]),
    );
    await Promise.all(
      apps
        .slice(0, 10)
        .map((target) =>
          eventually(
            async () =>
              (await factsIn(pool, nameOf(target))).some(
                ({ process, event }) => process === "second" && event.kind === "StepReached" && event.percent === 50,
              ),
            `${target.app} to be recovered and to continue`,
            60,
          ),
        ),
    );
    await first.kill("SIGCONT");
    const journals = await Promise.all(apps.map(promotedWhole));
    const recovered = journals.slice(0, 10);
    for (const facts of recovered) expect(facts.findLast(({ epoch }) => epoch === 2)?.process).toBe("second");
    // Neither ever saw a lease of the other expire too early.
    const resumed = await pool.query<{ stream: string; at: Date }>(
      "select stream, min(written_at) as at from ballast.facts " +
        "where process = 'second' and epoch = 2 group by stream",
    );
    expect(resumed.rows).toHaveLength(10);
    for (const { stream, at } of resumed.rows) expect(at.getTime()).toBeGreaterThanOrEqual(leases.get(stream)!);
    const corrections = ["TrafficDrifted", "TrafficMoved"];
    const late = recovered.flat().filter(({ event }) => corrections.includes(event.kind)).length;
    expect(late).toBeGreaterThan(0);
    console.log(`${leases.size} claims slept through, weights found moved ${late} times and corrected`);
  });

  it("lose no lease while both are busy", async () => {
    const apps = appsOf(40);
    const both = await Promise.all([replica("first"), replica("second")]);
    for (const [index, target] of apps.entries())
      both[index % 2]!.tell({ start: [nameOf(target), request(target, 2)] });
    for (const facts of await Promise.all(apps.map(promotedWhole)))
      expect(new Set(facts.map(({ epoch }) => epoch))).toEqual(new Set([1]));
    expect(both.flatMap(({ said }) => said.flatMap(({ log }) => log ?? []))).toEqual([]);
  });

  it("whose clocks are ten minutes apart recover from each other only after a lease has expired", async () => {
    const [own, other] = appsOf(2) as [Target, Target];
    const [late, early] = await Promise.all([
      replica("late", { skewSeconds: -300 }),
      replica("early", { skewSeconds: 300 }),
    ]);
    late.tell({ start: [nameOf(own), request(own, 6)] });
    early.tell({ start: [nameOf(other), request(other, 6)] });
    await Promise.all([reached(own, "StepReached"), reached(other, "StepPassed")]);
    expect(
      await pool
        .query("select process, epoch from ballast.claims where holder like 'rollout/%' order by process")
        .then(({ rows }) => rows),
    ).toEqual([
      { process: "early", epoch: 1 },
      { process: "late", epoch: 1 },
    ]);
    await late.kill("SIGKILL");
    const {
      rows: [lease],
    } = await pool.query<{ at: Date }>("select expires_at as at from ballast.claims where process = 'late'");
    const facts = await promotedWhole(own);
    expect(new Set(facts.map(({ process, epoch }) => `${process} ${epoch}`))).toEqual(new Set(["late 1", "early 2"]));
    const {
      rows: [resumed],
    } = await pool.query<{ at: Date }>(
      "select min(written_at) as at from ballast.facts where stream = $1 and epoch = 2",
      [nameOf(own)],
    );
    expect(resumed!.at.getTime()).toBeGreaterThanOrEqual(lease!.at.getTime());
    await promotedWhole(other);
  });

  it("that receive the same start and the same abort at once start it once and end it once", async () => {
    const target = appsOf(1)[0]!;
    const both = await Promise.all([replica("first"), replica("second")]);
    const asked = request(target, 60);
    for (const each of both) each.tell({ start: [nameOf(target), asked] });
    await eventually(
      () =>
        both
          .flatMap(({ said }) => said.flatMap(({ came }) => came ?? []))
          .toSorted()
          .join() === "exists,started",
      "both starts to be answered",
    );
    await reached(target, "StepReached");
    for (const each of both) each.tell({ signal: [nameOf(target), "abort"] });
    const signalled = () =>
      both.flatMap(({ said }) => said.flatMap((line) => (line.signalled ? [line.signalled.join()] : []))).toSorted();
    await eventually(() => signalled().length === 2, "both signals to be answered");
    expect(signalled()).toEqual(["Disregarded", "Signalled,Aborted"]);
    await reached(target, "Finished");
    const facts = await factsIn(pool, nameOf(target));
    expect(
      facts
        .filter(
          ({ event }) =>
            event.kind === "Planned" ||
            event.kind === "Aborted" ||
            event.kind === "Reverted" ||
            event.kind === "Finished",
        )
        .map(({ event }) => event.kind),
    ).toEqual(["Planned", "Aborted", "Reverted", "Finished"]);
    expect(replay(facts.map(({ event }) => event))).toBeUndefined();
  });
});

it.each([
  [-600, 600],
  [600, -600],
])(
  "two replicas go by one clock, the database's, though their own are %i and %i seconds off",
  { timeout: 120_000 },
  async (firstSkew, secondSkew) => {
    const target = appsOf(1)[0]!;
    const [first, second] = await Promise.all([
      replica("first", { skewSeconds: firstSkew }),
      replica("second", { skewSeconds: secondSkew }),
    ]);
    first.tell({ start: [nameOf(target), request(target, 2)] });
    await reached(target, "SmokePassed");
    for (const [before, signal] of (["pause", "resume"] as const).entries()) {
      second.tell({ signal: [nameOf(target), signal] });
      await reached(target, "Signalled", before + 1);
    }
    await reached(target, "StepReached");
    await first.kill("SIGKILL");
    const facts = await promotedWhole(target);
    expect(facts.at(-1)).toMatchObject({ process: "second" });
    for (const { event } of facts.slice(1)) expect(Math.abs(event.at - Date.now())).toBeLessThan(120_000);
  },
);
