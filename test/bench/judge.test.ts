// The contest of judges: its tracks, its scores and its page. The guard checks our judge on a fixed set of cells
// against the stored results of the last whole contest.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cell, publishedCells } from "../../bench/judge/cells.ts";
import { besideOthers, contest, guard } from "../../bench/judge/contest.ts";
import type { Contestant, Minute } from "../../bench/judge/contestant.ts";
import { contestants, ours } from "../../bench/judge/contestants.ts";
import { page, shortTable } from "../../bench/judge/page.ts";
import { plain } from "../../bench/judge/plain.ts";
import { plots } from "../../bench/judge/plot.ts";
import { count, losses, type Row, score, wilson } from "../../bench/judge/scores.ts";
import { type Ended, horizonMinutes, play, replayTrack } from "../../bench/judge/tracks.ts";
import { cellOf } from "./cell-of.ts";

const subject = plain as Contestant;

/** A contestant that makes the same move at every look, and reports what it is shown. */
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

  it("lets contestants set their weights in B, and fixes them in A", () => {
    const weights = (track: "A" | "B") =>
      shown(track, cellOf({})).looks.flatMap(({ arrived }) => arrived.map(({ weight }) => weight));
    expect(weights("B").slice(0, 4)).toEqual([0, 20, 20, 20]);
    expect(weights("A").slice(0, 13)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 50]);
  });

  it("looks once per minute until the horizon, at the minute that has just ended", () => {
    const { looks, ended } = shown("B", cellOf({}));
    expect(looks.map(({ now, arrived }) => [now, ...arrived.map(({ at }) => at)])).toEqual(
      Array.from({ length: horizonMinutes }, (_, now) => [now, now]),
    );
    expect(ended).toMatchObject({ ending: "unfinished", minutes: horizonMinutes - 1 });
  });

  it("loses minutes in a gap, delays late ones by two to five minutes out of order, and delivers some twice", () => {
    const arrivals = (telemetry: NonNullable<Cell["telemetry"]>) =>
      shown("A", cellOf({ telemetry })).looks.flatMap(({ now, arrived }) =>
        arrived.map(({ at }) => [at, now - at] as const),
      );
    expect(arrivals({ gap: { fromMinute: 2, untilMinute: 170 } })).toEqual(
      [0, 1, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179].map((at) => [at, 0]),
    );
    const late = arrivals({ lagMinutes: [2, 5] });
    expect(new Set(late.map(([, lag]) => lag))).toEqual(new Set([2, 3, 4, 5]));
    expect(late.some(([at], index) => at < (late[index - 1]?.[0] ?? 0))).toBe(true);
    const twice = arrivals({ twicePercent: 50 }).length;
    expect(twice).toBeGreaterThan(235);
    expect(twice).toBeLessThan(305);
  });

  it("ends hanging requests four minutes after the weight under which they began", () => {
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

  it("counts the responses that a promoted canary spoils afterwards, and those before a rollback", () => {
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

describe("a judge that is killed after every minute", () => {
  const cell = cellOf({ fault: { failurePoints: 1 } });

  it("decides as if it had not been killed if its state is plain data and a minute counts once", () => {
    const { deaths, differences } = [1, 2, 3, 4]
      .map((seed) => replayTrack(subject, cell, seed))
      .reduce((sum, one) => ({
        deaths: sum.deaths + one.deaths,
        differences: [...sum.differences, ...one.differences],
      }));
    expect(deaths).toBeGreaterThan(20);
    expect(differences).toEqual([]);
  });

  it("is detected if it counts minutes twice or keeps state that JSON loses", () => {
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
    // Its last two deaths come too late to change its ending.
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

  it("give Wilson's interval as in its published examples", () => {
    // Newcombe, Statistics in Medicine 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const rounded = (found: number, all: number) =>
      [wilson(found, all).low, wilson(found, all).high].map((bound) => Math.round(bound * 100) / 10_000);
    expect([rounded(81, 263), rounded(15, 148), rounded(0, 20), rounded(1, 29)]).toEqual([
      [0.2553, 0.3662],
      [0.0624, 0.1605],
      [0, 0.1611],
      [0.0061, 0.1718],
    ]);
  });

  it("take minutes over all runs, so that a miss counts as never", () => {
    const { rollbackMinutes, rolledBack, unfinished, row } = score(
      count(
        "B",
        "a",
        "b",
        runs(["rolled-back", 3], ["rolled-back", 5], ["rolled-back", 9], ["unfinished", 90], ["promoted", 11]),
      ),
    );
    expect(rollbackMinutes).toEqual({ median: 9 });
    expect([rolledBack.percent, unfinished.percent, row.canaryRequests, row.harmed]).toEqual([60, 20, 20, 2]);
  });

  it("list losses beyond the intervals, and only to peers that do not roll back the healthy twin", () => {
    const cells = [cellOf({ name: "calm", truth: "good" }), cellOf({ name: "broken", fault: { failurePoints: 1 } })];
    const row = (cell: string, contestant: string, found: number, minute: number): Row => ({
      track: "B",
      cell,
      contestant,
      promoted: [[11, 100 - found]],
      rolledBack: found === 0 ? [] : [[minute, found]],
      unfinished: 0,
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
  it("names every contestant, its plots and terminal tables name every cell, and it reports the deaths", () => {
    const cells = publishedCells().filter((_, index) => index % 8 === 0);
    const blunt: Contestant = { ...watcher(() => undefined, { weight: 0, ending: "rolled-back" }), name: "blunt" };
    const played = cells.map((cell) => contest([subject, blunt], cell, 1, 20, subject.name));
    const rows = played.flatMap((one) => one.rows);
    const results = {
      seed: 1,
      runs: 20,
      horizonMinutes,
      deaths: 7,
      differences: 0,
      rows,
      cost: { microseconds: 88, bytes: 4_321 },
    };
    const text = page(results, cells, subject.name);
    const inTerminal = shortTable(results, cells);
    for (const { name } of cells) expect(inTerminal).toContain(`| ${name} |`);
    expect(inTerminal).toContain("one bucket of 100,000 requests was judged in 88 µs");
    expect(inTerminal).toContain("The evidence of a rollout then had 4321 bytes");
    expect(text).toContain("| blunt |");
    expect(text).toContain("7 deaths, 0 with another outcome");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    const drawings = [...plots(rows, cells, subject.name)];
    for (const { name } of cells.filter(({ truth }) => truth !== "unknown"))
      expect(drawings.some(([, drawing]) => drawing.includes(`>${name}</text>`))).toBe(true);
    for (const [name, drawing] of drawings) {
      expect(text).toContain(`plots/${name}.svg`);
      expect(drawing.match(/class="ours"/g)?.length).toBeGreaterThan(1);
      expect(drawing).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(played.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThan(0);
  });
});

describe("the rows of a judge that plays alone", () => {
  const others = ["one peer", "another peer"].map((name) => ({ ...subject, name }));
  const old = { ...subject, name: "ours" };
  const cells = [cellOf({ name: "calm", truth: "good" }), cellOf({ name: "broken", fault: { failurePoints: 50 } })];
  const rowsOf = (judges: readonly Contestant[]) => cells.flatMap((cell) => contest(judges, cell, 3, 4).rows);

  it("stand beside those of an earlier contest as if all had played together", () =>
    expect(besideOthers(rowsOf([old]), rowsOf([old, ...others]))).toEqual(rowsOf([old, ...others])));

  it("are refused if the earlier contest had other cells", () =>
    expect(() => besideOthers(rowsOf([old]), contest(others, cells[0]!, 3, 4).rows)).toThrow(
      "The stored results have no row of A broken: play the whole contest.",
    ));
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

  it("finds all of its cells", () => expect(cells.map(({ name }) => name)).toHaveLength(guarded.length));

  it("detects a judge that detects less than before, and one that rolls back healthy canaries", () => {
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
          `${subject.name}, track ${track}, errors +5 pt: 0.0 % of faults are detected; the stored row says 100.0 %.`,
      ),
    );
    expect(guard(rowsOf(named(subject.name, "rolled-back"), few, 60), few, stored, 10)).toEqual(
      ["A", "B"].map(
        (track) =>
          `${subject.name}, track ${track}, nothing wrong, base 1.2 %: 100.0 % of healthy canaries are rolled back, ` +
          "up to 100.0 % by the interval; 10 % are allowed.",
      ),
    );
    expect(guard(rowsOf(named("another judge", "promoted"), few, 60), few, stored, 10)).toContain(
      "another judge, track A, errors +5 pt: no stored row to compare with; npm run bench:judge writes them.",
    );
  });

  const judge = contestants.find(({ name }) => name === ours);
  it("finds our judge as good as the stored results, and its false rollbacks within the promised 5 percent", {
    timeout: 300_000,
  }, () => {
    const { rows: stored } = JSON.parse(
      readFileSync(join(import.meta.dirname, "..", "..", "bench", "judge", "results.json"), "utf8"),
    ) as { readonly rows: readonly Row[] };
    expect(guard(rowsOf(judge!), cells, stored, 5)).toEqual([]);
  });
});
