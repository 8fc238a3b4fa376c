// The gate: nothing passes it without a person's approval; the time at it does not count; and a canary that turns bad
// there is aborted.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { OutsideWeights, RolloutEvent, SignalName } from "../../../engines/rollout/vocabulary.ts";
import { shareOf } from "../../../engines/rollout/weights.ts";
import { after } from "../../../engines/time.ts";
import { allToStable, canary, hear, stateIn } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios } from "../../support/worlds/scenario.ts";

const opened = scenarios().find(({ name }) => name === "waits-at-the-gate-until-a-person-approves")!;
const gated = (changes: Partial<Scenario> = {}): Scenario => ({ ...opened, signals: [], ...changes });
const signal = (atMinutes: number, name: SignalName, by = "ann", mayApprove = true) => ({
  atMinutes,
  signal: name,
  by,
  message: "because",
  mayApprove,
});
const refusals = (journal: readonly RolloutEvent[]) =>
  journal.flatMap((event) => (event.kind === "Disregarded" ? [event.what] : []));
const minutesTo = (journal: readonly RolloutEvent[], kind: RolloutEvent["kind"]): number =>
  (journal.findLast((event) => event.kind === kind)!.at - journal[0]!.at) / 60_000;

/** Gives the percentage that the canary gets by a fact; 0 if the fact is about something else. */
function given(event: RolloutEvent): number {
  if (event.kind === "TrafficShifted") return shareOf(event.weights, canary) ?? 0;
  return event.kind === "TrafficAdopted" || event.kind === "StepReached" ? event.percent : 0;
}

/**
 * Gives the facts by which the canary got a percentage or more without an approval in the same attempt, by a person
 * with the right to approve who neither asked for the release nor retried it.
 */
function unapproved(journal: readonly RolloutEvent[], beforePercent: number): readonly RolloutEvent[] {
  let isApproved = false;
  let askedBy = ["pulumi"];
  return journal.filter((event) => {
    if (event.kind === "Signalled" && event.signal === "retry") {
      isApproved = false;
      askedBy = ["pulumi", event.by];
    }
    if (event.kind === "Signalled" && ["approve", "promote"].includes(event.signal))
      isApproved ||= event.mayApprove === true && !askedBy.includes(event.by);
    return !isApproved && given(event) >= beforePercent;
  });
}

