// How a rollout ends when effects fail, answers come late and people intervene.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutObservation, RolloutOutcome } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import {
  allToStable,
  canary,
  failWhen,
  healthy,
  hear,
  isReversion,
  kinds,
  move,
  reverts,
  sick,
  signal,
  signalOnce,
  split,
  stable,
  stateIn,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, intentOf, type Meddle, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, start } from "../../support/worlds/scenario.ts";

/** Reversions fail for two hours. */
const reversionsFail = failWhen((effect, _, now) => isReversion(effect) && now < after(start, 119 * 60));

describe("effects that fail", () => {
  it("a shift that fails four times is tried a fifth time, with longer pauses, and the rollout continues", async () => {
    const meddle = times(
      4,
      ({ kind }) => kind === "ShiftTraffic",
      (effect, world) => failing(effect, world),
    );
    const { journal, state } = await run(healthy, meddle);
    expect(state.ending?.result).toBe("promoted");
    const at = journal.filter(({ kind }) => kind === "AttemptFailed").map((event) => (event.at - start) / 1000);
    expect(at).toEqual([0, 1, 3, 7]);
  });

  it("a journal in which Azure asked for a rest decides the same again", async () => {
    const meddle = times(
      1,
      ({ kind }) => kind === "ShiftTraffic",
      (effect, world) => {
        const asked = { ok: false as const, reason: "429", retryAfterSeconds: 120 };
        return { ...failing(effect, world), found: asked } as RolloutOutcome;
      },
    );
    const { journal } = await run(healthy, meddle);
    const index = journal.findIndex(({ kind }) => kind === "AttemptFailed");
    expect(journal[index]).toMatchObject({ retryAfterSeconds: 120 });
    expect(replay(journal)).toBeUndefined();
  });

  it("a shift that fails five times ends in a rollback, not in another try", async () => {
    const shiftsFail = failWhen((effect) => effect.kind === "ShiftTraffic" && !reverts(effect.weights));
    const { journal, state, world } = await run(healthy, shiftsFail);
    expect(kinds(journal).filter((kind) => kind === "AttemptFailed")).toHaveLength(5);
    expect([state.ending?.result, world.weights]).toEqual(["rolled-back", allToStable]);
  });

  it("traffic that cannot be given back is retried for half an hour, then the rollout ends as degraded", async () => {
    const { journal, state } = await run(sick, failWhen(isReversion));
    expect(state.ending).toEqual({
      result: "degraded",
      reason: "worse-than-stable",
      message: expect.stringMatching(/^degraded: .* given back to stable \(503 out of order\); canary fails /),
    });
    expect(kinds(journal).filter((kind) => kind === "AttemptFailed")).toHaveLength(60);
    const first = journal.find(({ kind }) => kind === "AttemptFailed")!;
    expect(journal.at(-1)!.at - first.at).toBeGreaterThan(25 * 60_000);
  });

  it("a retry after a degraded rollback at 100 percent still knows stable", async () => {
    const late: Scenario = {
      ...healthy,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 13, failedPercent: 60, slowPercent: 0 },
      ],
      signals: [{ atMinutes: 120, signal: "retry", by: "ann", message: "Azure is back" }],
    };
    const { journal, state, world } = await run(late, reversionsFail);
    expect(
      journal.filter(({ kind }) => kind === "Finished").map((event) => event.kind === "Finished" && event.result),
    ).toEqual(["degraded", "rolled-back"]);
    expect([state.stable, world.weights]).toEqual([stable, allToStable]);
  });

  it("a retry whose smoke test fails gives back the traffic that a degraded attempt left at the canary", async () => {
    const retried: Scenario = {
      ...sick,
      probesAnswered: 3,
      signals: [{ atMinutes: 120, signal: "retry", by: "ann", message: "again" }],
    };
    const { state, world } = await run(retried, reversionsFail);
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("a revision that cannot be deactivated does not stop a rollout from ending, and the end says so", async () => {
    const { state, world } = await run(
      healthy,
      failWhen(({ kind }) => kind === "Deactivate"),
    );
    expect(state.ending).toEqual({
      result: "promoted",
      reason: "every-step-passed",
      message: expect.stringContaining("could not be deactivated and is still active"),
    });
    expect(world.weights).toEqual([{ revision: canary, percent: 100 }]);
  });

  it("end in a named result with all traffic in one place, whatever fails how often", async () => {
    const effects = ["Inspect", "Activate", "Probe", "ShiftTraffic", "VerifyTraffic", "Measure", "Deactivate"] as const;
    const failures = fc.array(
      fc.record({
        kind: fc.constantFrom(...effects),
        from: fc.integer({ min: 0, max: 30 }),
        times: fc.integer({ min: 1, max: 12 }),
      }),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(failures, fc.boolean(), async (drawn, bad) => {
        const seen = new Map<string, number>();
        const drawnFail = failWhen((effect) => {
          const count = (seen.get(effect.kind) ?? 0) + 1;
          seen.set(effect.kind, count);
          return drawn.some(
            ({ kind, from, times: most }) => kind === effect.kind && count > from && count <= from + most,
          );
        });
        const { journal, state, world } = await run(bad ? sick : healthy, drawnFail);
        expect(state.phase).toBe("finished");
        expect(world.weights).toEqual([
          { revision: state.ending?.result === "promoted" ? canary : stable, percent: 100 },
        ]);
        if (bad) expect(state.ending?.result).not.toBe("promoted");
        expect(replay(journal)).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });
});

describe("weights that other clients move", () => {
  it("a step that is undone right after it was set is set again", async () => {
    const meddle = times(
      2,
      ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "verifying",
      move(allToStable),
    );
    const { journal, state } = await run(healthy, meddle);
    expect(kinds(journal).filter((kind) => kind === "TrafficDrifted")).toHaveLength(2);
    expect(state.ending?.result).toBe("promoted");
  });

  it("weights that another client keeps moving end in a rollback after five rounds", async () => {
    const moved = times(
      Infinity,
      ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "verifying",
      move([{ revision: canary, percent: 100 }]),
    );
    const { state, world } = await run(healthy, moved);
    expect(state.ending).toEqual({
      result: "rolled-back",
      reason: "weights-drifted",
      message: expect.stringContaining("keep changing after they are set"),
    });
    expect(world.weights).toEqual(allToStable);
  });

  it("a canary that loses its traffic during the last bake is not promoted at 0 percent", async () => {
    const meddle = times(
      1,
      ({ kind }, { phase, step, evidence }) =>
        kind === "Probe" && phase === "baking" && step === 2 && evidence.canary.requests > 2000,
      move(allToStable),
    );
    const { journal, state, world } = await run(healthy, meddle);
    expect(meddle.count).toBe(1);
    expect(kinds(journal)).toContain("TrafficDrifted");
    expect([state.ending?.result, world.weights]).toEqual(["promoted", [{ revision: canary, percent: 100 }]]);
  });

  it("a canary that gets traffic again after its rollback loses it before it is deactivated", async () => {
    const meddle = times(
      1,
      ({ kind }, { ending }) => kind === "Deactivate" && ending?.result === "rolled-back",
      (effect, now) => {
        now.weights = split(50);
        return failing(effect, now, "revision storefront--2 still has 50 percent of the traffic");
      },
    );
    const { state, world } = await run(sick, meddle);
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("a canary that was given all traffic by hand is still compared with the revision beside it", async () => {
    const { journal } = await run(
      sick,
      times(1, ({ kind }) => kind === "Inspect", move([{ revision: canary, percent: 100 }])),
    );
    expect(journal.find(({ kind }) => kind === "Started")).toMatchObject({ stable });
    expect(kinds(journal)).toContain("Aborted");
  });

  it("a rollback is written at once while another client locks the app, and read again after the lock", async () => {
    const until = after(start, 10 * 60);
    const locked: Meddle = (effect, { now, weights }) =>
      effect.kind === "VerifyTraffic" && now < until
        ? { kind: "Outcome", of: effect.kind, at: now, found: { ok: true, value: { weights, lockedUntil: until } } }
        : undefined;
    const { journal, world } = await run(sick, locked);
    const shifted = journal.findLast(({ kind }) => kind === "TrafficShifted")!;
    const reverted = journal.find(({ kind }) => kind === "Reverted")!;
    expect([shifted.at < until, reverted.at >= until, world.weights]).toEqual([true, true, allToStable]);
  });
});

describe("signals and answers at unusual moments", () => {
  for (const phase of ["shifting", "verifying", "baking"] as const) {
    it(`an abort while ${phase} gives traffic back, since a shift may have landed, and overrides locks`, async () => {
      const state = await stateIn(phase);
      const aborted = hear(state, signal("abort", state.now));
      expect([aborted.phase, aborted.ending?.result]).toEqual(["reverting", "rolled-back"]);
      expect(rollout.react(aborted)).toMatchObject({ kind: "ShiftTraffic", weights: allToStable, overrideLock: true });
    });
  }

  it("the shift of a step waits for locks", async () =>
    expect(rollout.react(await stateIn("shifting"))).toMatchObject({ kind: "ShiftTraffic", overrideLock: false }));

  it("the shift of a step waits for locks until the rollout's time is up, and is then aborted", async () => {
    const state = await stateIn("shifting");
    const waitsUntil = after(state.startedAt, state.intent!.strategy.maximumSeconds + state.pausedSeconds);
    expect(rollout.react(state)).toMatchObject({ kind: "ShiftTraffic", waitsUntil });
    const locked = (at: number) =>
      rollout.decide(state, {
        kind: "Outcome",
        of: "ShiftTraffic",
        at,
        found: { ok: false, reason: "the app is still locked by a pulumi up" },
      });
    expect(locked(waitsUntil - 1000).map(({ kind }) => kind)).toEqual(["AttemptFailed"]);
    expect(locked(waitsUntil)).toMatchObject([{ kind: "AttemptFailed" }, { kind: "Aborted", reason: "time-expired" }]);
  });

  it.each(["shifting", "reverting", "baking"] as const)(
    "a failure while %s is tried again when Azure asked for it, and not before",
    async (phase) => {
      const state =
        phase === "reverting"
          ? hear(await stateIn("baking"), signal("abort", (await stateIn("baking")).now))
          : await stateIn(phase);
      const effect = rollout.react({ ...state, measuredAt: 0, probedAt: state.now, readAt: state.now })!;
      const of = phase === "baking" ? "Measure" : "ShiftTraffic";
      expect(phase === "baking" || effect.kind === of).toBe(true);
      const failed = hear(state, {
        kind: "Outcome",
        of,
        at: state.now,
        found: { ok: false, reason: "429", retryAfterSeconds: 120 },
      } as RolloutObservation);
      if (phase === "baking") expect(failed.measuredAt).toBe(after(state.now, 120));
      else expect(rollout.react(failed)).toEqual({ kind: "Wait", until: after(state.now, 120) });
    },
  );

  it("the outcome of a step's shift after an abort is kept, and does not count as the rollback", async () => {
    const state = await stateIn("shifting");
    const aborted = hear(state, signal("abort", state.now));
    const landed = hear(aborted, {
      kind: "Outcome",
      of: "ShiftTraffic",
      at: state.now,
      found: {
        ok: true,
        value: {
          weights: split(10),
        },
      },
    });
    expect(landed.phase).toBe("reverting");
  });

  for (const phase of ["inspecting", "smoking"] as const) {
    it(`a promotion requested while ${phase} goes to 100 percent, but not past the smoke test`, async () => {
      const { journal, world } = await run(
        healthy,
        signalOnce("promote", (_, before) => before.phase === phase),
      );
      expect(journal.flatMap((event) => (event.kind === "StepReached" ? [event.percent] : []))).toEqual([100]);
      expect([kinds(journal).includes("SmokePassed"), world.weights]).toEqual([
        true,
        [{ revision: canary, percent: 100 }],
      ]);
    });
  }

  it("a late outcome is noted and changes nothing", async () => {
    const state = await stateIn("baking");
    const late = rollout.decide(state, {
      kind: "Outcome",
      of: "Deactivate",
      at: state.now,
      found: { ok: true, value: null },
    });
    expect(late).toEqual([
      { kind: "Disregarded", at: state.now, what: "the result of deactivating the losing revision came too late" },
    ]);
    expect(late.reduce(rollout.evolve, state)).toEqual(state);
  });

  it("a canary with traffic is watched during a pause, and a dead one is aborted before its end", async () => {
    const dying: Scenario = { ...healthy, probesAnswered: 9 };
    const paused = signalOnce(
      "pause",
      ({ kind }, { phase, step }) => kind === "ShiftTraffic" && phase === "shifting" && step === 1,
    );
    const { journal, state } = await run(dying, paused);
    expect(kinds(journal)).toContain("Signalled");
    expect(state.ending).toEqual({
      result: "rolled-back",
      reason: "probes-failed",
      message: expect.stringContaining("probes in a row"),
    });
  });

  it("failed probes while stable itself is sick make the rollout wait instead of aborting it", async () => {
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
    const { journal } = await run({ ...outage, strategy: { ...outage.strategy, maximumSeconds: 1800 } });
    const waiting = journal.findIndex(
      (event) => event.kind === "Waiting" && event.reason === "shared-outage" && event.message.includes("probes"),
    );
    const aborted = journal.find(({ kind }) => kind === "Aborted");
    expect(waiting).toBeGreaterThan(0);
    expect(aborted).toMatchObject({ message: expect.stringContaining("not enough evidence") });
  });
});

describe("a plan", () => {
  const strategy = (change: Partial<typeof defaultStrategy>) =>
    checkIntent({ strategy: { ...defaultStrategy, ...change }, thresholds: defaultThresholds });
  it("is valid with all defaults", () => expect(strategy({})).toEqual([]));
  const refused: readonly (readonly [Partial<typeof defaultStrategy>, string])[] = [
    [{ weights: [] }, "without a step before 100"],
    [{ weights: [50, 25] }, "go from 50 to 25 at step 2"],
    [{ weights: [0, 50] }, "weights[0] is 0"],
    [{ weights: [99.5] }, "99.5"],
    [{ intervalSeconds: 0.0001 }, "intervalSeconds"],
    [{ intervalSeconds: 1.5 }, "a whole number"],
    [{ bakeSeconds: Number.NaN }, "bakeSeconds"],
    [{ warmUpSeconds: -1 }, "warmUpSeconds"],
    [{ maximumSeconds: 1921 }, "maximumSeconds (1921) is too short"],
    [{ intervalSeconds: 3600 }, "maximumSeconds (10800) is too short"],
  ];
  for (const [change, complaint] of refused)
    it(`is refused with ${JSON.stringify(change)}`, () => expect(strategy(change).join(" ")).toContain(complaint));
  it("is refused with thresholds that would make every verdict meaningless", () =>
    expect(
      checkIntent({
        strategy: defaultStrategy,
        thresholds: { ...defaultThresholds, failurePointsMax: 100, stableFailurePercentMax: 100, probeFailuresMax: 0 },
      }),
    ).toHaveLength(4));
  it("of the scenarios is valid", () => expect(checkIntent(intentOf(healthy))).toEqual([]));
});
