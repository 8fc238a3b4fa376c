// Who goes before whom: by the budget of rotations at once, and as one credential manages another.
import { expect, it } from "vitest";
import { rotationsAhead } from "../../../controlplane/performers/rotations-ahead.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";

const stream = (name: string): string => `rotation/kv/${name}/r1`;
/** Lists rotations as the journal does, newest first. */
const journalOf = (...listed: readonly (readonly [string, object | undefined])[]): Pick<Journal, "list"> => ({
  list: async ({ kind, unfinished }) => {
    expect([kind, unfinished]).toEqual(["rotation", true]);
    return {
      streams: listed.map(([name, summary]) => ({ stream: stream(name), facts: 1, overview: { summary } }) as never),
      next: undefined,
    };
  },
});
const fresh = { published: null, reason: null };
const alone = { manager: undefined, managed: [] };
const begun = { published: "a", reason: null };

it("those that were asked for earlier go before, in the order of the requests", async () => {
  const ahead = rotationsAhead(journalOf(["third", fresh], ["second", fresh], ["first", fresh]));
  expect((await ahead(stream("first"), alone)).ahead).toEqual([]);
  expect((await ahead(stream("second"), alone)).ahead).toEqual(["kv/first"]);
  expect((await ahead(stream("third"), alone)).ahead).toEqual(["kv/second", "kv/first"]);
});

it("one that has begun goes before, and one that its window holds lets others pass", async () => {
  const ahead = rotationsAhead(
    journalOf(["late", begun], ["own", fresh], ["held", { published: null, reason: "window-closed" }]),
  );
  expect((await ahead(stream("own"), alone)).ahead).toEqual(["kv/late"]);
  expect((await ahead(stream("held"), alone)).ahead).toEqual(["kv/late"]);
});

it("one that cannot be read counts if it was asked for earlier, and so do all for one that is not listed", async () => {
  const ahead = rotationsAhead(journalOf(["own", fresh], ["unread", undefined]));
  expect((await ahead(stream("own"), alone)).ahead).toEqual(["kv/unread"]);
  expect((await ahead(stream("other"), alone)).ahead).toEqual(["kv/own", "kv/unread"]);
});

const held = { published: null, reason: "frozen" };
const yields = { published: null, reason: "manager-busy" };

it("those that wait for the managing one take no room from it", async () => {
  const ahead = rotationsAhead(journalOf(["admin", fresh], ["two", yields], ["one", yields]));
  const seen = await ahead(stream("admin"), { manager: undefined, managed: ["kv/one", "kv/two"] });
  expect(seen).toEqual({ ahead: [], kin: [] });
});

it.each<[string, readonly (readonly [string, object])[], { manager?: string; managed?: readonly string[] }, string[]]>([
  [
    "the managing one that was asked for later",
    [
      ["admin", fresh],
      ["own", fresh],
    ],
    { manager: "kv/admin" },
    ["kv/admin"],
  ],
  [
    "the managing one that has begun",
    [
      ["own", fresh],
      ["admin", begun],
    ],
    { manager: "kv/admin" },
    ["kv/admin"],
  ],
  [
    "no managing one that a freeze holds",
    [
      ["admin", held],
      ["own", fresh],
    ],
    { manager: "kv/admin" },
    [],
  ],
  [
    "one that it manages and that has begun",
    [
      ["own", fresh],
      ["shop", begun],
    ],
    { managed: ["kv/shop"] },
    ["kv/shop"],
  ],
  [
    "one that it manages, that was asked for earlier and has not looked yet",
    [
      ["own", fresh],
      ["shop", fresh],
    ],
    { managed: ["kv/shop"] },
    ["kv/shop"],
  ],
  [
    "no one that it manages and that was asked for later",
    [
      ["shop", fresh],
      ["own", fresh],
    ],
    { managed: ["kv/shop"] },
    [],
  ],
  [
    "the managing one that itself gives way",
    [
      ["admin", yields],
      ["own", fresh],
    ],
    { manager: "kv/admin" },
    ["kv/admin"],
  ],
  [
    "nobody of another kin",
    [
      ["own", fresh],
      ["shop", begun],
    ],
    { manager: "kv/admin", managed: ["kv/web"] },
    [],
  ],
])("a rotation waits for %s", async (_whom, listed, { manager, managed = [] }, kin) => {
  const ahead = rotationsAhead(journalOf(...listed));
  expect((await ahead(stream("own"), { manager, managed })).kin).toEqual(kin);
});

it("those that have begun count, however many were asked for later", async () => {
  const listed = [...Array.from({ length: 250 }, (_, index) => stream(`late${index}`)), stream("own"), stream("begun")];
  const pages: number[] = [];
  const journal: Pick<Journal, "list"> = {
    list: async ({ limit, after }) => {
      const from = Number(after?.createdAt ?? 0);
      pages.push(from);
      const streams = listed
        .slice(from, from + limit)
        .map(
          (one) => ({ stream: one, facts: 1, overview: { summary: one.includes("begun") ? begun : fresh } }) as never,
        );
      const next = from + limit < listed.length ? { createdAt: String(from + limit), stream: "" } : undefined;
      return { streams, next };
    },
  };
  expect((await rotationsAhead(journal)(stream("late9"), alone)).ahead).toContain("kv/begun");
  expect((await rotationsAhead(journal)(stream("own"), alone)).ahead).toEqual(["kv/begun"]);
  expect(pages).toEqual([0, 100, 200, 0, 100, 200]);
});

it("a retry that waits for room is no rotation under way, so that two of them do not wait for each other", async () => {
  const waits = { published: "a", reason: "budget-used" };
  const ahead = rotationsAhead(journalOf(["second", waits], ["first", waits]));
  expect((await ahead(stream("first"), alone)).ahead).toEqual([]);
  expect((await ahead(stream("second"), alone)).ahead).toEqual(["kv/first"]);
});
