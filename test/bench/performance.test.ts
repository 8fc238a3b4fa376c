// The performance page: it shows exactly the figures of the results, and claims no goal that was
// missed. Also the benchmark's statistics, the lags of a journal, and the program variants whose
// previews are compared. No speed is asserted.
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { contenders } from "../../bench/performance/journal.ts";
import { lagsOf, type WrittenFact } from "../../bench/performance/lags.ts";
import { type Loaded, strategyOf } from "../../bench/performance/load.ts";
import { page } from "../../bench/performance/page.ts";
import { arms, type Preview } from "../../bench/performance/preview.ts";
import { fileOf, here, parts, type Results } from "../../bench/performance/results.ts";
import { percentile, ratios, spreadOf } from "../../bench/performance/statistics.ts";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";

const root = path.join(import.meta.dirname, "..", "..");
const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

/** Gives results in which everything takes `ours` milliseconds for us and `theirs` for the others. */
function resultsOf(ours: number, theirs: number, withEmmett = true, earlier?: number): Results {
  const appends = { ours: [ours], plain: [theirs], ...(withEmmett ? { emmett: [theirs] } : {}) };
  const preview = (all: number): readonly Preview[] => [{ all, before: all / 3, program: all / 2 }];
  const cell: Loaded = {
    rollouts: 1000,
    planes: 1,
    intervalSeconds: 30,
    seconds: 100,
    results: { promoted: 999, "rolled-back": 1 },
    lags: [ours, ours],
    planeSeconds: 50,
    databaseSeconds: 40,
    peakBytes: [300_000_000],
    transactions: 100_000,
    facts: 30_000,
    journalBytes: 15_000_000,
    passRows: 20_000,
    passBytes: 1_000_000,
    walBytes: 90_000_000,
    asked: { "GET app": 4000 },
  };
  return {
    preview: {
      ...here(),
      pulumiCli: "3.259.0",
      previews: {
        ours: preview(ours),
        whole: preview(theirs),
        translated: preview(theirs),
        unrefreshed: preview(ours),
      },
    },
    dropIn: {
      ...here(),
      pulumiCli: "3.259.0",
      previews: {
        ContainerApp: [{ milliseconds: theirs, processorSeconds: 1 }],
        CanaryApp: [{ milliseconds: theirs + ours, processorSeconds: 1.25 }],
        ...(earlier === undefined ? {} : { earlier: [{ milliseconds: earlier, processorSeconds: 2.5 }] }),
      },
    },
    journal: { ...here(), rounds: 1, appendsARound: 10, factBytes: 150, one: appends, eight: appends },
    load: { ...here(), postgres: "18.4", cells: [cell, { ...cell, planes: 2, peakBytes: [200_000_000, 200_000_000] }] },
  };
}

describe("the page", () => {
  it("is the page that the stored results give", () => {
    const results = JSON.parse(read("bench/performance/results.json")) as Results;
    expect(read("docs/evidence/performance.md")).toBe(page(results));
    expect(read("bench/performance/results.json")).toBe(fileOf(results));
    expect(Object.keys(results)).toEqual(parts);
  });

  it("shows each variant, store and cell that was measured, and no others", () => {
    const results = JSON.parse(read("bench/performance/results.json")) as Required<Results>;
    expect(Object.keys(results.preview.previews)).toEqual(arms);
    expect(contenders).toEqual(expect.arrayContaining(Object.keys(results.journal.one)));
    for (const { rollouts, planes, intervalSeconds } of results.load.cells)
      expect(page(results)).toContain(`| ${rollouts.toLocaleString("en")} | ${planes} | ${intervalSeconds} s |`);
    expect(page(resultsOf(1, 1))).toContain("Emmett's PostgreSQL store");
    expect(page(resultsOf(1, 1, false))).not.toContain("Emmett's PostgreSQL store");
    expect(page(resultsOf(1, 1, false)).match(/Emmett could not be installed/g)).toHaveLength(1);
  });

  it("says what a CanaryApp costs a preview, pair by pair", () => {
    const written = page(resultsOf(500, 1000));
    expect(written).toContain(
      "| `CanaryApp` | 1,500 (1,500 to 1,500) | 1.50 (1.50 to 1.50) | 1.25 (1.25 to 1.25) | 1.25 (1.25 to 1.25) |",
    );
    expect(written).toContain(
      "A preview of a `CanaryApp` takes 1.50 times as long as one of a plain app, and 1.25 times",
    );
    expect(written).not.toContain("Beside the");
    expect(page(resultsOf(500, 1000, true, 3000))).toContain(
      "it takes 0.50 (0.50 to 0.50)\ntimes as long and 0.50 (0.50 to 0.50) times the processor time",
    );
  });

  it("reports each goal as reached or not, by the figures", () => {
    const fast = page(resultsOf(1000, 4000));
    const slow = page(resultsOf(4000, 1000));
    expect([fast.match(/: reached/g)?.length, fast.match(/not reached/g)]).toEqual([5, null]);
    expect([slow.match(/: reached/g), slow.match(/: not reached/g)?.length]).toEqual([null, 5]);
  });

  it("reports the load that one control plane carried, or that it carried none", () => {
    expect(page(resultsOf(1000, 1000))).toContain(
      "One control plane carried the load of 2,000 rollouts at once at the default strategy",
    );
    expect(page(resultsOf(31_000, 1000))).toContain("No measured cell kept its lag within an interval");
    expect(page(resultsOf(1000, 1000))).toContain("999 promoted, 1 rolled-back");
  });

  it("has no undefined or infinite figures, whichever parts were measured", () => {
    for (const results of [resultsOf(1000, 4000), resultsOf(0.2, 0.1), {}, { load: resultsOf(1, 1).load! }])
      expect(page(results)).not.toMatch(/NaN|undefined|Infinity|\u2014/);
  });
});

