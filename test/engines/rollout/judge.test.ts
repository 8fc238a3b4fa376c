// The judge by what it is shown: bins in, verdict out. That it keeps its promise on whole rollouts is the benchmark's to show; here
// stands what each verdict rests on, and the arithmetic under it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketOf,
  durationsAbove,
  durationsOf,
  mergeDurations,
  quantileOf,
} from "../../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence, temper } from "../../../engines/rollout/judge/gather.ts";
import { balance, judge, judgeWarmUp, type Standing } from "../../../engines/rollout/judge/judge.ts";
import { isTelling, logLikelihood, logMisshared } from "../../../engines/rollout/judge/likelihood.ts";
import { defaultLimits } from "../../../engines/rollout/plan.ts";
import type { Bin, Limits, Tally } from "../../../engines/rollout/vocabulary.ts";

const minute = 60_000;
const limits = defaultLimits;
const last: Standing = { percent: 50, steps: [10, 50, 100], isSilent: false };
const first: Standing = { ...last, percent: 10 };
const alone: Standing = { ...last, percent: 100 };

/** So many requests, of which so many failed, so many were refused, and so many took a second instead of a tenth of one. */
function tally(requests: number, failed = 0, { refused = 0, late = 0 } = {}): Tally {
  const durations = durationsOf([
    [bucketOf(100), requests - late],
    [bucketOf(1_000), late],
  ]);
  return { requests, failed, refused, ...(durations === undefined ? {} : { durations }) };
}

/** An hour of stable by itself, then minutes of both. */
function shown(
  canary: Tally,
  stable: Tally,
  {
    minutes = 10,
    usual = tally(2_000, 4, { refused: 20, late: 20 }),
    percent = 50,
    tolerance = limits,
  }: { minutes?: number; usual?: Tally; percent?: number; tolerance?: Limits } = {},
): Evidence {
  const history: Bin[] = Array.from({ length: 60 }, (_, index) => ({
    at: (index - 60) * minute,
    canary: tally(0),
    stable: usual,
  }));
  const bins: Bin[] = Array.from({ length: minutes }, (_, index) => ({ at: index * minute, canary, stable }));
  return gather(beginStep(noEvidence, 0, 2), [...history, ...bins], {
    limits: tolerance,
    percent,
    tickSeconds: 60,
    warmFrom: 0,
    warmUntil: 0,
  });
}

const word = (evidence: Evidence, standing = last): string => {
  const verdict = judge(evidence, limits, standing);
  return verdict.verdict === "inconclusive" ? verdict.reason : verdict.verdict;
};

