// The worlds of the contest: its dice follow their distributions, its minutes match their cells, and invalid cells are
// refused.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, publishedCells, readCells } from "../../bench/judge/cells.ts";
import { type Arm, durationBands, type Minute } from "../../bench/judge/contestant.ts";
import { loadDice } from "../../bench/judge/dice.ts";
import { horizonMinutes } from "../../bench/judge/tracks.ts";
import { createWorld } from "../../bench/judge/traffic.ts";
import { cellOf } from "./cell-of.ts";

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
};
/** Gives all minutes of a run in which the canary keeps one weight. */
const minutesOf = (cell: Cell, seed: number, weight = 50): readonly Minute[] => {
  const world = createWorld(cell, seed);
  return Array.from({ length: horizonMinutes }, (_, at) => world.happen(at, () => weight).minute);
};
const share = (minutes: readonly Minute[], arm: "canary" | "stable", of: "failed" | "refused"): number =>
  minutes.reduce((sum, minute) => sum + minute[arm][of], 0) /
  minutes.reduce((sum, minute) => sum + minute[arm].requests, 0);

describe("the dice", () => {
  /** Gives Pearson's chi-square of draws against a distribution, in standard deviations from its expectation. */
  const surprise = (draws: readonly number[], mass: (k: number) => number): number => {
    const seen = Map.groupBy(draws, (k) => k);
    const most = Math.max(...draws) * 2 + 20;
    const likely = Array.from({ length: most }, (_, k) => k).filter((k) => mass(k) * draws.length >= 5);
    const square = likely.reduce(
      (sum, k) => sum + ((seen.get(k)?.length ?? 0) - mass(k) * draws.length) ** 2 / (mass(k) * draws.length),
      0,
    );
    return (square - (likely.length - 1)) / Math.sqrt(2 * Math.max(1, likely.length - 1));
  };
  const logFactorial = (k: number): number =>
    Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((sum, term) => sum + term, 0);

  it.each([
    [40, 0.02],
    [40, 0.9],
    [60, 0.3],
    [1_200, 0.005],
    [1_200, 0.4],
    [400, 0.97],
  ])("draw %i requests at %f from a binomial distribution", (n, p) => {
    const dice = loadDice(7, n);
    const mass = (k: number) =>
      k > n
        ? 0
        : Math.exp(
            logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p),
          );
    expect(
      Math.abs(
        surprise(
          Array.from({ length: 40_000 }, () => dice.binomial(n, p)),
          mass,
        ),
      ),
    ).toBeLessThan(4);
  });

  it.each([0.4, 8, 12, 250])("draw arrivals around %f from a Poisson distribution", (lambda) => {
    const dice = loadDice(8, lambda * 10);
    const mass = (k: number) => Math.exp(k * Math.log(lambda) - lambda - logFactorial(k));
    expect(
      Math.abs(
        surprise(
          Array.from({ length: 40_000 }, () => dice.poisson(lambda)),
          mass,
        ),
      ),
    ).toBeLessThan(4);
  });

  it.each([0.2, 0.5, 1, 1.5])("draw shocks with mean one and a coefficient of variation of %f", (variation) => {
    const dice = loadDice(9, variation * 10);
    const shocks = Array.from({ length: 100_000 }, () => dice.shock(variation));
    expect(mean(shocks)).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance(shocks)) / variation).toBeCloseTo(1, 1);
  });

  it("give the same numbers for the same keys, and others for any change of the keys", () => {
    const first = (...keys: readonly number[]): number => loadDice(...keys).next();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    const others = [
      first(1, 2, 3),
      first(1, 3, 2),
      first(1, 2),
      first(1, 2, 4),
      first(2, 2, 3),
      first(1, -2, 3),
      first(0, 0),
      first(0, 0, 0),
    ];
    expect(new Set(others).size).toBe(others.length);
    const neighbours = Array.from({ length: 20_000 }, (_, seed) => first(seed, 5));
    expect(mean(neighbours)).toBeCloseTo(0.5, 1);
    expect(variance(neighbours) * 12).toBeCloseTo(1, 1);
  });
});

