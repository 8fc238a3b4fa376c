// The gates of a rotation. Each says whether the rotation may go on, waits, or must stop: the new version is proven, a
// consumer has adopted it, the readers of the old role are quiet, and the grace has passed without a refused login.
import type { Ended } from "../kind.ts";
import { after, duration, secondsBetween } from "../time.ts";
import { many } from "../wording.ts";
import { isLeaked, roleOf, slotAtWork } from "./progress.ts";
import type { Login, ProofView, RotationState, Verdict } from "./vocabulary.ts";
import { lastLoginOf } from "./wording.ts";

/** After this many refused logins in a row a version is given up: the server may have stored something else. */
const loginsMax = 3;
/** How many versions are made for a slot before the rotation stops. */
const versionsMax = 2;

/** Judges a login with the version at work; undefined means another login, `again` another version. */
export function judgeProof(state: RotationState, { login, missing, detail }: ProofView): Verdict | "again" | undefined {
  const role = roleOf(state, slotAtWork(state));
  if (!login) {
    if (state.proofFailures < loginsMax) return undefined;
    if (state.direction === "forward" && state.versionsRejected + 1 < versionsMax) return "again";
    return {
      verdict: "fail",
      reason: "not-proven",
      message: `${role} could not log in ${loginsMax} times in a row: ${detail}`,
    };
  }
  if (missing.length > 0)
    return { verdict: "fail", reason: "privileges-missing", message: `${role} lacks ${missing.join(", ")}` };
  return { verdict: "pass", message: `${role} logs in and has every right that it needs` };
}

/** Judges the end of a consumer's rollout. Only one that was promoted has adopted the version. */
export const judgeAdoption = (app: string, { result, message }: Ended): Verdict =>
  result === "promoted"
    ? { verdict: "pass", message: `${app} uses the version; ${message}` }
    : { verdict: "fail", reason: "cut-over-failed", message: `${app} does not use the version; ${message}` };

/** Judges whether readers no longer log in with the old role; undefined while the quiet time passes as planned. */
export function judgeQuiet(state: RotationState): Verdict | undefined {
  const { lastLogin, readersFrom, readersTo } = state;
  const { quietSeconds, readersSeconds } = state.declaration!.timings;
  const role = roleOf(state, state.live);
  const since = Math.max(readersFrom, lastLogin?.at ?? 0);
  if (state.logAlive && secondsBetween(since, readersTo) >= quietSeconds)
    return { verdict: "pass", message: `nobody has logged in with ${role} for ${duration(quietSeconds)}` };
  const wait = waitOf(state, role);
  if (secondsBetween(state.readersSince, state.now) < readersSeconds) return wait;
  const { reason, message } = wait ?? silent(role);
  return {
    verdict: "fail",
    reason: reason === "login-log-silent" ? reason : "readers-active",
    message: `${message}; waited ${duration(readersSeconds)}`,
  };
}

type Wait = Extract<Verdict, { verdict: "wait" }>;

function waitOf(state: RotationState, role: string): Wait | undefined {
  if (!state.logAlive) return silent(role);
  if (state.lastLogin === undefined || state.lastLogin.at < state.readersFrom) return undefined;
  const { quietSeconds } = state.declaration!.timings;
  return {
    verdict: "wait",
    reason: "readers-active",
    message:
      `waits until nobody has logged in with ${role} for ${duration(quietSeconds)}; ` +
      lastLoginOf(state.lastLogin, state),
  };
}

const silent = (role: string): Wait => ({
  verdict: "wait",
  reason: "login-log-silent",
  message: `waits for the log of logins: it does not show the rotation's own login, so it proves nothing about ${role}`,
});

/** Judges whether the old role's sessions have ended by themselves. */
export function judgeDrain(state: RotationState): Verdict {
  const role = roleOf(state, state.live);
  if (state.sessions === 0) return { verdict: "pass", message: `${role} has no open session` };
  const { drainSeconds } = state.declaration!.timings;
  const sessions = many(state.sessions, "open session");
  return {
    verdict: "wait",
    reason: "sessions-open",
    message: `waits up to ${duration(drainSeconds)} for ${sessions} of ${role} to end`,
  };
}

/** By how much the time of a refused login may be wrong, so that it is still seen. */
const skewSeconds = 60;

/**
 * Gives how much earlier a refusal counts than a login, since only a closed role refuses: at most half the quiet time,
 * or one refusal would count twice.
 */
export const refusalSlackSeconds = ({ declaration }: RotationState): number =>
  Math.min(skewSeconds, (declaration?.timings.quietSeconds ?? 0) / 2);

/** Finds a reader that has used the old role since it was to be quiet. */
export function readerIn(state: RotationState, logins: readonly Login[]): Login | undefined {
  const refusedFrom = after(state.readersFrom, -refusalSlackSeconds(state));
  return logins.find(({ at, refused }) => at > (refused ? refusedFrom : state.readersFrom));
}

/** Judges whether the grace is over; undefined while it lasts. */
export function judgeGrace(state: RotationState): Verdict | undefined {
  const { graceSeconds, readersSeconds } = state.declaration!.timings;
  const role = roleOf(state, state.live);
  if (state.logAlive && state.readersTo >= after(state.phaseAt, graceSeconds))
    return { verdict: "pass", message: `nobody was refused with ${role} for ${duration(graceSeconds)}` };
  if (secondsBetween(state.phaseAt, state.now) < graceSeconds + readersSeconds)
    return state.logAlive ? undefined : silent(role);
  return { verdict: "fail", reason: "login-log-silent", message: silent(role).message };
}

/** Judges a wait for another rollout of a consumer. */
export function judgeBusy(state: RotationState, app: string, why: string): Exclude<Verdict, { verdict: "pass" }> {
  const { busySeconds } = state.declaration!.timings;
  const message = `the cut-over of ${app} could not begin: ${why}`;
  return secondsBetween(state.phaseAt, state.now) < busySeconds
    ? { verdict: "wait", reason: "consumer-busy", message }
    : { verdict: "fail", reason: "consumer-busy", message: `${message}; waited ${duration(busySeconds)}` };
}

/** Gives the ways on after a stop, for people. */
export function waysOn(state: RotationState): string {
  if (isLeaked(state)) return "continue with retry; there is no way back to a version that others know";
  return state.renewing ? "continue with retry" : "continue with retry, or return to the old version with back";
}
