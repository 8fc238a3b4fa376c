// Properties of every rollout, whatever the world does. fast-check prints the seed of a failed property.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { stepRequestsMin } from "../../../engines/rollout/judge/judge.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutObservation, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { intentOf, perform, pureWorld, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, start } from "../../support/worlds/scenario.ts";

const behaviour = fc.record({
  fromMinutes: fc.constant(0),
  failedPercent: fc.integer({ min: 0, max: 60 }),
  slowPercent: fc.integer({ min: 0, max: 40 }),
});
const signal = fc.record({
  atMinutes: fc.double({ min: 0.1, max: 60, noNaN: true }),
  signal: fc.constantFrom<SignalName>("pause", "resume", "promote", "abort", "retry"),
  by: fc.constant("ann"),
  message: fc.constant("because"),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  name: fc.constant("drawn"),
  why: fc.constant(""),
  expected: fc.constant(""),
  thresholds: fc.constant(defaultThresholds),
  strategy: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 }).map((weights) => ({
    ...defaultStrategy,
    weights: weights.sort((a, b) => a - b),
    probeSeconds: 60,
    maximumSeconds: 7200,
  })),
  requestsPerMinute: fc.constantFrom(0, 20, 1200, 6000).map((value) => [{ fromMinutes: 0, value }]),
  canary: behaviour.map((one) => [one]),
  stable: behaviour.map((one) => [{ ...one, failedPercent: one.failedPercent / 20, slowPercent: one.slowPercent / 4 }]),
  before: fc.constantFrom("stable" as const, "stable" as const, "nothing" as const, "twin" as const),
  probesAnswered: fc.constantFrom(Number.POSITIVE_INFINITY, 0, 3, 12),
  // Only a person ends a pause, so the last signal is always a resume.
  signals: fc
    .array(signal, { maxLength: 4 })
    .map((signals) => [
      ...signals.sort((a, b) => a.atMinutes - b.atMinutes),
      { atMinutes: 61, signal: "resume" as const, by: "ann", message: "because" },
    ]),
});

/**
 * Runs a scenario in which the process dies at drawn points: before an effect, or after it and before its
 * outcome is written.
 */
function runWithCrashes(drawn: Scenario, crashes: readonly boolean[]): readonly RolloutEvent[] {
  const world = pureWorld(drawn);
  const journal: RolloutEvent[] = [];
  const hear = (observation: RolloutObservation) =>
    journal.push(...rollout.decide(fold(rollout, journal), observation));
  hear({ kind: "Request", at: start, intent: intentOf(drawn) });
  for (let pass = 0; pass < 5_000; pass++) {
    const effect = rollout.react(fold(rollout, journal));
    if (effect === undefined) return journal;
    const write = effect.kind === "ShiftTraffic" || effect.kind === "Deactivate" || effect.kind === "Activate";
    if (write && crashes[pass % crashes.length]) perform(drawn, world, effect); // its outcome is lost
    hear(perform(drawn, world, effect));
  }
  throw new Error("The rollout did not end.");
}

describe("every rollout", () => {
  it("ends in a named result, and its journal can be decided again", () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        const { journal, state } = run(drawn);
        expect(state.phase).toBe("finished");
        expect(["promoted", "rolled-back", "rejected", "unchanged"]).toContain(state.ending?.result);
        expect(replay(journal)).toBeUndefined();
        const unfinished = { ...state, phase: "baking" as const };
        expect(
          rollout.decide(unfinished, { kind: "Outcome", of: "Wait", at: state.now, found: { ok: true, value: null } })
            .length,
        ).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("writes only weights that add up to 100, and gives no traffic to a canary before its smoke test", () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        const { journal } = run(drawn);
        const proven = journal.findIndex(({ kind }) => kind === "SmokePassed");
        for (const [index, event] of journal.entries()) {
          if (event.kind !== "TrafficShifted") continue;
          expect(event.weights.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
          const canary = event.weights.find(({ revision }) => revision === "storefront--2");
          if (canary !== undefined) expect(index).toBeGreaterThan(proven);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves all traffic where the result says", () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        const { state, world } = run(drawn);
        const serving =
          state.ending?.result === "promoted" || state.stable === null ? "storefront--2" : "storefront--1";
        expect(world.weights).toEqual([{ revision: serving, percent: 100 }]);
        expect(world.active.has(serving)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("writes the same journal however often the process dies around its writes", () => {
    fc.assert(
      fc.property(
        scenario.map((drawn) => ({ ...drawn, signals: [] })),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        (drawn, crashes) => {
          expect(runWithCrashes(drawn, crashes)).toEqual(run(drawn).journal);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("passes no step with fewer than twenty judged requests to the canary, except by a person", () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        let requests = 0;
        for (const event of run(drawn).journal) {
          if (event.kind === "StepReached") requests = 0;
          if (event.kind === "Measured")
            requests += event.buckets.reduce((sum, { canary }) => sum + canary.requests, 0);
          if (event.kind === "StepPassed" && !/a person|first revision/.test(event.message))
            expect(requests).toBeGreaterThanOrEqual(stepRequestsMin);
        }
      }),
      { numRuns: 300 },
    );
  });
});
