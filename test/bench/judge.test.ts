// The contest of judges: its dice throw what they say, its worlds hold what their cells say, its counts are worth what the page says, and our own judge
// keeps to what it promised. Our judge is guarded on a fixed subset of cells, against the table that the last whole contest wrote.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, centre, publishedCells, readCells } from "../../bench/judge/cells.ts";
import { contest, guard } from "../../bench/judge/contest.ts";
import { type Arm, type Contestant, durationBuckets, type Minute } from "../../bench/judge/contestant.ts";
import { contestants, ours } from "../../bench/judge/contestants.ts";
import { loadDice } from "../../bench/judge/dice.ts";
import { page } from "../../bench/judge/page.ts";
import { plain } from "../../bench/judge/plain.ts";
import { plots } from "../../bench/judge/plot.ts";
import { count, losses, type Row, score, wilson } from "../../bench/judge/scores.ts";
import { type Ended, horizonMinutes, play, replayTrack } from "../../bench/judge/tracks.ts";
import { createWorld } from "../../bench/judge/traffic.ts";

const subject = plain as Contestant;
const cellOf = (rest: Partial<Cell>): Cell => ({ ...centre, name: "a cell", truth: "bad", ...rest });
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
};
/** All minutes of a run in which the canary has such a weight throughout. */
const minutesOf = (cell: Cell, seed: number, weight = 50): readonly Minute[] => {
  const world = createWorld(cell, seed);
  return Array.from({ length: horizonMinutes }, (_, at) => world.happen(at, weight, weight).minute);
};
const share = (minutes: readonly Minute[], arm: "canary" | "stable", of: "failed" | "refused"): number =>
  minutes.reduce((sum, minute) => sum + minute[arm][of], 0) /
  minutes.reduce((sum, minute) => sum + minute[arm].requests, 0);

describe("the dice", () => {
  /** Pearson's distance between draws and a distribution, in standard deviations from what is to be expected. */
  const surprise = (draws: readonly number[], mass: (k: number) => number): number => {
    const seen = Map.groupBy(draws, (k) => k);
    const most = Math.max(...draws) * 2 + 20;
    const likely = Array.from({ length: most }, (_, k) => k).filter((k) => mass(k) * draws.length >= 5);
    const square = likely.reduce(
      (sum, k) => sum + ((seen.get(k)?.length ?? 0) - mass(k) * draws.length) ** 2 / (mass(k) * draws.length),
      0,
    );
    return (square - (likely.length - 1)) / Math.sqrt(2 * Math.max(1, likely.length - 1));
  };
  const logFactorial = (k: number): number =>
    Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((sum, term) => sum + term, 0);

  it.each([
    [40, 0.02],
    [40, 0.9],
    [60, 0.3],
    [1_200, 0.005],
    [1_200, 0.4],
    [400, 0.97],
  ])("draw %i requests at %f as a binomial does", (n, p) => {
    const dice = loadDice(7, n);
    const mass = (k: number) =>
      k > n
        ? 0
        : Math.exp(
            logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p),
          );
    expect(
      Math.abs(
        surprise(
          Array.from({ length: 40_000 }, () => dice.binomial(n, p)),
          mass,
        ),
      ),
    ).toBeLessThan(4);
  });

  it.each([0.4, 8, 12, 250])("draw arrivals around %f as a Poisson does", (lambda) => {
    const dice = loadDice(8, lambda * 10);
    const mass = (k: number) => Math.exp(k * Math.log(lambda) - lambda - logFactorial(k));
    expect(
      Math.abs(
        surprise(
          Array.from({ length: 40_000 }, () => dice.poisson(lambda)),
          mass,
        ),
      ),
    ).toBeLessThan(4);
  });

  it.each([0.2, 0.5, 1, 1.5])("draw shocks around one with a coefficient of variation of %f", (variation) => {
    const dice = loadDice(9, variation * 10);
    const shocks = Array.from({ length: 100_000 }, () => dice.shock(variation));
    expect(mean(shocks)).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance(shocks)) / variation).toBeCloseTo(1, 1);
  });

  it("fall alike for the same keys, and otherwise for their order, their number and each neighbour", () => {
    const first = (...keys: readonly number[]): number => loadDice(...keys).next();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    const others = [
      first(1, 2, 3),
      first(1, 3, 2),
      first(1, 2),
      first(1, 2, 4),
      first(2, 2, 3),
      first(1, -2, 3),
      first(0, 0),
      first(0, 0, 0),
    ];
    expect(new Set(others).size).toBe(others.length);
    const neighbours = Array.from({ length: 20_000 }, (_, seed) => first(seed, 5));
    expect(mean(neighbours)).toBeCloseTo(0.5, 1);
    expect(variance(neighbours) * 12).toBeCloseTo(1, 1);
  });
});

