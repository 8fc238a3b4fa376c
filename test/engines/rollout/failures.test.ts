// What the rollout engine comes to when effects fail, answers come late, and people meddle: the pure world, with somebody
// standing between the engine and it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkIntent, defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutObservation, RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import {
  allToStable,
  canary,
  healthy,
  kinds,
  move,
  reverts,
  sick,
  signal,
  stable,
  stateIn,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, intentOf, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, start } from "../../support/worlds/scenario.ts";

describe("effects that fail", () => {
  it("a shift that fails four times is tried a fifth time, with longer pauses, and the rollout goes on", () => {
    const meddle = times(
      4,
      ({ kind }) => kind === "ShiftTraffic",
      (effect, world) => failing(effect, world),
    );
    const { journal, state } = run(healthy, meddle);
    expect(state.ending?.result).toBe("promoted");
    const at = journal.filter(({ kind }) => kind === "AttemptFailed").map((event) => (event.at - start) / 1000);
    expect(at).toEqual([0, 1, 3, 7]);
  });

  it("a shift that fails five times ends in a rollback, not in another try", () => {
    const { journal, state, world } = run(healthy, (effect, world) =>
      effect.kind === "ShiftTraffic" && !reverts(effect.weights) ? failing(effect, world) : undefined,
    );
    expect(kinds(journal).filter((kind) => kind === "AttemptFailed")).toHaveLength(5);
    expect([state.ending?.result, world.weights]).toEqual(["rolled-back", allToStable]);
  });

  it("traffic that cannot be given back is tried for longer than half an hour and then stranded, by name", () => {
    const { journal, state } = run(sick, (effect, world) =>
      effect.kind === "ShiftTraffic" && reverts(effect.weights) ? failing(effect, world) : undefined,
    );
    expect(state.ending).toEqual({
      result: "stranded",
      sentence: expect.stringMatching(/^stranded: canary fails .* 503 out of order$/),
    });
    expect(kinds(journal).filter((kind) => kind === "AttemptFailed")).toHaveLength(60);
    const first = journal.find(({ kind }) => kind === "AttemptFailed")!;
    expect(journal.at(-1)!.at - first.at).toBeGreaterThan(25 * 60_000);
  });

  it("a retry after a stranded rollback at 100 percent knows who served before, and does not take the bad canary for a first release", () => {
    const late: Scenario = {
      ...healthy,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 13, failedPercent: 40, slowPercent: 0 },
      ],
      signals: [{ atMinutes: 120, signal: "retry", by: "ann", reason: "Azure is back" }],
    };
    const { journal, state, world } = run(late, (effect, world) =>
      effect.kind === "ShiftTraffic" && reverts(effect.weights) && world.now < after(start, 119 * 60)
        ? failing(effect, world)
        : undefined,
    );
    expect(
      journal.filter(({ kind }) => kind === "Finished").map((event) => event.kind === "Finished" && event.result),
    ).toEqual(["stranded", "rolled-back"]);
    expect([state.stable, world.weights]).toEqual([stable, allToStable]);
  });

  it("a retry whose smoke test fails gives back what a stranded attempt left to the canary", () => {
    const retried: Scenario = {
      ...sick,
      probesAnswered: 3,
      signals: [{ atMinutes: 120, signal: "retry", by: "ann", reason: "again" }],
    };
    const { state, world } = run(retried, (effect, world) =>
      effect.kind === "ShiftTraffic" && reverts(effect.weights) && world.now < after(start, 119 * 60)
        ? failing(effect, world)
        : undefined,
    );
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("a revision that cannot be taken away does not keep a rollout from its end, and the end says so", () => {
    const { state, world } = run(healthy, (effect, world) =>
      effect.kind === "Deactivate" ? failing(effect, world) : undefined,
    );
    expect(state.ending).toEqual({
      result: "promoted",
      sentence: expect.stringContaining("could not be taken away and is still active"),
    });
    expect(world.weights).toEqual([{ revision: canary, percent: 100 }]);
  });

  it("comes to a named end with all traffic at one place, whatever fails how often", () => {
    const effects = ["Inspect", "Activate", "Probe", "ShiftTraffic", "VerifyTraffic", "Measure", "Deactivate"] as const;
    const failures = fc.array(
      fc.record({
        kind: fc.constantFrom(...effects),
        from: fc.integer({ min: 0, max: 30 }),
        times: fc.integer({ min: 1, max: 12 }),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(failures, fc.boolean(), (drawn, bad) => {
        const seen = new Map<string, number>();
        const { journal, state, world } = run(bad ? sick : healthy, (effect, world) => {
          const count = (seen.get(effect.kind) ?? 0) + 1;
          seen.set(effect.kind, count);
          return drawn.some(
            ({ kind, from, times: most }) => kind === effect.kind && count > from && count <= from + most,
          )
            ? failing(effect, world)
            : undefined;
        });
        expect(state.phase).toBe("finished");
        expect(world.weights).toEqual([
          { revision: state.ending?.result === "promoted" ? canary : stable, percent: 100 },
        ]);
        if (bad) expect(state.ending?.result).not.toBe("promoted");
        expect(replay(journal)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe("weights that others move", () => {
  it("a step that was undone just after it was set is set again", () => {
    const meddle = times(
      2,
      ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "verifying",
      move(allToStable),
    );
    const { journal, state } = run(healthy, meddle);
    expect(kinds(journal).filter((kind) => kind === "TrafficDrifted")).toHaveLength(2);
    expect(state.ending?.result).toBe("promoted");
  });

  it("a quarrel about the weights ends in a rollback after five rounds", () => {
    const { state, world } = run(healthy, (effect, world, { phase }) =>
      effect.kind === "VerifyTraffic" && phase === "verifying"
        ? move([{ revision: canary, percent: 100 }])(effect, world, {} as RolloutState)
        : undefined,
    );
    expect(state.ending).toEqual({
      result: "rolled-back",
      sentence: expect.stringContaining("does not stay where it was put"),
    });
    expect(world.weights).toEqual(allToStable);
  });

  it("a canary that lost its traffic in the middle of the last bake is not promoted at 0 percent", () => {
    const meddle = times(
      1,
      ({ kind }, { phase, step, evidence }) =>
        kind === "Probe" && phase === "baking" && step === 2 && evidence.canary.requests > 2000,
      move(allToStable),
    );
    const { journal, state, world } = run(healthy, meddle);
    expect(meddle.count).toBe(1);
    expect(kinds(journal)).toContain("TrafficDrifted");
    expect([state.ending?.result, world.weights]).toEqual(["promoted", [{ revision: canary, percent: 100 }]]);
  });

  it("a canary that was given traffic again after its rollback loses it again before it is taken away", () => {
    const meddle = times(
      1,
      ({ kind }, { ending }) => kind === "Deactivate" && ending?.result === "rolled-back",
      (effect, world) => {
        world.weights = [
          { revision: stable, percent: 50 },
          { revision: canary, percent: 50 },
        ];
        return failing(effect, world, "revision storefront--2 still has 50 percent of the traffic");
      },
    );
    const { state, world } = run(sick, meddle);
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("a canary that was given everything by hand is still judged against what is up beside it", () => {
    const { journal } = run(
      sick,
      times(1, ({ kind }) => kind === "Inspect", move([{ revision: canary, percent: 100 }])),
    );
    expect(journal.find(({ kind }) => kind === "Started")).toMatchObject({ stable });
    expect(kinds(journal)).toContain("Aborted");
  });

  it("while somebody holds the app a rollback is written at once and looked at again when the hold is over", () => {
    const until = after(start, 10 * 60);
    const { journal, world } = run(sick, (effect, world) =>
      effect.kind === "VerifyTraffic" && world.now < until
        ? {
            kind: "Outcome",
            of: "VerifyTraffic",
            at: world.now,
            found: { ok: true, value: { weights: world.weights, heldUntil: until } },
          }
        : undefined,
    );
    const shifted = journal.findLast(({ kind }) => kind === "TrafficShifted")!;
    const reverted = journal.find(({ kind }) => kind === "Reverted")!;
    expect([shifted.at < until, reverted.at >= until, world.weights]).toEqual([true, true, allToStable]);
  });
});

describe("signals and answers at odd moments", () => {
  const hear = (state: RolloutState, observation: RolloutObservation) =>
    rollout.decide(state, observation).reduce(rollout.evolve, state);

  for (const phase of ["shifting", "verifying", "baking"] as const) {
    it(`an abort while ${phase} gives the traffic back, since a shift may have landed, and waits for nobody's hold`, () => {
      const state = stateIn(phase);
      const aborted = hear(state, signal("abort", state.now));
      expect([aborted.phase, aborted.ending?.result]).toEqual(["reverting", "rolled-back"]);
      expect(rollout.react(aborted)).toMatchObject({ kind: "ShiftTraffic", weights: allToStable, overrideHold: true });
    });
  }

  it("a step asks for its shift in a way that waits for holds", () =>
    expect(rollout.react(stateIn("shifting"))).toMatchObject({ kind: "ShiftTraffic", overrideHold: false }));

  it("the outcome of a step's shift that comes after an abort is kept, and does not count as the rollback", () => {
    const state = stateIn("shifting");
    const aborted = hear(state, signal("abort", state.now));
    const landed = hear(aborted, {
      kind: "Outcome",
      of: "ShiftTraffic",
      at: state.now,
      found: {
        ok: true,
        value: {
          weights: [
            { revision: stable, percent: 90 },
            { revision: canary, percent: 10 },
          ],
        },
      },
    });
    expect(landed.phase).toBe("reverting");
  });

  for (const phase of ["inspecting", "smoking"] as const) {
    it(`a promotion asked for while ${phase} goes to 100 percent, but not past the smoke test`, () => {
      let asked = false;
      const { journal, world } = run(healthy, (_, world, state) =>
        state.phase === phase && !asked ? ((asked = true), signal("promote", world.now)) : undefined,
      );
      expect(journal.flatMap((event) => (event.kind === "StepReached" ? [event.percent] : []))).toEqual([100]);
      expect([kinds(journal).includes("SmokePassed"), world.weights]).toEqual([
        true,
        [{ revision: canary, percent: 100 }],
      ]);
    });
  }

  it("an outcome that comes too late is noted and changes nothing", () => {
    const state = stateIn("baking");
    const late = rollout.decide(state, {
      kind: "Outcome",
      of: "Deactivate",
      at: state.now,
      found: { ok: true, value: null },
    });
    expect(late).toEqual([
      { kind: "Disregarded", at: state.now, what: "the outcome of Deactivate, which came too late" },
    ]);
    expect(late.reduce(rollout.evolve, state)).toEqual(state);
  });

  it("a canary with a share is watched through a pause, and a dead one does not wait for the pause to end", () => {
    let asked = false;
    const dying: Scenario = { ...healthy, probesAnswered: 9 };
    const { journal, state } = run(dying, (effect, world, { phase, step }) =>
      effect.kind === "ShiftTraffic" && phase === "shifting" && step === 1 && !asked
        ? ((asked = true), signal("pause", world.now))
        : undefined,
    );
    expect(kinds(journal)).toContain("Signalled");
    expect(state.ending).toEqual({ result: "rolled-back", sentence: expect.stringContaining("probes in a row") });
  });

  it("failing probes while stable itself is sick hold the rollout instead of blaming the canary", () => {
    const outage: Scenario = {
      ...healthy,
      probesAnswered: 4,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 3, failedPercent: 20, slowPercent: 0 },
      ],
      stable: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 3, failedPercent: 20, slowPercent: 0 },
      ],
    };
    const { journal } = run({ ...outage, pace: { ...outage.pace, maximumSeconds: 1800 } });
    const held = journal.findIndex(
      (event) => event.kind === "Held" && event.reason === "shared-outage" && event.sentence.includes("probes"),
    );
    const aborted = journal.find(({ kind }) => kind === "Aborted");
    expect(held).toBeGreaterThan(0);
    expect(aborted).toMatchObject({ sentence: expect.stringContaining("evidence never came") });
  });
});

describe("a plan", () => {
  const pace = (change: Partial<typeof defaultPace>) =>
    checkIntent({ pace: { ...defaultPace, ...change }, limits: defaultLimits });
  it("is accepted as it stands by default", () => expect(pace({})).toEqual([]));
  const refused: readonly (readonly [Partial<typeof defaultPace>, string])[] = [
    [{ weights: [] }, "no step before 100"],
    [{ weights: [50, 25] }, "go from 50 to 25 at step 2"],
    [{ weights: [0, 50] }, "0 at step 1"],
    [{ weights: [99.5] }, "99.5"],
    [{ tickSeconds: 0.0001 }, "tickSeconds"],
    [{ tickSeconds: 1.5 }, "a whole number"],
    [{ bakeSeconds: Number.NaN }, "bakeSeconds"],
    [{ warmUpSeconds: -1 }, "warmUpSeconds"],
    [{ maximumSeconds: 1921 }, "does not leave room"],
    [{ tickSeconds: 3600 }, "does not leave room"],
  ];
  for (const [change, complaint] of refused)
    it(`is refused with ${JSON.stringify(change)}`, () => expect(pace(change).join(" ")).toContain(complaint));
  it("is refused with limits that would void the judgement", () =>
    expect(
      checkIntent({
        pace: defaultPace,
        limits: { ...defaultLimits, failurePointsMax: 100, stableFailurePercentMax: 100, probeFailuresMax: 0 },
      }),
    ).toHaveLength(4));
  it("asks of the intent what the scenarios ask", () => expect(checkIntent(intentOf(healthy))).toEqual([]));
});
