// Each peer of the judge's benchmark is held to its own project's numbers, with the file and commit that they were copied from; what is closed, or
// has no such test upstream, is held to cases made by hand, and says so. How the peers fare in worlds is not looked at here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Arm, type Contestant, durationBuckets, type Minute } from "../../bench/judge/contestant.ts";
import { alarm, raised } from "../../bench/judge/peers/alarm.ts";
import { argoDocs, argoDocsCanary, argoTuned, assess, measure } from "../../bench/judge/peers/argo.ts";
import { advance, flagger, passesChecks } from "../../bench/judge/peers/flagger.ts";
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
import { peers } from "../../bench/judge/peers/peers.ts";
import { histogramQuantile } from "../../bench/judge/peers/quantile.ts";

type Sample = readonly number[];
const given = JSON.parse(readFileSync(join(import.meta.dirname, "peers", "kayenta.json"), "utf8")) as Record<
  "tie" | "large" | "zeros",
  { readonly x: Sample; readonly y: Sample }
> &
  Record<"ordinary" | "control" | "high" | "highControl", Sample>;

/** So many requests of `milliseconds` each, so many of them failed. */
function armOf(requests: number, failed: number, milliseconds = 40): Arm {
  const durations = new Array<number>(durationBuckets).fill(0);
  durations[Math.floor(8 * Math.log2(milliseconds))] = requests;
  return { requests, failed, refused: 0, durations };
}

type World = (now: number) => { readonly canary: Arm; readonly stable?: Arm } | "late";
const healthy = armOf(900, 4);

/** Runs a contestant to its end, each minute arriving as it ends unless it is late; gives the end, when it came, and the weights that were asked for. */
function contest<State>(
  { start, look }: Contestant<State>,
  world: World,
  until = 300,
): { readonly ending: string; readonly at: number; readonly weights: readonly number[] } {
  const weights: number[] = [];
  let state = start([]);
  let weight = 0;
  for (let now = 0; now < until; now++) {
    const minute = world(now);
    const arrived: readonly Minute[] =
      minute === "late" ? [] : [{ at: now, weight, stable: healthy, probes: 0, probesFailed: 0, ...minute }];
    const move = look(state, now, arrived);
    ({ state, weight } = move);
    if (weights.at(-1) !== weight) weights.push(weight);
    if (move.ending) return { ending: move.ending, at: now, weights };
  }
  return { ending: "none", at: until, weights };
}

describe("histogram_quantile", () => {
  // prometheus/prometheus@7c7782b promql/promqltest/testdata/histograms.test
  const positive = { bounds: [0.1, 0.2, 1, Infinity], counts: [5, 7, 11, 12] };
  const negative = { bounds: [-0.2, -0.1, 0.3, Infinity], counts: [1, 2, 2, 3] };
  const second = { bounds: [0, 2, 4, 6, Infinity], counts: [0, 1, 2, 3, 3] };
  const positive3 = { bounds: [0, 0.1, 0.2, 1, Infinity], counts: [0, 5, 7, 11, 11] };
  const negative3 = { bounds: [-0.25, -0.2, -0.1, 0.3, Infinity], counts: [0, 1, 2, 2, 2] };
  const all = { bounds: [0.1, 0.2, Infinity], counts: [10, 19, 25] };
  const job1 = { bounds: [0.1, 0.2, Infinity], counts: [3, 8, 10] };
  const job2 = { bounds: [0.1, 0.2, Infinity], counts: [7, 11, 15] };
  it.each([
    [
      positive,
      [
        [-0.1, -Infinity],
        [1.01, Infinity],
        [NaN, NaN],
        [0, 0],
        [1, 1],
        [0.2, 0.048],
        [0.5, 0.15],
        [0.8, 0.72],
      ],
    ],
    [
      negative,
      [
        [-0.1, -Infinity],
        [1.01, Infinity],
        [NaN, NaN],
        [0, -0.2],
        [1, 0.3],
        [0.2, -0.2],
        [0.5, -0.15],
        [0.8, 0.3],
      ],
    ],
    [
      second,
      [
        [1 / 6, 1],
        [0.5, 3],
        [5 / 6, 5],
      ],
    ],
    [
      positive3,
      [
        [0, 0],
        [0.25, 0.055],
        [0.5, 0.125],
        [0.75, 0.45],
        [1, 1],
      ],
    ],
    [
      negative3,
      [
        [0, -0.25],
        [0.25, -0.225],
        [0.5, -0.2],
        [0.75, -0.15],
        [1, -0.1],
      ],
    ],
    [
      all,
      [
        [0.3, 0.075],
        [0.5, 0.1277777777777778],
      ],
    ],
    [
      job1,
      [
        [0.3, 0.1],
        [0.5, 0.14],
      ],
    ],
    [
      job2,
      [
        [0.3, 0.0642857142857143],
        [0.5, 0.1125],
      ],
    ],
  ])("is Prometheus' own, case %#", ({ bounds, counts }, cases) => {
    for (const [quantile, value] of cases) {
      const found = histogramQuantile(quantile!, bounds, counts);
      if (Number.isFinite(value)) expect(found, `q ${quantile}`).toBeCloseTo(value!, 10);
      else expect(found, `q ${quantile}`).toBe(value);
    }
  });

  it("has no value of nothing (by hand)", () => expect(histogramQuantile(0.99, [1, Infinity], [0, 0])).toBeNaN());
});

