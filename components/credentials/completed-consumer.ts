// A consumer of a credential as a program writes it → as it is declared: what is left out of its plan has its default.
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";

/** Completes the plan of a consumer's cut-over. */
export const completedConsumer = <Given extends { readonly strategy?: object; readonly thresholds?: object }>(
  given: Given,
) => ({
  ...given,
  strategy: { ...defaultStrategy, ...given.strategy },
  thresholds: { ...defaultThresholds, ...given.thresholds },
});
