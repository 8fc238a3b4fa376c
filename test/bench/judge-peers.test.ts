// Checks each peer of the contest against its own project's numbers, with the file and the commit that they were copied
// from. Cases marked "by hand" are ours, for peers that are closed or have no such test upstream.
import { describe, expect, it } from "vitest";
import type { Arm, Minute } from "../../bench/judge/contestant.ts";
import { contestants, others } from "../../bench/judge/contestants.ts";
import { alarm, raised } from "../../bench/judge/peers/alarm.ts";
import { argoDocs, argoDocsCanary, argoTuned, assess, measure } from "../../bench/judge/peers/argo.ts";
import { advance, flagger, passesChecks } from "../../bench/judge/peers/flagger.ts";
import { alarms, peers } from "../../bench/judge/peers/peers.ts";
import { histogramQuantile } from "../../bench/judge/peers/quantile.ts";
import { armOf, contest, healthy, type World } from "./peer-contest.ts";

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
  ])("gives Prometheus' own values, case %#", ({ bounds, counts }, cases) => {
    for (const [quantile, value] of cases) {
      const found = histogramQuantile(quantile!, bounds, counts);
      if (Number.isFinite(value)) expect(found, `q ${quantile}`).toBeCloseTo(value!, 10);
      else expect(found, `q ${quantile}`).toBe(value);
    }
  });

  it("gives NaN without observations (by hand)", () =>
    expect(histogramQuantile(0.99, [1, Infinity], [0, 0])).toBeNaN());
});