describe("Flagger", () => {
  // fluxcd/flagger@0056b99 pkg/controller/scheduler_deployment_test.go; its fixture has threshold 10, stepWeight 10, maxWeight 50.
  const fixture = { threshold: 10, stepWeight: 10, maxWeight: 50 };
  it("moves the first ten percent without a check (DeploymentNewRevisionReset)", () => {
    expect(advance(fixture, { weight: 0, failedChecks: 0 }, () => false)).toEqual({
      state: { weight: 10, failedChecks: 0 },
      weight: 10,
    });
  });

  it("rolls back at the tick after the threshold was reached (DeploymentRollback)", () => {
    expect(advance(fixture, { weight: 20, failedChecks: 10 }, () => true).ending).toBe("rolled-back");
    expect(advance(fixture, { weight: 20, failedChecks: 9 }, () => false).ending).toBeUndefined();
  });

  it("goes from 40 to 50 and promotes only at the tick after (DeploymentPromotion)", () => {
    const full = advance(fixture, { weight: 40, failedChecks: 0 }, () => true);
    expect([full.weight, full.ending]).toEqual([50, undefined]);
    expect(advance(fixture, full.state, () => true).ending).toBe("promoted");
  });

  it("cuts p99 to whole milliseconds and takes one of exactly 500 for good (istio_test.go: 100 is 100 ms; the edges by hand)", () => {
    const slow = (requests: number, over: number): Arm => ({
      ...armOf(requests, 0),
      durations: armOf(requests - over, 0).durations.map(
        (count, bucket) => count + armOf(over, 0, 700).durations[bucket]!,
      ),
    });
    expect([10, 11, 12].map((over) => passesChecks(slow(10_000, 100 + over - 10)))).toEqual([true, false, false]);
    expect(passesChecks(slow(100_000, 1_001))).toBe(true);
  });

  it("checks 99 percent, and calls no value a failed check (by hand)", () => {
    expect([armOf(1000, 10), armOf(1000, 11), armOf(0, 0), undefined].map(passesChecks)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("counts failed checks over the whole rollout, whatever passes between (by hand)", () => {
    const every =
      (n: number): World =>
      (now) => ({ canary: armOf(100, now % n === 0 ? 5 : 0) });
    expect(contest(flagger(5), every(2))).toMatchObject({ ending: "rolled-back", at: 11 });
    expect(contest(flagger(5), () => ({ canary: armOf(100, 5) }))).toEqual({
      ending: "rolled-back",
      at: 6,
      weights: [5, 0],
    });
    expect(contest(flagger(10), every(100))).toEqual({
      ending: "promoted",
      at: 11 - 1,
      weights: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 100],
    });
  });

  it("sees no minute but the one that has just ended (by hand)", () => {
    const minute = (at: number): Minute => ({
      at,
      weight: 5,
      canary: armOf(100, 0),
      stable: healthy,
      probes: 0,
      probesFailed: 0,
    });
    expect(flagger(10).look({ weight: 5, failedChecks: 0 }, 7, [minute(5), minute(6)])).toMatchObject({
      weight: 5,
      held: "halt advancement",
      state: { failedChecks: 1 },
    });
    expect(flagger(10).look({ weight: 5, failedChecks: 0 }, 7, [minute(6), minute(7)])).toEqual({
      weight: 10,
      state: { weight: 10, failedChecks: 0 },
    });
  });

  it("rolls back without traffic after eleven minutes (by hand)", () =>
    expect(contest(flagger(10), () => ({ canary: armOf(0, 0) }))).toMatchObject({ ending: "rolled-back", at: 11 }));
});

describe("Argo Rollouts", () => {
  // argoproj/argo-rollouts@6620c1b analysis/analysis_test.go: TestAssessMetricStatus…
  const result = { measurements: 1, failed: 0, consecutiveErrors: 0 };
  it.each([
    ["NoMeasurements", { ...result, measurements: 0 }, 0, "Pending", "Successful"],
    ["FailureLimit, 3 of 2", { ...result, failed: 3 }, 2, "Failed", "Failed"],
    ["FailureLimit, 3 of 3", { ...result, failed: 3 }, 3, "Running", "Successful"],
    ["ConsecutiveErrors, 5", { ...result, consecutiveErrors: 5 }, 0, "Error", "Error"],
    ["ConsecutiveErrors, 4", { ...result, consecutiveErrors: 4 }, 0, "Running", "Successful"],
  ] as const)("assesses %s as its own table does", (_, given, limit, running, terminating) => {
    expect([assess(given, limit, false), assess(given, limit, true)]).toEqual([running, terminating]);
  });

  it("takes NaN for a failure and an empty vector for five errors (by hand, after metricproviders/prometheus and evaluate.go)", () => {
    expect(measure(result, NaN, 0.95)).toMatchObject({ failed: 1, consecutiveErrors: 0 });
    expect(measure(result, undefined, 0.95)).toMatchObject({ failed: 0, consecutiveErrors: 5 });
    expect(measure({ ...result, failed: 2, consecutiveErrors: 4 }, 0.95, 0.95)).toEqual({
      measurements: 2,
      failed: 2,
      consecutiveErrors: 0,
    });
  });

  it("goes through the documentation's steps in forty minutes (by hand)", () => {
    expect(contest(argoDocs, () => ({ canary: armOf(100, 0) }))).toEqual({
      ending: "promoted",
      at: 40,
      weights: [20, 40, 60, 80, 100],
    });
  });

  it("needs the fourth failure, fifteen minutes after the first measurement at 40 percent (by hand)", () => {
    const broken: World = () => ({ canary: armOf(100, 60) });
    expect(contest(argoDocsCanary, broken)).toMatchObject({ ending: "rolled-back", at: 25 });
    expect(contest(argoTuned, broken)).toMatchObject({ ending: "rolled-back", at: 4 });
    expect(contest(argoDocs, () => ({ canary: armOf(100, 20) })).ending).toBe("promoted");
  });

  it("aborts at once where the query finds nothing, and at the fourth minute where requests cease (by hand)", () => {
    expect(contest(argoTuned, () => ({ canary: armOf(0, 0) }))).toMatchObject({ ending: "rolled-back", at: 1 });
    expect(contest(argoTuned, (now) => ({ canary: armOf(now < 10 ? 100 : 0, 0) }))).toMatchObject({
      ending: "rolled-back",
      at: 13,
    });
    expect(contest(argoTuned, (now) => (now < 10 ? { canary: armOf(100, 0) } : "late"))).toMatchObject({
      ending: "rolled-back",
      at: 13,
    });
  });
});

describe("Kayenta's Mann–Whitney test", () => {
  // spinnaker/spinnaker@09ce5bf kayenta/kayenta-mannwhitney/src/test/…/MannWhitneySuite.scala, without the case of some thousand values
  const z95 = 1.959963984540054;
  const z98 = 2.3263478740408408;
  it("ties out with R (Tie out with R Version, and the large one)", () => {
    const tie = mannWhitney(given.tie.x, given.tie.y, z95)!;
    const large = mannWhitney(given.large.x, given.large.y, z98)!;
    for (const [value, truth] of [
      [tie.low, -0.500002521696696],
      [tie.high, -3.486287505871302e-5],
      [large.low, -0.4999173250549087],
      [large.high, -6.912685789769486e-6],
    ])
      expect(Math.abs(value! - truth!)).toBeLessThan(1e-6);
    for (const [value, truth] of [
      [tie.estimate, -0.4999393907180323],
      [large.estimate, -3.45044082729315e-5],
    ])
      expect(Math.abs(value! - truth!)).toBeLessThan(1e-4);
  });

  it("has R's intermediate values (Intermediate Values / Variables)", () => {
    const sorted = (values: Sample): Sample => values.toSorted((a, b) => a - b);
    const { x, y } = given.zeros;
    const shift = mannWhitney(x, y, z95)!;
    const least = Math.min(...x) - Math.max(...y);
    const most = Math.max(...x) - Math.min(...y);
    const difference = (at: number, z: number): number => wilcoxonDifference(sorted(x), sorted(y), at, z);
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
    const truths = [
      -3.124999999999986, 5.555555555555557, 17.090968923762254, -20.997687930433106, 21.01089689284236,
      -17.077759961353, 3.521755377702165e-5, 2.02456461662334e-5, 2.6279243045155653e-5,
    ];
    values.forEach((value, index) => expect(Math.abs(value - truths[index]!), `value ${index}`).toBeLessThan(1e-6));
  });
});

describe("Kayenta's judge", () => {
  // spinnaker/spinnaker@d2f41cb kayenta/kayenta-judge/src/test/…/ClassifierSuite.scala, whose tests give their own tolerance and confidence
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
  ])("classifies as its own suite does: %s", (_, experiment, control, settings, label) =>
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
  ])("scores as its own suite does: %s", (_, metrics, weights, expected) =>
    expect(score(metrics, weights)).toBe(expected),
  );

  // spinnaker/kayenta kayenta-standalone-canary-analysis/src/test/…/GenerateCanaryAnalysisResultTaskTest.java, with the thresholds 75 and 95
  it.each([
    [60, false],
    [85, false],
    [97, true],
  ])("lets a last score of %d pass: %s", (last, passes) => expect(conclude(last, true) === "promoted").toBe(passes));

  it("goes on at an interval above the marginal score and not at it (by hand, after MonitorCanaryTask)", () =>
    expect([75, 75.1].map((reached) => conclude(reached, false))).toEqual(["rolled-back", undefined]));

  it("finds the outliers that its own suites find (NetflixJudgeSuite and DetectorSuite: IQR)", () => {
    expect(withoutOutliers([21, 23, 24, 25, 50, 29, 23, 21], 1.5, false)).toEqual([21, 23, 24, 25, 29, 23, 21]);
    expect(withoutOutliers([1, 1, 1, 5, -1, -1, -1, -5], 1.5, false)).toEqual([1, 1, 1, -1, -1, -1]);
  });

  it("lets an outlier stay that the first to the 99th percentile cover, and removes one where that is asked for (by hand)", () => {
    const two = [...new Array<number>(98).fill(1), 20, 20];
    expect([withoutOutliers(two, 3, true).length, withoutOutliers(two, 3, false).length]).toEqual([100, 98]);
    const one = [...new Array<number>(300).fill(0).map((_, index) => index % 10), 500];
    expect(withoutOutliers(one, 3, true)).toEqual(one.slice(0, -1));
    expect(classify([NaN, NaN], [1, 2], { direction: "either", withoutOutliers: true })).toBe("Nodata");
  });

  it("finds the one outlier of NIST's example (DetectorSuite: IQR NIST Test)", () => {
    const nist = [
      30, 171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336, 346, 351, 370, 390, 404, 409, 411, 436,
      437, 439, 441, 444, 448, 451, 453, 470, 480, 482, 487, 494, 495, 499, 503, 514, 521, 522, 527, 548, 550, 559, 560,
      570, 572, 574, 578, 585, 592, 592, 607, 616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752,
      758, 766, 792, 792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441,
    ];
    expect(withoutOutliers(nist, 1.5, false)).toEqual(nist.slice(0, -1));
  });

  it("has no interval for one point each, which is an error that no score counts (by hand)", () => {
    expect(classify([5], [3], { direction: "either" })).toBe("Error");
    expect(score([of("a", "Error"), of("b", "High")], { a: 50, b: 50 })).toBe(50);
  });
});

