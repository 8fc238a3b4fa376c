// The bound on healthy canaries that no test promotes: beside the best of all tests on a plan small enough to try each.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultPlan } from "../../bench/judge/ballast.ts";
import { binomial, boundAt, greatestBound, type Schedule, type Stake, scheduleOf } from "../../bench/judge/bound.ts";

const stake: Stake = { requestsPerMinute: 8, failurePercent: 5, points: 15, errorPercentMax: 5, bases: [1, 1] };
const schedule: Schedule = {
  before: { canary: 0, stable: 0 },
  half: { canary: 4, stable: 4 },
  holdBack: { canary: 7, stable: 1 },
  minutes: 12,
  settle: 1,
  bake: 1,
};

/** The shares promoted by a test that counts only the canary's failures, moves on in one minute, and allows so many. */
function simple(minute: number, [half, holdBack]: readonly [number, number], fails: number, failsLate: number): number {
  const below = (requests: number, share: number, most: number): number =>
    binomial(requests, share)
      .slice(0, most + 1)
      .reduce((sum, mass) => sum + mass, 0);
  const left = schedule.minutes - schedule.settle - minute;
  return (
    below(minute * schedule.half.canary, fails, half) * below(left * schedule.holdBack.canary, failsLate, holdBack)
  );
}

describe("the bound on healthy canaries that are not promoted", () => {
  it("lies below what every simple test leaves that promotes few bad canaries, and near the best of them", () => {
    const { share } = greatestBound(schedule, stake);
    const minutes = Array.from({ length: 10 }, (_, index) => index + 1);
    const counts = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const left = minutes.flatMap((minute) =>
      counts.flatMap((half) =>
        counts.flatMap((holdBack) => {
          const allowed = [half, holdBack] as const;
          const reached = simple(minute, [half, Infinity], 0.2, 0.2);
          const isRight = reached <= 0.05 && simple(minute, [Infinity, holdBack], 0.05, 0.2) <= 0.05;
          return isRight ? [1 - simple(minute, allowed, 0.05, 0.05)] : [];
        }),
      ),
    );
    expect(left.length).toBeGreaterThan(20);
    expect(share).toBeLessThanOrEqual(Math.min(...left));
    expect(share).toBeGreaterThan(Math.min(...left) / 2);
  });

  it("holds at any prices: none gives more than the greatest", () => {
    const { share } = greatestBound(schedule, stake);
    const price = fc.double({ min: 0.001, max: 50, noNaN: true });
    fc.assert(
      fc.property(price, price, (early, late) => {
        expect(boundAt(schedule, stake, [early, late])).toBeLessThan(share + 0.01);
      }),
      { numRuns: 50 },
    );
  });

  it("falls with more errors allowed, more minutes, more points; rises if stable's share is not known", () => {
    const of = (change: Partial<Stake>, minutes = schedule.minutes): number =>
      greatestBound({ ...schedule, minutes }, { ...stake, ...change }).share;
    const plain = of({});
    for (const less of [of({ errorPercentMax: 10 }), of({}, 16), of({ points: 20 })]) expect(less).toBeLessThan(plain);
    expect(of({ bases: [0.7, 0.7] })).toBeGreaterThan(plain);
  });

  it("knows when the default plan sees how many requests", () =>
    expect(scheduleOf(defaultPlan, 30, 180)).toEqual({
      before: { canary: 59, stable: 512 },
      half: { canary: 15, stable: 15 },
      holdBack: { canary: 29, stable: 2 },
      minutes: 180 - 29 - 8,
      settle: 3,
      bake: 5,
    }));
});
