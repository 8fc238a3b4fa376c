// The gate: nothing passes it without a person's approval; the time at it does not count; and a canary that turns bad
// there is aborted.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { shareOf } from "../../../engines/rollout/weights.ts";
import { canary } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios } from "../../support/worlds/scenario.ts";

const opened = scenarios().find(({ name }) => name === "waits-at-the-gate-until-a-person-approves")!;
const gated = (changes: Partial<Scenario> = {}): Scenario => ({ ...opened, signals: [], ...changes });
const signal = (atMinutes: number, name: SignalName) => ({ atMinutes, signal: name, by: "ann", message: "because" });
const minutesTo = (journal: readonly RolloutEvent[], kind: RolloutEvent["kind"]): number =>
  (journal.findLast((event) => event.kind === kind)!.at - journal[0]!.at) / 60_000;

/** Gives the shifts that gave the canary a percentage or more without an approval in the same attempt. */
function unapprovedShifts(journal: readonly RolloutEvent[], beforePercent: number): readonly RolloutEvent[] {
  let isApproved = false;
  return journal.filter((event) => {
    if (event.kind === "Signalled" && event.signal === "retry") isApproved = false;
    if (event.kind === "Signalled" && ["approve", "promote"].includes(event.signal)) isApproved = true;
    return event.kind === "TrafficShifted" && (shareOf(event.weights, canary) ?? 0) >= beforePercent && !isApproved;
  });
}

describe("a gate", () => {
  test("gives no canary its percentage without a person's approval or promotion, whatever happens when", async () => {
    const signals = fc.array(
      fc.record({
        atMinutes: fc.double({ min: 0.1, max: 400, noNaN: true }),
        signal: fc.constantFrom<SignalName>("pause", "resume", "approve", "promote", "retry"),
      }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(
        signals,
        fc.constantFrom(50, 100),
        fc.constantFrom(0, 30),
        async (sent, beforePercent, failedPercent) => {
          const last = { atMinutes: 900, signal: "resume" as const };
          const { journal } = await run(
            gated({
              gate: { beforePercent, expiresSeconds: 3_600 },
              canary: [
                { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
                { fromMinutes: 60, failedPercent, slowPercent: 0 },
              ],
              signals: [...sent.toSorted((one, other) => one.atMinutes - other.atMinutes), last].map((each) => ({
                ...each,
                by: "ann",
                message: "because",
              })),
            }),
          );
          expect(unapprovedShifts(journal, beforePercent)).toEqual([]);
          expect(journal.findLast(({ kind }) => kind === "Finished")).toBeDefined();
          expect(replay(journal)).toBeUndefined();
        },
      ),
      { verbose: true, numRuns: 60 },
    );
  });

  test("does not keep a canary that turns bad meanwhile", async () => {
    const { journal, state } = await run(
      gated({
        canary: [
          { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
          { fromMinutes: 60, failedPercent: 30, slowPercent: 0 },
        ],
      }),
    );
    expect(state.ending?.message).toMatch(/^rolled back at 50 percent: canary fails/);
    expect(minutesTo(journal, "Finished")).toBeLessThan(70);
  });

  test("counts a pause neither towards its own time nor towards the rollout's", async () => {
    const { journal, state } = await run(
      gated({ signals: [signal(20, "pause"), signal(1_000, "resume"), signal(1_200, "approve")] }),
    );
    expect(state.ending?.result).toBe("promoted");
    expect(minutesTo(journal, "Finished")).toBeLessThan(1_220);
    expect((await run(gated({ signals: [signal(20, "pause"), signal(1_000, "resume")] }))).state.ending?.message).toBe(
      "rolled back at 50 percent: 100 percent was not approved within 4h",
    );
  });

  test("is passed by a person's promotion, and asks again after a retry", async () => {
    expect((await run(gated({ signals: [signal(20, "promote")] }))).state.ending?.result).toBe("promoted");
    const expired = gated({
      gate: { beforePercent: 100, expiresSeconds: 600 },
      signals: [signal(200, "retry"), signal(215, "approve")],
    });
    expect(
      (await run(expired)).journal
        .filter(({ kind }) => kind === "Finished")
        .map((event) => "result" in event && event.result),
    ).toEqual(["rolled-back", "promoted"]);
  });

  test("does not stop the first release of an app, which has no step before 100 percent", async () =>
    expect((await run(gated({ before: "nothing" }))).state.ending?.result).toBe("promoted"));

  test.each([
    [{ beforePercent: 5, expiresSeconds: 60 }, "beforePercent (5) must be above the first weight (5)"],
    [{ beforePercent: 101, expiresSeconds: 60 }, "beforePercent is 101"],
    [{ beforePercent: 100, expiresSeconds: 0 }, "expiresSeconds is 0"],
  ])("of %j makes the plan invalid", (gate, words) =>
    expect(checkIntent({ strategy: defaultStrategy, thresholds: defaultThresholds, gate }).join(" ")).toContain(words),
  );
});
