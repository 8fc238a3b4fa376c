// The judge: buckets in, verdict out, and the arithmetic below it. Its error rates over whole rollouts are shown by the
// benchmark.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bandOf,
  durationsAbove,
  durationsOf,
  mergeDurations,
  quantileOf,
} from "../../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence } from "../../../engines/rollout/judge/gather.ts";
import { balance, judge, judgeWarmUp, type Standing } from "../../../engines/rollout/judge/judge.ts";
import { temper } from "../../../engines/rollout/judge/weigh.ts";
import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { Bucket, Tally, Thresholds } from "../../../engines/rollout/vocabulary.ts";

const minute = 60_000;
const thresholds = defaultThresholds;
const last: Standing = { percent: 50, steps: [10, 50, 100], isSilent: false };
const first: Standing = { ...last, percent: 10 };
const alone: Standing = { ...last, percent: 100 };

/** Counts requests: how many failed, were refused, and took a second instead of a tenth of one. */
function tally(requests: number, failed = 0, { refused = 0, late = 0 } = {}): Tally {
  const durations = durationsOf([
    [bandOf(100), requests - late],
    [bandOf(1_000), late],
  ]);
  return { requests, failed, refused, ...(durations === undefined ? {} : { durations }) };
}

/** Gives the evidence of an hour of stable alone, then of minutes of both arms. */
function shown(
  canary: Tally,
  stable: Tally,
  {
    minutes = 10,
    baseline = tally(2_000, 4, { refused: 20, late: 20 }),
    percent = 50,
    tolerance = thresholds,
  }: { minutes?: number; baseline?: Tally; percent?: number; tolerance?: Thresholds } = {},
): Evidence {
  const history: Bucket[] = Array.from({ length: 60 }, (_, index) => ({
    at: (index - 60) * minute,
    canary: tally(0),
    stable: baseline,
  }));
  const buckets: Bucket[] = Array.from({ length: minutes }, (_, index) => ({ at: index * minute, canary, stable }));
  return gather(beginStep(noEvidence, 0, 2), [...history, ...buckets], {
    thresholds: tolerance,
    percent,
    intervalSeconds: 60,
    warmFrom: 0,
    warmUntil: 0,
  });
}

const word = (evidence: Evidence, standing = last): string => {
  const verdict = judge(evidence, thresholds, standing);
  return verdict.verdict === "inconclusive" ? verdict.reason : verdict.verdict;
};