describe("Kayenta at its intervals (by hand)", () => {
  const hour = kayenta("an hour", 60, 20);
  /** Minutes that differ a little from one another, as real ones do, with this many more failures in the canary. */
  const minutes =
    (more: (now: number) => number): World =>
    (now) => ({ canary: armOf(100, (now % 3) + more(now)), stable: armOf(900, 9 + (now % 5)) });

  it("promotes what does not differ at the end of its lifetime, at a tenth of the traffic", () => {
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

  it("rolls back at the first interval what fails more, or is slower, and not what fails less", () => {
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

  it("judges a growing window, so that trouble which comes late is diluted by what was well", () => {
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

  it("scores nothing as no data, which ends it at the first interval", () => {
    expect(contest(hour, () => ({ canary: armOf(0, 0) }))).toMatchObject({ ending: "rolled-back", at: 20 });
    expect(contest(hour, () => "late")).toMatchObject({ ending: "rolled-back", at: 20 });
  });

  it("takes a minute that is delivered twice, or late, for the same point", () => {
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
      batches.forEach((arrived, index) => ({ state } = hour.look(state, index + 1, arrived)));
      return (state as { readonly fresh: readonly Minute[] }).fresh.length;
    };
    expect(known([[at(1)], [at(1), at(2)], [], [at(3), at(3)]])).toBe(3);
  });

  it("draws its baseline without replacement, as large as asked for, and in proportion", () => {
    const next = (() => {
      let turn = 0;
      return () => (turn = (turn * 16807 + 12345) % 2147483647) / 2147483647;
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
    sums.forEach((sum, kind) => expect(Math.abs(sum / 400 - counts[kind]!)).toBeLessThan(5));
    expect(thin(counts, 1000, next)).toEqual(counts);
  });
});

describe("an alarm", () => {
  // By hand, in the notation of AWS' page "Configuring how CloudWatch alarms treat missing data", whose own table could not be copied: X breaches, 0 does not, - is missing.
  const range = (row: string) => row.split(" ").map((point) => (point === "-" ? undefined : point === "X"));
  it.each([
    ["0 - X - X", 3, false, false],
    ["0 - - - -", 3, false, false],
    ["- - - - -", 3, true, false],
    ["0 X X - X", 3, true, true],
    ["- - X - -", 3, true, false],
    ["0 - X - X", 2, true, true],
    ["0 0 X 0 X", 2, true, true],
    ["0 - X - -", 2, true, false],
    ["- - - - 0", 2, true, false],
    ["- - - X -", 2, true, false],
  ])("reads %s with %d of 3 as its rule says (by hand)", (row, breaching, missingBreaches, missingDoesNot) => {
    expect(
      [true, false].map((missing) => raised({ breaching, periods: 3, missingBreaches: missing }, range(row))),
    ).toEqual([missingBreaches, missingDoesNot]);
  });

  it("takes one step, bakes ten minutes, and is raised by the second or third minute in a row over one percent (by hand)", () => {
    const bad =
      (from: number, to: number): World =>
      (now) => ({ canary: armOf(100, now >= from && now <= to ? 2 : 1) });
    expect(contest(alarm(2, 2, false), bad(99, 99))).toEqual({ ending: "promoted", at: 10, weights: [10, 100] });
    expect(contest(alarm(2, 2, false), bad(1, 9))).toMatchObject({ ending: "rolled-back", at: 2 });
    expect(contest(alarm(3, 3, false), bad(4, 9))).toMatchObject({ ending: "rolled-back", at: 6 });
    expect(contest(alarm(3, 3, false), bad(4, 5))).toMatchObject({ ending: "promoted", at: 10 });
  });

  it("prefers older points to filling missing ones, for two periods (by hand)", () => {
    const late =
      (to: number): World =>
      (now) =>
        now >= 4 && now <= to ? "late" : { canary: armOf(100, 0) };
    expect(contest(alarm(2, 2, true), late(6))).toMatchObject({ ending: "promoted", at: 10 });
    expect(contest(alarm(2, 2, true), late(8))).toMatchObject({ ending: "rolled-back", at: 7 });
  });

  it("without traffic is raised where missing breaches, and promotes where it does not (by hand)", () => {
    for (const world of [() => ({ canary: armOf(0, 0) }), () => "late"] satisfies readonly World[]) {
      expect(contest(alarm(3, 3, true), world)).toMatchObject({ ending: "rolled-back", at: 3 });
      expect(contest(alarm(3, 3, false), world)).toMatchObject({ ending: "promoted", at: 10 });
    }
  });
});

describe("the peers", () => {
  it("have the names of the table, each its own", () => {
    expect(peers.map(({ name }) => name)).toEqual([
      "Flagger 10",
      "Flagger 5",
      "Argo docs",
      "Argo docs, canary only",
      "Argo tuned",
      "Kayenta 1 h",
      "Kayenta 4 h",
      "alarm 2 of 2",
      "alarm 2 of 2, missing breaches",
      "alarm 3 of 3",
      "alarm 3 of 3, missing breaches",
    ]);
  });

  it("are pure: the same minutes again give the same moves, and no state is written to", () => {
    const frozen = <Value>(value: Value): Value => {
      if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
        Object.values(Object.freeze(value)).forEach(frozen);
      return value;
    };
    const world = (now: number): Minute =>
      frozen({
        at: now,
        weight: 10,
        canary: armOf(97 + (now % 7), now % 3),
        stable: armOf(900, now % 13),
        probes: 0,
        probesFailed: 0,
      });
    for (const { name, start, look } of peers) {
      const run = (): readonly unknown[] => {
        const moves: unknown[] = [];
        let state = frozen(start([]));
        for (let now = 0; now <= 240; now++) {
          const move = frozen(look(state, now, now % 11 === 5 ? [] : [world(now)]));
          moves.push([move.weight, move.ending, move.held]);
          ({ state } = move);
        }
        return moves;
      };
      expect(run(), name).toEqual(run());
    }
  });
});