describe("a world", () => {
  const cells = publishedCells();

  it("keeps the form that contestants rely on, whatever the cell, the seed and the weights", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cells),
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 0, max: 100 }),
        (cell, seed, weight) => {
          const world = createWorld(cell, seed);
          const minutes = [...world.history, ...minutesOf(cell, seed, weight).slice(0, 20)];
          const whole = ({ requests, failed, refused, durations }: Arm): boolean =>
            durations.length === durationBuckets &&
            durations.every((count) => count >= 0) &&
            durations.reduce((sum, count) => sum + count, 0) === requests &&
            failed + refused <= requests &&
            failed >= 0 &&
            refused >= 0;
          expect(minutes.map(({ at }) => at)).toEqual([
            ...Array.from({ length: 60 }, (_, index) => index - 60),
            ...Array.from({ length: 20 }, (_, at) => at),
          ]);
          expect(minutes.filter(({ canary, stable }) => !whole(canary) || !whole(stable))).toEqual([]);
          expect(
            world.history.filter(({ canary, weight: given, probes }) => canary.requests + given + probes > 0),
          ).toEqual([]);
          expect(minutes.filter(({ probes, probesFailed }) => probesFailed > probes)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is the same for the same seed and weights, and its storms do not depend on the weights", () => {
    const noisy = cellOf({ noise: { failures: 1, stormPercent: 20, badReplicaPercent: 1 } });
    expect(minutesOf(noisy, 4)).toEqual(minutesOf(noisy, 4));
    expect(minutesOf(noisy, 4)).not.toEqual(minutesOf(noisy, 5));
    // At other weights stable fails in the same minutes: its shocks are its own.
    const failing = (weight: number) =>
      minutesOf(cellOf({ failurePercent: 5, noise: { failures: 1 } }), 4, weight).map(
        ({ stable }) => stable.failed / stable.requests,
      );
    const apart = failing(10).map((rate, at) => Math.abs(rate - failing(50)[at]!));
    expect(mean(apart)).toBeLessThan(0.015);
  });

  it("has the load, the split, the failures and the durations that its cell says", () => {
    const minutes = [1, 2, 3, 4].flatMap((seed) =>
      minutesOf(cellOf({ fault: { failurePoints: 2, refusedPoints: 3, slower: 2 } }), seed, 25),
    );
    expect(mean(minutes.map(({ canary }) => canary.requests)) / 300).toBeCloseTo(1, 1);
    expect(100 * share(minutes, "canary", "failed")).toBeCloseTo(2.5, 0);
    expect(100 * share(minutes, "stable", "failed")).toBeCloseTo(0.5, 0);
    expect(100 * share(minutes, "canary", "refused")).toBeCloseTo(4, 0);
    const p99 = (arm: "canary" | "stable"): number => {
      const total = Array.from({ length: durationBuckets }, (_, bucket) =>
        minutes.reduce((sum, minute) => sum + minute[arm].durations[bucket]!, 0),
      );
      const all = total.reduce((sum, count) => sum + count, 0);
      let so = 0;
      return 2 ** ((total.findIndex((count) => (so += count) >= 0.99 * all) + 1) / 8);
    };
    expect(p99("stable") / 386).toBeGreaterThan(0.95);
    expect(p99("stable") / 386).toBeLessThan(1.1);
    expect(p99("canary") / p99("stable")).toBeCloseTo(2, 1);
  });

  it("ends hanging requests as failures four minutes later, and fails the probes of what hangs", () => {
    const minutes = minutesOf(cellOf({ fault: { hangPercent: 100 } }), 1);
    expect(minutes.slice(0, 4).every(({ canary }) => canary.requests === 0)).toBe(true);
    expect(minutes[4]!.canary.requests).toBeGreaterThan(400);
    expect(minutes[4]!.canary.failed).toBe(minutes[4]!.canary.requests);
    expect(minutes[4]!.canary.durations.findIndex((count) => count > 0)).toBe(Math.floor(8 * Math.log2(240_000)));
    expect(minutes.every(({ probes, probesFailed }) => probesFailed === probes)).toBe(true);
  });

  it.each<[string, Partial<Cell>, (minute: Minute) => boolean]>([
    ["from a minute on", { fault: { failurePoints: 90, when: { fromMinute: 10 } } }, ({ at }) => at >= 10],
    ["until a minute", { fault: { failurePoints: 90, when: { untilMinute: 3 } } }, ({ at }) => at < 3],
    [
      "in part of every few minutes",
      { fault: { failurePoints: 90, when: { fromMinute: 10, downMinutes: 2, ofMinutes: 3 } } },
      ({ at }) => at >= 10 && (at - 10) % 3 < 2,
    ],
    [
      "under load",
      {
        shared: { fromMinute: 5, untilMinute: 9, trafficTimes: 2 },
        fault: { failurePoints: 90, when: { requestsAtLeast: 2_000 } },
      },
      ({ at }) => at >= 5 && at < 9,
    ],
    ["never below a weight", { fault: { failurePoints: 90, when: { weightAtLeast: 51 } } }, () => false],
  ])("has its fault %s", (_, rest, isThere) => {
    const minutes = minutesOf(cellOf(rest), 3);
    expect(minutes.map(({ canary }) => canary.failed > canary.requests / 2)).toEqual(minutes.map(isThere));
    expect(minutes.every(({ stable }) => stable.failed < stable.requests / 2)).toBe(true);
  });

  it.each<[string, Partial<Cell>, readonly boolean[]]>([
    ["the canary alone", { fault: { failurePoints: 50 } }, [true, false]],
    ["both, where the canary drags stable down", { fault: { failurePoints: 50, dragsStable: true } }, [true, true]],
    [
      "neither, while the canary that drags stable down has no traffic",
      { fault: { failurePoints: 50, dragsStable: true, when: { weightAtLeast: 60 } } },
      [false, false],
    ],
    [
      "stable alone",
      { shared: { fromMinute: 0, untilMinute: 90, failurePoints: 50, stableOnly: true } },
      [false, true],
    ],
  ])("breaks %s", (_, rest, broken) => {
    const minutes = minutesOf(cellOf(rest), 6);
    expect((["canary", "stable"] as const).map((arm) => share(minutes, arm, "failed") > 0.4)).toEqual(broken);
  });

  it("lets what is shared befall both arms, and storms stick to one", () => {
    const outage = minutesOf(cellOf({ shared: { fromMinute: 5, untilMinute: 10, failurePoints: 50 } }), 1);
    for (const arm of ["canary", "stable"] as const)
      expect(outage.filter((minute) => minute[arm].failed > 0.3 * minute[arm].requests).map(({ at }) => at)).toEqual([
        5, 6, 7, 8, 9,
      ]);
    const failedCounts = minutesOf(cellOf({ noise: { stormPercent: 100 } }), 2).map(({ canary }) => canary.failed);
    // Independent failures would have a variance like their mean; batches of 25 have one of 25 times that.
    expect(variance(failedCounts) / mean(failedCounts)).toBeGreaterThan(8);
  });
});

