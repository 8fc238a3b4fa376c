// A plan for tests that wait for a real rollout: each step takes about a second, and a few dozen requests are enough
// evidence. A test that needs a longer bake overrides it.
import type { Strategy, Thresholds } from "../../../engines/rollout/vocabulary.ts";

export const quickStrategy: Strategy = {
  weights: [50],
  bakeSeconds: 1,
  warmUpSeconds: 0,
  intervalSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 12,
  maximumSeconds: 60,
};

/** The widest thresholds that a plan may have. */
export const wideThresholds: Pick<Thresholds, "failurePointsMax" | "slowdownTolerated"> = {
  failurePointsMax: 20,
  slowdownTolerated: 10,
};
