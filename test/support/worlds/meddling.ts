// A healthy and a sick release, and helpers for tests that change what happens between the engine and the pure world.
import { fold } from "../../../engines/engine.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type {
  RevisionView,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  RolloutState,
  SignalName,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import { failing, type Meddle, run } from "./pure-world.ts";
import type { Scenario } from "./scenario.ts";
import { splitBetween } from "./split.ts";

export const healthy: Scenario = {
  name: "meddled with",
  why: "",
  expected: "",
  thresholds: defaultThresholds,
  strategy: { ...defaultStrategy, weights: [10, 50], warmUpSeconds: 60, probeSeconds: 60 },
  requestsPerMinute: [{ fromMinutes: 0, value: 1200 }],
  canary: [{ fromMinutes: 0, failedPercent: 0, slowPercent: 0 }],
  stable: [{ fromMinutes: 0, failedPercent: 0, slowPercent: 0 }],
  before: "stable",
  probesAnswered: Number.POSITIVE_INFINITY,
  signals: [],
};
export const sick: Scenario = { ...healthy, canary: [{ fromMinutes: 0, failedPercent: 30, slowPercent: 0 }] };
export const canary = "storefront--2",
  stable = "storefront--1";
export const allToStable = [{ revision: stable, percent: 100 }];
export const kinds = (journal: readonly RolloutEvent[]) => journal.map(({ kind }) => kind);
export const reverts = (weights: readonly Weight[]) => weights.length === 1 && weights[0]!.revision === stable;

/** Meddles with the first effects that fit, at most a number of times. */
export function times(
  most: number,
  fits: (effect: RolloutEffect, state: RolloutState) => boolean,
  act: Meddle,
): Meddle & { count: number } {
  const meddle: Meddle & { count: number } = (effect, world, state) => {
    if (meddle.count >= most || !fits(effect, state)) return undefined;
    meddle.count++;
    return act(effect, world, state);
  };
  meddle.count = 0;
  return meddle;
}

/** Lets the effects that fit fail. */
export const failWhen =
  (fits: (effect: RolloutEffect, state: RolloutState, now: Instant) => boolean, reason?: string): Meddle =>
  (effect, world, state) =>
    fits(effect, state, world.now) ? failing(effect, world, reason) : undefined;

/** Reports whether an effect gives the traffic back to stable. */
export const isReversion = (effect: RolloutEffect): boolean =>
  effect.kind === "ShiftTraffic" && reverts(effect.weights);

/** Sends a signal before the first effect that fits. */
export const signalOnce = (name: SignalName, fits: (effect: RolloutEffect, state: RolloutState) => boolean): Meddle =>
  times(1, fits, (_, world) => signal(name, world.now));

/** Moves the weights as another client would, just before an effect. */
export const move =
  (weights: readonly Weight[]): Meddle =>
  (_, world) => {
    world.weights = weights;
    return undefined;
  };

/** Gives the state of a healthy rollout when it first reaches a phase. */
export async function stateIn(phase: RolloutState["phase"]): Promise<RolloutState> {
  const { journal } = await run(healthy);
  for (let length = 1; length <= journal.length; length++) {
    const state = fold(rollout, journal.slice(0, length));
    if (state.phase === phase) return state;
  }
  throw new Error(`The rollout was never ${phase}.`);
}

export const split = (percent: number): readonly Weight[] => splitBetween({ stable, canary }, percent);

/** The revisions as an app shows them, both up. */
export const revisionsUp = (names: readonly string[], shows: Partial<RevisionView> = {}): readonly RevisionView[] =>
  names.map((name) => ({
    name,
    active: true,
    running: "Running",
    health: "Healthy",
    templateHash: name,
    ...shows,
  }));

/** Decides on an observation and gives the next state. */
export const hear = (state: RolloutState, observation: RolloutObservation): RolloutState =>
  rollout.decide(state, observation).reduce(rollout.evolve, state);

export const signal = (name: SignalName, at: number): RolloutObservation => ({
  kind: "Signal",
  signal: name,
  at,
  by: "ann",
  message: "because",
});
