// Recorded rollouts judged by other limits: that the shadow says afterwards what it would have said live, and no more than was observed.
import { describe, expect, it } from "vitest";
import { inHindsight } from "../../../engines/rollout/judge/backtest.ts";
import { trafficOf } from "../../../engines/rollout/judge/power.ts";
import { defaultLimits } from "../../../engines/rollout/plan.ts";
import type { Limits } from "../../../engines/rollout/vocabulary.ts";
import { healthy, sick } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios } from "../../support/worlds/scenario.ts";

const lenient: Limits = { ...defaultLimits, oddsTolerated: 4, failurePointsMax: 4 };
/** Fails by the default limits, and is promoted by lenient ones. */
const worse: Scenario = {
  ...healthy,
  limits: lenient,
  canary: [{ fromMinutes: 0, failedPercent: 2, slowPercent: 0 }],
  stable: [{ fromMinutes: 0, failedPercent: 0.7, slowPercent: 0 }],
};

describe("a rollout judged again", () => {
  const untouched = scenarios().filter(({ signals, before }) => signals.length === 0 && before === "stable");

  it.each(untouched)("by its own limits says of each step what was decided, at the same moment: $name", (scenario) => {
    const steps = inHindsight(run(scenario).journal, scenario.limits);
    for (const { decided, would } of steps) {
      if (decided?.verdict === "passed") expect(would).toEqual({ ...decided, verdict: "pass" });
      else if (decided?.sentence.includes("against, limit") || decided?.sentence.includes("over the ceiling"))
        expect(would).toEqual({ ...decided, verdict: "fail" });
      else expect(would?.verdict).not.toBe("fail");
    }
  });

  it("is shown by enough scenarios to mean something", () => {
    const verdicts = untouched.flatMap((scenario) =>
      inHindsight(run(scenario).journal, scenario.limits).map(({ would }) => would?.verdict),
    );
    expect([
      verdicts.filter((verdict) => verdict === "pass").length > 10,
      verdicts.filter((verdict) => verdict === "fail").length > 2,
      verdicts.includes("inconclusive"),
    ]).toEqual([true, true, true]);
  });

  it("by other limits says what the same limits said in its shadow, when it was live", () => {
    const live = run({ ...worse, shadow: defaultLimits }).journal.find(
      (event) => event.kind === "ShadowJudged" && event.verdict === "fail",
    );
    const { would } = inHindsight(run(worse).journal, defaultLimits).find((step) => step.would?.verdict === "fail")!;
    expect(would).toEqual({ verdict: "fail", at: live?.at, sentence: live?.kind === "ShadowJudged" && live.sentence });
  });

  it("says nothing of what comes after a rollback that was not decided, since nobody observed it", () => {
    const steps = inHindsight(run(worse).journal, defaultLimits);
    expect(steps.map(({ percent, decided, would }) => [percent, decided?.verdict, would?.verdict])).toEqual([
      [10, "passed", "inconclusive"],
      [50, "passed", "fail"],
      [100, "passed", undefined],
    ]);
  });

  it("begins anew with a second attempt", () => {
    const steps = inHindsight(
      run({ ...sick, signals: [{ atMinutes: 50, signal: "retry", by: "ann", reason: "once more" }] }).journal,
      defaultLimits,
    );
    expect(steps.map(({ attempt, would }) => [attempt, would?.verdict])).toEqual([
      [1, "fail"],
      [2, "fail"],
    ]);
  });

  it("leaves aside the shadow that it had", () => {
    const shadow = { ...defaultLimits, falseRollbackPercentMax: 0.1 };
    expect(inHindsight(run({ ...worse, shadow }).journal, defaultLimits)).toEqual(
      inHindsight(run(worse).journal, defaultLimits),
    );
  });
});

describe("what a journal tells of its service", () => {
  it("is its traffic and its usual failures, canary's failures aside", () => {
    const traffic = trafficOf(run(worse).journal)!;
    expect(traffic.requestsPerMinute).toBeCloseTo(1_200, -1);
    expect(traffic.failurePercent).toBeCloseTo(0.7, 1);
    expect(traffic.dispersion).toBe(1);
  });

  it("is that failures come in bursts, where they do", () => {
    const bursts = Array.from({ length: 40 }, (_, index) => ({
      fromMinutes: index * 3,
      failedPercent: index % 2 === 0 ? 0.2 : 1.2,
      slowPercent: 0,
    }));
    expect(
      trafficOf(run({ ...healthy, stable: bursts, pace: { ...healthy.pace, bakeSeconds: 1_200 } }).journal)!.dispersion,
    ).toBeGreaterThan(3);
  });

  it("is nothing where no request was measured", () =>
    expect(trafficOf(run({ ...healthy, probesAnswered: 0 }).journal)).toBeUndefined());
});
