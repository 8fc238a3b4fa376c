// Why a rollout waits, and why it ended: codes that programs can compare, each with its meaning. The message beside a
// code says the same with the numbers of the case.

/** Reasons to wait although nothing is known to be wrong with the canary. Waiting is not a failure. */
export const waitReasons = {
  "no-traffic": "the canary, or stable, got no requests",
  "too-few-requests": "the step has too few requests for a verdict",
  "warming-up": "the canary looks worse during its warm-up, which does not count",
  "stable-sick": "stable fails far more than its baseline",
  "shared-outage": "canary and stable fail together",
  "canary-unwell": "a probe failed, a replica restarted or the platform reports the canary as degraded or failed",
  "lost-requests": "the canary answered fewer requests than its share; some may be hanging",
  noisy: "failures come in bursts, which weakens the evidence",
  unsettled: "the evidence is not enough to go on or to abort",
  "role-closed": "a rotation has closed the role by which the canary logs in, and is asked to open it",
  unapproved: "the next step needs a person's approval",
} as const;
export type WaitReason = keyof typeof waitReasons;

/** Reasons for the end of a rollout. */
export const endReasons = {
  "every-step-passed": "the canary passed every step",
  "promoted-by-signal": "a person promoted the canary",
  returned: "a remediation returned the traffic to this revision, which served before",
  repaired: "a remediation cut over to another secret, because stable fails",
  "same-template": "the revision has the template of the one that serves",
  "worse-than-stable": "the judge found the canary worse than the thresholds allow",
  "probes-failed": "the canary's own address failed too many probes in a row",
  "smoke-test-failed": "the canary did not pass its smoke test in time",
  "weights-drifted": "another client kept changing the weights",
  "effect-failed": "Azure refused an operation too often",
  "not-approved": "the next step was not approved in time",
  "time-expired": "the evidence was not enough within maximumSeconds, or the app stayed locked until then",
  "aborted-by-signal": "a person, or the deletion of the release, aborted it",
  reverted: "the next release has the template of the revision that serves, so it takes this one back",
  superseded: "the next release of the app took its place",
  "traffic-moved-back": "another client gave all traffic back to stable",
  "app-unfit": "the app cannot be released by canary",
  "revision-missing": "the revision does not exist",
  "role-closed": "the canary logs in with a role that a rotation has closed and cannot open",
  "stable-missing": "the revision that served before no longer exists",
} as const;
export type EndReason = keyof typeof endReasons;

/** How a rollout ends, each with its meaning. */
export const results = {
  promoted: "the canary has all traffic",
  "rolled-back": "stable has all traffic again",
  rejected: "the canary never got any traffic",
  unchanged: "the revision is the one that serves, or has its template",
  degraded: "an effect was tried too often without success, so a person must look",
} as const;
/** How a rollout ends. `degraded` means that an effect was tried too often without success: a person must look. */
export type RolloutResult = keyof typeof results;

/** The codes, for the forms of facts. */
export const codesOf = <Code extends string>(meanings: { readonly [Each in Code]: string }): readonly Code[] =>
  Object.keys(meanings) as Code[];
