// What `npm test` says about its own time: in advance how long it takes, at its end which files took longest.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TestModule, TestSpecification } from "vitest/node";
import { expectedSeconds, readSeconds, secondsOf, slowestFirst } from "../support/repository/known-seconds.ts";
import TimingReporter from "../support/repository/timing-reporter.ts";

const root = join(import.meta.dirname, "..", "..");

test("every file with a known time exists", () =>
  expect(Object.keys(readSeconds()).filter((path) => !existsSync(join(root, path)))).toEqual([]));

test("the slowest file starts first, and one that nobody measured counts as short", () => {
  expect(slowestFirst(["new", "short", "long"], { short: 6, long: 60 })).toEqual(["long", "short", "new"]);
  expect(secondsOf("new", {})).toBeLessThan(5);
});

test("a run lasts until its last worker is free, and never shorter than its slowest file", () => {
  const seconds = { a: 30, b: 20, c: 10, d: 10 };
  expect(expectedSeconds(Object.keys(seconds), seconds, 1)).toBe(70);
  expect(expectedSeconds(Object.keys(seconds), seconds, 2)).toBe(40);
  expect(expectedSeconds(Object.keys(seconds), seconds, 9)).toBe(30);
});

const moduleOf = (path: string, duration: number): TestModule =>
  ({
    moduleId: join(root, path),
    diagnostic: () => ({
      environmentSetupDuration: 0,
      prepareDuration: 100,
      collectDuration: 400,
      setupDuration: 0,
      duration,
    }),
  }) as unknown as TestModule;
const printed = (modules: readonly TestModule[]): readonly string[] => {
  const lines: string[] = [];
  const reporter = new TimingReporter({ print: (line) => void lines.push(line) });
  reporter.onTestRunStart(modules.map(({ moduleId }) => ({ moduleId }) as TestSpecification));
  reporter.onTestRunEnd(modules, [], "passed");
  return lines;
};

test("a run of many files says at its start how long it takes, and at its end which ten files took longest", () => {
  const modules = Array.from({ length: 31 }, (_, index) => moduleOf(`file-${index}`, index * 1000));
  const [start, , ...files] = printed(modules);
  expect(start).toMatch(/^31 test files take about 2 min on two idle cores/);
  expect(files).toHaveLength(10);
  expect([files[0], files[9]]).toEqual(["    30.5  file-30", "    21.5  file-21"]);
});

test("a run of a few files prints neither", () => expect(printed([moduleOf("a", 1), moduleOf("b", 2)])).toEqual([]));
