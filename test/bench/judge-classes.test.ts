// The kinds of traffic of the contest beyond independent requests with one lognormal: their distributions are what the
// cells say.
import { describe, expect, it } from "vitest";
import { type Cell, publishedCells } from "../../bench/judge/cells.ts";
import { type Condition, conditionsOf } from "../../bench/judge/conditions.ts";
import { type Arm, durationBands, type Minute } from "../../bench/judge/contestant.ts";
import { createWorld } from "../../bench/judge/traffic.ts";
import { cellOf } from "./cell-of.ts";

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (some: readonly number[], others: readonly number[]): number =>
  mean(some.map((value, index) => (value - mean(some)) * (others[index]! - mean(others))));
const correlation = (some: readonly number[], others: readonly number[]): number =>
  covariance(some, others) / Math.sqrt(covariance(some, some) * covariance(others, others));

const minutesOf = (cell: Cell, seed: number, weight = 50, minutes = 180): readonly Minute[] => {
  const world = createWorld(cell, seed);
  return Array.from({ length: minutes }, (_, at) => world.happen(at, () => weight).minute);
};
const together = (minutes: readonly Minute[], arm: "canary" | "stable"): readonly number[] =>
  Array.from({ length: durationBands }, (_, band) =>
    minutes.reduce((sum, minute) => sum + minute[arm].durations[band]!, 0),
  );
/** Gives the share of requests below a duration that is the start of a band. */
const shareBelow = (durations: readonly number[], milliseconds: number): number => {
  const all = durations.reduce((sum, count) => sum + count, 0);
  return durations.slice(0, Math.round(8 * Math.log2(milliseconds))).reduce((sum, count) => sum + count, 0) / all;
};
const share = (minutes: readonly Minute[], arm: "canary" | "stable"): number =>
  minutes.reduce((sum, minute) => sum + minute[arm].failed, 0) /
  minutes.reduce((sum, minute) => sum + minute[arm].requests, 0);

describe("durations", () => {
  const bimodal = { medianMilliseconds: 16, p99Milliseconds: 60, slowPercent: 10, slowMedianMilliseconds: 1_024 };

  it("have two modes with their shares, of which a fault can slow only the fast one", () => {
    const minutes = minutesOf(cellOf({ durations: bimodal, fault: { fastSlower: 4 } }), 1);
    const [canary, stable] = [together(minutes, "canary"), together(minutes, "stable")];
    expect(shareBelow(stable, 16)).toBeCloseTo(0.45, 1);
    expect(shareBelow(stable, 128)).toBeCloseTo(0.9, 2);
    expect(shareBelow(stable, 1_024)).toBeCloseTo(0.95, 2);
    expect(shareBelow(canary, 64)).toBeCloseTo(0.45, 1);
    expect(shareBelow(canary, 1_024)).toBeCloseTo(0.95, 2);
  });

  it("lose their fraction if they are logged so, which leaves the bands between two milliseconds empty", () => {
    const durations = together(
      minutesOf(
        cellOf({ durations: { medianMilliseconds: 1, p99Milliseconds: 3.86, wholeMilliseconds: true } }),
        1,
        50,
        60,
      ),
      "stable",
    );
    const whole = [1, 2, 3, 4, 5, 6, 7, 8].map((milliseconds) => Math.floor(8 * Math.log2(milliseconds)));
    const filled = durations.flatMap((count, band) => (count > 0 ? [band] : []));
    expect(filled.filter((band) => band < 24 && !whole.includes(band))).toEqual([]);
    // Half of a lognormal around one millisecond is below it, and what is below two has the band of one.
    expect(durations[0]! / durations.reduce((sum, count) => sum + count, 0)).toBeCloseTo(0.883, 2);
  });

  it("are longer for a random part of the requests, whatever they would have taken", () => {
    const minutes = minutesOf(cellOf({ fault: { part: { percent: 30, slower: 64 } } }), 2);
    // Hardly any request of the canary takes over a second without the fault; nearly all of the part do.
    expect(1 - shareBelow(together(minutes, "canary"), 1_024)).toBeCloseTo(0.3, 1);
    expect(1 - shareBelow(together(minutes, "stable"), 1_024)).toBeLessThan(0.001);
  });
});

