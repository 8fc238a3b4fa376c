// What a plan can detect: the typical course, compared with rollouts of random requests.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWorld } from "../../../bench/judge/traffic.ts";
import { adviceOn } from "../../../engines/rollout/judge/advice.ts";
import { durationsOf } from "../../../engines/rollout/judge/durations.ts";
import { type Course, type Fault, faults, follow, power, type Traffic } from "../../../engines/rollout/judge/power.ts";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { Tally } from "../../../engines/rollout/vocabulary.ts";

const plan = { strategy: defaultStrategy, thresholds: defaultThresholds };
const busy: Traffic = { requestsPerMinute: 1_200, failurePercent: 0.5, dispersion: 1 };
const minutesOf = ({ seconds }: Course): number => seconds / 60;
const found = (traffic: Traffic, name: string, of = plan): Course =>
  power(of, traffic).faults.find((fault) => fault.name === name)!.course;

/** Plays one rollout whose requests are drawn from a seed. */
function draw(
  { requestsPerMinute, failurePercent }: Traffic,
  { failurePoints, slower }: Fault,
  seed: number,
  failures = 0,
): Course {
  const world = createWorld(
    {
      name: "drawn",
      truth: "unknown",
      requestsPerMinute,
      failurePercent,
      noise: { failures },
      fault: { failurePoints, slower },
    },
    seed,
  );
  const tallyOf = (arm: ReturnType<typeof world.happen>["minute"]["canary"]): Tally => {
    const durations = durationsOf(arm.durations.map((count, band) => [band, count] as const));
    return {
      requests: arm.requests,
      failed: arm.failed,
      refused: arm.refused,
      ...(durations === undefined ? {} : { durations }),
    };
  };
  return follow(plan, (at, percent) => {
    const { canary, stable } = world.happen(at / 60_000, () => percent).minute;
    return { at, canary: tallyOf(canary), stable: tallyOf(stable) };
  });
}

