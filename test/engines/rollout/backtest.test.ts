// Recorded rollouts judged by other thresholds: the verdicts equal those of a live dry run, and go no further than
// what was observed.
import { describe, expect, it } from "vitest";
import { backtest } from "../../../engines/rollout/judge/backtest.ts";
import { trafficOf } from "../../../engines/rollout/judge/power.ts";
import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { Thresholds } from "../../../engines/rollout/vocabulary.ts";
import { healthy, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios } from "../../support/worlds/scenario.ts";

const lenient: Thresholds = { ...defaultThresholds, oddsTolerated: 4, failurePointsMax: 8 };
/** Fails by the default thresholds, and is promoted by lenient ones. */
const worse: Scenario = {
  ...healthy,
  thresholds: lenient,
  canary: [{ fromMinutes: 0, failedPercent: 2, slowPercent: 0 }],
  stable: [{ fromMinutes: 0, failedPercent: 0.7, slowPercent: 0 }],
};

describe("a rollout judged again", () => {
  // A return to the revision before is not judged, so there is nothing to judge again.
  const untouched = scenarios().filter(
    ({ signals, before, returns }) => signals.length === 0 && before === "stable" && returns === undefined,
  );

  it.each(untouched)("by its own thresholds gets the same verdicts at the same moments: $name", async (scenario) => {
    const steps = backtest((await run(scenario)).journal, scenario.thresholds);
    for (const { decided, would } of steps) {
      if (decided?.verdict === "passed") expect(would).toEqual({ ...decided, verdict: "pass" });
      else if (
        decided?.message.includes("against canary, rolls back at") ||
        decided?.message.includes("above the ceiling")
      )
        expect(would).toEqual({ ...decided, verdict: "fail" });
      else expect(would?.verdict).not.toBe("fail");
    }
  });

  it("is covered by scenarios with every verdict", async () => {
    const runs = await Promise.all(
      untouched.map(async (scenario) => backtest((await run(scenario)).journal, scenario.thresholds)),
    );
    const verdicts = runs.flat().map(({ would }) => would?.verdict);
    expect([
      verdicts.filter((verdict) => verdict === "pass").length > 10,
      verdicts.filter((verdict) => verdict === "fail").length > 2,
      verdicts.includes("inconclusive"),
    ]).toEqual([true, true, true]);
  });

  it("by other thresholds gets the verdict that they gave in a live dry run", async () => {
    const live = (await run({ ...worse, dryRun: defaultThresholds })).journal.find(
      (event) => event.kind === "DryRunJudged" && event.verdict === "fail",
    );
    const { would } = backtest((await run(worse)).journal, defaultThresholds).find(
      (step) => step.would?.verdict === "fail",
    )!;
    expect(would).toEqual({ verdict: "fail", at: live?.at, message: live?.kind === "DryRunJudged" && live.message });
  });

  it("has no verdict after a rollback that was not decided, since that was never observed", async () => {
    const steps = backtest((await run(worse)).journal, defaultThresholds);
    expect(steps.map(({ percent, decided, would }) => [percent, decided?.verdict, would?.verdict])).toEqual([
      [10, "passed", "inconclusive"],
      [50, "passed", "fail"],
      [100, "passed", undefined],
    ]);
  });

  it("begins again with a second attempt", async () => {
    const steps = backtest(
      (await run({ ...sick, signals: [{ atMinutes: 50, signal: "retry", by: "ann", message: "once more" }] })).journal,
      defaultThresholds,
    );
    expect(steps.map(({ attempt, would }) => [attempt, would?.verdict])).toEqual([
      [1, "fail"],
      [2, "fail"],
    ]);
  });

  it("ignores the dry run that it had", async () => {
    const dryRun = { ...defaultThresholds, falseRollbackPercentMax: 0.1 };
    expect(backtest((await run({ ...worse, dryRun })).journal, defaultThresholds)).toEqual(
      backtest((await run(worse)).journal, defaultThresholds),
    );
  });
});

describe("the traffic learned from a journal", () => {
  it("is that of the service, with stable's failures only", async () => {
    const traffic = trafficOf((await run(worse)).journal)!;
    expect(traffic.requestsPerMinute).toBeCloseTo(1_200, -1);
    expect(traffic.failurePercent).toBeCloseTo(0.7, 1);
    expect(traffic.dispersion).toBe(1);
  });

  it("shows that failures come in bursts, if they do", async () => {
    const bursts = Array.from({ length: 40 }, (_, index) => ({
      fromMinutes: index * 3,
      failedPercent: index % 2 === 0 ? 0.2 : 1.2,
      slowPercent: 0,
    }));
    expect(
      trafficOf(
        (await run({ ...healthy, stable: bursts, strategy: { ...healthy.strategy, bakeSeconds: 1_200 } })).journal,
      )!.dispersion,
    ).toBeGreaterThan(3);
  });

  it("is undefined if no request was measured", async () =>
    expect(trafficOf((await run({ ...healthy, probesAnswered: 0 })).journal)).toBeUndefined());
});
