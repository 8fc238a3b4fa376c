// The rows of streams: lists with filters and pages, one stream at a glance, and the heartbeat of the loop, in
// PostgreSQL and in memory. rows.postgres.test.ts has the rows that earlier versions wrote, and
// rows that cannot be trusted.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import type { Claims, Cursor, Journal } from "../../../controlplane/runtime/ports.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import type { BallastError } from "../../../errors/catalogue.ts";
import { journalEngineFailed } from "../../../errors/journal.ts";
import { appendAtEnd, type JournalWithClaims, journalInPostgres, waited } from "../../support/controlplane/journals.ts";
import { rejected } from "../../support/controlplane/service.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { prepared } from "../../support/postgres/prepared.ts";
import { healthy } from "../../support/worlds/meddling.ts";
import { memoryClaims, memoryJournal } from "../../support/worlds/memory.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const postgres = postgresForTests();
const pen = { process: "p1" };
const { journal: promoted } = await run(healthy);
const seenAfter = (events: readonly RolloutEvent[]) =>
  events.reduce((seen, event) => rolloutKind.glance.evolve(seen, event), rolloutKind.glance.initial);

async function inMemory(): Promise<JournalWithClaims> {
  const claims = memoryClaims(30);
  return { claims, journal: memoryJournal(rollouts, claims.stillOurs) };
}

const places: readonly (readonly [string, () => Promise<JournalWithClaims>])[] = [
  ["PostgreSQL", () => journalInPostgres(postgres)],
  [
    "PostgreSQL under the role that is made for it",
    async () => journalInPostgres(postgres, { database: await prepared(await postgres.fresh()) }),
  ],
  ["memory", inMemory],
];

