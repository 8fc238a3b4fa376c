// What the inspection shows of the app, and what comes before the canary's start if it logs in with a role that a
// rotation retires.
import { after } from "../time.ts";
import type { AppView, Phase, RolloutState } from "./vocabulary.ts";
import { sameName, shareOf } from "./weights.ts";

/** Notes what the inspection shows. */
export const inspect = (state: RolloutState, { weights, revisions }: AppView): RolloutState => ({
  ...state,
  failures: 0,
  inspected: true,
  touched: state.touched || (shareOf(weights, state.intent!.revision) ?? 0) > 0,
  startupSeconds: revisions.find(({ name }) => sameName(name, state.intent!.revision))?.startupSeconds ?? 0,
  sleepers: revisions.filter(({ minReplicas }) => minReplicas === 0).map(({ name }) => name),
});

/** Phases in which the canary has never had traffic, unless the inspection has seen some. */
export const untouchedIn: readonly Phase[] = ["repointing", "inspecting", "opening", "activating", "smoking"];

/** Gives the phase in which a canary starts. */
export const startOf = ({ activate }: { readonly activate: boolean }): Phase => (activate ? "activating" : "smoking");

/** Asks once more an interval later: the role is being opened, or its slot renewed. */
export const askAgain = (state: RolloutState): RolloutState => ({
  ...state,
  failures: 0,
  retryAt: after(state.now, state.intent?.strategy.intervalSeconds ?? 60),
});