describe("a world", () => {
  const cells = publishedCells();

  it("gives valid minutes for every cell, seed and weight", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cells),
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 0, max: 100 }),
        (cell, seed, weight) => {
          const world = createWorld(cell, seed);
          const minutes = [...world.history, ...minutesOf(cell, seed, weight).slice(0, 20)];
          const whole = ({ requests, failed, refused, durations }: Arm): boolean =>
            durations.length === durationBands &&
            durations.every((band) => band >= 0) &&
            durations.reduce((sum, band) => sum + band, 0) === requests &&
            failed + refused <= requests &&
            failed >= 0 &&
            refused >= 0;
          expect(minutes.map(({ at }) => at)).toEqual([
            ...Array.from({ length: 60 }, (_, index) => index - 60),
            ...Array.from({ length: 20 }, (_, at) => at),
          ]);
          expect(minutes.filter(({ canary, stable }) => !whole(canary) || !whole(stable))).toEqual([]);
          expect(
            world.history.filter(({ canary, weight: given, probes }) => canary.requests + given + probes > 0),
          ).toEqual([]);
          expect(minutes.filter(({ probes, probesFailed }) => probesFailed > probes)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is the same for the same seed and weights, and its noise does not depend on the weights", () => {
    const noisy = cellOf({ noise: { failures: 1, stormPercent: 20, badReplicaPercent: 1 } });
    expect(minutesOf(noisy, 4)).toEqual(minutesOf(noisy, 4));
    expect(minutesOf(noisy, 4)).not.toEqual(minutesOf(noisy, 5));
    // At other weights stable fails in the same minutes, because it has shocks of its own.
    const failing = (weight: number) =>
      minutesOf(cellOf({ failurePercent: 5, noise: { failures: 1 } }), 4, weight).map(
        ({ stable }) => stable.failed / stable.requests,
      );
    const apart = failing(10).map((rate, at) => Math.abs(rate - failing(50)[at]!));
    expect(mean(apart)).toBeLessThan(0.015);
  });

  it("has the load, split, failures and durations of its cell", () => {
    const minutes = [1, 2, 3, 4].flatMap((seed) =>
      minutesOf(cellOf({ fault: { failurePoints: 2, refusedPoints: 3, slower: 2 } }), seed, 25),
    );
    expect(mean(minutes.map(({ canary }) => canary.requests)) / 300).toBeCloseTo(1, 1);
    expect(100 * share(minutes, "canary", "failed")).toBeCloseTo(2.5, 0);
    expect(100 * share(minutes, "stable", "failed")).toBeCloseTo(0.5, 0);
    expect(100 * share(minutes, "canary", "refused")).toBeCloseTo(4, 0);
    const p99 = (arm: "canary" | "stable"): number => {
      const total = Array.from({ length: durationBands }, (_, band) =>
        minutes.reduce((sum, minute) => sum + minute[arm].durations[band]!, 0),
      );
      const cumulative: number[] = [];
      for (const requests of total) cumulative.push((cumulative.at(-1) ?? 0) + requests);
      return 2 ** ((cumulative.findIndex((requests) => requests >= 0.99 * cumulative.at(-1)!) + 1) / 8);
    };
    expect(p99("stable") / 386).toBeGreaterThan(0.95);
    expect(p99("stable") / 386).toBeLessThan(1.1);
    expect(p99("canary") / p99("stable")).toBeCloseTo(2, 1);
  });

  it("ends hanging requests as failures four minutes later, and fails probes of a hanging canary", () => {
    const minutes = minutesOf(cellOf({ fault: { hangPercent: 100 } }), 1);
    expect(minutes.slice(0, 4).every(({ canary }) => canary.requests === 0)).toBe(true);
    expect(minutes[4]!.canary.requests).toBeGreaterThan(400);
    expect(minutes[4]!.canary.failed).toBe(minutes[4]!.canary.requests);
    expect(minutes[4]!.canary.durations.findIndex((requests) => requests > 0)).toBe(Math.floor(8 * Math.log2(240_000)));
    expect(minutes.every(({ probes, probesFailed }) => probesFailed === probes)).toBe(true);
  });

  it.each<[string, Partial<Cell>, (minute: Minute) => boolean]>([
    ["from a minute on", { fault: { failurePoints: 90, when: { fromMinute: 10 } } }, ({ at }) => at >= 10],
    ["until a minute", { fault: { failurePoints: 90, when: { untilMinute: 3 } } }, ({ at }) => at < 3],
    [
      "in part of every few minutes",
      { fault: { failurePoints: 90, when: { fromMinute: 10, downMinutes: 2, ofMinutes: 3 } } },
      ({ at }) => at >= 10 && (at - 10) % 3 < 2,
    ],
    [
      "under load",
      {
        shared: { fromMinute: 5, untilMinute: 9, trafficTimes: 2 },
        fault: { failurePoints: 90, when: { requestsAtLeast: 2_000 } },
      },
      ({ at }) => at >= 5 && at < 9,
    ],
    ["never below a weight", { fault: { failurePoints: 90, when: { weightAtLeast: 51 } } }, () => false],
  ])("has its fault %s", (_, rest, isThere) => {
    const minutes = minutesOf(cellOf(rest), 3);
    expect(minutes.map(({ canary }) => canary.failed > canary.requests / 2)).toEqual(minutes.map(isThere));
    expect(minutes.every(({ stable }) => stable.failed < stable.requests / 2)).toBe(true);
  });

  it.each<[string, Partial<Cell>, readonly boolean[]]>([
    ["only the canary", { fault: { failurePoints: 50 } }, [true, false]],
    ["both arms if the canary drags stable down", { fault: { failurePoints: 50, dragsStable: true } }, [true, true]],
    [
      "neither arm while a canary that drags stable down has no traffic",
      { fault: { failurePoints: 50, dragsStable: true, when: { weightAtLeast: 60 } } },
      [false, false],
    ],
    [
      "only stable",
      { shared: { fromMinute: 0, untilMinute: 180, failurePoints: 50, stableOnly: true } },
      [false, true],
    ],
  ])("breaks %s", (_, rest, broken) => {
    const minutes = minutesOf(cellOf(rest), 6);
    expect((["canary", "stable"] as const).map((arm) => share(minutes, arm, "failed") > 0.4)).toEqual(broken);
  });

  it("applies shared events to both arms, and a noisy tenant to one", () => {
    const outage = minutesOf(cellOf({ shared: { fromMinute: 5, untilMinute: 10, failurePoints: 50 } }), 1);
    for (const arm of ["canary", "stable"] as const)
      expect(outage.filter((minute) => minute[arm].failed > 0.3 * minute[arm].requests).map(({ at }) => at)).toEqual([
        5, 6, 7, 8, 9,
      ]);
    const failedCounts = minutesOf(cellOf({ noise: { stormPercent: 100 } }), 2).map(({ canary }) => canary.failed);
    // Independent failures have a variance equal to their mean; batches of 25 have 25 times that.
    expect(variance(failedCounts) / mean(failedCounts)).toBeGreaterThan(8);
  });
});

