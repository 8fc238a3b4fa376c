// The durable control loop in several processes on real PostgreSQL: processes are killed or suspended, and others
// recover their rollouts.

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { finishedFacts, kinds, longer } from "../../support/controlplane/control-loop.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { freshCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import type { ReplicaSetting } from "../../support/worlds/replica.ts";
import { type Replica, startReplica } from "../../support/worlds/replicas.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";
import { toyRequest } from "../../support/worlds/toy-engine.ts";

const postgres = postgresForTests();
const web = { resourceGroup: "rg", app: "web" };
const stream = streamOf(web, "web--1");

let database: Database;
beforeEach(async () => {
  database = await freshCloud(postgres);
});

/** Starts a replica in a process of its own. */
const replica = (setting: Omit<ReplicaSetting, "database">): Promise<Replica> => startReplica({ ...setting, database });
const sentBy = ({ said }: Replica): readonly number[] => said.flatMap(({ sent }) => (sent === undefined ? [] : [sent]));

describe("processes that die and recover each other's work", () => {
  const reading = () => {
    const pool = openPool(database, () => {});
    const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
    onTestFinished(() => journal.close().then(() => pool.end()));
    return { journal, moment: async (text: string) => (await pool.query<{ at: Date }>(text)).rows[0]!.at.getTime() };
  };

  async function killed(
    at: "sent" | "before append" | "after append",
    engine: "toy" | "rollout" = "toy",
  ): Promise<{
    readonly facts: readonly Fact<RolloutEvent>[];
    readonly sent: readonly (readonly number[])[];
    readonly expiredAt: number;
    readonly resumedAt: number;
  }> {
    const { journal, moment } = reading();
    const leaseSeconds = 2;
    const first = await replica({ name: "first", leaseSeconds, engine, hang: { at, percent: 20 } });
    first.tell({
      start: [
        stream,
        engine === "toy" ? toyRequest(web, "web--1", [10, 20, 30], 0.05) : quickRequest(web, [10, 20, 30]),
      ],
    });
    await eventually(() => first.said.some(({ hangs }) => hangs), "the first to hang");
    const second = await replica({ name: "second", leaseSeconds, engine });
    expect(sentBy(second)).toEqual([]);
    await first.kill("SIGKILL");
    const expiredAt = await moment("select expires_at as at from ballast.claims where holder is not null");
    const facts = await finishedFacts(journal, stream);
    const resumedAt = await moment("select min(written_at) as at from ballast.facts where process = 'second'");
    return { facts, sent: [sentBy(first), sentBy(second)], expiredAt, resumedAt };
  }

  const bothInTurn = (facts: readonly Fact<RolloutEvent>[]): void => {
    expect(kinds(facts)).toEqual([
      "Planned",
      "TrafficShifted",
      "Waited",
      "TrafficShifted",
      "Waited",
      "TrafficShifted",
      "Waited",
      "Finished",
    ]);
    handedOver(facts);
  };

  const handedOver = (facts: readonly Fact<RolloutEvent>[]): void => {
    const hands = facts.slice(1).map(({ process, epoch }) => `${process} ${epoch}`);
    expect([...new Set(hands)]).toEqual(["first 1", "second 2"]);
    expect(hands).toEqual(hands.toSorted());
  };

  it("repeat an effect that was in flight, and no other, after the lease has expired", async () => {
    const { facts, sent, expiredAt, resumedAt } = await killed("sent");
    bothInTurn(facts);
    expect(sent).toEqual([
      [10, 20],
      [20, 30],
    ]);
    expect(resumedAt).toBeGreaterThanOrEqual(expiredAt);
  });

  it("write the outcome of an effect that was recorded, without repeating it", async () => {
    const { facts, sent } = await killed("before append");
    bothInTurn(facts);
    expect(sent).toEqual([[10, 20], [30]]);
    expect(facts[3]).toMatchObject({ process: "second", epoch: 2, event: { kind: "TrafficShifted" } });
  });

  it("write nothing twice that was written just before the end", async () => {
    const { facts, sent } = await killed("after append");
    bothInTurn(facts);
    expect(sent).toEqual([[10, 20], [30]]);
    expect(facts[3]).toMatchObject({ process: "first", epoch: 1 });
  });

  // The last 100 moves no traffic: it gives the promoted revision the label `stable`.
  it.each([
    [
      "whose shift was in flight",
      "sent",
      [
        [10, 20],
        [20, 30, 100, 100],
      ],
    ],
    [
      "whose shift was recorded",
      "before append",
      [
        [10, 20],
        [30, 100, 100],
      ],
    ],
  ] as const)("finish a real rollout %s as one process would have", async (_, at, sentByBoth) => {
    const { facts, sent, expiredAt, resumedAt } = await killed(at, "rollout");
    const events = facts.map(({ event }) => event);
    handedOver(facts);
    expect(sent).toEqual(sentByBoth);
    expect(resumedAt).toBeGreaterThanOrEqual(expiredAt);
    expect(events.flatMap((event) => (event.kind === "StepReached" ? [event.percent] : []))).toEqual([10, 20, 30, 100]);
    expect(events.at(-1)).toMatchObject({ kind: "Finished", result: "promoted" });
    expect(replay(events)).toBeUndefined();
  });

  it("never both drive one stream, although both recover and both are asked to start it", async () => {
    const { journal } = reading();
    // No claim expires here, however slow the machine is.
    const replicas = await Promise.all(["first", "second"].map((name) => replica({ name, leaseSeconds: 20 })));
    const apps = ["a", "b", "c", "d"].map((app) => ({ resourceGroup: "rg", app }));
    for (const each of replicas)
      for (const app of apps) each.tell({ start: [streamOf(app, "r1"), toyRequest(app, "r1", [10, 20, 30], 0.6)] });
    for (const app of apps) {
      const facts = await finishedFacts(journal, streamOf(app, "r1"));
      expect(new Set(facts.slice(1).map(({ process, epoch }) => `${process} ${epoch}`)).size).toBe(1);
      expect(
        replicas.flatMap(({ said }) =>
          said.filter((line) => line.app === app.app && line.sent !== undefined).map(({ sent }) => sent),
        ),
      ).toEqual([10, 20, 30]);
    }
    await eventually(
      () => replicas.flatMap(({ said }) => said.filter(({ came }) => came)).length === 8,
      "every start to be answered",
    );
    expect(replicas.flatMap(({ said }) => said.flatMap(({ came }) => came ?? [])).toSorted()).toEqual([
      ...Array<string>(4).fill("exists"),
      ...Array<string>(4).fill("started"),
    ]);
    expect(replicas.flatMap(({ said }) => said.flatMap(({ log }) => log ?? []))).toEqual([]);
  });

  it("send and write nothing more when they wake after another process recovered their stream", async () => {
    const { journal } = reading();
    const first = await replica({ name: "first", leaseSeconds: 1 });
    first.tell({ start: [stream, toyRequest(web, "web--1", [10, 20, 30], 0.3)] });
    await longer(journal, 3, stream);
    await first.kill("SIGSTOP");
    const before = sentBy(first).length;
    const second = await replica({ name: "second", leaseSeconds: 1 });
    const facts = await finishedFacts(journal, stream);
    await first.kill("SIGCONT");
    first.tell({ close: true });
    await eventually(() => first.said.some(({ closed }) => closed), "the first to close");
    // One line may have been on its way while it was suspended.
    expect(sentBy(first).length).toBeLessThanOrEqual(before + 1);
    expect(await journal.read(stream)).toEqual(facts);
    expect(new Set(facts.slice(1).map(({ process }) => process))).toEqual(new Set(["first", "second"]));
    expect(sentBy(second).length).toBeGreaterThan(0);
  });
});