describe("a gate", () => {
  test("gives no canary its percentage without a person's approval or promotion, whatever happens when", async () => {
    const signals = fc.array(
      fc.record({
        atMinutes: fc.double({ min: 0.1, max: 400, noNaN: true }),
        signal: fc.constantFrom<SignalName>("pause", "resume", "approve", "promote", "retry"),
        by: fc.constantFrom("pulumi", "ann", "bob"),
        mayApprove: fc.constantFrom(true, false, undefined),
      }),
      { maxLength: 6 },
    );
    const others = fc.array(
      fc.record({
        atMinutes: fc.double({ min: 1, max: 300, noNaN: true }),
        canaryPercent: fc.integer({ min: 1, max: 100 }),
      }),
      { maxLength: 3 },
    );
    const outsideWeights = fc.constantFrom<OutsideWeights>("adopt", "restore");
    await fc.assert(
      fc.asyncProperty(
        signals,
        others,
        outsideWeights,
        fc.constantFrom(30, 50, 100),
        fc.constantFrom(0, 30),
        async (...drawn) => {
          const [sent, moves, onMove, beforePercent, failedPercent] = drawn;
          const last = { atMinutes: 900, signal: "resume" as const, by: "ann", mayApprove: undefined };
          const { journal } = await run(
            gated({
              gate: { beforePercent, expiresSeconds: 3_600 },
              canary: [
                { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
                { fromMinutes: 60, failedPercent, slowPercent: 0 },
              ],
              outsideWeights: onMove,
              others: moves.toSorted((one, other) => one.atMinutes - other.atMinutes),
              signals: [...sent.toSorted((one, other) => one.atMinutes - other.atMinutes), last].map(
                ({ mayApprove, ...each }) => ({
                  ...each,
                  message: "because",
                  ...(mayApprove === undefined ? {} : { mayApprove }),
                }),
              ),
            }),
          );
          expect(unapproved(journal, beforePercent)).toEqual([]);
          expect(journal.findLast(({ kind }) => kind === "Finished")).toBeDefined();
          expect(replay(journal)).toBeUndefined();
        },
      ),
      { verbose: true, numRuns: 30 },
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
      signals: [signal(200, "retry", "bob"), signal(215, "approve")],
    });
    expect(
      (await run(expired)).journal
        .filter(({ kind }) => kind === "Finished")
        .map((event) => "result" in event && event.result),
    ).toEqual(["rolled-back", "promoted"]);
  });

  test.each<SignalName>(["approve", "promote"])(
    "is not passed by %s from whoever asked, in any letter case",
    async (name) => {
      const { journal } = await run(gated({ signals: [signal(20, name, "Pulumi")] }));
      expect(refusals(journal)).toEqual([
        expect.stringContaining("Pulumi asked for this rollout, so another person must approve it"),
      ]);
      expect(unapproved(journal, 100)).toEqual([]);
    },
  );

  test.each<SignalName>(["approve", "promote"])("is not passed by %s from a person without the right", async (name) => {
    const { journal } = await run(gated({ signals: [signal(20, name, "ann", false)] }));
    expect(refusals(journal)).toEqual([expect.stringContaining("ann has no right to approve")]);
    expect(unapproved(journal, 100)).toEqual([]);
  });

  test("is passed by a promotion of any person once it is approved", async () => {
    const signals = [signal(20, "approve"), signal(20.5, "promote", "pulumi", false)];
    expect((await run(gated({ signals }))).state.ending?.reason).toBe("promoted-by-signal");
  });

  test("is passed by whoever asked if the release says so, but not without the right", async () => {
    const gate = { beforePercent: 100, expiresSeconds: 3_600, requesterMayApprove: true };
    expect((await run(gated({ gate, signals: [signal(20, "approve", "pulumi")] }))).state.ending?.result).toBe(
      "promoted",
    );
    expect((await run(gated({ gate, signals: [signal(20, "approve", "pulumi", false)] }))).state.ending?.reason).toBe(
      "not-approved",
    );
  });

  test("is not passed by the person who retried the release", async () => {
    const gate = { beforePercent: 100, expiresSeconds: 600 };
    const { journal } = await run(
      gated({ gate, signals: [signal(200, "retry", "bob"), signal(215, "approve", "bob")] }),
    );
    expect(refusals(journal)).toEqual(["bob asked for this rollout, so another person must approve it"]);
  });

  test("sets back the weights of another client that pass it, during a pause too", async () => {
    const { journal } = await run(
      gated({
        gate: { beforePercent: 50, expiresSeconds: 3_600 },
        signals: [signal(3, "pause"), signal(60, "abort")],
        others: [{ atMinutes: 5, canaryPercent: 80 }],
      }),
    );
    expect(journal.filter(({ kind }) => kind === "TrafficDrifted")).toHaveLength(1);
    expect(minutesTo(journal, "StepReached")).toBeLessThan(15);
  });

  test("is not passed for as long as a pause: setting back weights waits until maximumSeconds", async () => {
    const shifting = await stateIn("shifting");
    const { maximumSeconds } = shifting.intent!.strategy;
    const state = { ...shifting, step: 1, paused: true, pausedAt: shifting.now, beyondGate: true };
    const until = after(state.phaseAt, maximumSeconds);
    expect(rollout.react(state)).toMatchObject({ kind: "ShiftTraffic", overrideLock: false, waitsUntil: until });
    const lockedUntil = (at: number) =>
      hear(state, { kind: "Outcome", of: "ShiftTraffic", at, found: { ok: false, reason: "the app is locked" } });
    // Earlier it is tried again, although the pause has stopped the rollout's own time.
    expect(lockedUntil(after(until, -60)).ending).toBeUndefined();
    const ended = lockedUntil(until);
    expect(ended.ending).toMatchObject({ reason: "time-expired" });
    expect(rollout.react(ended)).toMatchObject({ kind: "ShiftTraffic", weights: allToStable, overrideLock: true });
  });

  test("lets a release adopt weights below it, and asks for an approval before the next step", async () => {
    const { journal, state } = await run(
      gated({
        outsideWeights: "adopt",
        gate: { beforePercent: 50, expiresSeconds: 3_600 },
        others: [{ atMinutes: 3, canaryPercent: 49 }],
      }),
    );
    expect(journal.some(({ kind }) => kind === "TrafficAdopted")).toBe(true);
    expect(state.ending?.message).toBe("rolled back at 49 percent: 50 percent was not approved within 1h");
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
