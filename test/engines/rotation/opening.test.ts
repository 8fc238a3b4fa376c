// When a rotation may begin: window, freezes and the budget of rotations at once.
import fc from "fast-check";
import { expect, it } from "vitest";
import { read } from "../../../engines/form.ts";
import { completedCredential, type RotationWindow, weekdays } from "../../../engines/rotation/declaration.ts";
import { dueRotation } from "../../../engines/rotation/due.ts";
import { closedAt, overBudget } from "../../../engines/rotation/opening.ts";

const at = (moment: string): number => Date.parse(moment);
const nightly: RotationWindow = { from: "22:00", until: "04:00" };
const freezes = [{ from: "2026-12-20T00:00:00Z", until: "2027-01-02T00:00:00Z", why: "the holidays" }];

it.each([
  ["before a window", nightly, "2026-01-05T21:59:59Z", "2026-01-05T22:00:00Z"],
  ["in a window past midnight", nightly, "2026-01-05T03:59:59Z", undefined],
  ["at its end", nightly, "2026-01-05T04:00:00Z", "2026-01-05T22:00:00Z"],
  ["on another day", { ...nightly, days: ["friday"] }, "2026-01-05T23:00:00Z", "2026-01-09T22:00:00Z"],
  ["after midnight of its day", { ...nightly, days: ["friday"] }, "2026-01-10T01:00:00Z", undefined],
  ["after midnight of another day", { ...nightly, days: ["friday"] }, "2026-01-09T01:00:00Z", "2026-01-09T22:00:00Z"],
  ["by day", { from: "09:00", until: "17:00", days: ["monday"] }, "2026-01-05T17:00:00Z", "2026-01-12T09:00:00Z"],
])("%s", (_when, window, now, until) =>
  expect(closedAt({ window: window as RotationWindow, freezes: [] }, at(now))?.until).toBe(until && at(until)),
);

it("a freeze names its reason and its end, and counts in a window too", () => {
  expect(closedAt({ window: nightly, freezes }, at("2026-12-24T23:00:00Z"))).toEqual({
    reason: "frozen",
    message: "waits until 2027-01-02T00:00:00Z, when the freeze ends: the holidays",
    until: at("2027-01-02T00:00:00Z"),
  });
});

it("whoever waits until the moment that is named finds the window open", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const time = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));
  const days = fc.subarray([...weekdays], { minLength: 1 });
  fc.assert(
    fc.property(time, time, days, fc.nat(2 ** 41), (from, until, some, now) => {
      fc.pre(from !== until);
      const window: RotationWindow = { from, until, days: some };
      const closed = closedAt({ window, freezes: [] }, now);
      if (closed === undefined) return;
      expect(closed.until).toBeGreaterThan(now);
      expect(closed.until - now).toBeLessThanOrEqual(7 * 86_400_000);
      expect(closedAt({ window, freezes: [] }, closed.until)).toBeUndefined();
      expect(closedAt({ window, freezes: [] }, closed.until - 1)).toBeDefined();
    }),
    { seed, numRuns: 500 },
  );
});

it("a rotation waits while as many are ahead of it as may be at once", () => {
  expect(overBudget({ ahead: ["kv/one", "kv/two"], atOnce: 2 }, 1_000)).toEqual({
    reason: "budget-used",
    message: "waits for kv/one, kv/two: at most 2 rotations at once",
    until: 61_000,
  });
  // A long queue is named in part, and looked at less often, but within the hour.
  const queue = Array.from({ length: 150 }, (_, index) => `kv/${index}`);
  expect(overBudget({ ahead: queue.slice(0, 12), atOnce: 3 }, 0)).toMatchObject({
    message: "waits for kv/0, kv/1, kv/2, kv/3, kv/4, 7 others: at most 3 rotations at once",
    until: 600_000,
  });
  expect(overBudget({ ahead: queue, atOnce: 3 }, 0)).toMatchObject({ until: 3_600_000 });
  expect(overBudget({ ahead: ["kv/one"], atOnce: 2 }, 0)).toBeUndefined();
  expect(overBudget({ ahead: ["kv/one"], atOnce: 0 }, 0)).toBeUndefined();
});

const declared = { vault: "kv", credential: "database", server: "s", database: "d", roles: { a: "a", b: "b" } };
const consumers = [{ resourceGroup: "shop", app: "web" }];

it("what is due outside the window is asked for when it opens", () => {
  const parsed = read(completedCredential, { ...declared, consumers, window: nightly });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  const published = { slot: "a", version: "1", of: "1", enabled: true, expiresAt: at("2026-01-06T00:00:00Z") } as const;
  expect(dueRotation(parsed.value, published, at("2026-01-05T12:00:00Z"))).toBeUndefined();
  expect(dueRotation(parsed.value, published, at("2026-01-05T22:00:00Z"))).toMatchObject({ cause: "due" });
});

it.each([
  ["an empty window", { window: { from: "01:00", until: "01:00" } }, "The window from 01:00 until 01:00 is empty."],
  ["a time that no day has", { window: { from: "25:00", until: "01:00" } }, "window.from must be a time of day in UTC"],
  [
    "a freeze that ends before it begins",
    { freezes: [{ from: "2026-02-01T00:00:00Z", until: "2026-01-01T00:00:00Z", why: "x" }] },
    "does not end after it begins",
  ],
])("%s is refused by name", (_what, change, words) => {
  const parsed = read(completedCredential, { ...declared, consumers, ...change });
  expect("complaints" in parsed && parsed.complaints.join(" ")).toContain(words);
});
