// Whether an app is still as a finished rollout left it, over journals of real rollouts and what Azure shows.
import { expect, test } from "vitest";
import type { Seen } from "../../../controlplane/performers/rollout-ports.ts";
import { standingOf } from "../../../controlplane/performers/rollout-standing.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { scenarios } from "../../support/worlds/scenario.ts";

const own = "rollout/shop/storefront/storefront--2";
const minute = 60_000;

/** Gives the facts of a scenario, moved in time. */
async function journalOf(name: string, change: object = {}, shiftedBy = 0): Promise<readonly RolloutEvent[]> {
  const { journal } = await run({ ...scenarios().find((each) => each.name === name)!, ...change });
  return journal.map((event) => ({ ...event, at: event.at + shiftedBy }));
}

/** Asks about the first of some journals. The app shows these revisions with equal shares. */
async function standing(
  journals: Readonly<Record<string, readonly RolloutEvent[]>>,
  serving: readonly string[],
  madeAt = 0,
  reads = true,
) {
  const weights = serving.map((revision) => ({ revision, percent: 100 / serving.length }));
  const seen: Seen = { weights, madeAt };
  const ask = standingOf({
    journal: {
      streams: async ({ prefix = "" }) =>
        Object.keys(journals)
          .toReversed()
          .filter((stream) => stream.startsWith(prefix)),
      read: async (stream) => (journals[stream] ?? []).map((event, index) => ({ index, event }) as Fact<RolloutEvent>),
    },
    see: async () => (reads ? { ok: true, value: seen } : { ok: false, reason: "503" }),
    patienceSeconds: 5,
  });
  return ask(Object.keys(journals)[0]!);
}

const promoted = await journalOf("promotes-when-every-step-passes");
const end = promoted.at(-1)!.at;

test.each([
  ["it serves", ["storefront--2"], "stands"],
  ["a person gave all traffic to the one before", ["storefront--1"], "again"],
  ["a person gave all traffic to a hot fix", ["storefront--9"], "again"],
])("a promoted revision: %s", async (_title, serving, found) =>
  expect(await standing({ [own]: promoted }, serving)).toBe(found),
);

test("while several revisions have traffic, it is not clear which one users should stay on", async () =>
  expect(await standing({ [own]: promoted }, ["storefront--1", "storefront--2"])).toEqual({
    why: "the traffic is split (storefront--1 50 %, storefront--2 50 %)",
  }));

test("an app that was made again under its name has other revisions of the same names", async () => {
  expect(await standing({ [own]: promoted }, ["storefront--2"], end + minute)).toBe("again");
  expect(await standing({ [own]: promoted }, ["storefront--2"], end - minute)).toBe("stands");
  const rejected = await journalOf("rejects-a-canary-that-never-answers");
  expect(await standing({ [own]: rejected }, ["storefront--2"], rejected.at(-1)!.at + minute)).toBe("again");
});

test("a rollout that ended badly stands, whoever serves: its program fails until it is changed", async () => {
  const rejected = await journalOf("rejects-a-canary-that-never-answers");
  expect(await standing({ [own]: rejected }, ["storefront--9"])).toBe("stands");
});

test("an unchanged release left who served before it", async () => {
  const unchanged = await journalOf("promotes-when-every-step-passes", { before: "twin" });
  expect(unchanged.at(-1)).toMatchObject({ result: "unchanged" });
  expect(await standing({ [own]: unchanged }, ["storefront--1"])).toBe("stands");
  expect(await standing({ [own]: unchanged }, ["storefront--9"])).toBe("again");
});

test("a return by a remediation is not undone, nor is a later release; an earlier one says nothing", async () => {
  const later = (change: (event: RolloutEvent) => object, shiftedBy: number) =>
    promoted.map((event) => ({ ...event, at: event.at + shiftedBy, ...change(event) }) as RolloutEvent);
  const named = (more: object) => (event: RolloutEvent) =>
    event.kind === "Planned" ? { intent: { ...event.intent, revision: "storefront--1", ...more } } : {};
  const to = "rollout/shop/storefront/storefront--1";
  const back = later(named({ returns: "app-failing" }), 600 * minute);
  expect(await standing({ [own]: promoted, [`${to}-rabc`]: back }, ["storefront--1"])).toEqual({
    why: "a remediation of app-failing returned the traffic to storefront--1",
  });
  const newer = later(named({}), 600 * minute);
  expect(await standing({ [own]: promoted, [to]: newer }, ["storefront--1"])).toEqual({
    why: "storefront--1 was released after it",
  });
  expect(await standing({ [own]: promoted, [to]: later(named({}), -600 * minute) }, ["storefront--1"])).toBe("again");
});

test("what the journal says stands while Azure does not answer, in flight, and for other kinds of work", async () => {
  expect(await standing({ [own]: promoted }, ["storefront--1"], 0, false)).toBe("stands");
  expect(await standing({ [own]: promoted.slice(0, -1) }, ["storefront--1"])).toBe("stands");
  expect(await standing({ "rotation/vault/database/1": [] }, ["storefront--1"])).toBe("stands");
});
