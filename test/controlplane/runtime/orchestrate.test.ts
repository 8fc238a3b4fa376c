// The durable loop on real PostgreSQL: alone in this process, then as processes that are killed and take over.
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { systemClock } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Apps, Claims, Fact, Journal } from "../../../controlplane/runtime/ports.ts";
import type { Engine } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type {
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  SignalName,
} from "../../../engines/rollout/vocabulary.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { canaryPercent, cloudInTable, createCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import type { ReplicaSetting } from "../../support/worlds/replica.ts";
import { type Replica, startReplica } from "../../support/worlds/replicas.ts";
import { toyEngine, toyRequest } from "../../support/worlds/toy-engine.ts";

const postgres = postgresForTests();
const web = { resourceGroup: "rg", app: "web" };
const shop = { resourceGroup: "rg", app: "shop" };
const stream = streamOf(web, "web--1");
const signalOf = (signal: SignalName) => ({
  kind: "Signal" as const,
  at: Date.now(),
  signal,
  by: "ann",
  reason: "because",
});
const kinds = (facts: readonly Fact[]): readonly string[] => facts.map(({ event }) => event.kind);
const isFinished = (facts: readonly Fact[]): boolean => facts.at(-1)?.event.kind === "Finished";

let database: Database;
beforeEach(async () => {
  database = await postgres.fresh();
  const pool = openPool(database, () => {});
  await migrate(pool);
  await createCloud(pool);
  await pool.end();
});

interface Loop {
  readonly orchestrator: Orchestrator;
  readonly journal: Journal;
  readonly claims: Claims;
  readonly sent: readonly number[];
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>;
}

type Shift = Apps["shift"];
const obedient: Shift = async ({ weights }) => ({ ok: true, value: { weights } });

type AnyEngine = Engine<RolloutObservation, RolloutEvent, any, RolloutEffect>;

/** A loop in this process; `shift` stands for the cloud where it is given. */
async function loop(
  shift?: Shift,
  options: {
    readonly name?: string;
    readonly leaseSeconds?: number;
    readonly engine?: AnyEngine;
    readonly beforeAppend?: (events: readonly RolloutEvent[]) => Promise<unknown>;
  } = {},
): Promise<Loop> {
  const { name = "here", leaseSeconds = 30, engine = toyEngine, beforeAppend } = options;
  const sent: number[] = [];
  const pool = openPool(database, () => {});
  const journal = openJournal(pool, connectionOptions(database), () => {});
  const hooked: Journal = {
    ...journal,
    append: async (stream, on, events, pen) => {
      await beforeAppend?.(events);
      return journal.append(stream, on, events, pen);
    },
  };
  const claims = openClaims(pool, leaseSeconds);
  const cloud = cloudInTable(pool);
  const apps: Apps = {
    ...cloud.apps,
    shift: (effect, fence) => {
      sent.push(canaryPercent(effect.weights));
      return (shift ?? cloud.apps.shift)(effect, fence);
    },
  };
  const orchestrator = createOrchestrator({
    ports: { apps, requests: cloud.requests, journal: hooked, claims, clock: systemClock },
    engine,
    pool,
    process: name,
    leaseSeconds,
    requestSeconds: 10,
    log: () => {},
  });
  await orchestrator.launch();
  const once = close(orchestrator);
  onTestFinished(async () => {
    await once();
    await journal.close();
    await pool.end();
  });
  return {
    orchestrator: { ...orchestrator, close: once },
    journal,
    claims,
    sent,
    query: async (text) => (await pool.query(text)).rows,
  };
}

function close(orchestrator: Orchestrator): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => (closed ??= orchestrator.close());
}

const finishedFacts = (journal: Journal, of = stream): Promise<readonly Fact[]> =>
  eventually(async () => {
    const facts = await journal.read(of);
    return isFinished(facts) && facts;
  }, `${of} to finish`);
const longer = (journal: Journal, length: number, of = stream): Promise<readonly Fact[]> =>
  eventually(async () => {
    const facts = await journal.read(of);
    return facts.length >= length && facts;
  }, `${of} to have ${length} facts`);

