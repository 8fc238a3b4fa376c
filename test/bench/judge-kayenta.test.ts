// Checks our Kayenta against its own project's numbers, with the file and the commit that they were copied from. Cases
// marked "by hand" are ours.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Minute } from "../../bench/judge/contestant.ts";
import {
  classify,
  conclude,
  kayenta,
  type Label,
  type MetricSettings,
  score,
  thin,
  withoutOutliers,
} from "../../bench/judge/peers/kayenta.ts";
import { mannWhitney, wilcoxonDifference } from "../../bench/judge/peers/mann-whitney.ts";
import { armOf, contest, healthy, type World } from "./peer-contest.ts";

type Sample = readonly number[];
const given = JSON.parse(readFileSync(join(import.meta.dirname, "peers", "kayenta.json"), "utf8")) as Record<
  "tie" | "large" | "zeros",
  { readonly x: Sample; readonly y: Sample }
> &
  Record<"ordinary" | "control" | "high" | "highControl", Sample>;

describe("Kayenta's Mann–Whitney test", () => {
  // spinnaker/spinnaker@09ce5bf kayenta/kayenta-mannwhitney/src/test/…/MannWhitneySuite.scala,
  // without the case of some thousand values
  const z95 = 1.959963984540054;
  const z98 = 2.3263478740408408;
  it("equals R (Tie out with R Version, and the large one)", () => {
    const tie = mannWhitney(given.tie.x, given.tie.y, z95)!;
    const large = mannWhitney(given.large.x, given.large.y, z98)!;
    for (const [value, expected] of [
      [tie.low, -0.500002521696696],
      [tie.high, -3.486287505871302e-5],
      [large.low, -0.4999173250549087],
      [large.high, -6.912685789769486e-6],
    ])
      expect(Math.abs(value! - expected!)).toBeLessThan(1e-6);
    for (const [value, expected] of [
      [tie.estimate, -0.4999393907180323],
      [large.estimate, -3.45044082729315e-5],
    ])
      expect(Math.abs(value! - expected!)).toBeLessThan(1e-4);
  });

  it("has R's intermediate values (Intermediate Values / Variables)", () => {
    const ascending = (sample: Sample): Sample => sample.toSorted((a, b) => a - b);
    const { x, y } = given.zeros;
    const shift = mannWhitney(x, y, z95)!;
    const least = Math.min(...x) - Math.max(...y);
    const most = Math.max(...x) - Math.min(...y);
    const difference = (at: number, z: number): number => wilcoxonDifference(ascending(x), ascending(y), at, z);
    const values = [
      least,
      most,
      difference(least, z95),
      difference(most, z95),
      difference(least, -z95),
      difference(most, -z95),
      shift.low,
      shift.high,
      shift.estimate,
    ];
    const expected = [
      -3.124999999999986, 5.555555555555557, 17.090968923762254, -20.997687930433106, 21.01089689284236,
      -17.077759961353, 3.521755377702165e-5, 2.02456461662334e-5, 2.6279243045155653e-5,
    ];
    for (const [index, value] of values.entries())
      expect(Math.abs(value - expected[index]!), `value ${index}`).toBeLessThan(1e-6);
  });
});

