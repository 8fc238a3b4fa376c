// The contract of the Journal port, run against every adapter of it. journal.postgres.test.ts has what
// only PostgreSQL does.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chain } from "../../../controlplane/adapters/postgres/chain.ts";
import type { PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import type { Claim, Claims, Fact, Journal } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { appKey } from "../../../engines/targets.ts";
import { appendAtEnd, type JournalWithClaims, journalInPostgres, waited } from "../../support/controlplane/journals.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { prepared } from "../../support/postgres/prepared.ts";
import { memoryClaims, memoryJournal } from "../../support/worlds/memory.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const postgres = postgresForTests();
const target = { resourceGroup: "rg", app: "web" };
const finished: RolloutEvent = {
  kind: "Finished",
  at: 9,
  result: "promoted",
  reason: "every-step-passed",
  message: "promoted: yes",
};
const retried: RolloutEvent = { kind: "Signalled", at: 10, signal: "retry", by: "ann", message: "again" };
const pen = { process: "p1" };
const never = new AbortController().signal;
let count = 0;
const fresh = (): string => `rollout/rg/web/web--${++count}`;

const inPostgresAsRole = async () => journalInPostgres(postgres, { database: await prepared(await postgres.fresh()) });

async function inMemory(): Promise<JournalWithClaims> {
  const claims = memoryClaims(30);
  return { claims, journal: memoryJournal(rollouts, claims.stillOurs) };
}

const places: readonly (readonly [string, () => Promise<JournalWithClaims>])[] = [
  ["PostgreSQL", () => journalInPostgres(postgres)],
  ["PostgreSQL under the role that is made for it", inPostgresAsRole],
  ["memory", inMemory],
];

describe.each(places)("a journal in %s", (_place, open) => {
  let journal: Journal<RolloutEvent>;
  let claims: Claims;
  beforeAll(async () => {
    ({ journal, claims } = await open());
  });
  afterAll(async () => (journal as Partial<PostgresJournal<RolloutEvent>>).close?.());

  it("gives facts back in order, with their writers", async () => {
    const stream = fresh();
    expect(await journal.read(stream)).toEqual([]);
    expect(await journal.append(stream, [], [waited(1), waited(2)], pen)).toBe("appended");
    expect(await appendAtEnd(journal, stream, [finished], { process: "p2" })).toBe("appended");
    expect(await journal.read(stream)).toMatchObject([
      { stream, index: 0, event: waited(1), process: "p1", epoch: 0 },
      { stream, index: 1, event: waited(2), process: "p1", epoch: 0 },
      { stream, index: 2, event: finished, process: "p2", epoch: 0 },
    ]);
  });

  it.each([
    [1, 0],
    [1, 2],
    [0, 1],
  ])("refuses to append to a stream of %i facts events that were decided on %i", async (length, expected) => {
    const stream = fresh();
    await journal.append(
      stream,
      [],
      Array.from({ length }, (_nothing, at) => waited(at)),
      pen,
    );
    const believed = Array.from(
      { length: expected },
      (_, index): Fact<RolloutEvent> => ({
        stream,
        index,
        event: waited(index),
        process: "p1",
        epoch: 0,
        hash: "believed",
      }),
    );
    expect(await journal.append(stream, believed, [finished], pen)).toBe("conflict");
    expect(await journal.read(stream)).toHaveLength(length);
  });

  it("refuses events that were decided on the same number of other facts", async () => {
    const stream = fresh();
    const other = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    await journal.append(other, [], [waited(1)], pen);
    expect(await journal.append(stream, await journal.read(other), [finished], pen)).toBe("conflict");
    expect(await journal.read(stream)).toHaveLength(1);
  });

  it("chains each fact to the one before, whether written together or separately", async () => {
    const together = fresh();
    await journal.append(together, [], [waited(1), waited(2), finished], pen);
    const facts = await journal.read(together);
    expect(new Set(facts.map(({ hash }) => hash)).size).toBe(3);
    for (const { hash } of facts) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(chain(undefined, facts)).toEqual(facts);
    const apart = fresh();
    for (const event of [waited(1), waited(2), finished]) await appendAtEnd(journal, apart, [event], pen);
    expect(chain(undefined, await journal.read(apart))).toEqual(await journal.read(apart));
    expect((await journal.read(apart)).at(-1)?.hash).not.toBe(facts.at(-1)?.hash);
  });

  it("lets one of many writers win when all expect the same length", async () => {
    const stream = fresh();
    const came = await Promise.all(
      Array.from({ length: 20 }, (_nothing, at) => journal.append(stream, [], [waited(at), waited(at)], pen)),
    );
    expect(came.filter((each) => each === "appended")).toHaveLength(1);
    expect(came.filter((each) => each === "conflict")).toHaveLength(19);
    expect(await journal.read(stream)).toHaveLength(2);
  });

  it("stores any text from outside, with whole characters unchanged", async () => {
    const stream = fresh();
    const said = (message: string): RolloutEvent => ({ kind: "AttemptFailed", at: 1, effect: "Probe", message });
    await journal.append(stream, [], [said('it\'s \\u0000 "quoted" ü 🚢'), said("zero \0 half \uD83D")], pen);
    expect((await journal.read(stream)).map(({ event }) => event)).toEqual([
      said('it\'s \\u0000 "quoted" ü 🚢'),
      said("zero \uFFFD half \uFFFD"),
    ]);
  });

  it("writes under a valid claim, and stores its epoch", async () => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    expect(await journal.append(stream, [], [waited(1)], { process: "p1", claim })).toBe("appended");
    expect((await journal.read(stream))[0]).toMatchObject({ process: "p1", epoch: claim.epoch });
    await claims.release(claim);
  });

  it.each<[string, (claim: Claim) => Claim]>([
    ["another epoch", (claim) => ({ ...claim, epoch: claim.epoch + 1 })],
    ["another process", (claim) => ({ ...claim, process: "p2" })],
    ["another stream", (claim) => ({ ...claim, holder: "rollout/rg/web/other" })],
    ["another target", (claim) => ({ ...claim, targets: ["app/rg/other"] })],
  ])("fences a writer whose claim is of %s", async (_what, change) => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    const false_ = change(claim);
    expect(await journal.append(stream, [], [waited(1)], { process: false_.process, claim: false_ })).toBe("fenced");
    expect(await journal.read(stream)).toEqual([]);
    await claims.release(claim);
  });

  it("fences a writer whose lease has expired, even if no other process has claimed the target", async () => {
    const stream = fresh();
    const claim = await taken(claims, stream);
    await claims.lapse(claim);
    expect(await journal.append(stream, [], [waited(1)], { process: "p1", claim })).toBe("fenced");
    await claims.release(claim);
  });
});

