// A healthy release, a sick one, and the ways in which tests stand between the engine and the pure world.
import { fold } from "../../../engines/engine.ts";
import { defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type {
  RolloutEvent,
  RolloutObservation,
  RolloutState,
  SignalName,
  Weight,
} from "../../../engines/rollout/vocabulary.ts";
import { type Meddle, run } from "./pure-world.ts";
import type { Scenario } from "./scenario.ts";

export const healthy: Scenario = {
  name: "meddled with",
  why: "",
  expected: "",
  limits: defaultLimits,
  pace: { ...defaultPace, weights: [10, 50], warmUpSeconds: 60, probeSeconds: 60 },
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

/** Meddles with the first so many effects that fit. */
export function times(most: number, fits: Parameters<typeof matches>[0], act: Meddle): Meddle & { count: number } {
  const meddle = ((effect, world, state) =>
    meddle.count < most && matches(fits, effect, state)
      ? (meddle.count++, act(effect, world, state))
      : undefined) as Meddle & { count: number };
  meddle.count = 0;
  return meddle;
}
const matches = (
  fits: (effect: Parameters<Meddle>[0], state: RolloutState) => boolean,
  effect: Parameters<Meddle>[0],
  state: RolloutState,
) => fits(effect, state);

/** Moves the weights as somebody else would, just before an effect. */
export const move =
  (weights: readonly Weight[]): Meddle =>
  (_, world) => {
    world.weights = weights;
    return undefined;
  };

/** Gives the state of a healthy rollout when it first comes to a phase. */
export function stateIn(phase: RolloutState["phase"]): RolloutState {
  const { journal } = run(healthy);
  for (let length = 1; length <= journal.length; length++) {
    const state = fold(rollout, journal.slice(0, length));
    if (state.phase === phase) return state;
  }
  throw new Error(`no rollout was ever ${phase}`);
}

export const signal = (name: SignalName, at: number): RolloutObservation => ({
  kind: "Signal",
  signal: name,
  at,
  by: "ann",
  reason: "because",
});
