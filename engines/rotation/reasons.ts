// Why a rotation waits, and why it ended: codes that programs can compare, each with its meaning.

/** Reasons to wait. */
export const waitReasons = {
  "window-closed": "no rotation may begin before the declared window opens",
  frozen: "no rotation may begin before the declared freeze ends",
  "budget-used": "as many rotations are in flight as may be at once",
  "manager-busy": "the managing credential, or one that this one manages, is being rotated",
  "not-yet-valid": "the published version is not valid yet",
  "consumer-busy": "another rollout of a consumer is in flight",
  "readers-active": "a reader still logs in with the old role",
  "sessions-open": "the old role has open sessions",
  "login-log-silent": "the log of logins does not show the rotation's own login",
} as const;
export type WaitReason = keyof typeof waitReasons;

/** Reasons for the end of a rotation. */
export const endReasons = {
  rotated: "every consumer uses the new version, and the old slot is renewed",
  "already-rotated": "another version is published than the one that was due",
  "not-permitted": "the caller is not among those who may ask for a rotation of this credential",
  "credential-unfit": "the credential has no published version, or it is disabled",
  "consumers-split": "a consumer names another slot than the published one, or none",
  "idle-in-use": "a reader uses the slot that would get a new password",
  "changed-elsewhere": "another client has changed the credential",
  "privileges-missing": "the new role lacks rights that the old one has",
  "not-proven": "the server did not accept the new password",
  "cut-over-failed": "a consumer was not promoted with the new version",
  "consumer-busy": "another rollout of a consumer did not end in time",
  "readers-active": "readers did not stop to use the old role in time",
  "login-log-silent": "the log of logins showed nothing in time",
  "effect-failed": "an operation was refused too often",
  "returned-by-signal": "a person asked to go back to the old version",
} as const;
export type EndReason = keyof typeof endReasons;

/** How a rotation ends, each with its meaning. */
export const results = {
  rotated: "the new version serves, and the old password is void",
  unchanged: "nothing had to be done",
  rejected: "no consumer was touched, and the old version serves",
  returned: "the old version serves again",
  stopped: "both versions are valid, and a person decides how to go on",
  degraded: "a role could not be opened, closed or renewed, so a person must look",
} as const;
export type RotationResult = keyof typeof results;
