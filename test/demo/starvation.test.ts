// When the demo says that the machine was too busy to tell. The seconds and the failures are data here, so that the
// answer does not depend on this machine. What matters most: no failure of the app is ever put down to the machine.
import { describe, expect, test } from "vitest";
import { conclude } from "../../demo/conclude.ts";
import type { Row } from "../../demo/emulator.ts";
import { isUntold, type Process, partUnexplained, shareMissed, wasStarved } from "../../demo/starvation.ts";
import type { LoadFailure } from "../../emulator/load.ts";
import { type Usage, usageOf, wantedBetween } from "../../emulator/starvation.ts";

const start = 1_700_000_000_000;
/** A process that wants 600 ms of each of 100 seconds, and misses some of it in the seconds from 40 to 60. */
const missing = (milliseconds: number): Process =>
  Array.from({ length: 100 }, (_, index) => ({
    at: start + (index + 1) * 1000,
    wantedMilliseconds: 600,
    missedMilliseconds: index >= 40 && index < 60 ? milliseconds : 0,
  }));
const well = missing(0);
const starved = missing(450);
const failure = (second: number, more: Partial<LoadFailure> = {}): LoadFailure => ({
  kind: "failure",
  id: "a",
  at: start + second * 1000,
  status: null,
  revision: null,
  milliseconds: 10_000,
  timedOut: true,
  ...more,
});
const unhealthy = { status: 503, revision: "shop--1", milliseconds: 1, timedOut: false };
const rowOf = (details: string): readonly Row[] => [{ RequestId: "a", ResponseCodeDetails: details } as unknown as Row];
const isExcused = (failed: LoadFailure, processes: readonly Process[], details = ""): boolean => {
  const { outside, tooBusy } = partUnexplained([failed], rowOf(details), processes);
  expect(outside.length + tooBusy.length, "each failure is in one of the two").toBe(1);
  return tooBusy.length === 1;
};

describe("the CPU that a process wanted and missed", () => {
  const usage = (at: number, activeMilliseconds: number, cpuMilliseconds: number): Usage => ({
    at,
    activeMilliseconds,
    cpuMilliseconds,
  });
  test("is what it was active for without using the CPU", () =>
    expect(wantedBetween(usage(0, 100, 50), usage(1000, 900, 350))).toEqual({
      at: 1000,
      wantedMilliseconds: 800,
      missedMilliseconds: 500,
    }));
  test("is nothing for a process that is slow because of its own work", () =>
    expect(wantedBetween(usage(0, 0, 0), usage(1000, 1000, 1000)).missedMilliseconds).toBe(0));
  // Other systems do not count it.
  test.runIf(process.platform === "linux")("of another process is read as Linux counts it", () => {
    const { activeMilliseconds, cpuMilliseconds } = usageOf(process.ppid)!;
    expect(cpuMilliseconds).toBeGreaterThan(0);
    expect(activeMilliseconds).toBeGreaterThanOrEqual(cpuMilliseconds);
    expect(usageOf(2 ** 22 + 1), "no process has this id").toBeUndefined();
  });
  test("is never negative, also with several threads", () =>
    expect(wantedBetween(usage(0, 0, 0), usage(1000, 500, 1700)).missedMilliseconds).toBe(0));
});

describe("a process was starved", () => {
  test("in a time in which it missed a quarter of what it wanted", () => {
    expect(wasStarved([well, starved], start + 40_000, start + 60_000)).toBe(true);
    expect(shareMissed(starved, start + 40_000, start + 60_000)).toBeCloseTo(0.75);
  });
  test("not before, not after, and not in a time of which that is a small part", () => {
    expect(wasStarved([well, starved], start + 10_000, start + 40_000)).toBe(false);
    expect(wasStarved([well, starved], start + 60_000, start + 90_000)).toBe(false);
    expect(wasStarved([well, starved], start, start + 100_000)).toBe(false);
  });
  test("not if it wanted little, whatever share of that it missed", () =>
    expect(
      wasStarved([[{ at: start + 1000, wantedMilliseconds: 60, missedMilliseconds: 60 }]], start, start + 1000),
    ).toBe(false));
  test("not if nothing was measured", () => expect(wasStarved([[], []], start, start + 1000)).toBe(false));
});