describe("a verdict", () => {
  const good = tally(600, 1);
  const cases: readonly (readonly [what: string, verdict: string, evidence: Evidence, standing?: Standing])[] = [
    ["passes what fails as rarely as stable", "pass", shown(good, tally(600, 1))],
    ["fails what fails clearly more", "fail", shown(tally(60, 3), tally(1_140, 6)), first],
    [
      "fails what answers 4xx clearly more often",
      "fail",
      shown(tally(600, 1, { refused: 60 }), tally(600, 1, { refused: 6 })),
    ],
    ["fails what has a longer tail", "fail", shown(tally(600, 1, { late: 60 }), tally(600, 1, { late: 6 }))],
    ["fails nothing on two bad requests", "too-few-requests", shown(tally(4, 1), tally(36), { minutes: 2 }), first],
    ["fails at the ceiling whatever stable does not show", "fail", shown(tally(50, 25), tally(0), { minutes: 1 })],
    ["holds without any request", "no-traffic", shown(tally(0), tally(0))],
    ["holds where the canary gets none of the requests", "lost-requests", shown(tally(1), tally(1_200))],
    ["holds where stable gets none, since nothing can be compared", "no-traffic", shown(tally(600, 1), tally(0))],
    [
      "holds where too few requests were judged",
      "too-few-requests",
      shown(tally(1), tally(10), { minutes: 10 }),
      first,
    ],
    [
      "lets an early step pass on little evidence, since little traffic is at stake",
      "pass",
      shown(tally(10), tally(90)),
      first,
    ],
    ["lets the last step pass on evidence alone", "too-few-requests", shown(tally(10), tally(10))],
    ["holds where a canary is worse, but not surely", "unsettled", shown(tally(600, 4), tally(600, 2), { minutes: 3 })],
    ["holds through an outage that both share", "shared-outage", shown(tally(60, 20), tally(600, 200))],
    ["does not promote because stable is the broken one", "stable-sick", shown(tally(600, 1), tally(600, 300))],
    [
      "takes out a canary that fails all while stable, sick too, fails few",
      "fail",
      shown(tally(60, 60), tally(1_140, 100)),
    ],
    [
      "at 100 percent passes what fails as stable usually does",
      "pass",
      shown(tally(1_200, 3), tally(0), { percent: 100 }),
      alone,
    ],
    [
      "at 100 percent fails what fails far more than stable usually does",
      "fail",
      shown(tally(1_200, 60), tally(0), { percent: 100 }),
      alone,
    ],
    [
      "at 100 percent fails what is far slower than stable usually is",
      "fail",
      shown(tally(1_200, 3, { late: 600 }), tally(0), { percent: 100 }),
      alone,
    ],
  ];
  for (const [what, verdict, evidence, standing] of cases)
    it(what, () => expect(word(evidence, standing)).toBe(verdict));

  it("takes out a canary that loses requests once it does not answer its probes either", () => {
    const evidence = shown(tally(60), tally(1_140));
    expect([word(evidence), word(evidence, { ...last, isSilent: true })]).toEqual(["lost-requests", "fail"]);
  });

  it("says how much speaks against the canary and how much it would take", () =>
    expect(judge(shown(tally(120, 4), tally(1_080, 4), { minutes: 6 }), limits, first).sentence).toMatch(
      /^canary fails 3\.3 % of 720 requests where stable fails 0\.4 % of 6,480 in the same minutes; evidence 1 : [\d,]+ against, limit 1 : 20$/,
    ));

  it("says what it could not look at", () => {
    const plain = (requests: number): Tally => ({ requests, failed: 0 });
    expect(judge(shown(plain(600), plain(600), { usual: plain(2_000) }), limits, last)).toMatchObject({
      verdict: "pass",
      sentence: expect.stringContaining("how long requests took could not be judged"),
    });
  });

  it("is as sure as it is asked to be", () => {
    const evidence = shown(tally(120, 3), tally(1_080, 6), { minutes: 4 });
    const { against } = balance(evidence, limits, first);
    const fails = (falseRollbackPercentMax: number) =>
      judge(evidence, { ...limits, falseRollbackPercentMax }, first).verdict === "fail";
    expect([fails(101 / against), fails(99 / against)]).toEqual([true, false]);
  });

  it("does not hold against a canary what it does while it warms up, and says that it saw it", () => {
    const cold = gather(beginStep(noEvidence, 0, 2), [{ at: 0, canary: tally(60, 20), stable: tally(1_140) }], {
      limits,
      percent: 10,
      tickSeconds: 60,
      warmFrom: 0,
      warmUntil: 3 * minute,
    });
    expect(balance(cold, limits, first).against).toBeCloseTo(1, 6);
    expect(judgeWarmUp(cold)).toMatchObject({
      reason: "warming-up",
      sentence: expect.stringContaining("33.3 % of 60 requests while it warms up"),
    });
  });

  it("holds, and says so, where bad requests come in bursts that would take out any canary", () => {
    const storms: Bin[] = Array.from({ length: 60 }, (_, index) => ({
      at: (index - 60) * minute,
      canary: tally(0),
      stable: tally(2_000, index % 6 === 0 ? 80 : 4),
    }));
    const bins: Bin[] = Array.from({ length: 3 }, (_, index) => ({
      at: index * minute,
      canary: tally(600, 16),
      stable: tally(600, 1),
    }));
    const evidence = gather(beginStep(noEvidence, 0, 2), [...storms, ...bins], {
      limits,
      percent: 50,
      tickSeconds: 60,
      warmFrom: 0,
      warmUntil: 0,
    });
    expect(word(evidence)).toBe("noisy");
  });
});