describe.each(places)("the rows of streams in %s", (_place, open) => {
  let journal: Journal<RolloutEvent>;
  let claims: Claims;
  beforeAll(async () => {
    ({ journal, claims } = await open());
  });
  afterAll(async () => (journal as Partial<PostgresJournal<RolloutEvent>>).close?.());

  const pages = async (selection: Partial<Parameters<Journal["list"]>[0]> = {}, between = async () => undefined) => {
    const found: string[] = [];
    let after: Cursor | undefined;
    do {
      const page = await journal.list({ kind: "rollout", limit: 3, ...selection, after });
      found.push(...page.streams.map(({ stream }) => stream));
      after = page.next;
      await between();
    } while (after !== undefined);
    return found;
  };

  it("show after every append what folding the whole journal shows", async () => {
    const stream = "rollout/glance/shop/shop--1";
    const claimed = await claims.take(["app/glance/shop"], stream, pen.process);
    for (const [index, event] of promoted.entries()) {
      await journal.append(stream, await journal.read(stream), [event], { ...pen, ...("claim" in claimed && claimed) });
      if (index % 7 !== 0 && index !== promoted.length - 1) continue;
      const seen = seenAfter(promoted.slice(0, index + 1));
      expect(await journal.show(stream)).toEqual({
        stream,
        facts: index + 1,
        overview: {
          phase: seen.state.phase,
          ended: rolloutKind.calls.ended(seen.state) ?? null,
          summary: JSON.parse(JSON.stringify(rolloutKind.calls.summaryOf(stream, seen))),
          dueAt: rolloutKind.dueAt(seen.state) ?? null,
        },
      });
    }
    expect(await journal.show("rollout/glance/shop/none")).toBeUndefined();
  });

  it("are listed newest first in pages that miss and repeat nothing while streams start and end", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `rollout/pages/shop/shop--${index}`);
    for (const stream of names) await journal.append(stream, [], [waited(1)], pen);
    const newestFirst = names.toReversed();
    let started = 0;
    const found = await pages({ parts: new Map([[0, "pages"]]) }, async () => {
      await journal.append(`rollout/pages/shop/late--${started}`, [], [waited(1)], pen);
      await appendAtEnd(journal, names[started++]!, rejected.slice(-1), pen);
      return undefined;
    });
    expect(found).toEqual(newestFirst);
    expect(
      await pages({
        parts: new Map([
          [0, "pages"],
          [2, "shop--4"],
        ]),
      }),
    ).toEqual([names[4]]);
    expect(
      await pages({
        parts: new Map([
          [0, "pages"],
          [1, "other"],
        ]),
      }),
    ).toEqual([]);
    expect(await pages({ kind: "roll" })).toEqual([]);
    const unfinished = await pages({ parts: new Map([[0, "pages"]]), unfinished: true, limit: 100 });
    expect(unfinished.filter((stream) => !stream.includes("late"))).toEqual(newestFirst.slice(0, 10 - started));
  });

  it("count the streams under way by kind and phase", async () => {
    const counts = async () => new Map((await journal.underWay()).map(({ phase, streams }) => [phase, streams]));
    const before = (await counts()).get("inspecting") ?? 0;
    await journal.append("rollout/phases/api/api--1", [], rejected.slice(0, 1), pen);
    await journal.append("rollout/phases/api/api--2", [], rejected.slice(0, 1), pen);
    await appendAtEnd(journal, "rollout/phases/api/api--2", rejected.slice(1), pen);
    expect((await counts()).get("inspecting")).toBe(before + 1);
  });

  it("reveal the stream that the loop leaves alone, whatever is written about others", async () => {
    // Everything before is past its due time too, and is ended here.
    for (const { stream } of (await journal.list({ kind: "rollout", unfinished: true, limit: 100 })).streams)
      await appendAtEnd(journal, stream, rejected.slice(-1), pen);
    const overdue = async () => (await journal.pulse()).overdueSeconds;
    expect(await overdue()).toBe(0);
    // The next version began it and was taken back: this one leaves it alone, and is no dead loop for that.
    await journal.append("ferry/pulse/api/api--1", [], rejected.slice(0, 1), pen);
    expect(await journal.pulse()).toMatchObject({ inFlight: 0, overdueSeconds: 0 });
    const at = Date.now() - 100_000;
    const planned = { ...rejected[0]!, at };
    const paused: RolloutEvent = { kind: "Signalled", at, signal: "pause", by: "ann", message: "wait" };
    const [alone, live] = ["rollout/pulse/api/api--1", "rollout/pulse/api/api--2"] as const;

    // A rollout that is paused before its first step waits for a person, not for the loop.
    const started: readonly RolloutEvent[] = [
      planned,
      { kind: "Inspected", at, view: { weights: [{ revision: "s", percent: 100 }], revisions: [] } },
      { kind: "Started", at, stable: "s", activate: false },
      { kind: "SmokePassed", at },
      paused,
    ];
    await journal.append(alone, [], started, pen);
    expect((await journal.show(alone)) as object).toMatchObject({ overview: { dueAt: null } });
    expect(await overdue()).toBe(0);

    await appendAtEnd(journal, alone, [{ ...paused, signal: "resume" } as RolloutEvent], pen);
    expect(await overdue()).toBeGreaterThanOrEqual(100);
    // Neither a write of another stream nor a refused signal to a finished one hides it.
    await journal.append(live, [], [{ ...planned, at: Date.now() }], pen);
    await journal.append("rollout/pulse/api/api--3", [], rejected, pen);
    await appendAtEnd(journal, "rollout/pulse/api/api--3", [{ kind: "Disregarded", at: 4000, what: "no" }], pen);
    await appendAtEnd(journal, alone, [{ kind: "Disregarded", at, what: "no" }], pen);
    expect(await overdue()).toBeGreaterThanOrEqual(100);
    await journal.looked([live]);
    expect(await overdue()).toBeGreaterThanOrEqual(100);
    await journal.looked([alone]);
    expect(await overdue()).toBeLessThan(100);
    // A fact of the loop, which has a claim, is a look as well.
    const claimed = await claims.take(["app/pulse/api"], alone, "p1");
    await appendAtEnd(journal, alone, [{ kind: "Waited", at }], { ...pen, ...("claim" in claimed ? claimed : {}) });
    expect(await overdue()).toBeLessThan(50);
  });

  const signal = (name: string, at = Date.now()): RolloutEvent =>
    ({ kind: "Signalled", at, signal: name, by: "ann", message: "why" }) as RolloutEvent;
  const compared = { ...signal("compare"), about: "api--9" } as RolloutEvent;
  const refused = (): RolloutEvent => ({ kind: "Disregarded", at: Date.now(), what: "no" });
  it.each<readonly [string, () => readonly RolloutEvent[], boolean]>([
    ["a refused signal", () => [refused()], true],
    ["refused signals of several people", () => [refused(), refused(), refused()], true],
    ["a promotion", () => [signal("promote")], true],
    ["another release", () => [compared], true],
    ["an abort", () => [{ kind: "Aborted", at: Date.now(), reason: "superseded", message: "no", by: "ann" }], true],
    ["a pause, after which nothing is due", () => [signal("pause")], false],
  ])("still reveal that the loop has left a stream alone after %s", async (what, events, isRevealed) => {
    const stream = `rollout/alone/${what.replaceAll(/\W+/g, "-")}/api--1`;
    const at = Date.now() - 300_000;
    const view = { weights: [{ revision: "s", percent: 100 }], revisions: [] };
    const started: readonly RolloutEvent[] = [
      { ...rejected[0]!, at },
      { kind: "Inspected", at, view },
      { kind: "Started", at, stable: "s", activate: false },
      { kind: "SmokePassed", at },
    ];
    await journal.append(stream, [], started, pen);
    for (const event of events()) await appendAtEnd(journal, stream, [event], pen);
    const { overdueSeconds } = await journal.pulse();
    await appendAtEnd(journal, stream, rejected.slice(-1), pen);
    expect(overdueSeconds >= 300).toBe(isRevealed);
  });

  it("show a stream that is stuck with the reason, until it can go on, and count it apart", async () => {
    const stream = "rollout/stuck/api/api--1";
    const why = journalEngineFailed({ stream, why: "TypeError: \0 is no state" });
    await journal.append(stream, [], [{ ...rejected[0]!, at: Date.now() - 1_000_000 }], pen);
    const stuck = async () => {
      const { streams } = await journal.list({ kind: "rollout", parts: new Map([[0, "stuck"]]), limit: 9 });
      const [listed] = streams as readonly { readonly stuck?: BallastError }[];
      expect((await journal.show(stream)) as object).toEqual(listed);
      const counts = (await journal.underWay()).find(({ phase }) => phase === "stuck")?.streams ?? 0;
      const { overdueSeconds, stuck: counted } = await journal.pulse();
      expect(counted).toBe(counts);
      return [listed?.stuck?.id, listed?.stuck?.message, counts, overdueSeconds >= 1000];
    };
    expect(await stuck()).toEqual([undefined, undefined, 0, true]);
    await journal.stuck(stream, why);
    await journal.stuck(stream, why);
    expect(await stuck()).toEqual([why.id, expect.stringMatching(/TypeError: .* is no state/), 1, false]);
    await journal.stuck(stream, undefined);
    expect(await stuck()).toEqual([undefined, undefined, 0, true]);
    await journal.stuck(stream, why);
    await appendAtEnd(journal, stream, [{ kind: "Disregarded", at: Date.now() - 1_000_000, what: "no" }], pen);
    expect(await stuck()).toEqual([undefined, undefined, 0, true]);
    await journal.stuck(stream, why);
    await appendAtEnd(journal, stream, rejected.slice(-1), pen);
    await journal.stuck("rollout/stuck/api/none--1", why);
    expect(await stuck()).toEqual([undefined, undefined, 0, false]);
  });
});