describe("a verdict", () => {
  const good = tally(600, 1);
  const cases: readonly (readonly [what: string, verdict: string, evidence: Evidence, standing?: Standing])[] = [
    ["passes a canary that fails as rarely as stable", "pass", shown(good, tally(600, 1))],
    ["fails a canary that fails clearly more", "fail", shown(tally(60, 3), tally(1_140, 6)), first],
    [
      "fails a canary that answers 4xx clearly more often",
      "fail",
      shown(tally(600, 1, { refused: 60 }), tally(600, 1, { refused: 6 })),
    ],
    ["fails a canary with a slower tail", "fail", shown(tally(600, 1, { late: 60 }), tally(600, 1, { late: 6 }))],
    [
      "does not fail a canary for two bad requests",
      "too-few-requests",
      shown(tally(4, 1), tally(36), { minutes: 2 }),
      first,
    ],
    [
      "fails a canary at the ceiling without any request to stable",
      "fail",
      shown(tally(50, 25), tally(0), { minutes: 1 }),
    ],
    ["waits without any request", "no-traffic", shown(tally(0), tally(0))],
    ["waits if the canary gets none of the requests", "lost-requests", shown(tally(1), tally(1_200))],
    ["waits if stable gets none, since there is nothing to compare", "no-traffic", shown(tally(600, 1), tally(0))],
    ["waits if too few requests were judged", "too-few-requests", shown(tally(1), tally(10), { minutes: 10 }), first],
    [
      "passes an early step on little evidence, since little traffic is at risk",
      "pass",
      shown(tally(10), tally(90)),
      first,
    ],
    ["passes the last step only on evidence", "too-few-requests", shown(tally(10), tally(10))],
    ["waits if a canary is worse, but not surely", "unsettled", shown(tally(600, 4), tally(600, 2), { minutes: 3 })],
    ["waits during an outage of both", "shared-outage", shown(tally(60, 20), tally(600, 200))],
    ["does not promote because stable is broken", "stable-sick", shown(tally(600, 1), tally(600, 300))],
    [
      "fails a canary that fails everything while stable, also sick, fails little",
      "fail",
      shown(tally(60, 60), tally(1_140, 100)),
    ],
    [
      "at 100 percent passes a canary that fails at stable's baseline",
      "pass",
      shown(tally(1_200, 3), tally(0), { percent: 100 }),
      alone,
    ],
    [
      "at 100 percent waits while a canary fails far more than stable's baseline",
      "unsettled",
      shown(tally(1_200, 60), tally(0), { percent: 100 }),
      alone,
    ],
    [
      "at 100 percent waits while a canary is far slower than stable's baseline",
      "unsettled",
      shown(tally(1_200, 3, { late: 600 }), tally(0), { percent: 100 }),
      alone,
    ],
  ];
  for (const [what, verdict, evidence, standing] of cases)
    it(what, () => expect(word(evidence, standing)).toBe(verdict));

  it("waits while one rare kind of slowness speaks against a canary that is good in all other ways", () => {
    const evidence = shown(good, tally(600, 1));
    const against = (odds: number): Evidence => {
      const { p999 } = evidence.metrics;
      const whole = p999.whole.map(() => Math.log(odds));
      return { ...evidence, metrics: { ...evidence.metrics, p999: { ...p999, whole } } };
    };
    expect([word(against(2.9)), word(against(3.1))]).toEqual(["pass", "unsettled"]);
    expect(judge(against(3.1), thresholds, last).message).toContain("evidence 3.1 : 1 against canary by this alone");
    // In an early step little traffic is at risk.
    expect(word(against(3.1), first)).toBe("pass");
  });

  it("demands evidence against most of a point more failures only where the traffic can show that soon", () => {
    const usual = { baseline: tally(2_000, 20, { refused: 20, late: 20 }), minutes: 20 };
    const worse = shown(tally(1_200, 17), tally(1_200, 12), usual);
    expect(balance(worse, thresholds, last).favour).toBeGreaterThan(20);
    expect(judge(worse, thresholds, last)).toMatchObject({
      reason: "unsettled",
      message: expect.stringContaining("by the stricter proof that this traffic allows"),
    });
    expect(word(shown(tally(600, 6), tally(600, 6), usual))).toBe("pass");
    // A tenth of the traffic cannot show that in twenty minutes, however long the step has lasted.
    expect(word(shown(tally(80, 1), tally(80, 1), { ...usual, minutes: 60 }))).toBe("pass");
  });

  it("fails a canary that loses requests once it also fails its probes", () => {
    const evidence = shown(tally(60), tally(1_140));
    expect([word(evidence), word(evidence, { ...last, isSilent: true })]).toEqual(["lost-requests", "fail"]);
  });

  it("states the evidence against the canary and the limit", () =>
    expect(judge(shown(tally(120, 4), tally(1_080, 4), { minutes: 6 }), thresholds, first).message).toMatch(
      new RegExp(
        "^canary fails 24 of 720 requests \\(3\\.3 %\\), stable 24 of 6,480 \\(0\\.4 %\\) over the same period; " +
          "evidence [\\d,]+ : 1 against canary, rolls back at 20 : 1$",
      ),
    ));

  it("states what it could not judge", () => {
    const plain = (requests: number): Tally => ({ requests, failed: 0 });
    expect(judge(shown(plain(600), plain(600), { baseline: plain(2_000) }), thresholds, last)).toMatchObject({
      verdict: "pass",
      message: expect.stringContaining("latency could not be judged"),
    });
  });

  it("is as sure as the thresholds demand", () => {
    const evidence = shown(tally(120, 3), tally(1_080, 6), { minutes: 4 });
    const { against } = balance(evidence, thresholds, first);
    const fails = (falseRollbackPercentMax: number) =>
      judge(evidence, { ...thresholds, falseRollbackPercentMax }, first).verdict === "fail";
    expect([fails(101 / against), fails(99 / against)]).toEqual([true, false]);
  });

  it("does not count failures during warm-up, but reports them", () => {
    const cold = gather(beginStep(noEvidence, 0, 2), [{ at: 0, canary: tally(60, 20), stable: tally(1_140) }], {
      thresholds,
      percent: 10,
      intervalSeconds: 60,
      warmFrom: 0,
      warmUntil: 3 * minute,
    });
    expect(balance(cold, thresholds, first).against).toBeCloseTo(1, 6);
    expect(judgeWarmUp(cold)).toMatchObject({
      reason: "warming-up",
      message: expect.stringContaining("20 of 60 requests (33.3 %) during its warm-up"),
    });
  });

  it("waits, and says why, if failures come in bursts that would fail any canary", () => {
    const storms: Bucket[] = Array.from({ length: 60 }, (_, index) => ({
      at: (index - 60) * minute,
      canary: tally(0),
      stable: tally(2_000, index % 6 === 0 ? 80 : 4),
    }));
    const buckets: Bucket[] = Array.from({ length: 3 }, (_, index) => ({
      at: index * minute,
      canary: tally(600, 16),
      stable: tally(600, 1),
    }));
    const evidence = gather(beginStep(noEvidence, 0, 2), [...storms, ...buckets], {
      thresholds,
      percent: 50,
      intervalSeconds: 60,
      warmFrom: 0,
      warmUntil: 0,
    });
    expect(word(evidence)).toBe("noisy");
  });
});

