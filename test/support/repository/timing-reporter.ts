// Says at the start of a run how long it takes, and at its end which ten files took longest. A run of few files is
// short and needs neither.
import type { Reporter, TestModule, TestRunEndReason, TestSpecification, Vitest } from "vitest/node";
import { expectedSeconds, pathOf, readSeconds, writeSeconds } from "./known-seconds.ts";

const shown = 10;

/** A reporter for vitest, beside its default one. */
export default class TimingReporter implements Reporter {
  private workers = 1;
  private readonly print: (line: string) => void;

  constructor({ print = (line: string) => void process.stdout.write(`${line}\n`) } = {}) {
    this.print = print;
  }

  onInit({ config }: Vitest): void {
    this.workers = config.maxWorkers;
  }

  onTestRunStart(files: readonly TestSpecification[]): void {
    if (files.length <= shown) return;
    const paths = files.map(({ moduleId }) => pathOf(moduleId));
    const minutes = Math.ceil(expectedSeconds(paths, readSeconds(), this.workers) / 60);
    this.print(`${files.length} test files take about ${minutes} min on two idle cores\n`);
  }

  onTestRunEnd(modules: readonly TestModule[], _errors: readonly unknown[], reason: TestRunEndReason): void {
    if (modules.length <= shown) return;
    const seconds = modules.map((module) => [pathOf(module.moduleId), secondsOf(module)] as const);
    const slowest = seconds.toSorted(([, one], [, other]) => other - one).slice(0, shown);
    this.print(`\nThe slowest ${shown} files, in seconds with their start:`);
    for (const [path, each] of slowest) this.print(`${each.toFixed(1).padStart(8)}  ${path}`);
    if (process.env["TIMES"] === "1" && reason === "passed") writeSeconds(Object.fromEntries(seconds));
  }
}

function secondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return (environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1000;
}