describe("a loop in one process", () => {
  it("turns until the stream has finished, then gives its claim back and forgets its turns", async () => {
    const { orchestrator, journal, claims, sent, query } = await loop();
    expect(await orchestrator.start(stream, toyRequest(web, "web--1", [10, 100], 0.01))).toBe("started");
    const facts = await finishedFacts(journal);
    expect(kinds(facts)).toEqual(["Planned", "TrafficShifted", "Waited", "TrafficShifted", "Waited", "Finished"]);
    expect(facts.map(({ process, epoch }) => [process, epoch])).toEqual([
      ["here", 0],
      ...Array.from({ length: 5 }, () => ["here", 1]),
    ]);
    expect(sent).toEqual([10, 100]);
    await eventually(
      async () => "claim" in (await claims.take(web, "rollout/rg/web/next", "anybody")),
      "the claim to be free",
    );
    expect(await query("select 1 from dbos.workflow_status")).toEqual([]);
  });

  it("keeps no turn that only looks anywhere but in the journal", async () => {
    const turns: unknown[] = [];
    const { orchestrator, journal, query } = await loop(undefined, {
      beforeAppend: async (events) => {
        if (events[0]?.kind === "TrafficShifted" || events[0]?.kind === "Waited")
          turns.push(await query("select workflow_uuid as id from dbos.workflow_status"));
      },
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal);
    expect(turns).toEqual([[{ id: `${stream}#1` }], [{ id: `${stream}#1` }]]);
  });

  it("starts a stream once, and says that it exists from then on", async () => {
    const { orchestrator, journal } = await loop();
    const request = toyRequest(web, "web--1", [10], 0.01);
    const came = await Promise.all([
      orchestrator.start(stream, request),
      orchestrator.start(stream, request),
      orchestrator.start(stream, request),
    ]);
    expect(came.toSorted()).toEqual(["exists", "exists", "started"]);
    await finishedFacts(journal);
    expect(await orchestrator.start(stream, request)).toBe("exists");
  });

  it("refuses a second stream on a target that one holds, and drives streams of two targets at once", async () => {
    const { orchestrator, journal } = await loop();
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 60));
    await expect(orchestrator.start(streamOf(web, "web--2"), toyRequest(web, "web--2", [10], 0))).rejects.toMatchObject(
      { id: "claim-target-held", message: expect.stringContaining(stream) },
    );
    expect(await journal.read(streamOf(web, "web--2"))).toEqual([]);
    await orchestrator.start(streamOf(shop, "shop--1"), toyRequest(shop, "shop--1", [10], 0.01));
    await finishedFacts(journal, streamOf(shop, "shop--1"));
    expect(isFinished(await journal.read(stream))).toBe(false);
  });

  it("lets a signal cut a wait short", async () => {
    const { orchestrator, journal, sent } = await loop();
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await longer(journal, 2);
    expect(await orchestrator.signal(stream, signalOf("abort"))).toMatchObject([
      { kind: "Signalled", by: "ann", reason: "because" },
    ]);
    expect(kinds(await finishedFacts(journal))).toEqual([
      "Planned",
      "TrafficShifted",
      "Signalled",
      "TrafficShifted",
      "Finished",
    ]);
    expect(sent).toEqual([10, 0]);
  });

  it("waits with a shift while a `pulumi up` holds the app, and lets an abort wait for nothing", async () => {
    const { orchestrator, journal, claims, sent } = await loop();
    const hold = await claims.hold(web, "a pulumi up", 600);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await orchestrator.signal(stream, signalOf("pause"));
    await orchestrator.signal(stream, signalOf("resume"));
    expect(sent).toEqual([]);
    await claims.unhold(web, "id" in hold ? hold.id : "");
    await eventually(() => sent.length > 0, "the shift after the hold");
    await claims.hold(web, "a pulumi up", 600);
    await orchestrator.signal(stream, signalOf("abort"));
    await finishedFacts(journal);
    expect(sent).toEqual([10, 0]);
  });

  it("waits with a step of a real rollout while a `pulumi up` holds the app, and lets its abort wait for nothing", async () => {
    const { orchestrator, journal, claims, sent } = await loop(undefined, { engine: rollout });
    const reached = (kind: RolloutEvent["kind"], count = 1) =>
      eventually(
        async () => kinds(await journal.read(stream)).filter((each) => each === kind).length >= count,
        `${kind}, ${count} times`,
      );
    const hold = await claims.hold(web, "a pulumi up", 600);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await reached("SmokePassed");
    await orchestrator.signal(stream, signalOf("pause"));
    await orchestrator.signal(stream, signalOf("resume"));
    expect(sent).toEqual([]);
    await claims.unhold(web, "id" in hold ? hold.id : "");
    await reached("StepReached");
    await claims.hold(web, "a pulumi up", 600);
    await orchestrator.signal(stream, signalOf("abort"));
    await reached("TrafficShifted", 2);
    await eventually(
      async () => (await journal.read(stream)).at(-1)?.event.kind === "TrafficRead",
      "the weights to be read back",
    );
    expect(sent).toEqual([10, 0]);
    // Whoever holds the app may still write it, so the rollout is not over before the hold is.
    expect((await journal.read(stream)).at(-1)?.event).toEqual({
      kind: "TrafficRead",
      at: expect.any(Number),
      weights: [{ revision: "stable", percent: 100 }],
      heldUntil: expect.closeTo(Date.now() + 600_000, -5),
    });
    expect(replay((await journal.read(stream)).map(({ event }) => event))).toBeUndefined();
  });

  it("lets a signal neither cut a write nor lose its outcome", async () => {
    const gate = Promise.withResolvers<void>();
    const { orchestrator, journal, sent } = await loop(async (effect, fence) => {
      await gate.promise;
      return obedient(effect, fence);
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await eventually(() => sent.length > 0, "the write to be sent");
    await orchestrator.signal(stream, signalOf("pause"));
    expect(kinds(await journal.read(stream))).toEqual(["Planned", "Signalled"]);
    gate.resolve();
    expect(kinds(await longer(journal, 3))).toEqual(["Planned", "Signalled", "TrafficShifted"]);
    await orchestrator.signal(stream, signalOf("resume"));
    await finishedFacts(journal);
    expect(sent).toEqual([10]);
  });

  it("decides signals that come all at once one after the other", async () => {
    const { orchestrator, journal } = await loop();
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await Promise.all(
      Array.from({ length: 10 }, (_, each) => orchestrator.signal(stream, signalOf(each % 2 ? "pause" : "resume"))),
    );
    await orchestrator.signal(stream, signalOf("abort"));
    expect(kinds(await finishedFacts(journal)).filter((kind) => kind === "Signalled")).toHaveLength(11);
  });

  it("refuses a signal to a stream that never was", async () => {
    const { orchestrator, journal } = await loop();
    await expect(orchestrator.signal(stream, signalOf("abort"))).rejects.toMatchObject({ id: "rollout-unknown" });
    expect(await journal.read(stream)).toEqual([]);
  });

  it("takes a finished stream up again on a signal that revives it, unless another has the target", async () => {
    const { orchestrator, journal, sent } = await loop();
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal);
    await orchestrator.signal(stream, signalOf("retry"));
    await eventually(async () => {
      const facts = await journal.read(stream);
      return isFinished(facts) && facts.length > 5;
    }, "the second attempt to finish");
    expect(sent).toEqual([10, 10]);
    const second = streamOf(web, "web--2");
    expect(await orchestrator.start(second, toyRequest(web, "web--2", [20], 600))).toBe("started"); // Though the first may not have given it back yet.
    await expect(orchestrator.signal(stream, signalOf("retry"))).rejects.toMatchObject({ id: "claim-target-held" });
    expect(isFinished(await journal.read(stream))).toBe(true);
  });

  it("drives a revived stream at once, though the run before gave the claim back after the signal had taken it", async () => {
    let giveBack = async (): Promise<unknown> => undefined;
    const { orchestrator, journal, query } = await loop(undefined, {
      leaseSeconds: 600,
      beforeAppend: async (events) => {
        if (events[0]?.kind === "Signalled") await giveBack();
      },
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal);
    await eventually(
      async () => (await query("select 1 from ballast.claims where holder is not null")).length === 0,
      "the claim to be free",
    );
    giveBack = () => query("update ballast.claims set holder = null, process = null, expires_at = now()");
    await orchestrator.signal(stream, signalOf("retry"));
    expect(
      (
        await eventually(async () => {
          const facts = await journal.read(stream);
          return isFinished(facts) && facts.length > 5 && facts;
        }, "the second attempt")
      ).at(-1)?.epoch,
    ).toBe(3);
  });

  it("writes down what an adapter throws, and tries again", async () => {
    let failed = false;
    const { orchestrator, journal } = await loop(async (effect, fence) => {
      if (!failed) {
        failed = true;
        throw new Error("the cloud stumbled");
      }
      return obedient(effect, fence);
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    const facts = await finishedFacts(journal);
    expect(facts[1]?.event).toMatchObject({
      kind: "AttemptFailed",
      effect: "ShiftTraffic",
      reason: "the cloud stumbled",
    });
  });

  it("sends and writes nothing once its claim is somebody else's", async () => {
    const gate = Promise.withResolvers<void>();
    const fences: boolean[] = [];
    const { orchestrator, journal, sent, query } = await loop(async (effect, fence) => {
      await gate.promise;
      fences.push(await fence());
      return fences.at(-1) ? obedient(effect, fence) : { ok: false, reason: "fenced" };
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await eventually(() => sent.length > 0, "the write to begin");
    await query(
      "update ballast.claims set process = 'thief', epoch = epoch + 1, expires_at = now() + interval '1 hour'",
    );
    gate.resolve();
    await eventually(() => fences.length > 0, "the fence to be asked");
    expect(fences).toEqual([false]);
    expect(await orchestrator.sweep()).toEqual([]);
    await orchestrator.close();
    expect(kinds(await journal.read(stream))).toEqual(["Planned"]);
  });

  it("closes once the write under way has ended and is written down", async () => {
    const gate = Promise.withResolvers<void>();
    const { orchestrator, journal, sent } = await loop(async (effect, fence) => {
      await gate.promise;
      return obedient(effect, fence);
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await eventually(() => sent.length > 0, "the write to begin");
    let closed = false;
    const closing = orchestrator.close().then(() => {
      closed = true;
    });
    expect(await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 100, "still open"))])).toBe(
      "still open",
    );
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    expect(kinds(await journal.read(stream))).toEqual(["Planned", "TrafficShifted"]);
  });

  it("leaves a stream so that other code in another process carries on at once", async () => {
    const first = await loop(obedient, { name: "first", leaseSeconds: 600 });
    await first.orchestrator.start(stream, toyRequest(web, "web--1", [10, 50], 1));
    await longer(first.journal, 2);
    await first.orchestrator.close();
    expect(kinds(await first.journal.read(stream))).toEqual(["Planned", "TrafficShifted"]);
    const newer: typeof toyEngine = {
      ...toyEngine,
      decide: (state, observation) =>
        toyEngine
          .decide(state, observation)
          .map((event) => (event.kind === "Finished" ? { ...event, sentence: "by newer code" } : event)),
    };
    const second = await loop(obedient, { name: "second", leaseSeconds: 600, engine: newer });
    const facts = await finishedFacts(second.journal);
    expect(facts.at(-1)).toMatchObject({ process: "second", epoch: 2, event: { sentence: "by newer code" } });
    expect([first.sent, second.sent]).toEqual([[10], [50]]);
  });

  it("takes its own stream up again after its lease ran out, at the next epoch", async () => {
    const { orchestrator, journal, sent, query } = await loop(obedient, { leaseSeconds: 1.5 });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10, 20], 1));
    await longer(journal, 2);
    await query("update ballast.claims set expires_at = now()");
    const facts = await finishedFacts(journal);
    expect(facts.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 2, 2, 2]);
    expect(sent).toEqual([10, 20]);
  });

  it("goes on after the database broke every connection", async () => {
    const { orchestrator, journal, query } = await loop(obedient);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10, 20, 30, 40], 0.3));
    for (const length of [2, 4]) {
      await longer(journal, length);
      await query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    }
    const facts = await eventually(async () => {
      const facts = await journal.read(stream).catch(() => []);
      return isFinished(facts) && facts;
    }, "the stream to finish");
    expect(kinds(facts).filter((kind) => kind === "TrafficShifted")).toHaveLength(4);
  });
});