describe("Flagger", () => {
  // fluxcd/flagger@0056b99 pkg/controller/scheduler_deployment_test.go; its fixture has
  // threshold 10, stepWeight 10, maxWeight 50.
  const fixture = { threshold: 10, stepWeight: 10, maxWeight: 50 };
  it("shifts the first ten percent without a check (DeploymentNewRevisionReset)", () => {
    expect(advance(fixture, { weight: 0, failedChecks: 0 }, () => false)).toEqual({
      state: { weight: 10, failedChecks: 0 },
      weight: 10,
    });
  });

  it("rolls back one interval after the threshold is reached (DeploymentRollback)", () => {
    expect(advance(fixture, { weight: 20, failedChecks: 10 }, () => true).ending).toBe("rolled-back");
    expect(advance(fixture, { weight: 20, failedChecks: 9 }, () => false).ending).toBeUndefined();
  });

  it("goes from 40 to 50 and promotes one interval later (DeploymentPromotion)", () => {
    const full = advance(fixture, { weight: 40, failedChecks: 0 }, () => true);
    expect([full.weight, full.ending]).toEqual([50, undefined]);
    expect(advance(fixture, full.state, () => true).ending).toBe("promoted");
  });

  it("cuts p99 to whole milliseconds and accepts exactly 500 (istio_test.go: 100 is 100 ms; the edges by hand)", () => {
    const slow = (requests: number, over: number): Arm => ({
      ...armOf(requests, 0),
      durations: armOf(requests - over, 0).durations.map((count, band) => count + armOf(over, 0, 700).durations[band]!),
    });
    expect([10, 11, 12].map((over) => passesChecks(slow(10_000, 100 + over - 10)))).toEqual([true, false, false]);
    expect(passesChecks(slow(100_000, 1_001))).toBe(true);
  });

  it("checks for 99 percent, and a missing value fails the check (by hand)", () => {
    expect([armOf(1000, 10), armOf(1000, 11), armOf(0, 0), undefined].map(passesChecks)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("counts failed checks over the whole rollout, even if checks pass in between (by hand)", () => {
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

  it("reads only the minute that has just ended (by hand)", () => {
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
      waiting: "halt advancement",
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
  ] as const)("assesses %s as in its own table", (_, measured, limit, running, terminating) => {
    expect([assess(measured, limit, false), assess(measured, limit, true)]).toEqual([running, terminating]);
  });

  it("counts NaN as a failure and an empty vector as five errors (by hand, after evaluate.go)", () => {
    expect(measure(result, NaN, 0.95)).toMatchObject({ failed: 1, consecutiveErrors: 0 });
    expect(measure(result, undefined, 0.95)).toMatchObject({ failed: 0, consecutiveErrors: 5 });
    expect(measure({ ...result, failed: 2, consecutiveErrors: 4 }, 0.95, 0.95)).toEqual({
      measurements: 2,
      failed: 2,
      consecutiveErrors: 0,
    });
  });

  it("takes the documentation's steps in forty minutes (by hand)", () => {
    expect(contest(argoDocs, () => ({ canary: armOf(100, 0) }))).toEqual({
      ending: "promoted",
      at: 40,
      weights: [20, 40, 60, 80, 100],
    });
  });

  it("rolls back at the fourth failure, fifteen minutes after the first measurement at 40 percent (by hand)", () => {
    const broken: World = () => ({ canary: armOf(100, 60) });
    expect(contest(argoDocsCanary, broken)).toMatchObject({ ending: "rolled-back", at: 25 });
    expect(contest(argoTuned, broken)).toMatchObject({ ending: "rolled-back", at: 4 });
    expect(contest(argoDocs, () => ({ canary: armOf(100, 20) })).ending).toBe("promoted");
  });

  it("aborts at once if the query finds nothing, and once no minute with requests is in range (by hand)", () => {
    expect(contest(argoTuned, () => ({ canary: armOf(0, 0) }))).toMatchObject({ ending: "rolled-back", at: 1 });
    // Four minutes later the rate of no requests is NaN, a failure; the fourth of those is one too many.
    expect(contest(argoTuned, (now) => ({ canary: armOf(now < 10 ? 100 : 0, 0) }))).toMatchObject({
      ending: "rolled-back",
      at: 16,
    });
    expect(contest(argoTuned, (now) => (now < 10 ? { canary: armOf(100, 0) } : "late"))).toMatchObject({
      ending: "rolled-back",
      at: 13,
    });
  });
});

describe("Argo's rate", () => {
  it("covers the last four minutes together, so that one bad minute among good ones is none (by hand)", () => {
    const once: World = (now) => ({ canary: armOf(100, now % 4 === 0 ? 3 : 0) });
    expect(contest(argoTuned, once)).toMatchObject({ ending: "promoted", at: 40 });
    expect(contest(argoTuned, (now) => ({ canary: armOf(100, now % 4 === 0 ? 5 : 0) })).ending).toBe("rolled-back");
  });
});

describe("an alarm", () => {
  // By hand, in the notation of AWS' page "Configuring how CloudWatch alarms treat missing data", whose own table could
  // not be copied: X breaches, 0 does not, - is missing.
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
  ])("reads %s with %d of 3 by its rule (by hand)", (row, breaching, missingBreaches, missingDoesNot) => {
    expect(
      [true, false].map((missing) => raised({ breaching, periods: 3, missingBreaches: missing }, range(row))),
    ).toEqual([missingBreaches, missingDoesNot]);
  });

  it("takes one step, bakes ten minutes, and is raised by two or three minutes over one percent (by hand)", () => {
    const bad =
      (from: number, to: number): World =>
      (now) => ({ canary: armOf(100, now >= from && now <= to ? 2 : 1) });
    expect(contest(alarm(2, 2, false), bad(99, 99))).toEqual({ ending: "promoted", at: 10, weights: [10, 100] });
    expect(contest(alarm(2, 2, false), bad(1, 9))).toMatchObject({ ending: "rolled-back", at: 2 });
    expect(contest(alarm(3, 3, false), bad(4, 9))).toMatchObject({ ending: "rolled-back", at: 6 });
    expect(contest(alarm(3, 3, false), bad(4, 5))).toMatchObject({ ending: "promoted", at: 10 });
  });

  it("prefers older points to filled missing ones, for two periods (by hand)", () => {
    const late =
      (to: number): World =>
      (now) =>
        now >= 4 && now <= to ? "late" : { canary: armOf(100, 0) };
    expect(contest(alarm(2, 2, true), late(6))).toMatchObject({ ending: "promoted", at: 10 });
    expect(contest(alarm(2, 2, true), late(8))).toMatchObject({ ending: "rolled-back", at: 7 });
  });

  it("without traffic is raised if missing periods breach, and promotes if they do not (by hand)", () => {
    for (const world of [() => ({ canary: armOf(0, 0) }), () => "late"] satisfies readonly World[]) {
      expect(contest(alarm(3, 3, true), world)).toMatchObject({ ending: "rolled-back", at: 3 });
      expect(contest(alarm(3, 3, false), world)).toMatchObject({ ending: "promoted", at: 10 });
    }
  });
});

describe("the peers", () => {
  it("of the default run have unique names, and alarms are not among them", () => {
    expect(peers.map(({ name }) => name)).toEqual([
      "Flagger 10",
      "Flagger 5",
      "Argo docs",
      "Argo docs, canary only",
      "Argo tuned",
      "Kayenta 1 h",
      "Kayenta 4 h",
      "2×2 e-process",
      "count test",
    ]);
    const names = alarms.map(({ name }) => name);
    expect(names).toEqual([
      "alarm 2 of 2",
      "alarm 2 of 2, missing breaches",
      "alarm 3 of 3",
      "alarm 3 of 3, missing breaches",
    ]);
    expect(contestants.filter(({ name }) => names.includes(name))).toEqual([]);
    expect(others.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it("are pure: the same minutes give the same moves, and no state is changed", () => {
    const frozen = <Value>(value: Value): Value => {
      if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
        for (const inner of Object.values(Object.freeze(value))) frozen(inner);
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
    for (const { name, start, look } of [...peers, ...alarms]) {
      const run = (): readonly unknown[] => {
        const moves: unknown[] = [];
        let state = frozen(start([]));
        for (let now = 0; now <= 240; now++) {
          const move = frozen(look(state, now, now % 11 === 5 ? [] : [world(now)]));
          moves.push([move.weight, move.ending, move.waiting]);
          ({ state } = move);
        }
        return moves;
      };
      expect(run(), name).toEqual(run());
    }
  });
});
