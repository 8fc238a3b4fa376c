// What happens beside a rotation: the same request again, requests for others, another declaration, and a server whose
// clock is ahead or behind. None of it makes a second version, and no reader is refused.
import { expect, it } from "vitest";
import { dueAt, dueRotation } from "../../../engines/rotation/due.ts";
import { after, secondsBetween } from "../../../engines/time.ts";
import { run, runIn } from "../../support/worlds/rotation-run.ts";
import { type RotationScenario, scenarioOf, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

const plain = scenarioOf("replaces-a-version-that-is-due");
const within = (world: Partial<RotationScenario["world"]>): RotationScenario => ({
  ...plain,
  world: { ...plain.world, ...world },
});

/** Requests at a minute of the rotation, and what each is answered. */
it.each([
  ["five of the same at once", Array(5).fill({ atMinutes: 0, rotation: "r1" }), Array(5).fill("exists")],
  ["the same again after its end", [{ atMinutes: 300, rotation: "r1" }], []],
  ["the same while it runs", [1, 31, 70].map((atMinutes) => ({ atMinutes, rotation: "r1" })), Array(3).fill("exists")],
  [
    "another while it runs",
    [1, 31, 70].map((atMinutes) => ({ atMinutes, rotation: "r2" })),
    Array(3).fill("claim-target-held"),
  ],
])("%s: one rotation is carried out", async (_what, again, answered) => {
  const { journal, state, world, answers } = await run(within({ again }));
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect(answers).toEqual(answered);
  expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([2, 2, 2]);
  expect(journal.filter(({ kind }) => kind === "Requested")).toHaveLength(1);
});

/** A reader that looks again half an hour after a publication, as a Container App may, and one that does at once. */
const readers = [
  { who: "late", everyMinutes: 29, lagMinutes: 30 },
  { who: "soon", everyMinutes: 2, lagMinutes: 1 },
];

const skews = [
  [-600, 0],
  [-600, 180],
  [0, 180],
  [60, 0],
  [600, 0],
  [600, 180],
] as const;

it.each(skews)(
  "the server's clock is %i s ahead, and its log %i s late: no reader is refused",
  async (serverAheadSeconds, logLagSeconds) => {
    const scenario = within({ readers, serverAheadSeconds, logLagSeconds });
    const { journal, state, world } = await run(scenario);
    expect(state.ending).toMatchObject({ result: "rotated" });
    const failed = readers.flatMap((each) =>
      loginsOf(world, each, start, world.loop.now()).filter((one) => one.failed),
    );
    expect(failed).toEqual([]);
    const at = (kind: string): number => journal.find((event) => event.kind === kind)!.at;
    // What the log does not show yet is not known to be quiet.
    const { quietSeconds, graceSeconds } = plain.credential.timings;
    expect((at("ReadersQuiet") - at("Published")) / 1000).toBeGreaterThanOrEqual(quietSeconds + logLagSeconds);
    const closed = journal.find((event) => event.kind === "LoginSet" && !event.login)!.at;
    expect((at("GraceOver") - closed) / 1000).toBeGreaterThanOrEqual(graceSeconds + logLagSeconds);
  },
);

it.each(skews)(
  "the server's clock is %i s ahead, and its log %i s late: one login after the role was closed is seen",
  async (serverAheadSeconds, logLagSeconds) => {
    const scenario = within({ serverAheadSeconds, logLagSeconds });
    const { journal: alone } = await run(scenario);
    const closed = alone.find((event) => event.kind === "LoginSet")!.at;
    const fromMinutes = Math.ceil(secondsBetween(start, closed) / 60) + 1;
    const sleeper = { who: "sleeper", slot: "a", everyMinutes: 1, fromMinutes, untilMinutes: fromMinutes + 1 } as const;
    const { journal, state } = await run({ ...scenario, world: { ...scenario.world, readers: [sleeper] } });
    const found = journal.find((event) => event.kind === "ReaderFound");
    expect(found).toMatchObject({ who: "sleeper", seenAt: after(start, fromMinutes * 60) });
    expect(journal).toContainEqual(expect.objectContaining({ kind: "LoginSet", login: true }));
    expect(state.ending).toMatchObject({ result: "rotated" });
  },
);

it.each(skews)(
  "the server's clock is %i s ahead, and its log %i s late: a reader of the idle role is seen before it is changed",
  async (serverAheadSeconds, logLagSeconds) => {
    const { quietSeconds } = plain.credential.timings;
    const ago = Math.ceil(logLagSeconds / 60) + 1;
    for (const minutes of [ago, quietSeconds / 60 - 1]) {
      const idle = { who: "forgotten", slot: "b", everyMinutes: 1, fromMinutes: -minutes, untilMinutes: 1 - minutes };
      const alone = [idle as RotationScenario["world"]["readers"][number]];
      const { state, world } = await run(within({ readers: alone, serverAheadSeconds, logLagSeconds }));
      expect(state.ending).toMatchObject({ result: "rejected", reason: "idle-in-use" });
      expect(state.ending!.message).toContain("forgotten");
      expect(world.versions.b).toHaveLength(1);
    }
  },
);

/** A copy of the database from which consumers and readers log in, seconds behind the server that is changed. */
it.each([0, 3, 30])("a copy of the database is %i s behind: nobody is refused", async (copyBehindSeconds) => {
  const scenario = within({ readers, copyBehindSeconds, rolloutMinutes: 1 });
  const { state, world } = await run(scenario);
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect(world.failures).toEqual([]);
  const logins = readers.flatMap((each) => loginsOf(world, each, start, world.loop.now()));
  expect(logins.filter(({ failed }) => failed)).toEqual([]);
});

/** The published version says that it becomes valid later, by the clock of whoever made it. */
it.each([
  ["a minute ago", -60, "due", { result: "rotated" }, undefined],
  ["in five minutes", 300, "due", { result: "rotated" }, "waits until 2026-01-05T09:05:00Z"],
  ["in an hour", 3_600, "requested", { result: "rotated" }, "waits until 2026-01-05T10:00:00Z"],
  [
    "in a day",
    86_400,
    "requested",
    { result: "rejected", message: expect.stringContaining("not valid before 2026-01-06T09:00:00Z") },
    undefined,
  ],
  ["in a day, and leaked", 86_400, "leaked", { result: "rotated" }, undefined],
] as const)("the published version is valid from %s", async (_when, seconds, cause, ending, waits) => {
  const scenario = within({ validFromSeconds: seconds });
  const { journal, state, world } = await run({ ...scenario, asked: { ...scenario.asked, cause } });
  expect(state.ending).toMatchObject(ending);
  const waited = journal.filter((event) => event.kind === "Waiting" && event.reason === "not-yet-valid");
  expect(waited).toHaveLength(waits === undefined ? 0 : 1);
  if (waits !== undefined) {
    expect(waited[0]).toMatchObject({ message: expect.stringContaining(waits) });
    expect(journal.find(({ kind }) => kind === "VersionMade")!.at).toBe(after(start, seconds));
  }
  expect(world.versions.b).toHaveLength(ending.result === "rejected" ? 1 : 2);
});

const three = scenarioOf("stops-when-the-second-of-three-consumers-rolls-back");
const [storefront, checkout, orders] = three.credential.consumers;
const period = { validDays: 90, dueDays: 10 };
const adoptedBy = (journal: readonly { readonly kind: string; readonly app?: string }[]) =>
  journal.flatMap(({ kind, app }) => (kind === "Adopted" ? [app] : []));

/** Another declaration 40 minutes after the begin, while the second consumer is cut over. Its process dies, or not. */
it.each(
  [
    ["a consumer is removed", { consumers: [storefront!, orders!] }],
    ["a consumer is added", { consumers: [...three.credential.consumers, { ...orders!, app: "reports" }] }],
    ["the period is another one", period],
    ["it waits less for readers", { timings: { ...three.credential.timings, quietSeconds: 60 } }],
  ].flatMap(([what, change]) => [[], [12], [20]].map((deaths) => [what, deaths, change] as const)),
)("%s meanwhile, deaths at %j: the rotation goes on as it began", async (_what, deaths, change) => {
  const world = {
    ...three.world,
    rollouts: {},
    signals: [],
    redeclared: [{ atMinutes: 40, change: change as object }],
  };
  const { journal, state, world: left } = await run({ ...three, world }, ...deaths.map((at) => ({ at, before: true })));
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect(state.declaration).toEqual(three.credential);
  expect(adoptedBy(journal)).toEqual(["storefront", "checkout", "orders"]);
  expect([left.versions.a.length, left.versions.b.length, left.published.length]).toEqual([2, 2, 2]);
  expect(left.failures).toEqual([]);
});

/** The second consumer rolls back; then a program declares otherwise, and a person asks for a retry or a return. */
it.each([
  ["retry", "a consumer is removed", { consumers: [storefront!, orders!] }, "rotated", ["storefront", "orders"]],
  ["back", "a consumer is removed", { consumers: [checkout!, orders!] }, "returned", ["storefront"]],
  [
    "retry",
    "a consumer comes first",
    { consumers: [orders!, checkout!, storefront!] },
    "rotated",
    ["storefront", "orders", "checkout"],
  ],
  ["retry", "the period is another one", period, "rotated", ["storefront", "checkout", "orders"]],
] as const)("%s after %s goes on by the new declaration", async (signal, _what, change, result, adopted) => {
  const signals = three.world.signals.map((each) => ({ ...each, signal }));
  const world = { ...three.world, signals, redeclared: [{ atMinutes: 200, change: change as object }] };
  const { journal, state, world: left } = await run({ ...three, world });
  expect(state.ending).toMatchObject({ result });
  expect(adoptedBy(journal)).toEqual(adopted);
  // An app that is removed is gone, and logs in no more.
  const apps = state.declaration!.consumers.map(({ app }) => app);
  expect(left.failures.filter((failure) => apps.includes(failure.split(" ")[0]!))).toEqual([]);
});

/** A person deletes a secret while it is needed, and recovers it before the second of two retries. */
it.each([
  ["published", "before a retry", 200, "the published secret database was deleted or disabled since: recover it"],
  ["b", "before a retry", 200, "the secret database-b was deleted or disabled since: recover it"],
  ["a", "before a retry", 200, "the secret database-a was deleted or disabled since: recover it"],
  ["published", "before it is published", 310, "409 Conflict: it is in a deleted but recoverable state"],
] as const)(
  "the secret %s is deleted %s: it stops, and goes on once it is recovered",
  async (secret, _when, at, why) => {
    const [retry] = three.world.signals;
    const others = [
      { atMinutes: at, deletes: secret },
      { atMinutes: 900, recovers: secret },
    ];
    const signals = [retry!, { ...retry!, atMinutes: 1_000 }];
    const { journal, state, world } = await run({ ...three, world: { ...three.world, others, signals } });
    const ends = journal.flatMap((event) => (event.kind === "Finished" ? [event] : []));
    expect(ends.map(({ result }) => result)).toEqual(["stopped", "stopped", "rotated"]);
    expect(ends[1]!.message).toContain(why);
    expect(state.ending).toMatchObject({ result: "rotated" });
    expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([2, 2, 2]);
    expect(world.failures).toEqual([]);
  },
);

/** Another rotation takes the only place while this one has stopped. A retry waits for it, and a return does not. */
it.each([
  ["retry", "rotated", 1],
  ["back", "returned", 0],
] as const)("%s while the budget is used ends as %s, after %i wait for room", async (signal, result, waits) => {
  const signals = three.world.signals.map((each) => ({ ...each, signal }));
  const [first] = signals;
  const scenario = { ...three, world: { ...three.world, signals } };
  const busyUntil = after(start, (first!.atMinutes + 1) * 60);
  const ahead = async (now: number) => (now > start && now < busyUntil ? ["kv/other"] : []);
  const { journal, state, world } = await runIn(scenario, { budget: { atOnce: 1, ahead } });
  expect(state.ending).toMatchObject({ result });
  expect(journal.filter((event) => event.kind === "Waiting" && event.reason === "budget-used")).toHaveLength(waits);
  expect(world.failures).toEqual([]);
});

/**
 * Clocks of the vault, in seconds ahead of the control plane's. A version gets its expiry by the control plane's clock,
 * which also says when it is due, so the vault's own clock enters only where another client writes a version that is
 * valid from now on, by a clock that is the vault's.
 */
it.each([
  [-86_400, 0],
  [-3_600, 0],
  [-60, 0],
  [0, 0],
  [60, 60],
  [600, 600],
  [3_600, 3_600],
])("a vault whose clock is %i s ahead: a version valid from now by it is replaced after %i s", async (ahead, waits) => {
  const { journal, state, world } = await run(within({ validFromSeconds: ahead }));
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect((journal.find(({ kind }) => kind === "Started")!.at - start) / 1000).toBe(waits);
  expect(world.failures).toEqual([]);
  expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([2, 2, 2]);
});

it.each([3_601, 86_400])(
  "a vault whose clock is %i s ahead: it is refused by name before the first write",
  async (ahead) => {
    const { state, world } = await run(within({ validFromSeconds: ahead }));
    expect(state.ending).toMatchObject({ result: "rejected", reason: "credential-unfit" });
    expect(state.ending?.message).toContain("the published version is not valid before");
    expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([1, 1, 1]);
  },
);

it.each([-86_400, -600, 0, 600, 86_400])(
  "a vault whose clock is %i s ahead: a version is due, and its next one expires, by the control plane's clock",
  async (ahead) => {
    const { credential } = plain;
    const expiries: number[] = [];
    // The vault says when it made a version by its own clock, and nobody reads that.
    const { world } = await runIn(plain, {
      cloud: async (_, __, ports) => ({
        ...ports,
        vault: {
          ...ports.vault,
          make: async (of, slot, making, fence) => {
            expiries.push(making.expiresAt);
            const made = await ports.vault.make(of, slot, making, fence);
            return made.ok ? { ok: true, value: { ...made.value, createdOn: start + ahead * 1000 } } : made;
          },
        },
      }),
    });
    expect(world.versions.a).toHaveLength(2);
    const validMilliseconds = credential.validDays * 86_400_000;
    expect(expiries[0]).toBe(start + validMilliseconds);
    const published = { slot: "b", version: "p1", of: "b1", enabled: true, expiresAt: expiries[0]! } as const;
    const due = dueAt(credential, expiries[0]!);
    expect(dueRotation(credential, published, due - 1)).toBeUndefined();
    expect(dueRotation(credential, published, due)).toMatchObject({ cause: "due" });
  },
);
