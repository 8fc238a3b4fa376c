// The runbook that returns an app to the revision before, over the journal of a real rollout: which revision it finds,
// what it asks of the rollout engine, and when it does not fit.
import { expect, test } from "vitest";
import { returnToPrevious } from "../../../controlplane/performers/return-to-previous.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import type { Incident, Rung } from "../../../engines/remediation/vocabulary.ts";
import type { Purpose, ReleaseIntent, RolloutEvent, Weight } from "../../../engines/rollout/vocabulary.ts";
import type { RotationEvent } from "../../../engines/rotation/vocabulary.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { run as rotate } from "../../support/worlds/rotation-run.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";
import { scenarios } from "../../support/worlds/scenario.ts";

const uncut = new AbortController().signal;
const target = "app/shop/storefront";
const rung: Rung = { runbook: "return-to-previous", approval: "none" };
const incident = { target, origin: "alert", alert: { rule: "app-failing", id: "a" } } as Incident;
const rotationStream = "rotation/kv/database/r1";
const scenarioNamed = (name: string) => scenarios().find((each) => each.name === name)!;

/** The app's rollouts, the newest first. */
const ofApp = ["rollout/shop/storefront/storefront--2", "rollout/shop/storefront/storefront--1"];

/** Opens the runbook on the journal of a scenario, with the weights and revisions that the app shows now. */
async function open(
  name: string,
  weights: readonly Weight[],
  revisions: readonly string[],
  more: object = {},
  streams: readonly string[] = ofApp,
  rotation: { readonly facts: readonly RotationEvent[]; readonly purpose: Purpose } | undefined = undefined,
  madeAt: Readonly<Record<string, number>> = {},
) {
  const ran = await run({ ...scenarioNamed(name), ...more });
  const purpose = rotation?.purpose;
  const journal = ran.journal.map((event) =>
    event.kind === "Planned" && purpose ? { ...event, intent: { ...event.intent, purpose } } : event,
  );
  const asked: { stream: string; intent: ReleaseIntent }[] = [];
  const read: string[] = [];
  const facts = journal.map((event, index) => ({ index, event }) as Fact<RolloutEvent>);
  const runbook = returnToPrevious({
    journal: {
      streams: async ({ prefix = "", kind, unfinished }) => {
        if (kind === "rotation") return unfinished && rotation ? [rotationStream] : [];
        return [...streams, "rollout/shop/other/other--1"].filter((stream) => stream.startsWith(prefix));
      },
      read: async (stream) => {
        read.push(stream);
        return stream === rotationStream ? rotation!.facts.map((event, index) => ({ index, event }) as Fact) : facts;
      },
    },
    apps: {
      inspect: async () => ({
        ok: true,
        value: {
          weights,
          revisions: revisions.map((each) => ({
            name: each,
            active: true,
            running: "Running",
            health: "Healthy",
            templateHash: each,
            ...(each in madeAt && { madeAt: madeAt[each]! }),
          })),
        },
      }),
    },
    streams: {
      request: async (stream, intent) => {
        const known = asked.some((each) => each.stream === stream);
        if (!known) asked.push({ stream, intent: intent as ReleaseIntent });
        return { ok: true, value: known ? "exists" : "started" };
      },
      signal: async () => ({ ok: false, reason: "nobody sends one" }),
      follow: async () => ({ ok: true, value: { result: "promoted", reason: "returned", message: "promoted" } }),
    },
    clock: { now: () => 5000 },
  });
  return { runbook, asked, read };
}

const promoted = "promotes-when-every-step-passes";
const all = [{ revision: "storefront--2", percent: 100 }];
const both = ["storefront--1", "storefront--2"];
const act = { kind: "Act", target, rung, key: "k", since: 1000, drill: false, incident } as const;

test("asks once for a rollout of the revision before, which is not judged, and follows it to its end", async () => {
  const { runbook, asked, read } = await open(promoted, all, both);
  expect(await runbook.plan(target, rung, incident, uncut)).toMatchObject({
    value: { fits: true, plan: "return all traffic from storefront--2 to storefront--1" },
  });
  expect(read, "an app may have a thousand releases before").toEqual(ofApp.slice(0, 1));
  const first = await runbook.act(act, async () => true);
  expect(await runbook.act(act, async () => true)).toEqual(first);
  expect(first).toMatchObject({ ok: true, value: { follow: asked[0]!.stream, undo: "storefront--2" } });
  expect(asked).toMatchObject([
    {
      stream: "rollout/shop/storefront/storefront--1-rrs",
      intent: { revision: "storefront--1", returns: "app-failing", release: "return to storefront--1" },
    },
  ]);
  expect(await runbook.follow!({ kind: "Follow", target, rung, follow: asked[0]!.stream, until: 9000 }, uncut)).toEqual(
    { ok: true, value: { good: true, message: "promoted" } },
  );
});

test("finds what an earlier try began, although the app shows another revision before since then", async () => {
  const earlier = "rollout/shop/storefront/storefront--2-rrs";
  const { runbook, asked } = await open(promoted, all, both, { returns: "app-failing" }, [earlier, ...ofApp]);
  expect(await runbook.act(act, async () => true)).toEqual({
    ok: true,
    value: { message: "a rollout was asked to return to storefront--2", follow: earlier, undo: "storefront--1" },
  });
  expect(asked).toEqual([]);
});

