// The arithmetic of evidence: a bet is fair, and no canary that is too bad can win it, whatever stable's share of
// failures is and however often anybody looks. All means and chances are exact sums over everything that can happen.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Table } from "../../../engines/rollout/judge/evidence.ts";
import {
  type Excess,
  isTelling,
  logBelow,
  logLikelihood,
  logMisshared,
} from "../../../engines/rollout/judge/likelihood.ts";

describe("evidence against a canary", () => {
  const bucket = fc
    .tuple(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([canary, stable, a, b]) => ({
      canary,
      canaryBad: Math.round(a * canary),
      stable,
      stableBad: Math.round(b * stable),
    }));

  it("is a fair bet in every bucket: its mean over all splits of the bad requests is 1", () => {
    fc.assert(
      fc.property(
        bucket,
        fc.double({ min: 0.5, max: 3, noNaN: true }),
        fc.double({ min: 0.2, max: 30, noNaN: true }),
        (table, at, against) => {
          const bad = table.canaryBad + table.stableBad;
          if (!isTelling(table)) return;
          let mean = 0;
          for (let canaryBad = Math.max(0, bad - table.stable); canaryBad <= Math.min(bad, table.canary); canaryBad++) {
            const split = { ...table, canaryBad, stableBad: bad - canaryBad };
            const ways = (n: number, k: number): number =>
              Array.from({ length: k }, (_, index) => Math.log((n - index) / (k - index))).reduce(
                (sum, log) => sum + log,
                0,
              );
            mean += Math.exp(
              ways(table.canary, canaryBad) + ways(table.stable, bad - canaryBad) + logLikelihood(split, against),
            );
          }
          expect(mean).toBeCloseTo(1, 6);
          expect(Number.isFinite(logLikelihood(table, at))).toBe(true);
        },
      ),
    );
  });

  it("neither overflows nor vanishes at a hundred thousand bad requests", () => {
    const table = { canary: 50_000, canaryBad: 49_000, stable: 150_000, stableBad: 51_000 };
    for (const odds of [0.8, 1, 1.2, 30]) expect(Number.isFinite(logLikelihood(table, odds))).toBe(true);
    expect(logLikelihood(table, 30)).toBeGreaterThan(logLikelihood(table, 1.2));
  });

  it("of lost requests grows with their number", () =>
    expect(
      [logMisshared(500, 9_500, 0.05), logMisshared(250, 9_500, 0.05), logMisshared(50, 9_500, 0.05)].map(
        (log) => log > Math.log(20),
      ),
    ).toEqual([false, true, true]));
});

/** Gives the chance of each number of bad requests. */
const masses = (requests: number, share: number): readonly number[] =>
  Array.from({ length: requests + 1 }, (_, count) =>
    Array.from({ length: count }, (__, index) => (requests - index) / (count - index)).reduce(
      (ways, times) => ways * times,
      share ** count * (1 - share) ** (requests - count),
    ),
  );

/** Gives the least share of a canary that must not be promoted. */
const worstOf = (base: number, { points, oddsLeast }: Excess): number =>
  Math.max(base + points, (oddsLeast * base) / (1 - base + oddsLeast * base));

describe("evidence in a canary's favour", () => {
  const bases = [0, 0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.6, 0.98];
  const arms: readonly (readonly [canary: number, stable: number])[] = [
    [1, 1],
    [3, 40],
    [40, 3],
    [25, 25],
    [12, 60],
  ];
  it.each([0.0005, 0.005, 0.05, 0.4].flatMap((usual) => [0.01, 0.005, 0.1].map((points) => [usual, points] as const)))(
    "has a mean of at most 1 for every canary that is too bad: usual share %d, excess %d",
    (usual, points) => {
      const excess: Excess = { points, oddsLeast: 1.3, usual };
      for (const [canary, stable] of arms) {
        const evidence = Array.from({ length: canary + 1 }, (_, canaryBad) =>
          Array.from({ length: stable + 1 }, (__, stableBad) =>
            Math.exp(logBelow({ canary, canaryBad, stable, stableBad }, excess)),
          ),
        );
        const possible = bases.filter((base) => worstOf(base, excess) <= 1);
        const means = possible.flatMap((base) =>
          [0, 0.3, 1].map((beyond) => {
            const least = worstOf(base, excess);
            const ofStable = masses(stable, base);
            const ofCanary = masses(canary, least + beyond * (1 - least));
            return evidence.reduce(
              (sum, row, bad) =>
                sum + ofCanary[bad]! * row.reduce((inner, each, other) => inner + each * ofStable[other]!, 0),
              0,
            );
          }),
        );
        expect(Math.max(...means), `${canary} and ${stable} requests`).toBeLessThan(1 + 1e-9);
        // Most of the stake is in play: evidence that is always small would be fair too.
        expect(Math.max(...means), `${canary} and ${stable} requests`).toBeGreaterThan(0.6);
      }
    },
  );

  /** The chance of each pair of counts of bad requests: the canary's and stable's. */
  type Chances = ReadonlyMap<string, number>;
  const countsOf = (key: string) => key.split(" ").map(Number) as [canaryBad: number, stableBad: number];

  /** Adds a bucket to all counts that are possible. */
  function oneMore(before: Chances, { canary, canaryBad, stable, stableBad }: Table): Chances {
    const [ofCanary, ofStable] = [masses(canary, canaryBad), masses(stable, stableBad)];
    const after = new Map<string, number>();
    for (const [key, chance] of before) {
      const [bad, others] = countsOf(key);
      for (const [more, ofMore] of ofCanary.entries())
        for (const [further, ofFurther] of ofStable.entries()) {
          const next = `${bad + more} ${others + further}`;
          after.set(next, (after.get(next) ?? 0) + chance * ofMore * ofFurther);
        }
    }
    return after;
  }

  /** Gives the chance that evidence looked at after every bucket ever reaches a ratio. */
  function everReached(ratio: number, buckets: number, each: Table, excess: Excess): number {
    let open: Chances = new Map([["0 0", 1]]);
    for (let bucket = 1; bucket <= buckets; bucket++) {
      const isOpen = ([key, chance]: readonly [string, number]): boolean => {
        const [canaryBad, stableBad] = countsOf(key);
        const table = { canary: bucket * each.canary, canaryBad, stable: bucket * each.stable, stableBad };
        // What is hardly possible counts as reached.
        return chance > 1e-7 && logBelow(table, excess) < Math.log(ratio);
      };
      open = new Map([...oneMore(open, each)].filter(isOpen));
    }
    return 1 - [...open.values()].reduce((sum, chance) => sum + chance, 0);
  }

  it.each([
    ["the usual base", 0.1, 0.1, 0.2],
    ["a base that has moved up", 0.1, 0.25, 0.2],
    ["a base that has moved down", 0.2, 0.05, 0.2],
    ["a base where odds decide", 0.3, 0.3, 0.05],
  ])("ever reaches 20 : 1 for at most one canary in twenty that is too bad: %s", (_, usual, base, points) => {
    const excess: Excess = { points, oddsLeast: 2, usual };
    const each: Table = { canary: 4, canaryBad: worstOf(base, excess), stable: 4, stableBad: base };
    const chance = everReached(20, 12, each, excess);
    expect(chance).toBeLessThan(0.05);
    expect(chance).toBeGreaterThan(0.001);
  });
});
