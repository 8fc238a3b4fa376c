// The alert over three days: hourly counts, and when it fires and resolves. Drawn histories are calculated a second
// time by other means. An hour without a request is neither good nor bad.
import { describe, expect, test } from "vitest";
import { type Hour, historySeconds, ticketsOf } from "../../../engines/remediation/objectives/ticket.ts";

const hour = 3_600_000;
const start = Date.UTC(2031, 0, 1);
const objective = {
  target: "app/shop/web",
  measures: "availability" as const,
  goodPercent: 99,
  periodDays: 28,
  failuresMin: 10,
  ticket: "promise-availability-ticket",
};
/** Makes hours of 1,000 requests each from their bad requests; null is an hour without a request. */
const hoursOf = (bad: readonly (number | null)[]): readonly Hour[] =>
  bad.flatMap((count, index) => (count === null ? [] : [{ at: start + index * hour, requests: 1000, bad: count }]));
const repeated = (times: number, bad: number | null): readonly (number | null)[] =>
  Array.from({ length: times }, () => bad);
/** Gives the hours, counted from the start, at which alerts fire and resolve. */
const timesOf = (bad: readonly (number | null)[], atHour = bad.length + 1) =>
  ticketsOf(objective, hoursOf(bad), start + atHour * hour).map(({ firedAt, resolvedAt }) => [
    (firedAt - start) / hour,
    resolvedAt === null ? null : (resolvedAt - start) / hour,
  ]);

// The budget is 10 of 1,000 requests, and an alert fires above 0.933 of it: 10 of 1,000 are too many, 9 are not.
test.each<[string, readonly (number | null)[], readonly unknown[]]>([
  ["nothing without a request", repeated(80, null), []],
  ["nothing while the budget is used up as slowly as it may be", repeated(80, 9), []],
  ["fires in the first hour of what burns too fast, once it has ten bad requests", repeated(80, 10), [[1, null]]],
  ["an outage of an hour after three good days", [...repeated(71, 0), 1000], [[72, null]]],
  [
    "a slow leak after three good days fires once the long window burns",
    [...repeated(72, 0), ...repeated(80, 12)],
    [[128, null]],
  ],
  ["resolves once the short window is good", [...repeated(10, 20), ...repeated(10, 0)], [[1, 14]]],
  ["stays fired while no request is logged", [...repeated(10, 20), ...repeated(60, null)], [[1, null]]],
  [
    "and resolves once requests are good again",
    [...repeated(10, 20), ...repeated(60, null), ...repeated(3, 0)],
    [[1, 71]],
  ],
  [
    "two incidents are two alerts",
    [...repeated(3, 30), ...repeated(90, 0), ...repeated(3, 1000)],
    [
      [1, 8],
      [94, null],
    ],
  ],
])("%s", (_what, bad, expected) => expect(timesOf(bad)).toEqual(expected));

test("the hour in progress, and one whose rows may still be on their way, do not count", () => {
  const bad = [...repeated(71, 0), 1000];
  expect(timesOf(bad, 72)).toEqual([]);
  expect(timesOf(bad, 72.3)).toEqual([[72, null]]);
});

test("fires and resolves as a second calculation says, on drawn histories", () => {
  let state = Number(process.env["SEED"] ?? 7);
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  let changes = 0;
  for (let story = 0; story < 20; story++) {
    let mood = 0;
    const bad = Array.from({ length: 300 }, () => {
      if (next() < 0.05) mood = [0, 0, 5, 20, 200, null].at(Math.floor(next() * 6))!;
      return mood;
    });
    const sum = (from: number, to: number, of: (value: number) => number): number =>
      bad.slice(Math.max(0, from), to).reduce((total: number, value) => total + (value === null ? 0 : of(value)), 0);
    const expected: (number | null)[][] = [];
    for (let end = 1; end <= bad.length; end++) {
      const [requests, recent] = [sum(end - 72, end, () => 1000), sum(end - 6, end, () => 1000)];
      if (recent === 0) continue;
      const [all, newest] = [sum(end - 72, end, (value) => value), sum(end - 6, end, (value) => value)];
      const isFast = all >= 10 && all / requests > 0.00933 && newest / recent > 0.00933;
      const open = expected.at(-1)?.[1] === null;
      if (isFast && !open) expected.push([end, null]);
      if (!isFast && open) expected.at(-1)![1] = end;
    }
    const first = bad.findIndex((value) => value !== null);
    expect([story, timesOf(bad)]).toEqual([story, first < 0 ? [] : expected]);
    changes += expected.length;
  }
  expect(changes).toBeGreaterThan(10);
});

describe("the same alert has the same name", () => {
  const keysAt = (bad: readonly (number | null)[], nowHour: number) =>
    ticketsOf(
      objective,
      hoursOf(bad).filter(({ at }) => at >= start + nowHour * hour - historySeconds * 1000),
      start + nowHour * hour,
    ).map(({ key }) => key);

  test("however often it is computed", () => {
    const bad = [...repeated(100, 0), ...repeated(300, 50)];
    const [key] = keysAt(bad, 150);
    for (const at of [151, 200, 399]) expect(keysAt(bad, at)).toEqual([key]);
  });

  test("and two alerts of a new service have two", () => {
    const keys = keysAt([...repeated(3, 30), ...repeated(20, 0), ...repeated(3, 1000)], 27);
    expect([keys.length, new Set(keys).size]).toEqual([2, 2]);
  });

  test("and one that is fired for longer than rows are kept is told again once a week", () => {
    const bad = repeated(1500, 50);
    const names = new Set(Array.from({ length: 24 * 14 }, (_, index) => keysAt(bad, 1000 + index)[0]));
    expect(names.size).toBeLessThanOrEqual(3);
  });
});