describe("a failed request that no fault explains", () => {
  test("is undecided if it waited in vain while a process on its way was starved", () =>
    expect(isExcused(failure(45), [well, starved])).toBe(true));
  test("is undecided if a process was starved for a short part of its wait, or of the probes before it", () => {
    const hiccup = well.map((second, index) =>
      index === 45 || index === 46 ? { ...second, missedMilliseconds: 500 } : second,
    );
    expect(isExcused(failure(40), [hiccup])).toBe(true);
    expect(isExcused(failure(60, unhealthy), [hiccup], "no_healthy_upstream")).toBe(true);
    expect(isExcused(failure(50), [hiccup])).toBe(false);
    expect(isExcused(failure(90, unhealthy), [hiccup], "no_healthy_upstream")).toBe(false);
  });
  test("is a failure if it waited in vain while none was", () => {
    expect(isExcused(failure(45), [well, well])).toBe(false);
    expect(isExcused(failure(20), [well, starved])).toBe(false);
    expect(isExcused(failure(70), [well, starved])).toBe(false);
  });
  test("is undecided if the ingress had no replica that passed its probes, and they were starved", () => {
    expect(isExcused(failure(70, unhealthy), [starved], "no_healthy_upstream")).toBe(true);
    expect(isExcused(failure(70, unhealthy), [well], "no_healthy_upstream")).toBe(false);
    expect(isExcused(failure(39, unhealthy), [starved], "no_healthy_upstream")).toBe(false);
  });
  test.each([500, 502, 503, 429, 404])("is a failure if a replica answered %i, however starved", (status) =>
    expect(isExcused(failure(45, { status, timedOut: false, revision: "shop--1" }), [starved], "via_upstream")).toBe(
      false,
    ),
  );
  test("is a failure if its connection broke, however starved", () => {
    expect(isExcused(failure(45, { timedOut: false }), [starved])).toBe(false);
    expect(
      isExcused(failure(45, unhealthy), [starved], "upstream_reset_before_response_started{connection_termination}"),
    ).toBe(false);
  });
});

describe("remediations that ended otherwise than expected", () => {
  const repaired = { result: "repaired", reason: "verified" };
  const opened = { result: "person-called", reason: "circuit-open" };
  const unverified = { result: "person-called", reason: "not-verified" };
  const late = { result: "person-called", reason: "time-expired" };
  const undone = { result: "person-called", reason: "undo-failed" };
  test.each([
    { title: "whose rows did not arrive", ended: [unverified], expected: [repaired] },
    { title: "that ran out of time beside one that did not", ended: [late, repaired], expected: [repaired, repaired] },
  ])("are excused by a busy machine: one $title", ({ ended, expected }) =>
    expect(isUntold(ended, expected)).toBe(true),
  );
  test.each([
    { title: "a third action", ended: [repaired, repaired, repaired], expected: [repaired, repaired, opened] },
    { title: "an open circuit", ended: [repaired, opened], expected: [repaired, repaired] },
    { title: "an undo that failed", ended: [undone], expected: [repaired] },
    { title: "one more than expected", ended: [repaired, repaired], expected: [repaired] },
    { title: "one late, but another wrong", ended: [late, undone], expected: [repaired, repaired] },
    { title: "none that differs", ended: [repaired], expected: [repaired] },
  ])("are not excused, however busy the machine was: $title", ({ ended, expected }) =>
    expect(isUntold(ended, expected)).toBe(false),
  );
});

describe("the demo's end", () => {
  const end = (failed: readonly string[], undecided: readonly string[]) => {
    const lines: string[] = [];
    const timeline = {
      line: (text: string) => void lines.push(text),
      failed: () => failed,
      undecided: () => undecided,
      seconds: () => 181.2,
    };
    return [conclude(timeline, 48), lines.join("\n")];
  };
  test("is a success only if every check passed", () =>
    expect(end([], [])).toEqual([0, "everything happened as promised, in 181 s"]));
  test("is demo-machine-too-busy if a check is undecided", () =>
    expect(end([], ["it took 21 s"])).toEqual([
      1,
      expect.stringMatching(/demo-machine-too-busy[^]*it took 21 s[^]*missed 48 %/),
    ]));
  test("is a failure if a check failed, whatever else is undecided", () =>
    expect(end(["release 2 was rejected"], ["it took 21 s"])).toEqual([1, "failed checks: release 2 was rejected"]));
});