describe("Kayenta's judge", () => {
  // spinnaker/spinnaker@d2f41cb kayenta/kayenta-judge/src/test/…/ClassifierSuite.scala, whose
  // tests give their own tolerance and confidence
  const old: MetricSettings = { direction: "either", tolerance: 0.1, normalQuantile: 1.959963984540054 };
  const five = {
    ten: [10, 20.2, 10.1, 20.5, 30],
    twenty: [20, 22, 21, 25, 30],
    one: [1, 2.2, 1.1, 2.5, 3],
    same: [1, 1, 1, 1, 1],
    zero: [0, 0, 0, 0, 0],
  };
  it.each<[string, Sample, Sample, MetricSettings, Label]>([
    ["Pass Metric", given.ordinary, given.control, old, "Pass"],
    ["High Metric", given.high, given.control, old, "High"],
    ["Low Metric", given.ordinary, given.highControl, old, "Low"],
    ["Directional Test: Increase", given.ordinary, given.highControl, { ...old, direction: "increase" }, "Pass"],
    ["Directional Test: Decrease", given.high, given.control, { ...old, direction: "decrease" }, "Pass"],
    ["Directional Test: High Metric", given.high, given.control, { ...old, direction: "increase" }, "High"],
    ["Directional Test: Low Metric", given.ordinary, given.highControl, { ...old, direction: "decrease" }, "Low"],
    ["High Metric (Large Input)", given.zeros.x, given.zeros.y, old, "High"],
    ["Mean Ratio: High", five.twenty, five.one, { ...old, effect: { decrease: 0.8, increase: 1.2 } }, "High"],
    [
      "Mean Ratio: Low",
      given.ordinary,
      given.highControl,
      { ...old, direction: "decrease", effect: { decrease: 0.8, increase: 1.2 } },
      "Low",
    ],
    [
      "Mean Ratio: Pass",
      [10, 12.2, 10.1, 12.5, 23],
      five.twenty,
      { ...old, effect: { decrease: 0.5, increase: 1 } },
      "Pass",
    ],
    [
      "Mean Ratio: Pass (Large Input)",
      given.zeros.x,
      given.zeros.y,
      { ...old, effect: { decrease: 1, increase: 5 } },
      "Pass",
    ],
    [
      "by hand: Low but for the ratio of means, 0.48",
      given.ordinary,
      given.highControl,
      { ...old, effect: { decrease: 0.4, increase: 1 } },
      "Pass",
    ],
    ["Critical Low, as far as it is Low", [2, 2, 2, 2, 3], five.ten, old, "Low"],
    ["Tied Observations", [1, 1, 1], [1, 1], { ...old, direction: "decrease" }, "Pass"],
    ["Identical Populations", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], { ...old, direction: "decrease" }, "Pass"],
    ["Leading Zero Identical Population", [0, 1, 1, 1, 1], five.same, { ...old, direction: "decrease" }, "Pass"],
    ["Missing Experiment Data", [], [1, 2, 3, 4, 5], { ...old, direction: "decrease" }, "Nodata"],
    ["Majority Tied Observations", [1, 1, 1, 1, 10], five.same, old, "Pass"],
    ["Tied Ranks", [10, 10, 10, 10, 10], five.same, old, "High"],
    ["Tied Ranks With Zeros", [10, 10, 10, 10, 10], five.zero, old, "High"],
    [
      "Zero Mean: High",
      [54.9, 54.5, 55.1, 55.6, 57.4],
      five.zero,
      { ...old, effect: { decrease: 0.8, increase: 1.2 } },
      "High",
    ],
    [
      "Zero Mean: Low",
      five.zero,
      [54.9, 54.5, 55.1, 55.6, 57.4],
      { ...old, effect: { decrease: 0.8, increase: 1.2 } },
      "Low",
    ],
    ["Zero Mean: Pass", five.zero, five.zero, old, "Pass"],
  ])("classifies as in its own suite: %s", (_, experiment, control, settings, label) =>
    expect(classify(experiment, control, settings)).toBe(label),
  );

  // spinnaker/spinnaker@09ce5bf kayenta/kayenta-judge/src/test/…/ScorerSuite.scala
  const of = (group: string, label: Label, critical = false) => ({ group, label, critical });
  it.each([
    ["Single Metric Pass", [of("g", "Pass")], {}, 100],
    ["Single Metric Fail", [of("g", "High")], {}, 0],
    ["Single group Nodata", [of("g", "Nodata")], {}, 0],
    ["Two Groups, one Pass, one Nodata", [of("a", "Pass"), of("a", "Pass"), of("b", "Nodata")], {}, 100],
    ["One Group, Two Metrics", [of("g", "Pass"), of("g", "High")], {}, 50],
    ["One Group, Three Metrics", [of("g", "Pass"), of("g", "High"), of("g", "Low")], {}, 33.33],
    ["Two Groups, Three Metrics", [of("a", "Pass"), of("a", "Pass"), of("b", "High")], { a: 75, b: 25 }, 75],
    ["Equal Weight", [of("a", "Pass"), of("a", "High"), of("b", "High")], { a: 50, b: 50 }, 25],
    ["Equal Weight, one NoData", [of("a", "Pass"), of("a", "Nodata"), of("b", "High")], { a: 50, b: 50 }, 50],
    ["one good (normal), one fail (critical)", [of("g", "Pass"), of("g", "High", true)], {}, 0],
    ["one low (normal), one good (critical)", [of("g", "Low"), of("g", "Pass", true)], {}, 50],
    ["one good (normal), one nodata (critical)", [of("g", "Pass"), of("g", "Nodata", true)], {}, 0],
    [
      "Unequal Weight, Four Metrics",
      [of("a", "High"), of("a", "Low"), of("a", "Pass"), of("b", "High")],
      { a: 15, b: 85 },
      5,
    ],
  ])("scores as in its own suite: %s", (_, metrics, weights, expected) =>
    expect(score(metrics, weights)).toBe(expected),
  );

  // spinnaker/kayenta kayenta-standalone-canary-analysis/src/test/…/GenerateCanaryAnalysisResultTaskTest.java,
  // with the thresholds 75 and 95
  it.each([
    [60, false],
    [85, false],
    [97, true],
  ])("accepts a last score of %d: %s", (last, passes) => expect(conclude(last, true) === "promoted").toBe(passes));

  it("continues above the marginal score and not at it (by hand, after MonitorCanaryTask)", () =>
    expect([75, 75.1].map((reached) => conclude(reached, false))).toEqual(["rolled-back", undefined]));

  it("finds the outliers of its own suites (NetflixJudgeSuite and DetectorSuite: IQR)", () => {
    expect(withoutOutliers([21, 23, 24, 25, 50, 29, 23, 21], 1.5, false)).toEqual([21, 23, 24, 25, 29, 23, 21]);
    expect(withoutOutliers([1, 1, 1, 5, -1, -1, -1, -5], 1.5, false)).toEqual([1, 1, 1, -1, -1, -1]);
  });

  it("keeps an outlier within the first to the 99th percentile, and removes others if configured (by hand)", () => {
    const two = [...new Array<number>(98).fill(1), 20, 20];
    expect([withoutOutliers(two, 3, true).length, withoutOutliers(two, 3, false).length]).toEqual([100, 98]);
    const one = [...new Array<number>(300).fill(0).map((_, index) => index % 10), 500];
    expect(withoutOutliers(one, 3, true)).toEqual(one.slice(0, -1));
    expect(classify([NaN, NaN], [1, 2], { direction: "either", withoutOutliers: true })).toBe("Nodata");
  });

  it("finds the only outlier of NIST's example (DetectorSuite: IQR NIST Test)", () => {
    const nist = [
      30, 171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336, 346, 351, 370, 390, 404, 409, 411, 436,
      437, 439, 441, 444, 448, 451, 453, 470, 480, 482, 487, 494, 495, 499, 503, 514, 521, 522, 527, 548, 550, 559, 560,
      570, 572, 574, 578, 585, 592, 592, 607, 616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752,
      758, 766, 792, 792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441,
    ];
    expect(withoutOutliers(nist, 1.5, false)).toEqual(nist.slice(0, -1));
  });

  it("gives an error for one point each, which no score counts (by hand)", () => {
    expect(classify([5], [3], { direction: "either" })).toBe("Error");
    expect(score([of("a", "Error"), of("b", "High")], { a: 50, b: 50 })).toBe(50);
  });
});

