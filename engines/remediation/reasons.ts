// Why a remediation waits, and how and why it ended: codes that programs can compare, each with its meaning.

/** The guards, in the order in which they decide. Each says what it prevents. */
export const guardNames = {
  paused: "a person has stopped actions, with a reason and an expiry",
  fired: "the alert has resolved, or whether it is fired is not known",
  storm: "alerts on many targets at once",
  cause: "the cause is a target that this one depends on",
  settle: "the alert has not been fired for long enough",
  "in-flight": "a rollout or a rotation is in progress on the target or on something that it depends on",
  "self-caused": "what we did ourselves a moment ago explains the alert",
  flapping: "the rule fires and resolves again and again",
  attempts: "the target has had all the actions of its period",
  "cool-down": "the target had an action a moment ago",
  budget: "enough error budget is left, or how much is left is not known",
  breaker: "the runbook failed too often",
  precondition: "the runbook does not fit now",
  "blast-radius": "other targets have actions that are not verified yet",
} as const;
export type GuardName = keyof typeof guardNames;

/** Reasons for the end of a remediation. */
export const endReasons = {
  verified: "the symptom stayed away after the action",
  "cleared-by-itself": "the alert resolved before anything was done",
  "upstream-cause": "a target that this one depends on has an incident of its own",
  "common-cause": "targets that depend on the same thing failed together",
  "platform-cause": "Azure reports trouble of its own platform",
  storm: "alerts fired on many targets at once",
  "no-policy": "no policy is declared for the rule",
  "not-covered": "the policy does not name the target",
  unfit: "no action may follow from this kind of alert",
  stale: "the alert fired too long ago, or in the future",
  "not-verified": "too few rows since the action show whether it worked",
  "ladder-exhausted": "nothing on the ladder helped",
  "circuit-open": "the runbook failed too often, so its circuit is open",
  "attempts-exhausted": "the target has had all the actions of its period",
  flapping: "the rule fires and resolves again and again",
  "not-approved": "the action was not approved in time",
  rejected: "a person rejected the action",
  "undo-failed": "the action did not help and could not be undone",
  "halt-failed": "what the action began did not end, and could not be stopped",
  "effect-failed": "the control plane could not read what it needs",
  "time-expired": "the incident took longer than maximumSeconds",
  "stopped-by-signal": "a person stopped it",
  drill: "a drill: nothing was changed",
} as const;
export type EndReason = keyof typeof endReasons;

/** How a remediation ends. */
export const results = {
  repaired: "an action was verified against the symptom",
  "self-healed": "the alert resolved before anything was done",
  attributed: "another incident has the cause, so nothing was done here",
  refused: "the alert is none that may be acted on",
  "person-called": "a person was called with the evidence",
  stopped: "a person stopped it",
  drilled: "the drill went through",
} as const;
export type RemediationResult = keyof typeof results;

/** The codes, for the forms of facts. */
export const codesOf = <Code extends string>(meanings: { readonly [Each in Code]: string }): readonly Code[] =>
  Object.keys(meanings) as Code[];
