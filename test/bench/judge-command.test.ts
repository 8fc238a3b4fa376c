// The command of the contest of judges: what it plays, how it goes on after it was killed, and the limits that its page
// checks.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCells } from "../../bench/judge/cells.ts";
import { contest } from "../../bench/judge/contest.ts";
import type { Contestant } from "../../bench/judge/contestant.ts";
import { ourPlan, ours } from "../../bench/judge/contestants.ts";
import { judgeLimits } from "../../bench/judge/limits.ts";
import { page } from "../../bench/judge/page.ts";
import { plain } from "../../bench/judge/plain.ts";
import type { Row } from "../../bench/judge/scores.ts";
import { horizonMinutes } from "../../bench/judge/tracks.ts";
import { cellOf } from "./cell-of.ts";

const subject = plain as Contestant;

describe("the limits", () => {
  const guarded = [
    cellOf({ name: "calm", truth: "good" }),
    cellOf({ name: "wanders", truth: "good", goal: { unlimited: true } }),
    cellOf({ name: "broken", goal: { foundPercentMin: 80, medianMinutesMax: 6 } }),
  ];
  const row = (cell: string, promoted: number, rolledBack: number, minute = 5): Row => ({
    track: "B",
    cell,
    contestant: "plan",
    promoted: [[20, promoted]],
    rolledBack: [[minute, rolledBack]],
    unfinished: 400 - promoted - rolledBack,
    harmed: 0,
  });
  const missed = (...rows: readonly Row[]) =>
    judgeLimits(rows, guarded, "plan").flatMap(({ cell, measure, isMet }) => (isMet ? [] : [`${cell}: ${measure}`]));

  it("are met up to two points beyond, by the upper end of the interval", () => {
    // Wilson's interval of 17 of 400 ends at 6.7 %, that of 20 of 400 at 7.6 %.
    expect(missed(row("calm", 383, 17), row("wanders", 0, 400), row("broken", 17, 383))).toEqual([]);
    expect(missed(row("calm", 380, 20), row("broken", 20, 380))).toEqual([
      "calm: false rollback",
      "broken: wrong promotion",
    ]);
    expect(missed(row("broken", 0, 300, 7))).toEqual(["broken: detection", "broken: median time to rollback"]);
  });

  it("say how many healthy canaries were not promoted in time, and stand on the page, the missed ones first", () => {
    const rows = [row("calm", 300, 20), row("broken", 20, 380, 9)].map((one) => ({ ...one, contestant: ourPlan }));
    const text = page({ seed: 1, runs: 400, horizonMinutes, deaths: 0, differences: 0, rows }, guarded, ours);
    const table = text.slice(text.indexOf("## What the default plan promises")).split("\n");
    const lines = table.filter((line) => /^\| (calm|broken)/.test(line)).slice(0, 4);
    expect(lines.map((line) => line.split(" | ").slice(0, 2).concat(line.split(" | ").slice(4)))).toEqual([
      ["| calm", "false rollback", "**missed**", "20.0 % (16.4 to 24.2) |"],
      ["| broken", "wrong promotion", "**missed**", " |"],
      ["| broken", "median time to rollback", "**missed**", " |"],
      ["| broken", "detection", "met", " |"],
    ]);
    expect(text).toContain("3 of 4 limits are missed");
  });
});

describe("the command", () => {
  const script = join(import.meta.dirname, "..", "..", "bench", "judge", "main.ts");
  const command = (...options: readonly string[]) =>
    spawnSync(process.execPath, [script, ...options], { encoding: "utf8" });
  const inFolder = async (work: (folder: string) => unknown): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-cells-"));
    try {
      await work(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const optionsFor = (folder: string, runs: string): readonly string[] => [
    ...["--cells", join(folder, "cells.json"), "--progress", join(folder, "progress.jsonl"), "--json"],
    ...["--runs", runs, "--seed", "40", "--contestant", subject.name],
  ];
  const rowsOf = (stdout: string) => JSON.parse(stdout) as { readonly about: unknown; readonly rows: readonly Row[] };

  it("plays a file of cells in workers, with the same counts as when played here", { timeout: 120_000 }, () =>
    inFolder((folder) => {
      const text = JSON.stringify([
        { name: "half fail", truth: "bad", fault: { failurePoints: 50 } },
        { name: "busy", truth: "good", requestsPerMinute: 3_000 },
        { name: "hangs", truth: "bad", fault: { hangPercent: 30 } },
      ]);
      writeFileSync(join(folder, "cells.json"), text);
      const { stdout, stderr, status } = command(...optionsFor(folder, "15"));
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([0, 3]);
      const { about, rows } = rowsOf(stdout);
      expect(about).toMatchObject({ seed: 40, runs: 15, horizonMinutes });
      expect(rows).toEqual(readCells(text).flatMap((cell) => contest([subject], cell, 40, 15).rows));
    }),
  );

  it(
    "goes on after it was killed, plays nothing twice, and prints the same as if it had not been",
    {
      timeout: 240_000,
    },
    () =>
      inFolder(async (folder) => {
        const cells = Array.from({ length: 6 }, (_, index) => ({
          name: `cell ${index}`,
          truth: "good",
          requestsPerMinute: 600 + index,
        }));
        writeFileSync(join(folder, "cells.json"), JSON.stringify(cells));
        const progress = join(folder, "progress.jsonl");
        const child = spawn(process.execPath, [script, ...optionsFor(folder, "100")], { stdio: "ignore" });
        const ended = new Promise((resolve) => child.once("exit", resolve));
        const deadline = Date.now() + 100_000;
        while (!existsSync(progress) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
        child.kill("SIGKILL");
        await ended;
        const kept = readFileSync(progress, "utf8").split("\n").filter(Boolean).length;
        expect(kept).toBeGreaterThan(0);
        // As if the process had been killed while it wrote the next line.
        writeFileSync(progress, '\n["cut', { flag: "a" });
        const { stdout, stderr } = command(...optionsFor(folder, "100"), "--resume");
        expect(stderr).toContain(`${kept} of 6 cells were played before.`);
        expect(stderr.match(/ of 6 cells, /g) ?? []).toHaveLength(6 - kept);
        const { rows } = rowsOf(stdout);
        expect(rows).toEqual(
          readCells(JSON.stringify(cells)).flatMap((cell) => contest([subject], cell, 40, 100).rows),
        );
        // Another number of runs is other work.
        expect(command(...optionsFor(folder, "3"), "--resume").stderr).not.toContain("were played before");
        // Without --resume everything is played again.
        expect(command(...optionsFor(folder, "100")).stderr).not.toContain("were played before");
      }),
  );

  it.each([
    [
      ["--contestant", "nobody"],
      'There is no contestant "nobody". The contestants are "ballast", "ballast, default plan",',
    ],
    [["--runs", "0"], "--runs is 0; it must be an integer, 1 or more."],
    [["--seed", "x"], "--seed is x; it must be an integer, 0 or more."],
  ])("refuses %j with a message", { timeout: 60_000 }, (options, why) => {
    const { stderr, status } = command(...options);
    expect(status).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain("    at ");
  });
});
