// A second kind of work, with words of its own, beside rollouts: through the real loop, journal, claims and API, in one
// process and in processes that are killed. What the ferry consists of is in test/support/ferry; it shows what a new
// kind costs.
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { type AnyObservation, controllerOf } from "../../../engines/kind.ts";
import { appKey } from "../../../engines/targets.ts";
import { ferryCommand } from "../../support/ferry/command.ts";
import type { Crossing, FerryEffect, FerryEvent } from "../../support/ferry/engine.ts";
import { ferryKind } from "../../support/ferry/kind.ts";
import { createQuay, ferryPerformer } from "../../support/ferry/performer.ts";
import { startReplica } from "../../support/ferry/start-replica.ts";
import { oneKind, openTwoKinds, type TwoKinds, twoKinds } from "../../support/ferry/two-kinds.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { createCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";

const postgres = postgresForTests();
let database: Database;
let pool: pg.Pool;
beforeEach(async () => {
  database = await postgres.fresh();
  pool = postgres.pool(database);
  await migrate(pool);
  await createCloud(pool);
  await createQuay(pool);
});

const trip = (more: object = {}) => ({ from: "north", to: "south", load: "apples", crossingSeconds: 0.05, ...more });
const crossing = (more: Partial<Crossing> = {}): Crossing => ({
  ...trip(),
  harbour: "bay",
  release: null,
  bookedBy: "ann",
  ...more,
});
const web = { resourceGroup: "rg", app: "web" };
/** A rollout whose steps are as short as the API accepts. */
const rolloutBody = () => {
  const { target: _target, revision: _revision, requestedBy: _by, ...body } = quickRequest(web, [50]).intent;
  return { ...body, strategy: { ...body.strategy, bakeSeconds: 1, intervalSeconds: 1 } };
};

type Answered = { readonly status: number; readonly headers: Headers; readonly body: any };