describe("wander", () => {
  const condition = (cell: Cell, arm: "canary" | "stable", of: (condition: Condition) => number): readonly number[] =>
    Array.from({ length: 40 }, (_, seed) => seed).flatMap((seed) => {
      const at = conditionsOf(cell, seed, arm);
      return Array.from({ length: 160 }, (_, minute) => of(at(minute, 0, undefined)));
    });

  it.each([0.5, 0.8, 0.95])("has the mean, the deviation and the memory of %f that its cell says", (phi) => {
    const cell = cellOf({ failurePercent: 1, noise: { wander: { phi, deviation: 0.5 } } });
    const rates = condition(cell, "canary", ({ failed }) => failed);
    const logs = rates.map(Math.log);
    expect(mean(rates) / 0.01).toBeCloseTo(1, 0);
    expect(Math.sqrt(covariance(logs, logs)) / 0.5).toBeCloseTo(1, 0);
    const pairs = logs.map((_, index) => index).filter((index) => index % 160 !== 159);
    expect(
      correlation(
        pairs.map((index) => logs[index]!),
        pairs.map((index) => logs[index + 1]!),
      ),
    ).toBeCloseTo(phi, 1);
  });

  it("is the same for both arms if it is shared, and independent otherwise", () => {
    const of = (shared: boolean, arm: "canary" | "stable") =>
      condition(cellOf({ noise: { wander: { phi: 0.5, deviation: 0.5, shared } } }), arm, ({ failed }) => failed);
    expect(of(true, "canary")).toEqual(of(true, "stable"));
    expect(Math.abs(correlation(of(false, "canary"), of(false, "stable")))).toBeLessThan(0.1);
  });

  it("averages out over many replicas, and never changes with a memory of 1", () => {
    const logs = (stableReplicas: number) =>
      condition(
        cellOf({ noise: { wander: { phi: 0.5, deviation: 0.5, stableReplicas } } }),
        "stable",
        ({ failed }) => failed,
      );
    const spread = (values: readonly number[]) => covariance(values, values);
    expect(spread(logs(1)) / spread(logs(10))).toBeGreaterThan(7);
    expect(spread(logs(1)) / spread(logs(10))).toBeLessThan(13);
    const constant = conditionsOf(cellOf({ noise: { wander: { phi: 1, deviation: 0.5 } } }), 3, "canary");
    expect(new Set([0, 10, 170].map((at) => constant(at, 0, undefined).failed)).size).toBe(1);
  });

  it("changes durations too", () => {
    const cell = cellOf({ noise: { durationWander: { phi: 0.8, deviation: 0.2 } } });
    const logs = condition(cell, "stable", ({ slower }) => Math.log(slower));
    expect(Math.sqrt(covariance(logs, logs)) / 0.2).toBeCloseTo(1, 0);
    expect(new Set(condition(cell, "stable", ({ failed }) => failed)).size).toBe(1);
  });
});

