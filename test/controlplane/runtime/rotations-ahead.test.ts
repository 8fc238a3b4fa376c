// The budget of rotations at once: who goes before whom, whatever waits and whatever has begun.
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
const begun = { published: "a", reason: null };

it("those that were asked for earlier go before, in the order of the requests", async () => {
  const ahead = rotationsAhead(journalOf(["third", fresh], ["second", fresh], ["first", fresh]));
  expect(await ahead(stream("first"))).toEqual([]);
  expect(await ahead(stream("second"))).toEqual(["kv/first"]);
  expect(await ahead(stream("third"))).toEqual(["kv/second", "kv/first"]);
});

it("one that has begun goes before, and one that its window holds lets others pass", async () => {
  const ahead = rotationsAhead(
    journalOf(["late", begun], ["own", fresh], ["held", { published: null, reason: "window-closed" }]),
  );
  expect(await ahead(stream("own"))).toEqual(["kv/late"]);
  expect(await ahead(stream("held"))).toEqual(["kv/late"]);
});

it("one that cannot be read counts if it was asked for earlier, and so do all for one that is not listed", async () => {
  const ahead = rotationsAhead(journalOf(["own", fresh], ["unread", undefined]));
  expect(await ahead(stream("own"))).toEqual(["kv/unread"]);
  expect(await ahead(stream("other"))).toEqual(["kv/own", "kv/unread"]);
});
