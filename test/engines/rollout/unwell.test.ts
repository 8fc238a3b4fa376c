// A canary that crashes while the requests that show it are not measured yet: rows arrive minutes late, probes and
// restarts are seen at once. A step waits for the rows of the latest symptom, and they decide.
import { describe, expect, it } from "vitest";
import { symptomOf } from "../../../engines/rollout/symptoms.ts";
import type { ProbeView, RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { healthy } from "../../support/worlds/meddling.ts";
import { type Meddle, measure, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios, start } from "../../support/worlds/scenario.ts";

const plain = scenarios().find(({ name }) => name === "promotes-when-every-step-passes")!;
const minutes = (count: number): number => start + count * 60_000;
const well: ProbeView = { good: true, detail: "answered 200", running: "Running", restarts: [] };

/** Rows arrive two minutes late; the probes between two moments say something else. */
const meddle =
  (scenario: Scenario, between: readonly [from: number, to: number], symptom: Partial<ProbeView>): Meddle =>
  (effect, world) => {
    if (effect.kind === "Measure") {
      const value = measure(scenario, { ...world, now: world.now - 120_000 }, effect);
      return { kind: "Outcome", of: "Measure", at: world.now, found: { ok: true, value } };
    }
    if (effect.kind !== "Probe" || world.now < minutes(between[0]) || world.now > minutes(between[1])) return undefined;
    return { kind: "Outcome", of: "Probe", at: world.now, found: { ok: true, value: { ...well, ...symptom } } };
  };

const minuteOf = ({ at }: RolloutEvent): number => (at - start) / 60_000;
const stepsPassed = (journal: readonly RolloutEvent[]): readonly number[] =>
  journal.filter(({ kind }) => kind === "StepPassed").map(minuteOf);

describe("a canary that passes on the requests measured so far", () => {
  it("is not given more traffic when its probe fails, and is rolled back by the requests of its crash", async () => {
    const scenario: Scenario = {
      ...plain,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 7, failedPercent: 60, slowPercent: 0 },
      ],
    };
    const crash = meddle(scenario, [8, 8], { good: false, detail: "answered 503" });
    const { journal, state } = await run(scenario, crash);
    expect(stepsPassed(journal)).toEqual([]);
    expect(journal.find(({ kind }) => kind === "Waiting")).toMatchObject({
      at: minutes(8),
      reason: "canary-unwell",
      message:
        "canary was good so far, but its own address failed a probe (answered 503); " +
        "waits until the requests up to then are measured",
    });
    expect(journal.find(({ kind }) => kind === "Aborted")).toMatchObject({ reason: "worse-than-stable" });
    expect(state.ending).toMatchObject({ result: "rolled-back" });
    // The same canary without a look at its health: the rows alone let it pass at this moment.
    expect(stepsPassed((await run(scenario, meddle(scenario, [0, -1], {}))).journal)).toEqual([8]);
  });

  it("waits for the requests of a restart, and goes on when they were good", async () => {
    const { journal, state } = await run(plain, meddle(plain, [8, 99], { restarts: [{ replica: "r-1", times: 1 }] }));
    // Without the restart the step passes at minute 8; the requests up to minute 8 are measured at minute 11.
    expect(stepsPassed(journal)[0]).toBe(11);
    expect(journal.filter(({ kind }) => kind === "Waiting")).toHaveLength(1);
    expect(state.ending).toMatchObject({ result: "promoted" });
  });

  it("waits again at each further restart, and is given back when the time is used up", async () => {
    const looping: Meddle = (effect, world, state) =>
      meddle(plain, [2, 999], {
        restarts: [{ replica: "r-1", times: Math.floor((world.now - start) / 120_000) }],
      })(effect, world, state);
    const { journal, state: end } = await run(plain, looping);
    expect(stepsPassed(journal)).toEqual([]);
    expect(end.ending).toMatchObject({
      result: "rolled-back",
      reason: "time-expired",
      message: expect.stringContaining("a replica restarted"),
    });
  });

  it("waits while the platform reports it as degraded, and not at a state that the engine does not know", async () => {
    const { journal: degraded } = await run(plain, meddle(plain, [8, 8], { running: "Degraded" }));
    expect(stepsPassed(degraded)[0]).toBe(11);
    expect(degraded.find(({ kind }) => kind === "Waiting")).toMatchObject({
      message: expect.stringContaining("the platform reports it as Degraded"),
    });
    expect(stepsPassed((await run(plain, meddle(plain, [8, 8], { running: "Blossoming" }))).journal)[0]).toBe(8);
  });

  it("is judged by its dry run in the same way", async () => {
    const scenario = { ...plain, dryRun: plain.thresholds };
    const { journal } = await run(scenario, meddle(scenario, [8, 8], { good: false, detail: "answered 503" }));
    expect(journal.find(({ kind }) => kind === "DryRunJudged")).toMatchObject({ reason: "canary-unwell" });
  });
});

describe("a restart", () => {
  const two = [
    { replica: "a", times: 2 },
    { replica: "b", times: 1 },
  ];
  it("is new when a replica's count grows, or when a replica not seen before has one", () => {
    expect(symptomOf({ ...well, restarts: two }, [{ replica: "a", times: 1 }])).toBe("2 replicas restarted");
    expect(symptomOf({ ...well, restarts: two }, [{ replica: "a", times: 2 }])).toBe("a replica restarted");
    // A replica that is gone took its count with it; the sum of all counts hides the crash of another.
    expect(symptomOf({ ...well, restarts: [{ replica: "c", times: 1 }] }, two)).toBe("a replica restarted");
  });

  it("is no news when nothing was known before, or nothing has changed", () => {
    expect(symptomOf({ ...well, restarts: two }, undefined)).toBeUndefined();
    expect(symptomOf({ ...well, restarts: two }, two)).toBeUndefined();
    const { restarts, ...silent } = well;
    expect(restarts).toEqual([]);
    expect(symptomOf(silent, two)).toBeUndefined();
  });
});

describe("failures of both revisions, as when a platform replaces their replicas one after another", () => {
  type Minutes = readonly [from: number, to: number];
  const failsIn = ([from, to]: Minutes): Scenario["canary"] => [
    { fromMinutes: 0, failedPercent: 0.1, slowPercent: 0 },
    { fromMinutes: from, failedPercent: 40, slowPercent: 0 },
    { fromMinutes: to, failedPercent: 0.1, slowPercent: 0 },
  ];

  it.each<readonly [string, Minutes, Minutes, string]>([
    ["at once", [9, 10], [9, 10], "promoted"],
    ["stable's first", [9, 10], [10, 11], "promoted"],
    ["the canary's first, which nothing tells from a fault of its own", [10, 11], [9, 10], "rolled-back"],
  ])("%s: the rollout ends as it must", async (_what, stable, canary, result) => {
    const { state } = await run({ ...healthy, stable: failsIn(stable), canary: failsIn(canary) });
    expect(state.ending?.result).toBe(result);
  });
});
