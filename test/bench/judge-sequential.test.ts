// The sequential peers of the contest and our own evidence beside packages of others: recorded inputs, written by
// judge/record-oracles.py. The count test gives the numbers of two packages, and the 2×2 test is a fair bet.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addBlock, countTest, twoByTwo } from "../../bench/judge/peers/sequential.ts";
import { durationsOf } from "../../engines/rollout/judge/durations.ts";
import { beginStep, gather, noEvidence } from "../../engines/rollout/judge/gather.ts";
import { balance } from "../../engines/rollout/judge/judge.ts";
import { logMisshared } from "../../engines/rollout/judge/likelihood.ts";
import { defaultThresholds as thresholds } from "../../engines/rollout/plan.ts";
import { armOf, contest } from "./peer-contest.ts";

const recorded = <Case>(name: string): readonly Case[] =>
  (JSON.parse(readFileSync(join(import.meta.dirname, "judge", name), "utf8")) as { readonly cases: readonly Case[] })
    .cases;

interface Shared {
  readonly share: number;
  readonly steps: readonly (readonly [canary: number, stable: number, log: number])[];
}
type Bands = readonly (readonly [band: number, count: number])[];
interface Medians {
  readonly factor: number;
  readonly minutes: readonly (readonly [canary: Bands, stable: Bands, p: number])[];
}

describe("the count test", () => {
  it.each([
    ["savvi, the package of its authors", recorded<Shared>("savvi-multinomial.json")],
    [
      "confseq, the package of Howard and Ramdas",
      recorded<Shared & Partial<Medians>>("confseq.json").filter(({ factor }) => factor === undefined),
    ],
  ])("gives the evidence of %s", (_, cases) => {
    expect(cases).toHaveLength(6);
    for (const { share, steps } of cases) {
      let canary = 0;
      let stable = 0;
      for (const [more, moreOfStable, log] of steps) {
        canary += more;
        stable += moreOfStable;
        expect(logMisshared(canary, stable, share)).toBeCloseTo(log, 8);
      }
    }
  });
});

describe("our evidence of durations", () => {
  const cases = recorded<Medians>("confseq.json").filter(({ factor }) => factor !== undefined);

  it.each(cases)("agrees with the bands of confseq on a canary that takes $factor times as long", (medians) => {
    const watch = { thresholds, percent: 20, intervalSeconds: 60, warmFrom: -1, warmUntil: -1 };
    const armOfBands = (bands: Bands) => {
      const durations = durationsOf(bands)!;
      return { requests: durations.counts.reduce((sum, count) => sum + count, 0), failed: 0, durations };
    };
    let evidence = beginStep(noEvidence, 0, 1);
    const found = medians.minutes.map(([canary, stable], at) => {
      evidence = gather(evidence, [{ at: at * 60_000, canary: armOfBands(canary), stable: armOfBands(stable) }], watch);
      const { against, againstMax } = balance(evidence, thresholds, { percent: 20, steps: [20, 100], isSilent: false });
      return against >= againstMax;
    });
    const isSlower = medians.factor > thresholds.slowdownTolerated;
    expect(medians.minutes.some(([, , p]) => p <= 0.05)).toBe(isSlower);
    expect(found.includes(true)).toBe(isSlower);
  });
});

describe("the 2×2 test", () => {
  const binomial = (n: number, k: number, p: number): number => {
    let ways = 1;
    for (let index = 0; index < k; index++) ways *= (n - index) / (k - index);
    return ways * p ** k * (1 - p) ** (n - k);
  };

  it("wins nothing on average while both arms fail alike, whatever was seen before", () => {
    const [canary, stable] = [7, 12];
    const before = { canary: [3, 40], stable: [2, 90], log: 0 } as const;
    for (const rate of [0.02, 0.3, 0.5]) {
      let mean = 0;
      for (let a = 0; a <= canary; a++)
        for (let b = 0; b <= stable; b++)
          mean +=
            binomial(canary, a, rate) *
            binomial(stable, b, rate) *
            Math.exp(addBlock(before, [a, canary - a], [b, stable - b]).log);
      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      expect(mean).toBeGreaterThan(0.5);
    }
  });
});

describe.each([
  ["the 2×2 test", twoByTwo],
  ["the count test", countTest],
])("the ramp of %s", (_, contestant) => {
  const arms = (canaryFailed: number, stableFailed: number) => () => ({
    canary: armOf(300, canaryFailed),
    stable: armOf(900, stableFailed),
  });

  it("promotes a healthy canary after ten minutes at each weight", () =>
    // The weights of the world are the contestant's own: a quarter of the failures at 25 percent would be its due.
    expect(contest(contestant, (now) => ({ canary: armOf(60, 0), stable: armOf(900, now % 2) }))).toEqual({
      ending: "promoted",
      at: 30,
      weights: [5, 25, 50, 100],
    }));

  it("rolls back one that fails more, but not one that fails less", () => {
    expect(contest(contestant, arms(30, 9)).ending).toBe("rolled-back");
    expect(contest(contestant, arms(0, 90)).ending).toBe("promoted");
  });
});