describe("cells", () => {
  it("are about sixty, each with a name of its own, of every truth", () => {
    const cells = publishedCells();
    expect(cells.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cells.map(({ truth }) => truth))).toEqual(new Set(["bad", "good", "unknown"]));
    expect(readCells(JSON.stringify(cells))).toEqual(cells);
  });

  it.each([
    [
      '[{ "name": "a", "truth": "bad", "fault": { "failurePoint": 1 } }]',
      'The cell "a", fault has no field failurePoint; there are failurePoints,',
    ],
    [
      '[{ "name": "a", "truth": "bad", "fault": { "failurePoints": "1" } }]',
      'The cell "a", fault, failurePoints should be a number, 0 or more, and is "1".',
    ],
    [
      '[{ "name": "a", "truth": "bad", "telemetry": { "lagMinutes": [2] } }]',
      "should be two numbers, 0 or more, and is [2].",
    ],
    ['[{ "name": "a", "truth": "bad", "fault": 3 }]', "fault should be an object, and is 3."],
    ['[{ "name": "a", "truth": "worse" }]', 'The cell "a" says truth "worse"; it is bad, good or unknown.'],
    ['[{ "truth": "bad" }]', "Cell 1 has no name."],
    ['[{ "name": "a", "truth": "bad" }, { "name": "a", "truth": "good" }]', 'Two cells are called "a".'],
    ["[]", "at least one cell"],
  ])("of a file that cannot be meant are refused: %s", (text, why) => expect(() => readCells(text)).toThrow(why));
});