describe("Kayenta at its intervals (by hand)", () => {
  const hour = kayenta("an hour", 60, 20);
  /** Gives minutes that vary a little, as real ones do, with `more` additional failures in the canary. */
  const minutes =
    (more: (now: number) => number): World =>
    (now) => ({ canary: armOf(100, (now % 3) + more(now)), stable: armOf(900, 9 + (now % 5)) });

  it("promotes a canary without a difference at the end of its lifetime, at a tenth of the traffic", () => {
    expect(
      contest(
        hour,
        minutes(() => 0),
      ),
    ).toEqual({ ending: "promoted", at: 60, weights: [10, 100] });
    expect(
      contest(
        kayenta("four hours", 240, 60),
        minutes(() => 0),
      ),
    ).toMatchObject({ ending: "promoted", at: 240 });
  });

  it("rolls back a canary that fails more or is slower at the first interval, but not one that fails less", () => {
    expect(
      contest(
        hour,
        minutes(() => 5),
      ),
    ).toMatchObject({ ending: "rolled-back", at: 20 });
    expect(
      contest(hour, (now) => ({ canary: armOf(100, now % 3, 90), stable: armOf(900, 9 + (now % 5)) })),
    ).toMatchObject({ ending: "rolled-back", at: 20 });
    expect(contest(hour, (now) => ({ canary: armOf(100, 0), stable: armOf(900, 40 + (now % 5)) }))).toMatchObject({
      ending: "promoted",
      at: 60,
    });
  });

  it("judges a growing window, so that good minutes dilute a late failure", () => {
    expect(
      contest(
        hour,
        minutes((now) => (now > 20 ? 5 : 0)),
      ),
    ).toMatchObject({ ending: "rolled-back", at: 60 });
    expect(
      contest(
        hour,
        minutes((now) => (now > 50 ? 5 : 0)),
      ),
    ).toMatchObject({ ending: "promoted" });
  });

  it("rolls back without data at the first interval", () => {
    expect(contest(hour, () => ({ canary: armOf(0, 0) }))).toMatchObject({ ending: "rolled-back", at: 20 });
    expect(contest(hour, () => "late")).toMatchObject({ ending: "rolled-back", at: 20 });
  });

  it("counts a minute that is delivered twice or late once", () => {
    const once = hour.start([]);
    const at = (now: number): Minute => ({
      at: now,
      weight: 10,
      canary: armOf(100, 3),
      stable: healthy,
      probes: 0,
      probesFailed: 0,
    });
    const known = (batches: readonly (readonly Minute[])[]): number => {
      let state = hour.look(once, 0, []).state;
      for (const [index, arrived] of batches.entries()) ({ state } = hour.look(state, index + 1, arrived));
      return (state as { readonly fresh: readonly Minute[] }).fresh.length;
    };
    expect(known([[at(1)], [at(1), at(2)], [], [at(3), at(3)]])).toBe(3);
  });

  it("draws its baseline without replacement, in the requested size and in proportion", () => {
    const next = (() => {
      let state = 0;
      return () => {
        state = (state * 16807 + 12345) % 2147483647;
        return state / 2147483647;
      };
    })();
    const counts = [500, 0, 300, 200];
    const sums = [0, 0, 0, 0];
    for (let run = 0; run < 400; run++) {
      for (const draws of [100, 900]) {
        const drawn = thin(counts, draws, next);
        expect(drawn.reduce((sum, count) => sum + count, 0)).toBe(draws);
        drawn.forEach((count, kind) => {
          expect(count).toBeLessThanOrEqual(counts[kind]!);
          sums[kind]! += count;
        });
      }
    }
    for (const [kind, sum] of sums.entries()) expect(Math.abs(sum / 400 - counts[kind]!)).toBeLessThan(5);
    expect(thin(counts, 1000, next)).toEqual(counts);
  });
});
