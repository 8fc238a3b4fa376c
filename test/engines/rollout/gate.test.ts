// The gate: nobody gets past it but by a person's yes, whatever else happens; a person's time is not the rollout's; and a canary that goes bad
// meanwhile is not waited for. How it looks in a journal is in the scenarios.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkIntent, defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios } from "../../support/worlds/scenario.ts";

const opened = scenarios().find(({ name }) => name === "waits-at-the-gate-until-a-person-approves")!;
const gated = (changes: Partial<Scenario> = {}): Scenario => ({ ...opened, signals: [], ...changes });
const signal = (atMinutes: number, name: SignalName) => ({ atMinutes, signal: name, by: "ann", reason: "because" });
const minutesTo = (journal: readonly RolloutEvent[], kind: RolloutEvent["kind"]): number =>
  (journal.findLast((event) => event.kind === kind)!.at - journal[0]!.at) / 60_000;

describe("a gate", () => {
  test("lets no canary have its percentage without a person's approval or promotion, whatever comes when", () => {
    const signals = fc.array(
      fc.record({
        atMinutes: fc.double({ min: 0.1, max: 400, noNaN: true }),
        signal: fc.constantFrom<SignalName>("pause", "resume", "approve", "promote", "retry"),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(signals, fc.constantFrom(50, 100), fc.constantFrom(0, 30), (sent, beforePercent, failedPercent) => {
        const last = { atMinutes: 900, signal: "resume" as const };
        const { journal } = run(
          gated({
            gate: { beforePercent, expiresSeconds: 3_600 },
            canary: [
              { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
              { fromMinutes: 60, failedPercent, slowPercent: 0 },
            ],
            signals: [...sent.toSorted((one, other) => one.atMinutes - other.atMinutes), last].map((each) => ({
              ...each,
              by: "ann",
              reason: "because",
            })),
          }),
        );
        let saidYes = false;
        for (const event of journal) {
          if (event.kind === "Signalled")
            saidYes =
              event.signal === "retry" ? false : saidYes || event.signal === "approve" || event.signal === "promote";
          if (event.kind === "TrafficShifted")
            for (const { revision, percent } of event.weights)
              if (revision === "storefront--2" && percent >= beforePercent) expect(saidYes).toBe(true);
        }
        expect(journal.findLast(({ kind }) => kind === "Finished")).toBeDefined();
        expect(replay(journal)).toBeUndefined();
      }),
      { verbose: true, numRuns: 60 },
    );
  });

  test("waits for no canary that goes bad meanwhile", () => {
    const { journal, state } = run(
      gated({
        canary: [
          { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
          { fromMinutes: 60, failedPercent: 30, slowPercent: 0 },
        ],
      }),
    );
    expect(state.ending?.sentence).toMatch(/^rolled back at 50 percent: canary fails/);
    expect(minutesTo(journal, "Finished")).toBeLessThan(70);
  });

  test("does not count a pause, neither towards its own time nor towards the rollout's", () => {
    const { journal, state } = run(
      gated({ signals: [signal(20, "pause"), signal(1_000, "resume"), signal(1_200, "approve")] }),
    );
    expect(state.ending?.result).toBe("promoted");
    expect(minutesTo(journal, "Finished")).toBeLessThan(1_220);
    expect(run(gated({ signals: [signal(20, "pause"), signal(1_000, "resume")] })).state.ending?.sentence).toBe(
      "rolled back at 50 percent: nobody approved 100 percent in 4h",
    );
  });

  test("is passed by a person's promotion, and asks anew at a retry", () => {
    expect(run(gated({ signals: [signal(20, "promote")] })).state.ending?.result).toBe("promoted");
    const expired = gated({
      gate: { beforePercent: 100, expiresSeconds: 600 },
      signals: [signal(200, "retry"), signal(215, "approve")],
    });
    expect(
      run(expired)
        .journal.filter(({ kind }) => kind === "Finished")
        .map((event) => "result" in event && event.result),
    ).toEqual(["rolled-back", "promoted"]);
  });

  test("is not in the way of an app's first release, which has no step before it", () =>
    expect(run(gated({ before: "nothing" })).state.ending?.result).toBe("promoted"));

  test.each([
    [{ beforePercent: 5, expiresSeconds: 60 }, "beforePercent, 5, is not above the first weight, 5"],
    [{ beforePercent: 101, expiresSeconds: 60 }, "beforePercent is 101"],
    [{ beforePercent: 100, expiresSeconds: 0 }, "expiresSeconds is 0"],
  ])("of %j is refused with the plan", (gate, words) =>
    expect(checkIntent({ pace: defaultPace, limits: defaultLimits, gate }).join(" ")).toContain(words),
  );
});
