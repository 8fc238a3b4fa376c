// The traffic of an app between two revisions, as the engine and the adapters see it: its weights, and the effect that
// shifts it to them.
import type { RolloutEffect, Target, Weight } from "../../../engines/rollout/vocabulary.ts";

/** The revisions of a release, by name. */
export interface Arms {
  readonly stable: string;
  readonly canary: string;
}

/** Gives the weights at which the canary has a percentage of the traffic, and stable the rest. */
export const splitBetween = ({ stable, canary }: Arms, percent: number): readonly Weight[] => [
  { revision: stable, percent: 100 - percent },
  { revision: canary, percent },
];

/** Gives the effect that shifts an app to such weights and labels both revisions, unless the app is locked. */
export const shiftBetween = (
  target: Target,
  arms: Arms,
  percent: number,
): Extract<RolloutEffect, { kind: "ShiftTraffic" }> => ({
  kind: "ShiftTraffic",
  target,
  weights: splitBetween(arms, percent),
  labels: { stable: arms.stable, canary: arms.canary },
  overrideLock: false,
});
