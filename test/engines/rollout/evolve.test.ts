// One fact at a time: what evolve changes in a state, where scenarios would need a long story to get there. And what
// decide concludes from a wait, since the end of a wait says nothing by itself.
import { describe, expect, it } from "vitest";
import { decide } from "../../../engines/rollout/decide.ts";
import { evolve } from "../../../engines/rollout/evolve.ts";
import { initialState } from "../../../engines/rollout/initial-state.ts";
import type { RolloutEvent, RolloutState } from "../../../engines/rollout/vocabulary.ts";
import { canary, healthy, stable } from "../../support/worlds/meddling.ts";
import { intentOf } from "../../support/worlds/pure-world.ts";

const intent = intentOf(healthy);
const now = 1_000_000;
/** A rollout with three steps, in the middle of its life. */
const state = (changes: Partial<RolloutState>): RolloutState => ({
  ...initialState,
  intent,
  steps: [10, 50, 100],
  stable,
  now,
  phaseAt: 5,
  warmFrom: 7,
  ...changes,
});
type Bare<Event> = Event extends RolloutEvent ? Omit<Event, "at"> : never;
const after = (changes: Partial<RolloutState>, event: Bare<RolloutEvent>): RolloutState =>
  evolve(state(changes), { at: now + 1_000, ...event } as RolloutEvent);
const all = (revision: string) => [{ revision, percent: 100 }];

describe("a start", () => {
  it("goes to the first step, but at once to the last if nothing served before or a person has promoted", () => {
    const step = (changes: Partial<RolloutState>, served: string | null) =>
      after(changes, { kind: "Started", stable: served, activate: false }).step;
    expect([step({}, stable), step({}, null), step({ promoted: true }, stable)]).toEqual([0, 2, 2]);
  });

  it("of a rollout aborted before it saw the app gives back traffic that the canary has, if stable exists", () => {
    const ending = { result: "rejected", reason: "aborted-by-signal", message: "m" } as const;
    const begun = (touched: boolean, served: string | null) => {
      const { phase, ending: left } = after({ touched, ending }, { kind: "Started", stable: served, activate: true });
      return [phase, left?.result];
    };
    expect([begun(true, stable), begun(false, stable), begun(true, null)]).toEqual([
      ["reverting", "rolled-back"],
      ["retiring", "rejected"],
      ["retiring", "rejected"],
    ]);
  });

  it("that finds the same template gives traffic back if the canary has some", () => {
    const found = (untouched: boolean) => after({}, { kind: "FoundUnchanged", stable, untouched, message: "m" }).phase;
    expect([found(true), found(false)]).toEqual(["retiring", "reverting"]);
  });
});

it("an inspection is remembered, with who sleeps, and whether the canary may have traffic", () => {
  const view = (percent: number) => ({
    weights: [
      { revision: canary, percent },
      { revision: stable, percent: 100 - percent },
    ],
    revisions: [
      { name: stable, minReplicas: 0 },
      { name: canary, minReplicas: 1 },
    ],
  });
  const inspected = (percent: number, touched: boolean) =>
    after({ failures: 2, touched }, { kind: "Inspected", view: view(percent) } as never);
  expect(inspected(0, false)).toMatchObject({ inspected: true, failures: 0, touched: false, sleepers: [stable] });
  expect([inspected(1, false).touched, inspected(0, true).touched]).toEqual([true, true]);
});

it("the warm-up is counted from the shift on, and from no other change of phase", () => {
  expect(after({}, { kind: "SmokePassed" })).toMatchObject({ phase: "shifting", warmFrom: now + 1_000 });
  expect(after({}, { kind: "Activated" })).toMatchObject({ phase: "smoking", warmFrom: 7 });
});

it("a deactivation ends the failures before it", () => {
  expect(after({ phase: "retiring", failures: 3 }, { kind: "Deactivated" }).failures).toBe(0);
});