describe("events", () => {
  it("change the base before the rollout, from its start, or slowly", () => {
    const failing = (shared: NonNullable<Cell["shared"]>) => {
      const cell = cellOf({ failurePercent: 0, requestsPerMinute: 60_000, shared });
      const { history } = createWorld(cell, 1);
      return [...history, ...minutesOf(cell, 1, 50, 60)].map((minute) => share([minute], "stable"));
    };
    const before = failing({ fromMinute: -200, untilMinute: 0, failurePoints: 2 });
    expect([mean(before.slice(0, 60)), mean(before.slice(60))].map((rate) => Math.round(rate * 1_000))).toEqual([
      20, 0,
    ]);
    const slowly = failing({ fromMinute: -20, untilMinute: 999, failurePoints: 2, rampMinutes: 40 });
    expect(slowly.slice(0, 40).every((rate) => rate === 0)).toBe(true);
    expect(slowly[59]).toBeCloseTo(0.01, 2);
    expect(mean(slowly.slice(90))).toBeCloseTo(0.02, 3);
  });

  it("recur, and may need a weight of the canary", () => {
    const blips = minutesOf(
      cellOf({ shared: { fromMinute: -200, untilMinute: 999, failurePoints: 50, downMinutes: 3, ofMinutes: 10 } }),
      1,
    );
    expect(
      blips
        .filter((minute) => share([minute], "canary") > 0.3)
        .map(({ at }) => at)
        .slice(0, 7),
    ).toEqual([0, 1, 2, 10, 11, 12, 20]);
    const shared = { fromMinute: 0, untilMinute: 999, failurePoints: 50, weightAtLeast: 96 };
    expect([50, 96, 100].map((weight) => share(minutesOf(cellOf({ shared }), 1, weight, 5), "canary") > 0.3)).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe("long requests", () => {
  const cell = (percent: number, failurePercent = 0) =>
    cellOf({ failurePercent, longRequests: { percent, minutes: 10 }, probeUnansweredAt: 6 });
  const requestsOf = ({ requests }: Arm): number => requests;

  it("are counted when they end, five to fifteen minutes later, in the band of that time", () => {
    const world = createWorld(cell(100), 1);
    const weightAt = (at: number): number => (at === 3 ? 50 : 0);
    const minutes = Array.from({ length: 25 }, (_, at) => world.happen(at, weightAt).minute);
    const ended = minutes.flatMap(({ at, canary }) => (canary.requests > 0 ? [at] : []));
    expect(ended).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    const total = minutes.reduce((sum, { canary }) => sum + requestsOf(canary), 0);
    expect(total).toBeGreaterThan(500);
    expect(total).toBeLessThan(700);
    expect(minutes[10]!.canary.durations.flatMap((count, band) => (count > 0 ? [band] : []))).toEqual([
      durationBands - 1,
    ]);
  });

  it("of stable have always been there, and some requests stay short", () => {
    const { history } = createWorld(cell(50), 1);
    expect(mean(history.map(({ stable }) => stable.requests)) / 1_200).toBeCloseTo(1, 1);
    expect(shareBelow(together(minutesOf(cell(50), 1), "stable"), 16_384)).toBeCloseTo(0.5, 1);
  });

  it("fail as often as others, and one probe of the canary has no answer", () => {
    const minutes = minutesOf(cell(100, 10), 2);
    expect(share(minutes, "stable")).toBeCloseTo(0.1, 2);
    expect(minutes.flatMap(({ at, probesFailed }) => (probesFailed > 0 ? [at] : []))).toEqual([6]);
  });
});

describe("the published cells", () => {
  it("have good and bad canaries of every class that the limits speak of", () => {
    const classes: Readonly<Record<string, (cell: Cell) => boolean>> = {
      "a body of the distribution": ({ durations }) => (durations?.slowPercent ?? 0) > 0,
      "quantised durations": ({ durations }) => durations?.wholeMilliseconds === true,
      "a base that moves": ({ shared }) => shared !== undefined && shared.untilMinute > 1_000 && !shared.downMinutes,
      "wander of both arms": ({ noise }) => noise?.wander?.shared === true,
      "wander of each arm": ({ noise }) => noise?.wander !== undefined && !noise.wander.shared,
      "usual failures of 20 %": ({ failurePercent }) => failurePercent === 20,
      "no usual failures": ({ failurePercent }) => failurePercent === 0,
      "long requests": ({ longRequests }) => longRequests !== undefined,
      "recurring blips": ({ shared }) => shared?.downMinutes !== undefined,
      "30 requests a minute": ({ requestsPerMinute }) => requestsPerMinute === 30,
      "60,000 requests a minute": ({ requestsPerMinute }) => requestsPerMinute === 60_000,
    };
    const cells = publishedCells();
    for (const [what, isOf] of Object.entries(classes))
      for (const truth of ["good", "bad"] as const)
        expect(cells.filter((cell) => cell.truth === truth && isOf(cell)).length, `${truth}, ${what}`).toBeGreaterThan(
          0,
        );
    expect(cells.filter(({ name }) => name.startsWith("cold start")).length).toBeGreaterThan(3);
    expect(
      cells.filter(({ goal }) => goal?.unlimited).map(({ noise }) => noise?.wander ?? noise?.durationWander),
    ).toEqual(
      cells.filter(({ goal }) => goal?.unlimited).map(() => expect.objectContaining({ phi: expect.any(Number) })),
    );
  });
});
