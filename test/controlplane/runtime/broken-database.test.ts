// A database that breaks: connections that are cut before or after a statement took effect, refusals of every kind,
// silence. Afterwards everything acknowledged is stored, nothing is stored twice or in part, and the control loop
// rests and continues.

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { health } from "../../../controlplane/api/health.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { appKey } from "../../../engines/targets.ts";
import { waited } from "../../support/controlplane/journals.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { type Fate, type Proxy, postgresRefusal, startProxy } from "../../support/postgres/proxy.ts";
import { canaryPercent, cloudInTable, freshCloud } from "../../support/worlds/cloud-in-table.ts";
import { rolloutLoop, rollouts } from "../../support/worlds/rollouts.ts";
import { toyEngine, toyRequest } from "../../support/worlds/toy-engine.ts";

const postgres = postgresForTests();
const web = { resourceGroup: "rg", app: "web" };
const stream = streamOf(web, "web--1");
const pen = { process: "p" };

let database: Database;
let proxy: Proxy;
beforeEach(async () => {
  const direct = await freshCloud(postgres);
  proxy = await startProxy(direct);
  database = { ...direct, port: proxy.port };
});

function opened() {
  const pool = openPool(database, () => {});
  const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
  onTestFinished(async () => {
    await proxy.close();
    await journal.close();
    await pool.end();
  });
  return { pool, journal, claims: openClaims(pool, 30) };
}

/** Breaks the next statements that contain a text. `landed`: only after the server has answered. */
function breakNext(text: string, fate: Fate, landed = false, times = 1): () => number {
  let left = times;
  let met = 0;
  let answering: Buffer | undefined;
  proxy.there = (bytes, opening) => {
    if (left === 0 || !bytes.includes(text)) return "pass";
    left -= 1;
    met += 1;
    if (!landed) return fate;
    answering = opening;
    return "pass";
  };
  proxy.back = (_, opening) => {
    if (answering === undefined || opening !== answering) return "pass";
    answering = undefined;
    return fate;
  };
  return () => met;
}

const append = "ballast-append";
const renew = "update ballast.claims";
const take = "ballast.take(";
const codes = {
  "a full disk": "53100",
  "a database that only reads": "25006",
  "too many connections": "53300",
  "a lock that was waited for too long": "55P03",
  "a failure to serialize": "40001",
};

describe("an append", () => {
  it.each([
    ["before it arrived", false, 0],
    ["after it took effect, so that the answer is lost", true, 2],
  ] as const)(
    "whose connection is cut %s fails; the journal shows whether it was written, and a repetition writes it once",
    async (_, landed, length) => {
      const { journal } = opened();
      breakNext(append, "cut", landed);
      await expect(journal.append(stream, [], [waited(1), waited(2)], pen)).rejects.toThrow();
      const facts = await eventually(() => journal.read(stream).catch(() => undefined), "the database");
      expect(facts).toHaveLength(length);
      expect(await journal.append(stream, [], [waited(1), waited(2)], pen)).toBe(landed ? "conflict" : "appended");
      expect((await journal.read(stream)).map(({ event }) => event)).toEqual([waited(1), waited(2)]);
    },
  );

  it.each(Object.entries(codes))(
    "that meets %s fails with the server's code, leaves nothing and works afterwards",
    async (_, code) => {
      const { journal } = opened();
      breakNext(append, postgresRefusal(code));
      await expect(journal.append(stream, [], [waited(1)], pen)).rejects.toMatchObject({ code });
      expect(await journal.read(stream)).toEqual([]);
      expect(await journal.append(stream, [], [waited(1)], pen)).toBe("appended");
      expect(await journal.read(stream)).toHaveLength(1);
    },
  );
});

describe("a claim", () => {
  it.each([
    ["before it arrived", false],
    ["after it took effect", true],
  ] as const)("that was cut off %s is taken again at epoch 1 by the same process", async (_, landed) => {
    const { claims } = opened();
    breakNext(take, "cut", landed);
    await expect(claims.take([appKey(web)], stream, "p")).rejects.toThrow();
    expect(
      await eventually(() => claims.take([appKey(web)], stream, "p").catch(() => undefined), "the database"),
    ).toMatchObject({
      claim: { epoch: 1 },
    });
  });

  it("whose renewal is refused or cut off stays ours, and the next renewal succeeds", async () => {
    const { claims } = opened();
    const claimed = await claims.take([appKey(web)], stream, "p");
    if (!("claim" in claimed)) throw new Error("held");
    for (const fate of [postgresRefusal("25006"), "cut"] as const) {
      breakNext(renew, fate);
      await expect(claims.renew(claimed.claim)).rejects.toThrow();
    }
    expect(await eventually(() => claims.renew(claimed.claim).catch(() => undefined), "the database")).toBe(true);
  });
});

describe("the durable loop", () => {
  it.each<[string, string, Fate, boolean, number]>([
    ["whose appends lose their answers", append, "cut", true, 3],
    ["whose appends never arrive", append, "cut", false, 3],
    ...Object.entries(codes).map(([what, code]): [string, string, Fate, boolean, number] => [
      `whose appends meet ${what}`,
      append,
      postgresRefusal(code),
      false,
      3,
    ]),
  ])(
    "%s rests and goes on, and nothing is written twice",
    { timeout: 60_000 },
    async (_, text, fate, landed, times) => {
      const { pool, journal, claims } = opened();
      const cloud = cloudInTable(pool);
      const sent: number[] = [];
      const apps = {
        ...cloud.apps,
        shift: (effect: Parameters<typeof cloud.apps.shift>[0], fence: () => Promise<boolean>) => {
          sent.push(canaryPercent(effect.weights));
          return cloud.apps.shift(effect, fence);
        },
      };
      const orchestrator = rolloutLoop({
        ports: { apps, requests: cloud.requests, journal, claims, clock: clockOf(Date.now) },
        kinds: registerKinds([{ ...rolloutKind, engine: toyEngine }]),
        pool,
        process: "here",
        leaseSeconds: 30,
        requestSeconds: 10,
        log: () => {},
      });
      await orchestrator.launch();
      onTestFinished(() => orchestrator.close());
      await orchestrator.start(stream, toyRequest(web, "web--1", [10, 20], 0.05));
      const met = breakNext(text, fate, landed, times);
      const facts = await eventually(
        async () => {
          const read = await journal.read(stream).catch(() => []);
          return read.at(-1)?.event.kind === "Finished" && read;
        },
        "the stream to finish",
        50,
      );
      expect(met()).toBe(times);
      expect(facts.map(({ event }) => event.kind)).toEqual([
        "Planned",
        "TrafficShifted",
        "Waited",
        "TrafficShifted",
        "Waited",
        "Finished",
      ]);
      expect(sent).toEqual([10, 20]); // A recorded effect is not repeated.
    },
  );
});

it("health answers 503 while the database is silent, and 200 afterwards", async () => {
  const { journal } = opened();
  expect((await health({ journal, process: "p" })).status).toBe(200);
  proxy.there = () => "swallow";
  expect((await health({ journal, process: "p" })).status).toBe(503);
  proxy.cutAll();
  proxy.there = () => "pass";
  await eventually(async () => (await health({ journal, process: "p" })).status === 200, "health to come back", 30);
});