test("undoes the return by a rollout of the revision that it had left", async () => {
  const { runbook, asked } = await open(promoted, [{ revision: "storefront--1", percent: 100 }], both);
  expect(
    await runbook.undo!(
      { kind: "Undo", target, rung, key: "k-undo", since: 2000, undo: "storefront--2", incident },
      async () => true,
    ),
  ).toEqual({ ok: true, value: { message: "storefront--2 serves again" } });
  expect(asked).toMatchObject([{ intent: { revision: "storefront--2", returns: "app-failing" } }]);
});

test("asks for nothing once its claim is lost", async () => {
  const { runbook, asked } = await open(promoted, all, both);
  expect((await runbook.act(act, async () => false)).ok).toBe(false);
  expect(asked).toEqual([]);
});

test.each([
  ["the revision before no longer exists", promoted, all, ["storefront--2"], {}, /no longer exists/],
  ["it is the first release", "promotes-the-first-release-once-it-answers", all, both, {}, /first release/],
  [
    "the journal has no release of what serves",
    promoted,
    [{ revision: "x--9", percent: 100 }],
    both,
    {},
    /no promoted/,
  ],
  ["its release was rolled back", "aborts-by-hand", all, both, {}, /no promoted release/],
  ["what serves was itself returned to", promoted, all, both, { returns: "app-failing" }, /back and forth/],
  ["no revision has traffic", promoted, [], both, {}, /no revision has traffic/],
] as const)("does not fit if %s", async (_why, name, weights, revisions, more, message) => {
  const { runbook, asked } = await open(name, weights, revisions, more);
  expect(await runbook.plan(target, rung, incident, uncut)).toMatchObject({
    value: { fits: false, message: expect.stringMatching(message) },
  });
  expect((await runbook.act(act, async () => true)).ok).toBe(false);
  expect(asked).toEqual([]);
});

/** The moments of the release of storefront--2 that is promoted. */
const { journal: ofRelease } = await run(scenarioNamed(promoted));
const [begun, ended] = [ofRelease[0]!.at, ofRelease.at(-1)!.at];

test.each([
  ["both are as old as the journal says", { "storefront--1": begun - 60_000, "storefront--2": begun - 1 }, undefined],
  ["the app was made again, also its first revision", { "storefront--1": ended + 1 }, "storefront--1"],
  ["the one before was made again during the release", { "storefront--1": begun + 1 }, "storefront--1"],
  ["the one that serves was made after its release", { "storefront--2": ended + 1 }, "storefront--2"],
])("gives no traffic to a stranger's revision by the same name: %s", async (_when, madeAt, stranger) => {
  const { runbook, asked } = await open(promoted, all, both, {}, ofApp, undefined, madeAt);
  const fits = stranger === undefined;
  const message = fits ? "storefront--2 was released after storefront--1" : `${stranger} is another revision`;
  expect(await runbook.plan(target, rung, incident, uncut)).toMatchObject({
    value: { fits, message: expect.stringContaining(message) },
  });
  expect((await runbook.act(act, async () => true)).ok).toBe(fits);
  expect(asked).toHaveLength(fits ? 1 : 0);
});

test("an undo returns to no stranger's revision either", async () => {
  const madeAt = { "storefront--2": 2_001 };
  const { runbook, asked } = await open(promoted, all, both, {}, ofApp, undefined, madeAt);
  const undo = { kind: "Undo", target, rung, key: "k-undo", since: 2000, undo: "storefront--2", incident } as const;
  expect(await runbook.undo!(undo, async () => true)).toMatchObject({
    ok: false,
    reason: expect.stringContaining("storefront--2 is another revision by the same name"),
  });
  expect(asked).toEqual([]);
});

/** After a cut-over, the revision before it uses the slot whose role is closed during the grace. */
const { journal: rotated } = await rotate(scenarioOf("replaces-a-version-that-is-due"));
const untilFact = (is: (event: RotationEvent) => boolean) => rotated.slice(0, rotated.findIndex(is) + 1);
const purposeOf = (secret: string, replaces: string): Purpose => ({ secret, replaces, url: "" });
const cutOver = purposeOf("database-b", "database-a");

test.each([
  ["while readers of the old role are watched", untilFact(({ kind }) => kind === "ReadersQuiet"), cutOver, true],
  // The rollout of the return asks for its login before it starts that revision.
  ["while the old role is closed", untilFact(({ kind }) => kind === "LoginSet"), cutOver, true],
  ["while its slot is renewed", untilFact(({ kind }) => kind === "GraceOver"), cutOver, false],
  ["once its slot is renewed", untilFact(({ kind }) => kind === "Finished"), cutOver, true],
  [
    "after the cut-over of another credential",
    untilFact(({ kind }) => kind === "LoginSet"),
    purposeOf("cache-b", "cache-a"),
    true,
  ],
])("%s a return to the revision before the cut-over fits or does not", async (_when, facts, purpose, fits) => {
  const { runbook } = await open(promoted, all, both, {}, ofApp, { facts, purpose });
  const planned = await runbook.plan(target, rung, incident, uncut);
  expect(planned).toMatchObject({ ok: true, value: { fits } });
  const why = "storefront--1 uses database-a: the slot of shop_a is being renewed (rotation/kv/database/r1)";
  if (!fits) expect(planned).toMatchObject({ value: { message: why } });
});