/** A contestant that says the same at every look, and tells what it was shown. */
const watcher = (
  seen: (now: number, arrived: readonly Minute[]) => void,
  move: { readonly weight: number; readonly ending?: "promoted" | "rolled-back" } = { weight: 20 },
): Contestant => ({
  name: "watcher",
  start: () => null,
  look: (state, now, arrived) => {
    seen(now, arrived);
    return { state, ...move };
  },
});

describe("a track", () => {
  const shown = (track: "A" | "B", cell: Cell, seed = 1) => {
    const looks: { readonly now: number; readonly arrived: readonly Minute[] }[] = [];
    const [ended] = play([watcher((now, arrived) => looks.push({ now, arrived }))], track, cell, seed);
    return { looks, ended };
  };

  it("gives everybody its own weights in B, and nobody in A", () => {
    const weights = (track: "A" | "B") =>
      shown(track, cellOf({})).looks.flatMap(({ arrived }) => arrived.map(({ weight }) => weight));
    expect(weights("B").slice(0, 4)).toEqual([0, 20, 20, 20]);
    expect(weights("A").slice(0, 13)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 50]);
  });

  it("looks once a minute until the horizon, at the minute that has just ended", () => {
    const { looks, ended } = shown("B", cellOf({}));
    expect(looks.map(({ now, arrived }) => [now, ...arrived.map(({ at }) => at)])).toEqual(
      Array.from({ length: horizonMinutes }, (_, now) => [now, now]),
    );
    expect(ended).toMatchObject({ ending: "held", minutes: horizonMinutes - 1 });
  });

  it("loses minutes in a gap, brings late ones two to five minutes later and overtaken, and some twice", () => {
    const arrivals = (telemetry: NonNullable<Cell["telemetry"]>) =>
      shown("A", cellOf({ telemetry })).looks.flatMap(({ now, arrived }) =>
        arrived.map(({ at }) => [at, now - at] as const),
      );
    expect(arrivals({ gap: { fromMinute: 2, untilMinute: 80 } })).toEqual(
      [0, 1, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89].map((at) => [at, 0]),
    );
    const late = arrivals({ lagMinutes: [2, 5] });
    expect(new Set(late.map(([, lag]) => lag))).toEqual(new Set([2, 3, 4, 5]));
    expect(late.some(([at], index) => at < (late[index - 1]?.[0] ?? 0))).toBe(true);
    const twice = arrivals({ twicePercent: 50 }).length;
    expect(twice).toBeGreaterThan(110);
    expect(twice).toBeLessThan(160);
  });

  it("brings what hangs back four minutes after the weight under which it began", () => {
    const ended: number[] = [];
    const once: Contestant = {
      name: "once",
      start: () => null,
      look: (state, now, arrived) => {
        ended.push(...arrived.map(({ canary }) => canary.failed));
        return { state, weight: now === 1 ? 50 : 0 };
      },
    };
    play([once], "B", cellOf({ fault: { hangPercent: 100 } }), 1);
    expect(ended.flatMap((failed, at) => (failed > 0 ? [at] : []))).toEqual([6]);
  });

  it("counts what a promoted canary goes on spoiling, and what a rolled-back one spoiled until then", () => {
    const harm = (ending: "promoted" | "rolled-back") =>
      play([watcher(() => undefined, { weight: 0, ending })], "A", cellOf({ fault: { failurePoints: 10 } }), 1)[0]!
        .harmed;
    expect(harm("rolled-back")).toBe(0);
    expect(harm("promoted")).toBeCloseTo(1_200 * 0.1 * (horizonMinutes - 1), 5);
    const [ended] = play([subject], "A", cellOf({ fault: { failurePoints: 20 } }), 1);
    expect(ended).toMatchObject({ ending: "rolled-back", minutes: 1 });
    expect(ended!.harmed).toBeGreaterThan(5);
    expect(ended!.harmed).toBeLessThan(25);
  });
});

