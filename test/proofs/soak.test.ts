// The short form of the soak, and the trend by which it decides what is flat.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Measured, trendOf } from "../../proofs/soak/trend.ts";
import { runChild } from "../../toolchain/child.ts";

const megabyte = 1024 * 1024;
/** A process that keeps so much, measured once a minute for an hour. */
const anHour = (bytesAt: (minute: number) => number, handlesAt: (minute: number) => number = () => 40): Measured[] =>
  Array.from({ length: 60 }, (_, minute) => ({
    seconds: minute * 60,
    bytes: bytesAt(minute),
    handles: handlesAt(minute),
  }));

describe("what a process keeps", () => {
  it("is flat with noise and single peaks, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: megabyte }), { minLength: 60, maxLength: 60 }), (noise) => {
        const peaks = anHour((minute) => 50 * megabyte + noise[minute]! + (minute % 9 === 0 ? 30 * megabyte : 0));
        expect(trendOf(peaks, "bytes").isFlat).toBe(true);
      }),
    );
  });

  it("is not flat if it grows all the time, under the same noise", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: megabyte }), { minLength: 60, maxLength: 60 }), (noise) => {
        const leak = anHour((minute) => (50 + minute * 0.2) * megabyte + noise[minute]!);
        expect(trendOf(leak, "bytes").isFlat).toBe(false);
      }),
    );
  });

  it("may grow while the process warms up, and not later", () => {
    expect(
      trendOf(
        anHour((minute) => Math.min(minute, 12) * 5 * megabyte),
        "bytes",
      ).isFlat,
    ).toBe(true);
    expect(
      trendOf(
        anHour((minute) => Math.max(0, minute - 30) * megabyte + megabyte),
        "bytes",
      ).isFlat,
    ).toBe(false);
  });

  it("counts handles too, one by one", () => {
    const growing = anHour(
      () => megabyte,
      (minute) => 40 + Math.floor(minute / 6),
    );
    expect(trendOf(growing, "handles")).toMatchObject({ isFlat: false });
    expect(trendOf(growing, "bytes").isFlat).toBe(true);
  });

  it("is never flat when too little was measured", () => {
    expect(trendOf(anHour(() => megabyte).slice(0, 4), "bytes").isFlat).toBe(false);
    expect(trendOf([], "handles").isFlat).toBe(false);
  });
});

describe("the soak", () => {
  it("releases on one control plane, on two and under kills, measures all three, and every law holds", {
    timeout: 240_000,
  }, async () => {
    const { output } = await runChild(process.execPath, ["proofs/soak/main.ts", "--hours", "0.01", "--seed", "7"], {
      environment: { PATH: process.env["PATH"] },
    });
    // Half a minute is too short to say what is flat; whether each part was measured shows.
    for (const part of [
      "one control plane, plane 1",
      "two control planes, plane 2",
      "kills of the other plane, plane 2",
    ])
      expect(output).toMatch(new RegExp(`[✓✗] ${part}: MB kept [\\d.]+, grew by -?[\\d.]+ in \\d+ measurements`));
    expect(Number(/(\d+) {2}promoted/.exec(output)?.[1])).toBeGreaterThan(0);
    expect(Number(/(\d+) {2}kills/.exec(output)?.[1])).toBeGreaterThan(0);
    expect(Number(/(\d+) {2}facts followed/.exec(output)?.[1])).toBeGreaterThan(0);
    expect(output).not.toMatch(/✗ (?!.*(?:MB kept|handles))/);
  });
});
