// Weights and labels: what the app should show in the present phase, and how lists of weights are compared.
import type { Labels, RolloutState, Weight } from "./vocabulary.ts";

/** Gives the weights that the app should have in the present phase: the split of the step, or everything to stable. */
export function wantedWeights(state: RolloutState): readonly Weight[] {
  const canary = state.intent?.revision ?? "";
  if (state.ending !== undefined && state.ending.result !== "promoted")
    return state.stable === null ? [] : [{ revision: state.stable, percent: 100 }];
  const percent = percentOf(state);
  if (state.stable === null || percent === 100) return [{ revision: canary, percent: 100 }];
  return [
    { revision: state.stable, percent: 100 - percent },
    { revision: canary, percent },
  ];
}

/** Gives the revisions that should have our labels in the present phase. */
export function wantedLabels({ stable, intent, ending }: RolloutState): Labels {
  const canary = intent?.revision ?? "";
  if (stable === null || ending?.result === "promoted") return { stable: canary };
  return ending === undefined ? { stable, canary } : { stable };
}

/** Gives the canary's percentage in the present step: the plan's, or the adopted one that another client set. */
export const percentOf = (state: RolloutState): number => state.adopted ?? state.steps[state.step] ?? 100;

/** Reports whether two lists give each revision the same share, whatever their order; zero weights do not count. */
export function sameWeights(a: readonly Weight[], b: readonly Weight[]): boolean {
  const canonical = (weights: readonly Weight[]) =>
    weights
      .filter(({ percent }) => percent > 0)
      .map(({ revision, percent }) => `${revision.toLowerCase()}=${percent}`)
      .sort()
      .join();
  return canonical(a) === canonical(b);
}

/** Gives the share of a revision; undefined if it is not in the list. */
export const shareOf = (weights: readonly Weight[], revision: string): number | undefined =>
  weights.find((weight) => sameName(weight.revision, revision))?.percent;

/** Reports whether two names are the same to Azure, which ignores case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