describe("cells", () => {
  it("are at least a hundred and fifty, with unique names and of every truth", () => {
    const cells = publishedCells();
    expect(cells.length).toBeGreaterThanOrEqual(150);
    expect(new Set(cells.map(({ truth }) => truth))).toEqual(new Set(["bad", "good", "unknown"]));
    expect(readCells(JSON.stringify(cells))).toEqual(cells);
  });

  it.each([
    [
      '[{ "name": "a", "truth": "bad", "fault": { "failurePoint": 1 } }]',
      'The cell "a", fault has no field failurePoint. Its fields are failurePoints,',
    ],
    [
      '[{ "name": "a", "truth": "bad", "fault": { "failurePoints": "1" } }]',
      'The cell "a", fault, failurePoints must be a number, 0 or more, but is "1".',
    ],
    [
      '[{ "name": "a", "truth": "bad", "telemetry": { "lagMinutes": [2] } }]',
      "must be two numbers, 0 or more, but is [2].",
    ],
    ['[{ "name": "a", "truth": "bad", "fault": 3 }]', "fault must be an object, but is 3."],
    ['[{ "name": "a", "truth": "worse" }]', 'The cell "a" has the truth "worse"; it must be bad, good or unknown.'],
    ['[{ "truth": "bad" }]', "Cell 1 has no name."],
    ['[{ "name": "a", "truth": "bad" }, { "name": "a", "truth": "good" }]', 'Two cells have the name "a".'],
    ["[]", "at least one cell"],
  ])("of an invalid file are refused: %s", (text, why) => expect(() => readCells(text)).toThrow(why));
});
