// The durable control loop in this process, on real PostgreSQL. orchestrate.recovery.test.ts has several processes.

import { beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { appKey } from "../../../engines/targets.ts";
import {
  finishedFacts,
  isFinished,
  kinds,
  longer,
  obedient,
  openLoop,
} from "../../support/controlplane/control-loop.ts";
import { rejected } from "../../support/controlplane/service.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { freshCloud } from "../../support/worlds/cloud-in-table.ts";
import { toyEngine, toyRequest } from "../../support/worlds/toy-engine.ts";

const postgres = postgresForTests();
const web = { resourceGroup: "rg", app: "web" };
const shop = { resourceGroup: "rg", app: "shop" };
const stream = streamOf(web, "web--1");
const planned = (revision: string): RolloutEvent =>
  toyEngine.decide(toyEngine.initial, toyRequest(web, revision, [10], 60))[0]!;
const signalOf = (signal: SignalName) => ({
  kind: "Signal" as const,
  at: Date.now(),
  signal,
  by: "ann",
  message: "because",
});

let database: Database;
beforeEach(async () => {
  database = await freshCloud(postgres);
});

describe("a loop in one process", () => {
  it("reconciles until the stream has finished, then releases its claim and forgets its passes", async () => {
    const { orchestrator, journal, claims, sent, query } = await openLoop(database);
    expect(await orchestrator.start(stream, toyRequest(web, "web--1", [10, 100], 0.01))).toBe("started");
    const facts = await finishedFacts(journal, stream);
    expect(kinds(facts)).toEqual(["Planned", "TrafficShifted", "Waited", "TrafficShifted", "Waited", "Finished"]);
    expect(facts.map(({ process, epoch }) => [process, epoch])).toEqual([
      ...Array.from({ length: 6 }, () => ["here", 1]),
    ]);
    expect(sent).toEqual([10, 100]);
    await eventually(
      async () => "claim" in (await claims.take([appKey(web)], "rollout/rg/web/next", "anybody")),
      "the claim to be free",
    );
    expect(await query("select 1 from dbos.workflow_status")).toEqual([]);
  });

  it("stores a pass that only reads nowhere but in the journal", async () => {
    const passes: unknown[] = [];
    const { orchestrator, journal, query } = await openLoop(database, undefined, {
      beforeAppend: async (events) => {
        if (events[0]?.kind === "TrafficShifted" || events[0]?.kind === "Waited")
          passes.push(await query("select workflow_uuid as id from dbos.workflow_status"));
      },
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal, stream);
    expect(passes).toEqual([[{ id: `${stream}#1` }], [{ id: `${stream}#1` }]]);
  });

  it("starts a stream once, and reports that it exists from then on", async () => {
    const { orchestrator, journal } = await openLoop(database);
    const request = toyRequest(web, "web--1", [10], 0.01);
    const came = await Promise.all([
      orchestrator.start(stream, request),
      orchestrator.start(stream, request),
      orchestrator.start(stream, request),
    ]);
    expect(came.toSorted()).toEqual(["exists", "exists", "started"]);
    await finishedFacts(journal, stream);
    expect(await orchestrator.start(stream, request)).toBe("exists");
    // The world is no longer as its end left it.
    const again = { ...request, again: true };
    const twice = await Promise.all([orchestrator.start(stream, again), orchestrator.start(stream, again)]);
    expect(twice.toSorted()).toEqual(["exists", "started"]);
    const plans = async () => kinds(await journal.read(stream)).filter((kind) => kind === "Planned").length;
    await eventually(async () => isFinished(await journal.read(stream)) && (await plans()) === 2, "the second end");
  });

  it("writes no first fact for a target that another stream has taken during a long stall", async () => {
    const late = streamOf(web, "web--2");
    const stall = (text: string) => postgres.pool(database).query(text);
    const { orchestrator, journal, claims } = await openLoop(database, undefined, {
      beforeAppend: async ([first]) => {
        // The process stalls between its claim and its first fact, until its lease has expired and another has the app.
        if (first?.kind !== "Planned" || first.intent.revision !== "web--2") return;
        await stall("update ballast.claims set expires_at = '-infinity', holder = null");
        await claims.take([appKey(web)], stream, "another");
        await journal.append(stream, [], [planned("web--1")], { process: "another" });
      },
    });
    await expect(orchestrator.start(late, toyRequest(web, "web--2", [10], 0.01))).rejects.toMatchObject({
      id: "claim-target-held",
    });
    expect(await journal.read(late)).toEqual([]);
  });

  it("keeps the journal of a finished stream as it is, however many signals it refuses", async () => {
    const { orchestrator, journal } = await openLoop(database, undefined, { engine: rollout });
    const finished = streamOf(shop, "shop--9");
    await journal.append(finished, [], rejected, { process: "p" });
    for (let sent = 0; sent < 50; sent++) {
      const events = await orchestrator.signal(finished, signalOf(sent % 2 === 0 ? "abort" : "pause"));
      expect(events).toMatchObject([{ kind: "Disregarded" }]);
    }
    expect(await journal.read(finished)).toHaveLength(rejected.length);
  });

  it("records the same refusal once among the newest facts of a stream in flight", async () => {
    const { orchestrator, journal } = await openLoop(database, undefined, { engine: rollout });
    const flying = streamOf(shop, "shop--8");
    await journal.append(flying, [], rejected.slice(0, 1), { process: "p" });
    for (let sent = 0; sent < 50; sent++) await orchestrator.signal(flying, signalOf("resume"));
    expect((await journal.read(flying)).filter(({ event }) => event.kind === "Disregarded")).toHaveLength(1);
  });

  it("refuses a second stream on a held target, and drives streams of two targets at once", async () => {
    const { orchestrator, journal } = await openLoop(database);
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
    const { orchestrator, journal, sent } = await openLoop(database);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await longer(journal, 2, stream);
    expect(await orchestrator.signal(stream, signalOf("abort"))).toMatchObject([
      { kind: "Signalled", by: "ann", message: "because" },
    ]);
    expect(kinds(await finishedFacts(journal, stream))).toEqual([
      "Planned",
      "TrafficShifted",
      "Signalled",
      "TrafficShifted",
      "Finished",
    ]);
    expect(sent).toEqual([10, 0]);
  });

  it("delays a shift while a `pulumi up` has locked the app, but not an abort", async () => {
    const { orchestrator, journal, claims, sent } = await openLoop(database);
    const lock = await claims.lock(appKey(web), "a pulumi up", 600);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await orchestrator.signal(stream, signalOf("pause"));
    await orchestrator.signal(stream, signalOf("resume"));
    expect(sent).toEqual([]);
    await claims.unlock(appKey(web), "id" in lock ? lock.id : "");
    await eventually(() => sent.length > 0, "the shift after the hold");
    await claims.lock(appKey(web), "a pulumi up", 600);
    await orchestrator.signal(stream, signalOf("abort"));
    await finishedFacts(journal, stream);
    expect(sent).toEqual([10, 0]);
  });

  it("delays a step of a real rollout while a `pulumi up` has locked the app, but not its abort", async () => {
    const { orchestrator, journal, claims, sent } = await openLoop(database, undefined, { engine: rollout });
    const reached = (kind: RolloutEvent["kind"], count = 1) =>
      eventually(
        async () => kinds(await journal.read(stream)).filter((each) => each === kind).length >= count,
        `${kind}, ${count} times`,
      );
    const lock = await claims.lock(appKey(web), "a pulumi up", 600);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await reached("SmokePassed");
    await orchestrator.signal(stream, signalOf("pause"));
    await orchestrator.signal(stream, signalOf("resume"));
    expect(sent).toEqual([]);
    await claims.unlock(appKey(web), "id" in lock ? lock.id : "");
    await reached("StepReached");
    await claims.lock(appKey(web), "a pulumi up", 600);
    await orchestrator.signal(stream, signalOf("abort"));
    await reached("TrafficShifted", 2);
    await eventually(
      async () => (await journal.read(stream)).at(-1)?.event.kind === "TrafficRead",
      "the weights to be read back",
    );
    expect(sent).toEqual([10, 0]);
    // The holder of the lock may still write the app, so the rollout does not end before the lock.
    expect((await journal.read(stream)).at(-1)?.event).toEqual({
      kind: "TrafficRead",
      at: expect.any(Number),
      weights: [{ revision: "stable", percent: 100 }],
      lockedUntil: expect.closeTo(Date.now() + 600_000, -5),
    });
    expect(replay((await journal.read(stream)).map(({ event }) => event))).toBeUndefined();
  });

  it("lets no signal cut a write or lose its outcome", async () => {
    const gate = Promise.withResolvers<void>();
    const { orchestrator, journal, sent } = await openLoop(database, async (effect, fence) => {
      await gate.promise;
      return obedient(effect, fence);
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await eventually(() => sent.length > 0, "the write to be sent");
    await orchestrator.signal(stream, signalOf("pause"));
    expect(kinds(await journal.read(stream))).toEqual(["Planned", "Signalled"]);
    gate.resolve();
    expect(kinds(await longer(journal, 3, stream))).toEqual(["Planned", "Signalled", "TrafficShifted"]);
    await orchestrator.signal(stream, signalOf("resume"));
    await finishedFacts(journal, stream);
    expect(sent).toEqual([10]);
  });

  it("decides simultaneous signals one after the other", async () => {
    const { orchestrator, journal } = await openLoop(database);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 600));
    await Promise.all(
      Array.from({ length: 10 }, (_, each) => orchestrator.signal(stream, signalOf(each % 2 ? "pause" : "resume"))),
    );
    await orchestrator.signal(stream, signalOf("abort"));
    expect(kinds(await finishedFacts(journal, stream)).filter((kind) => kind === "Signalled")).toHaveLength(11);
  });

  it("refuses a signal to a stream that does not exist", async () => {
    const { orchestrator, journal } = await openLoop(database);
    await expect(orchestrator.signal(stream, signalOf("abort"))).rejects.toMatchObject({ id: "stream-unknown" });
    expect(await journal.read(stream)).toEqual([]);
  });

  it("resumes a finished stream on a signal that revives it, unless another stream holds the target", async () => {
    const { orchestrator, journal, sent } = await openLoop(database);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal, stream);
    await orchestrator.signal(stream, signalOf("retry"));
    await eventually(async () => {
      const facts = await journal.read(stream);
      return isFinished(facts) && facts.length > 5;
    }, "the second attempt to finish");
    expect(sent).toEqual([10, 10]);
    const second = streamOf(web, "web--2");
    // The first may not have released the target yet.
    expect(await orchestrator.start(second, toyRequest(web, "web--2", [20], 600))).toBe("started");
    await expect(orchestrator.signal(stream, signalOf("retry"))).rejects.toMatchObject({ id: "claim-target-held" });
    expect(isFinished(await journal.read(stream))).toBe(true);
  });

  it("drives a revived stream at once, although the run before released the claim late", async () => {
    let giveBack = async (): Promise<unknown> => undefined;
    const { orchestrator, journal, query } = await openLoop(database, undefined, {
      leaseSeconds: 600,
      beforeAppend: async (events) => {
        if (events[0]?.kind === "Signalled") await giveBack();
      },
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    await finishedFacts(journal, stream);
    await eventually(
      async () => (await query("select 1 from ballast.claims where holder is not null")).length === 0,
      "the claim to be free",
    );
    giveBack = () => {
      giveBack = async () => undefined;
      return query("update ballast.claims set holder = null, process = null, expires_at = now()");
    };
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

  it("records what an adapter throws, and retries", async () => {
    let failed = false;
    const { orchestrator, journal } = await openLoop(database, async (effect, fence) => {
      if (!failed) {
        failed = true;
        throw new Error("the cloud stumbled");
      }
      return obedient(effect, fence);
    });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10], 0.01));
    const facts = await finishedFacts(journal, stream);
    expect(facts[1]?.event).toMatchObject({
      kind: "AttemptFailed",
      effect: "ShiftTraffic",
      message: "the cloud stumbled",
    });
  });

  it("sends and writes nothing once its claim belongs to another process", async () => {
    const gate = Promise.withResolvers<void>();
    const fences: boolean[] = [];
    const { orchestrator, journal, sent, query } = await openLoop(database, async (effect, fence) => {
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
    expect(await orchestrator.recover()).toEqual([]);
    await orchestrator.close();
    expect(kinds(await journal.read(stream))).toEqual(["Planned"]);
  });

  it("closes once the write under way has ended and is recorded", async () => {
    const gate = Promise.withResolvers<void>();
    const { orchestrator, journal, sent } = await openLoop(database, async (effect, fence) => {
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

  it("leaves a stream so that other code in another process continues at once", async () => {
    const first = await openLoop(database, obedient, { name: "first", leaseSeconds: 600 });
    await first.orchestrator.start(stream, toyRequest(web, "web--1", [10, 50], 1));
    await longer(first.journal, 2, stream);
    await first.orchestrator.close();
    expect(kinds(await first.journal.read(stream))).toEqual(["Planned", "TrafficShifted"]);
    const newer: typeof toyEngine = {
      ...toyEngine,
      decide: (state, observation) =>
        toyEngine
          .decide(state, observation)
          .map((event) => (event.kind === "Finished" ? { ...event, message: "by newer code" } : event)),
    };
    const second = await openLoop(database, obedient, { name: "second", leaseSeconds: 600, engine: newer });
    const facts = await finishedFacts(second.journal, stream);
    expect(facts.at(-1)).toMatchObject({ process: "second", epoch: 2, event: { message: "by newer code" } });
    expect([first.sent, second.sent]).toEqual([[10], [50]]);
  });

  it("resumes its own stream after its lease expired, at the next epoch", async () => {
    const { orchestrator, journal, sent, query } = await openLoop(database, obedient, { leaseSeconds: 1.5 });
    await orchestrator.start(stream, toyRequest(web, "web--1", [10, 20], 1));
    await longer(journal, 2, stream);
    await query("update ballast.claims set expires_at = now()");
    const facts = await finishedFacts(journal, stream);
    expect(facts.map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2, 2, 2]);
    expect(sent).toEqual([10, 20]);
  });

  it("continues after the database broke every connection", async () => {
    const { orchestrator, journal, query } = await openLoop(database, obedient);
    await orchestrator.start(stream, toyRequest(web, "web--1", [10, 20, 30, 40], 0.3));
    for (const length of [2, 4]) {
      await longer(journal, length, stream);
      await query(
        "select pg_terminate_backend(pid) from pg_stat_activity " +
          "where datname = current_database() and pid <> pg_backend_pid()",
      );
    }
    const facts = await eventually(async () => {
      const read = await journal.read(stream).catch(() => []);
      return isFinished(read) && read;
    }, "the stream to finish");
    expect(kinds(facts).filter((kind) => kind === "TrafficShifted")).toHaveLength(4);
  });
});
