// Complete inputs of a `ballast:index:Release`, in which a test changes only what it is about.
export const strategy = {
  weights: [5, 25],
  bakeSeconds: 5,
  warmUpSeconds: 1,
  intervalSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 10,
  maximumSeconds: 100,
};
export const thresholds = {
  falseRollbackPercentMax: 5,
  falsePromotionPercentMax: 5,
  oddsTolerated: 1.2,
  slowdownTolerated: 1.2,
  failurePointsMax: 1,
  ceilingPercent: 50,
  ceilingRequests: 50,
  stableFailurePercentMax: 5,
  probeFailuresMax: 3,
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
  thresholds,
  probePath: "/healthz",
  ...other,
});

/** The facts of a promoted release, with the control plane's messages; the second is bookkeeping. */
export const goodFacts = [
  { kind: "Planned", text: "canary at 5, 25, 100 percent" },
  { kind: "Waited", text: "waited" },
  { kind: "StepReached", text: "canary has 5 percent" },
  { kind: "StepPassed", text: "5 percent: canary fails 0.1 percent, stable 0.2 percent" },
  { kind: "Finished", text: "promoted: every step passed" },
];
