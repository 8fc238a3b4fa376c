// What a command says on standard error while it works in silence: a line every ten seconds.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runAnalyze } from "../../cli/analyze/run-analyze.ts";
import { examineAloud } from "../../cli/doctor/doctor.ts";
import { ok } from "../../cli/doctor/finding.ts";
import { lookAfter } from "../../cli/still-running.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

describe("a command that works in silence", () => {
  test("says after ten seconds what it does and for how long, and not before", () => {
    let now = 5_000;
    const lines: string[] = [];
    const look = lookAfter(() => "reading", { now: () => now, write: (line) => lines.push(line) });
    for (const seconds of [1, 9.9, 10, 15, 20, 45]) {
      now = 5_000 + seconds * 1000;
      look();
    }
    expect(lines).toEqual([" … reading (10 s)", " … reading (20 s)", " … reading (45 s)"]);
  });

  test("names the checks of the doctor that still run, and falls silent at the end", async () => {
    vi.useFakeTimers();
    const lines: string[] = [];
    let finish = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const found = examineAloud(
      [
        { name: "quick", run: async () => ok("at once") },
        { name: "rows", run: () => slow.then(() => ok("late")) },
      ],
      undefined,
      { now: () => performance.now(), write: (line) => lines.push(line) },
    );
    await vi.advanceTimersByTimeAsync(25_000);
    finish();
    expect((await found).map(({ check, state }) => [check, state])).toEqual([
      ["quick", "ok"],
      ["rows", "ok"],
    ]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toEqual([" … checking rows (10 s)", " … checking rows (20 s)"]);
  });

  test("says so between the files and rules of an analysis, which leave no pause for a timer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-still-"));
    mkdirSync(join(folder, ".github", "workflows"), { recursive: true });
    writeFileSync(join(folder, ".github", "workflows", "ci.yml"), "on: push\njobs: {}\n");
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => {
      now += 1_000;
      return now;
    });
    const options = {
      scope: "all",
      depth: "standard",
      focus: "all",
      output: "full",
      format: "json",
      failOn: "high",
    } as const;
    await runAnalyze(folder, options, "1.0.0");
    expect(lines[0]).toMatch(/^ … analyzing .* \(\d+ s\)\n$/);
    expect(lines.length).toBeGreaterThan(2);
    rmSync(folder, { recursive: true, force: true });
  });
});
