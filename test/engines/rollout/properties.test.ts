// Properties of every rollout, whatever the world does. fast-check prints the seed of a failed property.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepRequestsMin } from "../../../engines/rollout/judge/judge.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { run, write } from "../../support/worlds/pure-world.ts";
import type { Scenario } from "../../support/worlds/scenario.ts";

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
 * Runs a scenario in which the outcomes of drawn writes are lost: each is sent, and then sent again by the shipped
 * loop, as after a death between a write and its record.
 */
async function runWithLostOutcomes(drawn: Scenario, lost: readonly boolean[]): Promise<readonly RolloutEvent[]> {
  let passes = 0;
  const { journal } = await run(drawn, (effect, world) => {
    const isWrite = effect.kind === "ShiftTraffic" || effect.kind === "Deactivate" || effect.kind === "Activate";
    if (isWrite && lost[passes % lost.length]) write(world, effect);
    passes++;
    return undefined;
  });
  return journal;
}

describe("every rollout", () => {
  it("ends in a named result, and its journal can be decided again", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (drawn) => {
        const { journal, state } = await run(drawn);
        expect(state.phase).toBe("finished");
        expect(["promoted", "rolled-back", "rejected", "unchanged"]).toContain(state.ending?.result);
        expect(replay(journal)).toBeUndefined();
        const unfinished = { ...state, phase: "baking" as const };
        expect(
          rollout.decide(unfinished, { kind: "Outcome", of: "Wait", at: state.now, found: { ok: true, value: null } })
            .length,
        ).toBeGreaterThan(0);
      }),
      { numRuns: 120 },
    );
  });

  it("writes only weights that add up to 100, and gives no traffic to a canary before its smoke test", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (drawn) => {
        const { journal } = await run(drawn);
        const proven = journal.findIndex(({ kind }) => kind === "SmokePassed");
        for (const [index, event] of journal.entries()) {
          if (event.kind !== "TrafficShifted") continue;
          expect(event.weights.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
          const canary = event.weights.find(({ revision }) => revision === "storefront--2");
          if (canary !== undefined) expect(index).toBeGreaterThan(proven);
        }
      }),
      { numRuns: 120 },
    );
  });

  it("leaves all traffic where the result says", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (drawn) => {
        const { state, world } = await run(drawn);
        const serving =
          state.ending?.result === "promoted" || state.stable === null ? "storefront--2" : "storefront--1";
        expect(world.weights).toEqual([{ revision: serving, percent: 100 }]);
        expect(world.active.has(serving)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  it("writes the same journal however often a write is sent again because its outcome was lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        scenario.map((drawn) => ({ ...drawn, signals: [] })),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        async (drawn, lost) => {
          expect(await runWithLostOutcomes(drawn, lost)).toEqual((await run(drawn)).journal);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("passes no step with fewer than twenty judged requests to the canary, except by a person", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (drawn) => {
        let requests = 0;
        for (const event of (await run(drawn)).journal) {
          if (event.kind === "StepReached") requests = 0;
          if (event.kind === "Measured")
            requests += event.buckets.reduce((sum, { canary }) => sum + canary.requests, 0);
          if (event.kind === "StepPassed" && !/a person|no other revision/.test(event.message))
            expect(requests).toBeGreaterThanOrEqual(stepRequestsMin);
        }
      }),
      { numRuns: 120 },
    );
  });
});