describe("traffic that is read back", () => {
  const ended = { result: "rolled-back", reason: "worse-than-stable", message: "m" } as const;

  it("forgets a move only if it shows the wanted weights on active revisions", () => {
    const moved = (revision: string, deactivated?: readonly string[]) =>
      after(
        { phase: "confirming", ending: ended, moved: 42 },
        { kind: "TrafficRead", weights: all(revision), ...(deactivated && { deactivated }) },
      ).moved;
    expect([moved(stable), moved(canary), moved(stable, [stable])]).toEqual([undefined, 42, 42]);
  });

  it("is read again after an interval while a write may land, at its last moment, or when a lock ends", () => {
    const retryAt = (changes: Partial<RolloutState>, lockedUntil?: number) =>
      after(
        { phase: "confirming", ending: ended, ...changes },
        { kind: "TrafficRead", weights: all(stable), ...(lockedUntil !== undefined && { lockedUntil }) },
      ).retryAt;
    const at = now + 1_000;
    const interval = intent.strategy.intervalSeconds * 1_000;
    expect(retryAt({ doubtUntil: at + interval * 9 })).toBe(at + interval);
    expect(retryAt({ doubtUntil: at + 5 })).toBe(at + 5);
    expect(retryAt({ doubtUntil: at + 5 }, at + 70)).toBe(at + 70);
    expect(retryAt({ phase: "verifying", doubtUntil: at + 5 }, at + 70)).toBe(0);
  });

  it("and has drifted is written again: a rollback as a rollback, anything else as a step", () => {
    const drift = { kind: "TrafficDrifted", percent: 0, seenPercent: 5 } as const;
    expect(after({ phase: "confirming" }, drift)).toMatchObject({ phase: "reverting", failures: 1 });
    expect(after({ phase: "baking" }, drift)).toMatchObject({ phase: "shifting", failures: 1, warmFrom: now + 1_000 });
  });
});

it("the wait for an approval begins once, and no other reason to wait begins it", () => {
  const awaitedAt = (before: number, reason: "unapproved" | "too-few-requests") =>
    after({ awaitedAt: before }, { kind: "Waiting", reason, message: "m" } as never).awaitedAt;
  expect([awaitedAt(0, "unapproved"), awaitedAt(9, "unapproved")]).toEqual([now + 1_000, 9]);
  expect([awaitedAt(0, "too-few-requests"), awaitedAt(9, "too-few-requests")]).toEqual([0, 9]);
});

describe("a step that passed", () => {
  const passed = (percent: number, changes: Partial<RolloutState> = {}) =>
    after({ step: 0, phase: "baking", ...changes }, { kind: "StepPassed", percent, message: "m" });

  it("leads to the first step with more traffic", () => {
    expect(passed(10, { adopted: 10, waiting: "unapproved" })).toMatchObject({
      phase: "shifting",
      step: 1,
      adopted: undefined,
      waiting: undefined,
    });
    expect(passed(60).step).toBe(2);
  });

  it("and was the last promotes the canary, and says whether a person did", () => {
    expect(passed(100)).toMatchObject({ phase: "settling", ending: { reason: "every-step-passed" } });
    expect(passed(100, { promoted: true }).ending?.reason).toBe("promoted-by-signal");
    expect(passed(100, { stable: null }).phase).toBe("retiring");
  });
});

it("a percentage of another client is continued at the last step that gives no more", () => {
  const adopted = (percent: number) => {
    const { step, adopted: kept, warmFrom } = after({ phase: "baking" }, { kind: "TrafficAdopted", percent });
    return [step, kept, warmFrom];
  };
  const at = now + 1_000;
  expect([5, 10, 60, 100].map(adopted)).toEqual([
    [0, 5, at],
    [0, undefined, at],
    [1, 60, at],
    [2, undefined, at],
  ]);
});

describe("a failed effect", () => {
  const failed = (phase: RolloutState["phase"], effect: string, failures = 0) =>
    after({ phase, failures }, { kind: "AttemptFailed", effect, message: "m" } as never);

  it("of a bake is tried when it is next due, and delays no other", () => {
    const at = now + 1_000;
    const times = (effect: string) => {
      const { probedAt, measuredAt, readAt, retryAt, failures } = failed("baking", effect);
      return [probedAt, measuredAt, readAt, retryAt, failures];
    };
    expect(times("Probe")).toEqual([at, 0, 0, 0, 1]);
    expect(times("Measure")).toEqual([0, at, 0, 0, 1]);
    expect(times("VerifyTraffic")).toEqual([0, 0, at, 0, 1]);
  });

  it("of any other phase is tried after a pause that doubles up to half a minute", () => {
    const pauses = [0, 1, 2, 3, 4, 5, 6].map((failures) => {
      const { retryAt, now: at } = failed("shifting", "ShiftTraffic", failures);
      return (retryAt - at) / 1_000;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });

  it("that deactivates is followed by reading the weights", () => {
    expect(failed("retiring", "Deactivate")).toMatchObject({ phase: "confirming", retireFailures: 1, failures: 1 });
    expect(failed("shifting", "ShiftTraffic")).toMatchObject({ phase: "shifting", retireFailures: 0 });
  });
});

it("the end of a wait aborts an overdue bake, and says nothing in any other phase", () => {
  const late = now + intent.strategy.maximumSeconds * 1_000 + 1;
  const waited = (phase: RolloutState["phase"]) =>
    decide(state({ phase, startedAt: now - 1, now: late }), {
      kind: "Outcome",
      of: "Wait",
      at: late,
      found: { ok: true, value: null },
    } as never).map(({ kind }) => kind);
  expect([waited("baking"), waited("shifting")]).toEqual([["Waited", "Aborted"], ["Waited"]]);
});