describe("evidence", () => {
  it("does not depend on how many buckets are added at once", () => {
    const buckets = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 50, max: 400 })), {
      minLength: 2,
      maxLength: 12,
    });
    const watch = { thresholds, percent: 10, intervalSeconds: 60, warmFrom: -1, warmUntil: -1 };
    fc.assert(
      fc.property(buckets, (drawn) => {
        const all: Bucket[] = drawn.map(([failed, requests], index) => ({
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

  it("detects a fault that begins with a later step, however good the canary was before", () => {
    const good: Bucket[] = Array.from({ length: 120 }, (_, index) => ({
      at: index * minute,
      canary: tally(600, 1),
      stable: tally(1_400, 3),
    }));
    const watch = { thresholds, percent: 30, intervalSeconds: 60, warmFrom: -1, warmUntil: -1 };
    const long = gather(beginStep(noEvidence, 0, 2), good, watch);
    const bad: Bucket[] = Array.from({ length: 5 }, (_, index) => ({
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

  it("is weakened by bursts but not by chance", () => {
    const table = { canary: 60, canaryBad: 3, stable: 1_140, stableBad: 6 };
    const noise = (buckets: number, blocks: number, longBlocks: number) => [
      { pairs: 60, sum: 60 * buckets, requests: 60 * 1_200 },
      { pairs: 20, sum: 20 * blocks, requests: 20 * 3_600 },
      { pairs: 6, sum: 6 * longBlocks, requests: 6 * 10_800 },
    ];
    expect(temper(noise(1, 1.1, 1), table)).toEqual({ power: 1, most: Infinity });
    expect(temper(noise(6.7, 7, 1), table).power).toBeLessThan(0.8);
    // Noise that lasts shows only in long blocks.
    expect(temper(noise(1, 1.1, 12), table).power).toBeLessThan(0.6);
  });

  it("fits in six kilobytes for a busy rollout", () => {
    const spread = durationsOf(Array.from({ length: 120 }, (_, band) => [band + 10, 12_345] as const))!;
    const busy = (failed: number): Tally => ({ requests: 1_481_400, failed, refused: 9_876, durations: spread });
    const buckets: Bucket[] = Array.from({ length: 200 }, (_, index) => ({
      at: index * minute,
      canary: busy(7_000 + index),
      stable: busy(7_000 + (index % 7) * 300),
    }));
    const evidence = gather(beginStep(noEvidence, 0, 3), buckets, {
      thresholds,
      percent: 50,
      intervalSeconds: 60,
      warmFrom: -1,
      warmUntil: -1,
    });
    expect(JSON.stringify(evidence).length).toBeLessThan(6_000);
  });
});

describe("durations", () => {
  it("are exact to within a twelfth, from milliseconds to minutes", () => {
    for (const milliseconds of [1, 3, 50, 400, 12_000, 239_000]) {
      const all = durationsOf([[bandOf(milliseconds), 100]])!;
      expect(Math.abs(quantileOf(all, 0.5) / milliseconds - 1)).toBeLessThan(1 / 11);
    }
  });

  it("add up without loss", () => {
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