describe("the benchmark", () => {
  it("computes median, quartiles and percentiles of samples, and ratios pair by pair", () => {
    expect(spreadOf([4, 1, 3, 2, 5])).toEqual({ median: 3, low: 2, high: 4 });
    expect(percentile([10, 20], 75)).toBe(17.5);
    expect(ratios([2, 20, 200], [1, 10, 100])).toEqual({ median: 2, low: 2, high: 2 });
  });

  it("uses a valid plan of the shape of the default one", () => {
    for (const interval of [5, 10, 30])
      expect(checkIntent({ strategy: strategyOf(interval), thresholds: defaultThresholds })).toEqual([]);
    expect(strategyOf(defaultStrategy.intervalSeconds).probeSeconds).toBe(defaultStrategy.probeSeconds);
  });

  it("measures each lag once, from the end of a wait to the observation after it", () => {
    const events = read("test/engines/rollout/journals/rollout-v1-aborted.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RolloutEvent);
    const written = (delay: number): readonly WrittenFact[] =>
      events.map((event) => ({ event, writtenAt: event.at + delay }));
    const prompt = lagsOf(written(0));
    const late = lagsOf(written(250));
    const waits = events.filter(({ kind }) => kind === "Waited").length;
    expect(prompt.lags.length).toBeGreaterThan(0);
    expect(prompt.lags.length).toBeLessThanOrEqual(waits);
    expect(late.lags).toEqual(prompt.lags.map((lag) => lag + 250));
    expect(prompt.result).toBe("rolled-back");
  });

  it("previews variants that differ only in the imports of azure-native or the line about stack traces", async () => {
    const { whole, translated } = (await import("../../bench/performance/preview-hook.mjs")) as Readonly<
      Record<"whole" | "translated", (text: string) => string>
    >;
    const own = read("index.ts").split("\n");
    const gone = own.filter((line) => line.includes("prepareStackTrace"));
    expect([gone.length, translated(own.join("\n"))]).toEqual([
      1,
      own.map((line) => (gone.includes(line) ? "" : line)).join("\n"),
    ]);
    const sources = ["index.ts", ...globSync("components/**/*.ts", { cwd: root })].map(read);
    expect(sources.filter((text) => text.includes("@pulumi/azure-native/")).length).toBeGreaterThan(5);
    for (const text of sources) {
      const lines = text.split("\n");
      const changed = whole(text).split("\n");
      expect(changed).toHaveLength(lines.length);
      for (const [index, line] of lines.entries())
        if (/^import \{.*@pulumi\/azure-native\//.test(line))
          expect(changed[index]).toMatch(/^import \w+ from "@pulumi\/azure-native"; const \{ .+ \} = /);
        else expect(changed[index]).toBe(line);
      // An import of types alone imports nothing.
      expect(whole(text).replaceAll(/^import type .*$/gm, "")).not.toContain("@pulumi/azure-native/");
    }
  });
});
