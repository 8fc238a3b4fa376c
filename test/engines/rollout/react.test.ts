// One state at a time: which effect react names, and when each effect of a bake is due. The scenarios show whole
// rollouts; here each condition is on its boundary.
import { describe, expect, it } from "vitest";
import { initialState } from "../../../engines/rollout/initial-state.ts";
import { loser, react } from "../../../engines/rollout/react.ts";
import type { RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { canary, healthy, stable } from "../../support/worlds/meddling.ts";
import { intentOf } from "../../support/worlds/pure-world.ts";

const whole = intentOf(healthy);
const intent = { ...whole, strategy: { ...whole.strategy, probeSeconds: 4, intervalSeconds: 60 } };
const { target } = intent;
const now = 10_000_000;
const state = (changes: Partial<RolloutState>): RolloutState => ({
  ...initialState,
  intent,
  steps: [10, 50, 100],
  stable,
  now,
  phaseAt: now,
  readAt: now,
  measuredAt: now,
  measuredTo: now,
  probedAt: now,
  ...changes,
});
const next = (changes: Partial<RolloutState>) => react(state(changes));
const probe = { kind: "Probe", target, revision: canary, path: "/", timeoutSeconds: 8 };
const wait = (seconds: number) => ({ kind: "Wait", until: now + seconds * 1_000 });
const promoted = { result: "promoted", reason: "every-step-passed", message: "m" } as const;
const rolledBack = { result: "rolled-back", reason: "worse-than-stable", message: "m" } as const;

describe("nothing is missing", () => {
  it("before the request and after the end", () => {
    expect(next({ intent: undefined, phase: "baking" })).toBeUndefined();
    expect(next({ phase: "waiting-for-request", retryAt: now + 1 })).toBeUndefined();
    expect(next({ phase: "finished", retryAt: now + 1 })).toBeUndefined();
  });

  it("in an app without a stable revision that could be retired", () => {
    expect(next({ phase: "retiring", stable: null, ending: promoted })).toBeUndefined();
  });
});

it("no effect is named before the pause after a failure is over, and one at its end", () => {
  expect(next({ phase: "inspecting", retryAt: now + 1_000 })).toEqual(wait(1));
  expect(next({ phase: "inspecting", retryAt: now })).toEqual({ kind: "Inspect", target });
});

describe("the effect of a phase", () => {
  it("is the one that the phase is named after", () => {
    expect(next({ phase: "activating" })).toEqual({ kind: "Activate", target, revision: canary });
    expect(next({ phase: "verifying" })).toEqual({ kind: "VerifyTraffic", target });
    expect(next({ phase: "confirming" })).toEqual({ kind: "VerifyTraffic", target });
  });

  it("shifts traffic by the step and with labels, and overrides a lock only to give traffic back", () => {
    const split = [
      { revision: canary, percent: 10 },
      { revision: stable, percent: 90 },
    ];
    const shift = next({ phase: "shifting" });
    expect(shift).toMatchObject({ kind: "ShiftTraffic", target, overrideLock: false, labels: { stable, canary } });
    expect(shift?.kind === "ShiftTraffic" && shift.weights.toSorted((a, b) => a.percent - b.percent)).toEqual(split);
    expect(next({ phase: "settling", step: 2, ending: promoted })).toMatchObject({
      weights: [{ revision: canary, percent: 100 }],
      overrideLock: false,
    });
    expect(next({ phase: "reverting", ending: rolledBack })).toMatchObject({
      weights: [{ revision: stable, percent: 100 }],
      overrideLock: true,
    });
  });

  it("retires the loser: the canary after a rollback, stable after a promotion", () => {
    const retire = (revision: string) => ({ kind: "Deactivate", target, revision });
    expect(next({ phase: "retiring", ending: rolledBack })).toEqual(retire(canary));
    expect(next({ phase: "retiring", ending: promoted })).toEqual(retire(stable));
    expect([loser(state({})), loser(state({ stable: null, ending: promoted }))]).toEqual([canary, undefined]);
  });
});

describe("a smoke test", () => {
  it("probes at once, and then again after the probe's interval", () => {
    expect(next({ phase: "smoking", probedAt: now - 1 })).toEqual(probe);
    expect(next({ phase: "smoking", probedAt: now })).toEqual(wait(4));
    expect(next({ phase: "smoking", phaseAt: now - 9_000, probedAt: now - 4_000 })).toEqual(probe);
    expect(next({ phase: "smoking", phaseAt: now - 9_000, probedAt: now - 3_999 })).toEqual(wait(0.001));
  });

  it("waits for an answer twice the probe's interval, and ten seconds at most", () => {
    const slow = { ...intent, strategy: { ...intent.strategy, probeSeconds: 60 } };
    expect(next({ phase: "smoking", probedAt: 0, intent: slow })).toMatchObject({ timeoutSeconds: 10 });
  });

  it("keeps stable awake if it sleeps without requests, whatever the case of its name", () => {
    const awake = (sleepers: readonly string[], served: string | null = stable) =>
      next({ phase: "smoking", probedAt: 0, sleepers, stable: served });
    expect(awake([stable.toUpperCase()])).toEqual({ ...probe, awake: stable });
    expect(awake([canary, stable])).toEqual({ ...probe, awake: stable });
    expect(awake([canary])).toEqual(probe);
    expect(awake([stable], null)).toEqual(probe);
  });
});

describe("a paused shift", () => {
  it("waits for a signal before the first step, and watches a canary that has traffic", () => {
    expect(next({ phase: "shifting", paused: true, step: 0 })).toEqual({ kind: "AwaitSignal" });
    expect(next({ phase: "shifting", paused: true, step: 1, probedAt: now - 300_000 })).toEqual(probe);
    expect(next({ phase: "shifting", paused: true, step: 1 })).toEqual(wait(300));
  });
});

describe("a bake", () => {
  const baking = (changes: Partial<RolloutState>) => next({ phase: "baking", ...changes });

  it("probes, reads and measures when each is due, and waits for the first otherwise", () => {
    const later = { probedAt: now + 900_000 };
    expect(baking({})).toEqual(wait(4));
    expect(baking({ probedAt: now - 4_000 })).toEqual(probe);
    expect(baking({ ...later, readAt: now - 60_000 })).toEqual({ kind: "VerifyTraffic", target });
    expect(baking({ ...later, readAt: now + 1, measuredAt: now - 60_000, measuredTo: now - 60_000 })).toEqual({
      kind: "Measure",
      target,
      canary,
      stable,
      from: now - 60_000,
      intervalSeconds: 60,
    });
  });

  it("measures neither before an interval is over nor sooner than an interval after the last time", () => {
    const others = { probedAt: now + 900_000, readAt: now + 900_000 };
    expect(baking({ ...others, measuredAt: now - 60_000, measuredTo: now - 59_000 })).toEqual(wait(1));
    expect(baking({ ...others, measuredAt: now - 58_000, measuredTo: now - 60_000 })).toEqual(wait(2));
  });

  it("reads and measures at every fifth interval during a pause", () => {
    const later = { probedAt: now + 900_000, paused: true };
    expect(baking({ ...later, measuredAt: now + 900_000 })).toEqual(wait(300));
    expect(baking({ ...later, readAt: now + 900_000 })).toEqual(wait(300));
  });

  it("probes less often during a pause, but not after a failed probe or if a revision would fall asleep", () => {
    const due = (changes: Partial<RolloutState>) =>
      baking({ paused: true, readAt: now + 900_000, measuredAt: now + 900_000, ...changes });
    expect(due({})).toEqual(wait(300));
    expect(due({ probeFailures: 1 })).toEqual(wait(4));
    expect(due({ sleepers: [canary] })).toEqual(wait(4));
    expect(due({ paused: false })).toEqual(wait(4));
    const slow = { ...intent, strategy: { ...intent.strategy, probeSeconds: 400 } };
    expect(due({ intent: slow })).toEqual(wait(400));
  });
});
