// The runbook that rotates a credential: it asks one rotation for an action, waits until every consumer is cut over,
// and does not ask for one that would not begin now.
import { expect, test } from "vitest";
import { rotateCredential } from "../../../controlplane/performers/rotate-credential.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import { read } from "../../../engines/form.ts";
import type { Incident, Rung } from "../../../engines/remediation/vocabulary.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import type { RotationEvent } from "../../../engines/rotation/vocabulary.ts";

const uncut = new AbortController().signal;
const ours = async () => true;
const target = "app/shop/web";
const rung: Rung = { runbook: "rotate-credential", approval: "none", credential: "kv/database" };
const incident = { target, alert: { rule: "app-failing", id: "a" } } as Incident;
const act = { kind: "Act", target, rung, key: "k", since: 1000, drill: false, incident } as const;
const noon = Date.parse("2031-01-01T12:00:00Z");

const declaredWith = (more: object) => {
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "database",
    server: "shop-db.postgres.database.azure.com",
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    consumers: [
      { resourceGroup: "shop", app: "web" },
      { resourceGroup: "shop", app: "api" },
    ],
    ...more,
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  return parsed.value;
};

/** Opens the runbook; the journal of the rotation grows by one fact at each look. */
function open(more: object = {}, events: readonly RotationEvent[] = []) {
  const asked: { stream: string; intent: unknown }[] = [];
  let looks = 0;
  let now = noon;
  const runbook = rotateCredential({
    declared: async () => [declaredWith(more)],
    journal: { read: async () => events.slice(0, ++looks).map((event, index) => ({ event, index }) as Fact) },
    streams: {
      request: async (stream, intent) => {
        const known = asked.some((each) => each.stream === stream);
        if (!known) asked.push({ stream, intent });
        return { ok: true, value: known ? "exists" : "started" };
      },
      signal: async () => ({ ok: false, reason: "nobody sends one" }),
      follow: async () => ({ ok: false, reason: "nobody asks" }),
    },
    clock: { now: () => now },
    time: {
      nap: async (milliseconds) => {
        now += milliseconds;
      },
    },
  });
  return { runbook, asked };
}
const follow = { kind: "Follow", target, rung, follow: "rotation/kv/database/rrs", until: noon + 60_000 } as const;

test("asks once for a rotation, and its plan names who is cut over", async () => {
  const { runbook, asked } = open();
  expect(await runbook.plan(target, rung, incident, uncut)).toMatchObject({
    value: { fits: true, plan: "rotate kv/database, and cut over web, api" },
  });
  const first = await runbook.act(act, ours);
  expect(await runbook.act(act, ours), "a repetition asks for the same one").toEqual(first);
  expect(first).toMatchObject({ ok: true, value: { follow: "rotation/kv/database/rrs" } });
  expect(asked).toMatchObject([
    {
      stream: "rotation/kv/database/rrs",
      intent: {
        vault: "kv",
        credential: "database",
        rotation: "rrs",
        cause: "requested",
        message: "alert app-failing",
        repairs: "app-failing",
      },
    },
  ]);
  expect(await runbook.act(act, async () => false), "another process owns it").toMatchObject({ ok: false });
});

const started: RotationEvent = {
  at: noon,
  kind: "Started",
  live: "a",
  old: { version: "1", url: "u" },
  published: "a",
  consumers: ["a", "a"],
  login: true,
};
const published = { at: noon, kind: "Published", slot: "b", version: "3" } as unknown as RotationEvent;

test.each([
  ["published: it worked", [started, published], { ok: true, value: { good: true } }],
  [
    "stopped: it did not",
    [started, { at: noon, kind: "Finished", result: "stopped", reason: "cut-over-failed", message: "web is bad" }],
    { ok: true, value: { good: false, message: "web is bad" } },
  ],
  ["neither in time: it is not known", [started], { ok: false, reason: expect.stringContaining("in time") }],
] as [string, RotationEvent[], object][])("a rotation is %s", async (_what, events, end) => {
  expect(await open({}, events).runbook.follow!(follow, uncut)).toMatchObject(end);
});

test("finds the rotation that an earlier try asked for, also once the window has closed", async () => {
  const { runbook, asked } = open({ window: { from: "01:00", until: "03:00" } }, [started]);
  expect(await runbook.act(act, ours)).toMatchObject({ ok: true, value: { follow: "rotation/kv/database/rrs" } });
  expect(asked).toEqual([]);
});

test.each([
  ["a window that is closed", target, { window: { from: "01:00", until: "03:00" } }, "the rotation waits until"],
  ["others who may ask", target, { mayRotate: ["11111111-1111-1111-1111-111111111111"] }, "names who may ask"],
  ["an app that does not use it", "app/shop/cart", {}, "does not use the credential"],
])("%s: nothing is asked for", async (_what, other, more, message) => {
  const { runbook, asked } = open(more);
  const planned = await runbook.plan(other, rung, incident, uncut);
  expect(planned).toMatchObject({ value: { fits: false, message: expect.stringContaining(message) } });
  expect(await runbook.act({ ...act, target: other }, ours)).toMatchObject({ ok: false });
  expect(asked).toEqual([]);
});

test("the server of the credential is a target too", async () =>
  expect(await open().runbook.plan("server/shop/shop-db", rung, incident, uncut)).toMatchObject({
    value: { fits: true },
  }));