async function call(fetchFrom: TwoKinds["fetch"], method: string, path: string, body?: object): Promise<Answered> {
  const response = await fetchFrom(
    new Request(`http://plane${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const kindsOf = async ({ journal }: TwoKinds, stream: string): Promise<readonly string[]> =>
  (await journal.read(stream)).map(({ event }) => event.kind);
const moored = (plane: TwoKinds, stream: string): Promise<readonly string[]> =>
  eventually(async () => {
    const facts = await kindsOf(plane, stream);
    return facts.at(-1) === "Moored" && facts;
  }, `${stream} to moor`);
const moves = async (): Promise<readonly string[]> =>
  (
    await pool.query<{ move: string }>("select load || ' ' || place as move from public.moves order by number")
  ).rows.map(({ move }) => move);

/** Gives how many facts ferries have. */
const written = async (): Promise<number> =>
  (await pool.query("select 1 from ballast.facts where stream like 'ferry/%'")).rowCount ?? 0;

/** What a ferry does in each world. */
interface Scenario {
  readonly crossing: Crossing;
  readonly turnedBack?: true;
  readonly facts: readonly string[];
  readonly moves: readonly string[];
}

const scenarios: Readonly<Record<string, Scenario>> = {
  arrives: {
    crossing: crossing(),
    facts: ["Booked", "Loaded", "Crossed", "Unloaded", "Moored"],
    moves: ["apples aboard", "apples south"],
  },
  "turns back on a signal": {
    crossing: crossing({ crossingSeconds: 600 }),
    turnedBack: true,
    facts: ["Booked", "Loaded", "TurnedBack", "Unloaded", "Moored"],
    moves: ["apples aboard", "apples north"],
  },
  "gives up after three failures": {
    crossing: crossing({ load: "stuck-apples" }),
    facts: ["Booked", "Loaded", "Crossed", "Stumbled", "Stumbled", "Stumbled", "Moored"],
    moves: ["stuck-apples aboard"],
  },
};

const signal = (at: number) => ({ kind: "Signal" as const, at, signal: "turn-back", by: "ann", message: "fog" });

describe.each(Object.entries(scenarios))("a ferry that %s", (_name, scenario) => {
  /** Runs it by hand, over virtual time, with what performs its effects. */
  async function byHand(perform: (effect: FerryEffect, now: number) => Promise<AnyObservation>): Promise<FerryEvent[]> {
    const controller = controllerOf<FerryEvent>(ferryKind);
    const journal: { event: FerryEvent }[] = [];
    const hear = (observation: AnyObservation): void => {
      for (const event of controller.decides(journal, observation)) journal.push({ event });
    };
    let now = 0;
    hear({ kind: "Request", at: now, intent: scenario.crossing });
    for (;;) {
      const effect = controller.asks(journal) as FerryEffect | undefined;
      if (effect === undefined) return journal.map(({ event }) => event);
      now = effect.kind === "Cross" ? effect.until : now + 1;
      if (scenario.turnedBack && effect.kind === "Cross") hear(signal(now));
      else hear(await perform(effect, now));
    }
  }

  it("does so in the pure world", async () => {
    const facts = await byHand(async (effect, at) => ({
      kind: "Outcome",
      of: effect.kind,
      at,
      found:
        effect.kind === "PutDown" && effect.load.startsWith("stuck")
          ? { ok: false, reason: "the crane is stuck" }
          : { ok: true, value: null },
    }));
    expect(facts.map(({ kind }) => kind)).toEqual(scenario.facts);
  });

  it("does so through its performer", async () => {
    const moved: string[] = [];
    const facts = await byHand((effect, at) =>
      ferryPerformer({
        quay: { move: async (load, place) => void moved.push(`${load} ${place.split("/").at(-1)}`) },
        clock: { now: () => at, until: async () => undefined },
        streams: { request: () => Promise.reject(), signal: () => Promise.reject(), follow: () => Promise.reject() },
      }).perform(effect, {
        stream: "ferry/bay/one",
        length: 1,
        fence: async () => true,
        cancel: new AbortController().signal,
      }),
    );
    expect(facts.map(({ kind }) => kind)).toEqual(scenario.facts);
    expect(moved).toEqual(scenario.moves);
  });

  it("does so on the durable loop, beside a rollout", async () => {
    const plane = await openTwoKinds({ database, pool, name: "here", leaseSeconds: 30 });
    onTestFinished(plane.close);
    expect((await call(plane.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody())).status).toBe(202);
    const { harbour: _harbour, release: _release, bookedBy: _by, ...body } = scenario.crossing;
    expect((await call(plane.fetch, "PUT", "/ferries/bay/one", body)).status).toBe(202);
    if (scenario.turnedBack) {
      await eventually(async () => (await kindsOf(plane, "ferry/bay/one")).includes("Loaded"), "the load to be aboard");
      const turned = await call(plane.fetch, "POST", "/ferries/bay/one/signals", {
        signal: "turn-back",
        message: "fog",
      });
      expect([turned.status, turned.body]).toEqual([202, { accepted: true, message: "turned back by ann: fog" }]);
    }
    expect(await moored(plane, "ferry/bay/one")).toEqual(scenario.facts);
    expect(await moves()).toEqual(scenario.moves);
    await eventually(
      async () => (await call(plane.fetch, "GET", "/rollouts/rg/web/web--1")).body.result === "promoted",
      "the rollout to be promoted",
    );
  });
});

describe("a control plane with two kinds", () => {
  let plane: TwoKinds;
  beforeEach(async () => {
    plane = await openTwoKinds({ database, pool, name: "here", leaseSeconds: 30 });
  });
  afterEach(() => plane.close());

  it("holds all docks of a ferry, refuses a second one on any of them, and frees them at its end", async () => {
    await call(plane.fetch, "PUT", "/ferries/bay/one", trip({ crossingSeconds: 600 }));
    const second = await call(plane.fetch, "PUT", "/ferries/bay/two", trip({ from: "east" }));
    expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
      409,
      "stream-in-flight",
      null,
    ]);
    expect(await plane.claims.holders(["dock/bay/east"])).toEqual([]);
    await call(plane.fetch, "POST", "/ferries/bay/one/signals", { signal: "turn-back", message: "fog" });
    await moored(plane, "ferry/bay/one");
    await eventually(
      async () => (await call(plane.fetch, "PUT", "/ferries/bay/two", trip({ from: "east" }))).status === 202,
      "the docks to be free",
    );
    expect(await moored(plane, "ferry/bay/two")).toContain("Unloaded");
  });

  it("refuses targets that are not managed, signals that do not apply, and bodies that are malformed", async () => {
    const refused = async (...asked: [method: string, path: string, body?: object]) => {
      const { status, body } = await call(plane.fetch, ...asked);
      return [status, body.error.id];
    };
    expect(await refused("PUT", "/ferries/bay/one", trip({ to: "west" }))).toEqual([404, "target-not-managed"]);
    expect(await refused("PUT", "/ferries/bay/one", trip({ speed: 3 }))).toEqual([400, "call-malformed"]);
    expect(await refused("GET", "/ferries/bay/none")).toEqual([404, "stream-unknown"]);
    await call(plane.fetch, "PUT", "/ferries/bay/one", trip());
    await moored(plane, "ferry/bay/one");
    const late = { signal: "turn-back", message: "too late" };
    expect(await refused("POST", "/ferries/bay/one/signals", late)).toEqual([409, "signal-disregarded"]);
    expect(await refused("POST", "/ferries/bay/one/signals", { ...late, signal: "abort" })).toEqual([
      400,
      "call-malformed",
    ]);
  });

  it("lists, shows, follows and describes each kind in its own words", async () => {
    await call(plane.fetch, "PUT", "/ferries/bay/one", trip());
    await call(plane.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody());
    await moored(plane, "ferry/bay/one");
    const listed = await call(plane.fetch, "GET", "/ferries?harbour=BAY");
    expect(listed.body.ferries).toEqual([
      {
        id: "ferry/bay/one",
        load: "apples",
        place: "moored",
        result: "arrived",
        message: "the load is at south",
        startedAt: expect.any(Number),
      },
    ]);
    expect((await call(plane.fetch, "GET", "/ferries?harbour=lake")).body.ferries).toEqual([]);
    expect((await call(plane.fetch, "GET", "/rollouts")).body.rollouts).toHaveLength(1);
    const followed = await plane.fetch(new Request("http://plane/ferries/bay/one/follow?from=3"));
    expect(
      (await followed.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).kind ?? JSON.parse(line)),
    ).toEqual(["Unloaded", "Moored", { result: "arrived", reason: "arrived", message: "the load is at south" }]);
    const { paths } = (await call(plane.fetch, "GET", "/openapi.json")).body;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(["/ferries/{harbour}/{trip}", "/rollouts/{rg}/{app}/{revision}"]),
    );
    expect(paths["/ferries"].get.operationId).toBe("listFerries");
  });

  it("carries out what one kind asks of another, once, and hears how it ended", async () => {
    const { intent } = quickRequest(web, [50]);
    const release = { stream: "rollout/rg/web/web--1", intent, waitSeconds: 60 };
    await plane.orchestrator.start("ferry/bay/one", { kind: "Request", at: Date.now(), intent: crossing({ release }) });
    expect(await moored(plane, "ferry/bay/one")).toEqual([
      "Booked",
      "Loaded",
      "Crossed",
      "Unloaded",
      "ReleaseAsked",
      "ReleaseEnded",
      "Moored",
    ]);
    expect((await plane.journal.read("ferry/bay/one")).at(-1)?.event).toMatchObject({
      message: "the release was promoted",
    });
    expect((await kindsOf(plane, "rollout/rg/web/web--1")).at(-1)).toBe("Finished");
  });

  it("limits the wait for another kind, and says what was waited for", async () => {
    const { intent } = quickRequest(web, [50]);
    const slow = { ...intent, strategy: { ...intent.strategy, bakeSeconds: 600, maximumSeconds: 3600 } };
    const release = { stream: "rollout/rg/web/web--1", intent: slow, waitSeconds: 0.2 };
    await plane.orchestrator.start("ferry/bay/one", { kind: "Request", at: Date.now(), intent: crossing({ release }) });
    await moored(plane, "ferry/bay/one");
    expect((await plane.journal.read("ferry/bay/one")).at(-1)?.event).toMatchObject({
      result: "sunk",
      message: expect.stringMatching(/^rollout\/rg\/web\/web--1 did not end within /),
    });
  });

  it("asks a caller to wait or refuses for good while another kind holds the target, as the table says", async () => {
    const held = await plane.claims.take([appKey(web)], "ferry/bay/elsewhere", "elsewhere");
    const put = () => call(plane.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody());
    const first = await put();
    expect([first.status, first.body.error.id, first.headers.get("retry-after")]).toEqual([
      409,
      "claim-target-held",
      "2",
    ]);
    expect(first.body.error.message).toContain("ferry/bay/elsewhere");
    if ("claim" in held) await plane.claims.release(held.claim);
    await plane.claims.take([appKey(web)], "balloon/sky/one", "elsewhere");
    const second = await put();
    expect([second.status, second.body.error.id, second.headers.get("retry-after")]).toEqual([
      409,
      "claim-target-held",
      null,
    ]);
  });
});

describe("processes", () => {
  it("recover the ferries and the rollouts of a killed one, and move each load once", async () => {
    const first = await startReplica(database, "first", 2);
    await call(first.fetch, "PUT", "/ferries/bay/one", trip({ crossingSeconds: 3 }));
    await call(first.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody());
    await eventually(async () => (await written()) === 2, "the load to be aboard");
    await first.kill();
    const plane = await openTwoKinds({ database, pool, name: "second", leaseSeconds: 2 });
    onTestFinished(plane.close);
    expect(await moored(plane, "ferry/bay/one")).toEqual(scenarios["arrives"]!.facts);
    const facts = await plane.journal.read("ferry/bay/one");
    expect([facts[1], facts.at(-1)]).toMatchObject([
      { process: "first", epoch: 1 },
      { process: "second", epoch: 2 },
    ]);
    expect(await moves()).toEqual(scenarios["arrives"]!.moves);
    await eventually(
      async () => (await kindsOf(plane, "rollout/rg/web/web--1")).at(-1) === "Finished",
      "the rollout to finish",
    );
  });

  it("are asked by the ferry's commands, of which one that follows goes on after a kill", async () => {
    vi.stubEnv("BALLAST_TOKEN", "a-token-for-tests");
    onTestFinished(() => void vi.unstubAllEnvs());
    const first = await startReplica(database, "first", 2);
    const endpoint = `http://127.0.0.1:${first.port}`;
    await call(first.fetch, "PUT", "/ferries/bay/one", trip({ crossingSeconds: 3 }));
    const following = ferryCommand(endpoint, ["follow", "one", "--json"]);
    await eventually(async () => (await written()) === 2, "the load to be aboard");
    await first.kill();
    const second = await startReplica(database, "second", 2, { port: first.port });
    const lines = (await following).out.trim().split("\n");
    const facts = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind !== undefined);
    expect(facts.map(({ kind }) => kind)).toEqual(scenarios["arrives"]!.facts);
    await call(second.fetch, "PUT", "/ferries/bay/two", trip({ crossingSeconds: 600 }));
    await eventually(async () => (await written()) === facts.length + 2, "the second load to be aboard");
    await ferryCommand(endpoint, ["turn-back", "two", "--message", "fog"]);
    expect((await ferryCommand(endpoint, ["follow", "two"])).out).toContain("TurnedBack");
    expect((await ferryCommand(endpoint, ["explain", "one"])).out).toContain("Moored");
  });

  it("that do not know ferries leave them alone, lose nothing, and say so once", async () => {
    const first = await startReplica(database, "first", 1);
    await call(first.fetch, "PUT", "/ferries/bay/one", trip({ crossingSeconds: 1 }));
    await eventually(async () => (await written()) === 2, "the load to be aboard");
    await first.kill();
    const old = await startReplica(database, "old", 1, { knows: "rollouts" });
    expect((await call(old.fetch, "GET", "/ferries/bay/one")).status).toBe(404);
    await call(old.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody());
    await eventually(
      async () => (await call(old.fetch, "GET", "/rollouts/rg/web/web--1")).body.result === "promoted",
      "the old version to finish a rollout",
    );
    await eventually(async () => (await call(old.fetch, "POST", "/recover", {})).status === 200, "a recovery");
    await call(old.fetch, "POST", "/recover", {});
    expect(old.logged.filter((message) => message.includes("ferry"))).toEqual([
      'Streams of the kind "ferry" are left to the processes that know it; this one does not.',
    ]);
    expect(await written()).toBe(2);
    const next = await openTwoKinds({ database, pool, name: "next", leaseSeconds: 1, kinds: twoKinds });
    onTestFinished(next.close);
    expect(await moored(next, "ferry/bay/one")).toEqual(scenarios["arrives"]!.facts);
    expect(await moves()).toEqual(scenarios["arrives"]!.moves);
  });

  it("that do not know ferries refuse a rollout on a target that a ferry holds", async () => {
    const old = await openTwoKinds({ database, pool, name: "old", leaseSeconds: 30, kinds: oneKind });
    onTestFinished(old.close);
    await old.claims.take([appKey(web)], "ferry/bay/one", "elsewhere");
    const put = await call(old.fetch, "PUT", "/rollouts/rg/web/web--1", rolloutBody());
    expect([put.status, put.body.error.id]).toEqual([409, "claim-target-held"]);
    expect(await old.journal.read("rollout/rg/web/web--1")).toEqual([]);
  });
});