describe("a judge that is killed at every look", () => {
  const cell = cellOf({ fault: { failurePoints: 1 } });

  it("goes on as if it had lived when its state is plain and a minute counts once", () => {
    const { deaths, differences } = [1, 2, 3, 4]
      .map((seed) => replayTrack(subject, cell, seed))
      .reduce((sum, one) => ({
        deaths: sum.deaths + one.deaths,
        differences: [...sum.differences, ...one.differences],
      }));
    expect(deaths).toBeGreaterThan(20);
    expect(differences).toEqual([]);
  });

  it("is found out when it counts minutes twice, or keeps what JSON does not", () => {
    const counting: Contestant = {
      name: "counts",
      start: () => 0,
      look: (state, _, arrived) => ({
        state: Number(state) + arrived.length,
        weight: 5,
        ...(Number(state) > 20 ? { ending: "promoted" as const } : {}),
      }),
    };
    const found = replayTrack(counting, cell, 1);
    expect(found.deaths).toBe(21);
    // Its last two deaths come too late to bring its end forward.
    expect(found.differences).toHaveLength(19);
    expect(found.differences[0]).toMatchObject({ killedAfter: 0, at: 20 });
    const hiding: Contestant = {
      name: "hides",
      start: () => new Set(),
      look: (state, now) => ({
        state: state instanceof Set ? state : new Set(),
        weight: state instanceof Set ? 5 : 6,
        ...(now > 9 ? { ending: "promoted" as const } : {}),
      }),
    };
    expect(replayTrack(hiding, cell, 1).differences).toHaveLength(10);
  });
});

describe("scores", () => {
  const runs = (...endings: readonly [Ended["ending"], number][]): readonly Ended[] =>
    endings.map(([ending, minutes], index) => ({ ending, minutes, canaryRequests: 10 * (index + 1), harmed: index }));

  it("give Wilson's interval as its published examples do", () => {
    // Newcombe, Statistics in Medicine 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const rounded = (count: number, all: number) =>
      [wilson(count, all).low, wilson(count, all).high].map((bound) => Math.round(bound * 100) / 10_000);
    expect([rounded(81, 263), rounded(15, 148), rounded(0, 20), rounded(1, 29)]).toEqual([
      [0.2553, 0.3662],
      [0.0624, 0.1605],
      [0, 0.1611],
      [0.0061, 0.1718],
    ]);
  });

  it("take minutes over all runs, so that a miss counts as never", () => {
    const { rollbackMinutes, rolledBack, held, row } = score(
      count(
        "B",
        "a",
        "b",
        runs(["rolled-back", 3], ["rolled-back", 5], ["rolled-back", 9], ["held", 90], ["promoted", 11]),
      ),
    );
    expect(rollbackMinutes).toEqual({ median: 9 });
    expect([rolledBack.percent, held.percent, row.canaryRequests, row.harmed]).toEqual([60, 20, 20, 2]);
  });

  it("list what we lose by rule: beyond the intervals, and only to peers that let the healthy twin pass", () => {
    const cells = [cellOf({ name: "calm", truth: "good" }), cellOf({ name: "broken", fault: { failurePoints: 1 } })];
    const row = (cell: string, contestant: string, found: number, minute: number): Row => ({
      track: "B",
      cell,
      contestant,
      promoted: [[11, 100 - found]],
      rolledBack: found === 0 ? [] : [[minute, found]],
      held: 0,
      harmed: 100 - found,
    });
    const rows = [
      row("calm", "ours", 0, 1),
      row("broken", "ours", 60, 8),
      row("calm", "good peer", 2, 1),
      row("broken", "good peer", 99, 6),
      row("calm", "panic", 90, 1),
      row("broken", "panic", 100, 1),
      row("calm", "near", 0, 1),
      row("broken", "near", 62, 8),
    ];
    expect(losses(rows, cells, "ours").map(({ cell, what, peer }) => [cell, what, peer])).toEqual([
      ["broken", "wrong promotion", "good peer"],
      ["broken", "detection", "good peer"],
      ["broken", "spoiled responses", "good peer"],
      ["broken", "minutes to rollback", "good peer"],
    ]);
    expect(losses(rows, cells, "good peer")).toEqual([]);
  });
});