describe.each(places)("reading and awaiting a journal in %s", (_place, open) => {
  let journal: Journal<RolloutEvent>;
  beforeAll(async () => {
    ({ journal } = await open());
  });
  afterAll(async () => (journal as Partial<PostgresJournal<RolloutEvent>>).close?.());

  it("gives all facts to a reader that knows some, and the present ones if the journal was replaced", async () => {
    const stream = fresh();
    const other = fresh();
    await journal.append(stream, [], [waited(1), waited(2)], pen);
    const known = await journal.read(stream);
    expect(await journal.read(stream, known)).toEqual(known);
    await appendAtEnd(journal, stream, [waited(3)], pen);
    await appendAtEnd(journal, stream, [finished], { process: "p2" });
    const whole = await journal.read(stream);
    expect(whole.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const length of [0, 1, 2, 4]) expect(await journal.read(stream, whole.slice(0, length))).toEqual(whole);
    await journal.append(other, [], [waited(7), waited(8)], pen);
    // As after a restore from a backup: the known journal is longer, or different.
    expect(await journal.read(other, whole)).toEqual(await journal.read(other));
    expect(await journal.read(other, known)).toEqual(await journal.read(other));
    expect(await journal.read(fresh(), known)).toEqual([]);
    // The process that drives can append to the journal that it has.
    expect(
      await journal.append(other, await journal.read(other, (await journal.read(other)).slice(0, 1)), [waited(9)], pen),
    ).toBe("appended");
  });

  it("wakes all waiters, each for its own stream and length", async () => {
    const streams = [fresh(), fresh(), fresh()];
    for (const stream of streams) await journal.append(stream, [], [waited(1)], pen);
    const woken: string[] = [];
    const cancel = new AbortController();
    const waits = streams.flatMap((stream) =>
      [1, 2].map((length) =>
        journal.grown(stream, length, cancel.signal).then(() => {
          if (!cancel.signal.aborted) woken.push(`${stream} ${length}`);
        }),
      ),
    );
    await appendAtEnd(journal, streams[1]!, [waited(2)], pen);
    await eventually(() => woken.length > 0, "the first to wake");
    await appendAtEnd(journal, streams[2]!, [waited(2), waited(3)], pen);
    await eventually(() => woken.length === 3, "the others to wake");
    cancel.abort();
    await Promise.all(waits);
    expect(woken.toSorted()).toEqual([`${streams[1]} 1`, `${streams[2]} 1`, `${streams[2]} 2`]);
  });

  it("wakes a waiting reader when the stream has grown", async () => {
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    await journal.grown(stream, 0, never);
    let notified = false;
    const growth = journal.grown(stream, 1, never).then(() => {
      notified = true;
    });
    expect(notified).toBe(false);
    await appendAtEnd(journal, stream, [waited(2)], pen);
    await growth;
  });

  it("stops waiting for growth at once when cancelled", async () => {
    const stream = fresh();
    const cancel = new AbortController();
    const waiting = journal.grown(stream, 0, cancel.signal);
    cancel.abort();
    await waiting;
    await journal.grown(stream, 0, cancel.signal);
  });

  it("lists the streams of a kind newest first, and those that are unfinished", async () => {
    const [first, second, third] = ["a", "b", "c"].map((name) => `rollout/rg/shop/shop--${name}`) as [
      string,
      string,
      string,
    ];
    for (const stream of [first, second, third]) await journal.append(stream, [], [waited(1)], pen);
    await appendAtEnd(journal, second, [finished], pen);
    await appendAtEnd(journal, third, [finished], pen);
    await appendAtEnd(journal, third, [retried], pen);
    const mine = (streams: readonly string[]) => streams.filter((stream) => stream.startsWith("rollout/rg/shop/"));
    expect(mine(await journal.streams({ kind: "rollout" }))).toEqual([third, second, first]);
    expect(mine(await journal.streams({ kind: "rollout", unfinished: true }))).toEqual([third, first]);
    expect(await journal.streams({ unfinished: true })).toEqual(expect.arrayContaining([third, first]));
    expect(await journal.streams({ kind: "roll" })).toEqual([]);
    // `second` has finished: it is left out once its last fact is older than what is asked for.
    const written = (await journal.pulse()).lastWrite!.at;
    expect(mine(await journal.streams({ kind: "rollout", since: written - 60_000 }))).toEqual([third, second, first]);
    expect(mine(await journal.streams({ kind: "rollout", since: written + 60_000 }))).toEqual([third, first]);
    expect(await journal.streams({ prefix: "rollout/rg/shop/shop--b" })).toEqual([second]);
    expect(await journal.streams({ prefix: "rollout/rg/sho_" })).toEqual([]);
    const outlined = async (since: number) =>
      (await journal.outlines({ kind: "rollout", since })).filter(({ stream }) => mine([stream]).length > 0);
    expect(await outlined(written - 60_000)).toEqual([
      { stream: third, first: waited(1), finished: false, lastAt: 10 },
      { stream: second, first: waited(1), finished: true, lastAt: 9 },
      { stream: first, first: waited(1), finished: false, lastAt: 1 },
    ]);
    expect((await outlined(written + 60_000)).map(({ stream }) => stream)).toEqual([third, first]);
    expect(await journal.outlines({ kind: "roll", since: 0 })).toEqual([]);
  });

  it("reports the unfinished streams, and the time of the last write with its age by the store's clock", async () => {
    const before = Date.now();
    const { inFlight } = await journal.pulse();
    const stream = fresh();
    await journal.append(stream, [], [waited(1)], pen);
    const { lastWrite, ...flying } = await journal.pulse();
    expect(flying).toEqual({ inFlight: inFlight + 1, overdueSeconds: expect.any(Number), stuck: 0 });
    expect(lastWrite!.at).toBeGreaterThanOrEqual(before - 5);
    expect(lastWrite!.at).toBeLessThanOrEqual(Date.now() + 5);
    await eventually(
      async () => (await journal.pulse()).lastWrite!.secondsAgo > lastWrite!.secondsAgo,
      "the last write to be longer ago",
    );
    expect(lastWrite!.secondsAgo).toBeLessThan((Date.now() - before) / 1000);
    await appendAtEnd(journal, stream, [finished], pen);
    expect((await journal.pulse()).inFlight).toBe(inFlight);
  });
});

async function taken(claims: Claims, stream: string): Promise<Claim> {
  const claimed = await claims.take([appKey(target)], stream, "p1");
  if (!("claim" in claimed)) throw new Error(`held by ${claimed.heldBy}`);
  return claimed.claim;
}