describe("the typical course", () => {
  const cases = [busy, { ...busy, requestsPerMinute: 300 }, { ...busy, requestsPerMinute: 6_000 }].flatMap(
    (traffic) => [
      ...faults.map((fault) => ({ traffic, fault, name: fault.name, rate: traffic.requestsPerMinute })),
      {
        traffic,
        fault: { name: "healthy", failurePoints: 0, slower: 1 },
        name: "a healthy canary",
        rate: traffic.requestsPerMinute,
      },
    ],
  );
  it.each(cases)("of $name at $rate requests a minute is near the median of random rollouts", ({ traffic, fault }) => {
    const { healthy, faults: seen } = power(plan, traffic);
    const typical = seen.find(({ name }) => name === fault.name)?.course ?? healthy;
    const drawn = Array.from({ length: 41 }, (_, seed) => draw(traffic, fault, seed)).toSorted(
      (one, other) => one.seconds - other.seconds,
    );
    const median = minutesOf(drawn[20]!);
    expect(drawn.filter(({ ending }) => ending === typical.ending).length).toBeGreaterThanOrEqual(39);
    // Chance finds a slowness sooner: with few requests a minute some of its many lines shows it early.
    expect(
      Math.abs(minutesOf(typical) / median - 1),
      `typical ${minutesOf(typical)} minutes, drawn ${median}`,
    ).toBeLessThan(fault.slower > 1 ? 0.6 : 0.25);
  });

  const variations = [0.5, 1].flatMap((variation) =>
    faults.slice(0, 2).map((fault) => ({ variation, fault, name: fault.name })),
  );
  it.each(variations)(
    "of $name is within three tenths of the median if each minute's failure rate varies by $variation of itself",
    ({ variation, fault }) => {
      // How much more the blocks of such minutes differ than by chance.
      const dispersion = 1 + ((busy.requestsPerMinute * busy.failurePercent) / 100) * variation ** 2;
      const drawn = Array.from({ length: 41 }, (_, seed) => draw(busy, fault, seed, variation))
        .map(minutesOf)
        .toSorted((one, other) => one - other);
      const typical = minutesOf(found({ ...busy, dispersion }, fault.name));
      expect(Math.abs(typical / drawn[20]! - 1), `typical ${typical} minutes, drawn ${drawn[20]}`).toBeLessThan(0.3);
    },
  );

  it("of a healthy canary with enough traffic is a promotion right after its warm-ups and bakes", () => {
    const { healthy } = power(plan, { ...busy, requestsPerMinute: 12_000 });
    expect(healthy).toMatchObject({ ending: "promoted" });
    expect(Math.round(minutesOf(healthy))).toBe(5 * (3 + 1 + 5));
    // 5, 25, 50, 95 and 100 percent for nine minutes each, in whole requests.
    expect(healthy.canaryRequests).toBe(9 * 12_000 * 2.75 - 12_000);
  });

  it("without traffic is undecided, and says why", () =>
    expect(power(plan, { ...busy, requestsPerMinute: 0 }).healthy).toMatchObject({
      ending: "undecided",
      canaryRequests: 0,
      message: expect.stringContaining("no requests arrived"),
    }));

  it("takes longer with less traffic, with a higher baseline of failures, and with failures in bursts", () => {
    const minutes = (change: Partial<Traffic>): number => minutesOf(found({ ...busy, ...change }, "+1 point"));
    const plain = minutes({});
    for (const change of [{ requestsPerMinute: 300 }, { failurePercent: 2 }, { dispersion: 10 }])
      expect(minutes(change), JSON.stringify(change)).toBeGreaterThan(plain * 1.2);
  });

  it("depends on the thresholds: a surer judge takes longer, and one that tolerates the fault promotes it", () => {
    const surer = { ...plan, thresholds: { ...defaultThresholds, falseRollbackPercentMax: 0.1 } };
    const lax = { ...plan, thresholds: { ...defaultThresholds, oddsTolerated: 6, failurePointsMax: 10 } };
    expect(found(busy, "+2 points", surer).seconds).toBeGreaterThan(found(busy, "+2 points").seconds);
    expect(found(busy, "+2 points", lax).ending).toBe("promoted");
  });

  it("has an end for every valid plan, at any traffic, and never after the plan's maximum", () => {
    const strategies = fc
      .record({
        weights: fc
          .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 })
          .map((weights) => weights.toSorted((one, other) => one - other)),
        bakeSeconds: fc.integer({ min: 1, max: 600 }),
        warmUpSeconds: fc.integer({ min: 0, max: 300 }),
        intervalSeconds: fc.integer({ min: 5, max: 120 }),
        probeSeconds: fc.integer({ min: 1, max: 60 }),
        maximumSeconds: fc.integer({ min: 600, max: 7_200 }),
      })
      .map((strategy) => ({ ...defaultStrategy, ...strategy }))
      .filter((strategy) => checkIntent({ strategy, thresholds: defaultThresholds }).length === 0);
    const traffic = fc.record({
      requestsPerMinute: fc.double({ min: 0, max: 20_000, noNaN: true }),
      failurePercent: fc.double({ min: 0, max: 100, noNaN: true }),
      dispersion: fc.double({ min: 1, max: 50, noNaN: true }),
    });
    fc.assert(
      fc.property(strategies, traffic, (strategy, drawn) => {
        const { healthy, faults: seen } = power({ strategy, thresholds: defaultThresholds }, drawn);
        for (const { seconds, canaryRequests, ending } of [healthy, ...seen.map(({ course }) => course)]) {
          expect(seconds).toBeLessThanOrEqual(strategy.maximumSeconds + 2 * strategy.intervalSeconds);
          expect(canaryRequests).toBeGreaterThanOrEqual(0);
          if (ending === "promoted")
            expect(seconds).toBeGreaterThanOrEqual((strategy.weights.length + 1) * strategy.bakeSeconds);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is undecided if the plan's maximum is too short", () => {
    const short = { ...plan, strategy: { ...defaultStrategy, maximumSeconds: 2_400 } };
    expect([
      found({ ...busy, requestsPerMinute: 60 }, "+1 point", short).ending,
      power(short, { ...busy, requestsPerMinute: 60 }).healthy.ending,
    ]).toEqual(["undecided", "undecided"]);
  });
});

describe("the advice", () => {
  const remedy = "raise maximumSeconds or failurePointsMax, or send requests of your own while a canary is watched.";

  it.each([
    [12, ["sees +2 points, p99 × 1.5, and does not see +1 point within 3h", "many healthy canaries", remedy]],
    [30, ["does not see +1 point within 3h, and many healthy canaries are not promoted within 3h;", remedy]],
    [1_200, ["sees +1 point, +2 points, p99 × 1.5, and cannot tell", "; nothing has to be changed."]],
  ])("says in one sentence what is seen at %i requests a minute, what is not, and what to do", (rate, parts) => {
    const traffic = { ...busy, requestsPerMinute: rate };
    const advice = adviceOn(plan, traffic, power(plan, traffic));
    for (const part of parts) expect(advice).toContain(part);
    expect(advice.match(/\.(?= |$)/g)).toHaveLength(1);
  });
});
