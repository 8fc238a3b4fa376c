// Complete inputs of a `ballast:index:Release`, in which a test changes only what it is about.
import { defaultThresholds } from "../../../engines/rollout/plan.ts";

export const strategy = {
  weights: [5, 25],
  bakeSeconds: 5,
  warmUpSeconds: 1,
  intervalSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 10,
  maximumSeconds: 100,
};
/** Returns the inputs of a release: revision `r1` of template `one`, with what `other` changes. */
export const releaseInputs = (
  endpoint: string,
  other: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  endpoint,
  resourceGroup: "rg",
  app: "storefront",
  revision: "r1",
  release: "one",
  strategy,
  thresholds: defaultThresholds,
  probePath: "/healthz",
  ...other,
});

/** The facts of a promoted release, with the control plane's messages; the second is bookkeeping. */
export const goodFacts = [
  { kind: "Planned", message: "canary at 5, 25, 100 percent" },
  { kind: "Waited", message: "waited" },
  { kind: "StepReached", message: "canary has 5 percent" },
  { kind: "StepPassed", message: "5 percent: canary fails 0.1 percent, stable 0.2 percent" },
  { kind: "Finished", message: "promoted: every step passed" },
];