describe("the page", () => {
  it("and its plots name every contestant and every cell, and tell losses and deaths", () => {
    const cells = publishedCells().filter((_, index) => index % 8 === 0);
    const blunt: Contestant = { ...watcher(() => undefined, { weight: 0, ending: "rolled-back" }), name: "blunt" };
    const played = cells.map((cell) => contest([subject, blunt], cell, 1, 20, subject.name));
    const rows = played.flatMap((one) => one.rows);
    const text = page({ seed: 1, runs: 20, horizonMinutes, deaths: 7, differences: 0, rows }, cells, subject.name);
    for (const { name } of cells) expect(text).toContain(`| ${name} |`);
    expect(text).toContain("| blunt |");
    expect(text).toContain("7 deaths, 0 with another outcome");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    for (const [name, drawing] of plots(rows, cells, subject.name)) {
      expect(text).toContain(`plots/${name}.svg`);
      expect(drawing.match(/class="ours"/g)?.length).toBeGreaterThan(1);
      expect(drawing).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(played.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThan(0);
  });
});

describe("the command", () => {
  const command = (...options: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "..", "..", "bench", "judge", "main.ts"), ...options], {
      encoding: "utf8",
    });

  it("plays cells of one's own in workers, and gives the counts that they give when played here", {
    timeout: 120_000,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-cells-"));
    const file = join(folder, "cells.json");
    try {
      const text = JSON.stringify([
        { name: "half fail", truth: "bad", fault: { failurePoints: 50 } },
        { name: "busy", truth: "good", requestsPerMinute: 3_000 },
        { name: "hangs", truth: "bad", fault: { hangPercent: 30 } },
      ]);
      writeFileSync(file, text);
      const { stdout, stderr, status } = command(
        "--cells",
        file,
        "--runs",
        "15",
        "--seed",
        "40",
        "--contestants",
        subject.name,
        "--json",
      );
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([0, 3]);
      const { about, rows } = JSON.parse(stdout) as { readonly about: unknown; readonly rows: readonly Row[] };
      expect(about).toMatchObject({ seed: 40, runs: 15, horizonMinutes });
      expect(rows).toEqual(readCells(text).flatMap((cell) => contest([subject], cell, 40, 15).rows));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [["--contestants", "nobody"], 'Nobody is called "nobody"; there are'],
    [["--runs", "0"], "--runs is 0; it is a whole number, 1 or more."],
    [["--seed", "x"], "--seed is x; it is a whole number, 0 or more."],
  ])("refuses %j in a sentence", { timeout: 60_000 }, (options, why) => {
    const { stderr, status } = command(...options);
    expect(status).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain("    at ");
  });
});

describe("the guard", () => {
  const guarded = [
    "errors +1 pt",
    "errors +5 pt",
    "leak +0.2 pt a minute",
    "p99 ×1.5",
    "total hang",
    "nothing wrong",
    "nothing wrong, base 1.2 %",
    "shocks CV 1",
    "shared outage of 5 min",
    "cold start of 2 min",
  ];
  const cells = publishedCells().filter(({ name }) => guarded.includes(name));
  const runs = 250;
  const rowsOf = (contestant: Contestant, among = cells, many = runs) =>
    among.flatMap((cell) => contest([contestant], cell, 1, many).rows);

  it("has cells to guard", () => expect(cells.map(({ name }) => name)).toHaveLength(guarded.length));

  it("notices a judge that finds less than it did, and one that rolls healthy canaries back", () => {
    const few = cells.filter(({ name }) => ["errors +5 pt", "nothing wrong, base 1.2 %"].includes(name));
    const stored = rowsOf(subject, few, 60);
    const named = (name: string, ending: "promoted" | "rolled-back"): Contestant => ({
      ...watcher(() => undefined, { weight: 0, ending }),
      name,
    });
    expect(guard(stored, few, stored, 60)).toEqual([]);
    expect(guard(rowsOf(named(subject.name, "promoted"), few, 60), few, stored, 10)).toEqual(
      ["A", "B"].map(
        (track) =>
          `${subject.name}, track ${track}, errors +5 pt: 0.0 % of faults are found, and the stored table says 100.0 %.`,
      ),
    );
    expect(guard(rowsOf(named(subject.name, "rolled-back"), few, 60), few, stored, 10)).toEqual(
      ["A", "B"].map(
        (track) =>
          `${subject.name}, track ${track}, nothing wrong, base 1.2 %: 100.0 % of healthy canaries are rolled back, up to 100.0 % by the interval, and 10 % are allowed.`,
      ),
    );
    expect(guard(rowsOf(named("somebody else", "promoted"), few, 60), few, stored, 10)).toContain(
      "somebody else, track A, errors +5 pt: there is no stored row to compare with; npm run bench:judge writes them.",
    );
  });

  const judge = contestants.find(({ name }) => name === ours);
  it.runIf(judge !== undefined)(
    "finds our judge as good as the stored table, and its false rollbacks within its promise of 5 percent",
    { timeout: 300_000 },
    () => {
      const { rows: stored } = JSON.parse(
        readFileSync(join(import.meta.dirname, "..", "..", "bench", "judge", "results.json"), "utf8"),
      ) as { readonly rows: readonly Row[] };
      expect(guard(rowsOf(judge!), cells, stored, 5)).toEqual([]);
    },
  );
});