describe("evidence", () => {
  const bin = fc
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

  it("is a fair bet in every bin: its mean over all splits of the same bad requests is 1 at the odds that it is held against", () => {
    fc.assert(
      fc.property(
        bin,
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

  it("of requests that vanish grows with what is missing", () =>
    expect(
      [logMisshared(500, 9_500, 0.05), logMisshared(250, 9_500, 0.05), logMisshared(50, 9_500, 0.05)].map(
        (log) => log > Math.log(20),
      ),
    ).toEqual([false, true, true]));

  it("does not depend on the order of the bins, nor on how they are handed over", () => {
    const bins = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 50, max: 400 })), {
      minLength: 2,
      maxLength: 12,
    });
    const watch = { limits, percent: 10, tickSeconds: 60, warmFrom: -1, warmUntil: -1 };
    fc.assert(
      fc.property(bins, (drawn) => {
        const all: Bin[] = drawn.map(([failed, requests], index) => ({
          at: index * minute,
          canary: tally(requests, Math.min(failed, requests)),
          stable: tally(requests * 9, 1),
        }));
        const one = gather(beginStep(noEvidence, 0, 1), all, watch);
        expect(all.reduce((evidence, each) => gather(evidence, [each], watch), beginStep(noEvidence, 0, 1))).toEqual(
          one,
        );
      }),
    );
  });

  it("finds a fault that begins with a later step, however good the canary was before", () => {
    const good: Bin[] = Array.from({ length: 120 }, (_, index) => ({
      at: index * minute,
      canary: tally(600, 1),
      stable: tally(1_400, 3),
    }));
    const watch = { limits, percent: 30, tickSeconds: 60, warmFrom: -1, warmUntil: -1 };
    const long = gather(beginStep(noEvidence, 0, 2), good, watch);
    const bad: Bin[] = Array.from({ length: 5 }, (_, index) => ({
      at: (120 + index) * minute,
      canary: tally(1_000, 20),
      stable: tally(1_000, 2),
    }));
    const next = gather(beginStep(long, 1, 2), bad, {
      ...watch,
      percent: 50,
      warmFrom: 120 * minute,
      warmUntil: 120 * minute,
    });
    expect(word(next)).toBe("fail");
  });

  it("is weakened by bursts and untouched by plain chance", () => {
    const table = { canary: 60, canaryBad: 3, stable: 1_140, stableBad: 6 };
    expect(temper({ pairs: 20, sum: 22, requests: 20 * 3_600, binPairs: 60, binSum: 60 }, table)).toEqual({
      power: 1,
      most: Infinity,
    });
    expect(temper({ pairs: 20, sum: 140, requests: 20 * 3_600, binPairs: 60, binSum: 400 }, table).power).toBeLessThan(
      0.8,
    );
  });

  it("fits in four kilobytes, with everything that a busy rollout can gather", () => {
    const spread = durationsOf(Array.from({ length: 120 }, (_, bucket) => [bucket + 10, 12_345] as const))!;
    const busy = (failed: number): Tally => ({ requests: 1_481_400, failed, refused: 9_876, durations: spread });
    const bins: Bin[] = Array.from({ length: 200 }, (_, index) => ({
      at: index * minute,
      canary: busy(7_000 + index),
      stable: busy(7_000 + (index % 7) * 300),
    }));
    const evidence = gather(beginStep(noEvidence, 0, 3), bins, {
      limits,
      percent: 50,
      tickSeconds: 60,
      warmFrom: -1,
      warmUntil: -1,
    });
    expect(JSON.stringify(evidence).length).toBeLessThan(4_096);
  });
});

describe("durations", () => {
  it("are told to within a twelfth, from milliseconds to minutes", () => {
    for (const milliseconds of [1, 3, 50, 400, 12_000, 239_000]) {
      const all = durationsOf([[bucketOf(milliseconds), 100]])!;
      expect(Math.abs(quantileOf(all, 0.5) / milliseconds - 1)).toBeLessThan(1 / 11);
    }
  });

  it("add up, and lose none", () => {
    const some = fc.array(fc.tuple(fc.integer({ min: 0, max: 143 }), fc.integer({ min: 1, max: 99 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(some, some, (a, b) => {
        const both = mergeDurations(durationsOf(a), durationsOf(b)!);
        const total = [...a, ...b].reduce((sum, [, count]) => sum + count, 0);
        expect([durationsAbove(both, -1), durationsAbove(both, 143)]).toEqual([total, 0]);
      }),
    );
  });
});