/** A replica in a process of its own, launched. */
const replica = (setting: Omit<ReplicaSetting, "database">): Promise<Replica> => startReplica({ ...setting, database });
const sentBy = ({ said }: Replica): readonly number[] => said.flatMap(({ sent }) => (sent === undefined ? [] : [sent]));

describe("processes that die and take over", () => {
  const reading = () => {
    const pool = openPool(database, () => {});
    const journal = openJournal(pool, connectionOptions(database), () => {});
    onTestFinished(() => journal.close().then(() => pool.end()));
    return { journal, moment: async (text: string) => (await pool.query<{ at: Date }>(text)).rows[0]!.at.getTime() };
  };

  async function killed(
    at: "sent" | "before append" | "after append",
    engine: "toy" | "rollout" = "toy",
  ): Promise<{
    readonly facts: readonly Fact[];
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
    const facts = await finishedFacts(journal);
    const resumedAt = await moment("select min(written_at) as at from ballast.facts where process = 'second'");
    return { facts, sent: [sentBy(first), sentBy(second)], expiredAt, resumedAt };
  }

  const bothInTurn = (facts: readonly Fact[]): void => {
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

  const handedOver = (facts: readonly Fact[]): void => {
    const hands = facts.slice(1).map(({ process, epoch }) => `${process} ${epoch}`);
    expect([...new Set(hands)]).toEqual(["first 1", "second 2"]);
    expect(hands).toEqual(hands.toSorted());
  };

  it("repeat an effect that was in flight, and no other, after the lease has run out", async () => {
    const { facts, sent, expiredAt, resumedAt } = await killed("sent");
    bothInTurn(facts);
    expect(sent).toEqual([
      [10, 20],
      [20, 30],
    ]);
    expect(resumedAt).toBeGreaterThanOrEqual(expiredAt);
  });

  it("write down the outcome of an effect that was recorded, without repeating it", async () => {
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
  ] as const)("carry a real rollout %s to its end, as one process would have", async (_, at, sentByBoth) => {
    const { facts, sent, expiredAt, resumedAt } = await killed(at, "rollout");
    const events = facts.map(({ event }) => event);
    handedOver(facts);
    expect(sent).toEqual(sentByBoth);
    expect(resumedAt).toBeGreaterThanOrEqual(expiredAt);
    expect(events.flatMap((event) => (event.kind === "StepReached" ? [event.percent] : []))).toEqual([10, 20, 30, 100]);
    expect(events.at(-1)).toMatchObject({ kind: "Finished", result: "promoted" });
    expect(replay(events)).toBeUndefined();
  });

  it("never drive one stream both, though both sweep and both are asked to start it", async () => {
    const { journal } = reading();
    const replicas = await Promise.all(["first", "second"].map((name) => replica({ name, leaseSeconds: 1 })));
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

  it("send and write nothing more when they wake from a sleep in which their stream was taken over", async () => {
    const { journal } = reading();
    const first = await replica({ name: "first", leaseSeconds: 1 });
    first.tell({ start: [stream, toyRequest(web, "web--1", [10, 20, 30], 0.3)] });
    await longer(journal, 3);
    await first.kill("SIGSTOP");
    const before = sentBy(first).length;
    const second = await replica({ name: "second", leaseSeconds: 1 });
    const facts = await finishedFacts(journal);
    await first.kill("SIGCONT");
    first.tell({ close: true });
    await eventually(() => first.said.some(({ closed }) => closed), "the first to close");
    expect(sentBy(first).length).toBeLessThanOrEqual(before + 1); // One line may have been on its way while it slept.
    expect(await journal.read(stream)).toEqual(facts);
    expect(new Set(facts.slice(1).map(({ process }) => process))).toEqual(new Set(["first", "second"]));
    expect(sentBy(second).length).toBeGreaterThan(0);
  });
});
