// The inputs of a `ballast:index:Release` as tests need them: whole, and different only where a test says so.
export const pace = {
  weights: [5, 25],
  bakeSeconds: 5,
  warmUpSeconds: 1,
  tickSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 10,
  maximumSeconds: 100,
};
export const limits = {
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

/** Gives the inputs of a release, with revision `r1` of template `one` unless something else is said. */
export const releaseInputs = (
  endpoint: string,
  other: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  endpoint,
  resourceGroup: "rg",
  app: "storefront",
  revision: "r1",
  release: "one",
  pace,
  limits,
  probePath: "/healthz",
  ...other,
});

/** The facts of a release that goes well, in the control plane's words; the second is bookkeeping. */
export const goodFacts = [
  { kind: "Planned", text: "canary at 5, 25, 100 percent" },
  { kind: "Waited", text: "waited" },
  { kind: "StepReached", text: "canary has 5 percent" },
  { kind: "StepPassed", text: "5 percent: canary fails 0.1 percent, stable 0.2 percent" },
  { kind: "Finished", text: "promoted: every step passed" },
];
