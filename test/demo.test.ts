// The demo with drawn faults, whole: real engine, real processes, real load. Two seeds are fixed, one is fresh at each run and
// printed; a fresh one that fails is added to the fixed ones, with what it found.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draw, expectedResult, story, type Fault } from "../demo/draw.ts";
import { runChild } from "../toolchain/child.ts";

const fixedSeeds = [7, 42];
const freshSeed = Math.floor(Math.random() * 2 ** 32);

let folder: string;
beforeEach(() => { folder = mkdtempSync(path.join(tmpdir(), "ballast-demo-")); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

const demo = (...args: readonly string[]) => runChild(process.execPath, ["demo.ts", "--folder", path.join(folder, "ground"), "--out", path.join(folder, "demo.json"), ...args]);

interface Told { readonly release: number; readonly fault: Fault; readonly result: string; readonly canaryRequests: number; readonly canaryFailed: number; readonly stableFailed: number }

describe("a demo with drawn faults", () => {
  for (const seed of [...fixedSeeds, freshSeed]) {
    it(`comes out as the faults demand with seed ${seed}${seed === freshSeed ? ", a fresh one" : ""}`, { timeout: 400_000 }, async () => {
      process.stdout.write(`demo seed ${seed}\n`);
      const { code, output } = await demo("--exit", "--seed", String(seed));
      expect(code, output).toBe(0);
      const record = JSON.parse(readFileSync(path.join(folder, "demo.json"), "utf8")) as { releases: readonly Told[]; failedRequestsOutsideFaults: number; resumed: boolean; controlPlaneKilled: boolean; seed: number };
      expect(record).toMatchObject({ seed, failedRequestsOutsideFaults: 0, controlPlaneKilled: true, resumed: true });
      const drawn = record.releases.slice(0, -1);
      expect(drawn.map(({ release, result }) => [release, result])).toEqual(draw(seed).releases.map(({ release, fault }) => [release, expectedResult(fault)]));
      expect(record.releases.at(-1)).toMatchObject({ result: "equal", canaryRequests: 0 });
      for (const { result, canaryRequests, stableFailed } of drawn) {
        expect(stableFailed).toBe(0);
        if (result === "rejected") expect(canaryRequests).toBe(0);
        if (result === "promoted") expect(canaryRequests).toBeGreaterThan(0);
      }
      expect(existsSync(path.join(folder, "ground"))).toBe(false);
    });
  }
});

describe("what is drawn", () => {
  it("always has two bad releases and two good ones at least, a bad one last, and a kill in a good one", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 500; seed++) {
      const { releases, kill } = draw(seed);
      const good = releases.filter(({ fault }) => fault.kind === "none");
      expect(Math.min(good.length, releases.length - good.length)).toBeGreaterThanOrEqual(2);
      expect(releases.at(-1)!.fault.kind).not.toBe("none");
      expect(good.map(({ release }) => release)).toContain(kill.release);
      for (const { fault } of releases) kinds.add(fault.kind);
    }
    expect([...kinds].sort()).toEqual(["crash", "errors", "hang", "never-ready", "none", "slow"]);
  });

  it("is the same for the same seed", () => expect(draw(7)).toEqual(draw(7)));

  it("is the README's story without a seed", () => expect(story.releases.map(({ fault }) => expectedResult(fault))).toEqual(["promoted", "rolled-back", "promoted", "rejected"]));
});

describe("a demo that cannot start", () => {
  it("refuses a seed that is not a number with demo-seed-unclear", async () => {
    const { code, output } = await demo("--exit", "--seed", "lucky");
    expect([code, output]).toEqual([1, expect.stringContaining("demo-seed-unclear")]);
  });

  it("refuses to stand on the ground of another with demo-already-running", async () => {
    const first = new AbortController();
    let running = (): void => {};
    const up = new Promise<void>((resolve) => { running = resolve; });
    const ended = runChild(process.execPath, ["demo.ts", "--folder", path.join(folder, "ground"), "--out", path.join(folder, "demo.json")], { signal: first.signal, onLine: (line) => { if (line.includes("the stand-in cloud on")) running(); } });
    await up;
    const { code, output } = await demo("--exit");
    first.abort();
    expect([code, output]).toEqual([1, expect.stringContaining("demo-already-running")]);
    await ended;
    expect(existsSync(path.join(folder, "ground")), "an interrupted demo leaves nothing").toBe(false);
  }, 120_000);
});
