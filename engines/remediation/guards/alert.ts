// Guards that look at the alert itself: whether it is fired, for how long, and how often.
import { after, duration, secondsBetween } from "../../time.ts";
import type { Limits } from "../policy.ts";
import { end, type Finding, type Guard, hold, lookSeconds, pass } from "./guard.ts";

/**
 * Only a fired alert is acted on. Whether it is fired is read from the alerts API, since deliveries are lost, repeated
 * and late. An answer that is missing or cut off is no answer.
 */
export const fired: Guard = ({ state, incident, situation, changes, limits, now }) => {
  if (incident.origin !== "alert") return pass(`asked for by a ${incident.origin === "drill" ? "drill" : "person"}`);
  const { alerts, alertsLeftOut } = situation;
  const age = secondsBetween(incident.alert.firedAt, state.startedAt);
  if (-age > limits.skewSeconds) return end("refused", "stale", `the alert fires ${duration(-age)} in the future`);
  const own = alerts?.find(({ id }) => id === incident.alert.id);
  if (own !== undefined)
    return own.resolvedAt === null
      ? fresh(age, limits)
      : end("self-healed", "cleared-by-itself", "the alert resolved before anything was done");
  if (alerts !== null && alertsLeftOut === 0)
    return end("self-healed", "cleared-by-itself", "the alert is no longer listed, and nothing was done");
  return changes
    ? hold(after(now, lookSeconds), "whether the alert is still fired is not known")
    : pass("whether the alert is still fired is not known, but diagnostics change nothing");
};

/** What was left alone for so long is no longer what its policy was written for. */
const fresh = (age: number, { staleSeconds }: Limits): Finding =>
  age > staleSeconds
    ? end("person-called", "stale", `the alert has been fired for ${duration(age)} without anything being done`)
    : pass("the alert is fired");

/** An alert that has just fired may clear by itself, and those of the same cause may still be on their way. */
export const settle: Guard = ({ incident, limits, now }) => {
  const until = after(incident.alert.firedAt, limits.settleSeconds);
  return until <= now
    ? pass(`fired for ${duration(Math.max(0, (now - incident.alert.firedAt) / 1000))}`)
    : hold(until, `fired for less than ${duration(limits.settleSeconds)}`);
};

/** A rule that fires and resolves again and again is not repaired by what was done before. */
export const flapping: Guard = ({ incident, situation, limits, now }) => {
  const times = (situation.alerts ?? []).filter(
    ({ rule, target, firedAt }) =>
      rule === incident.alert.rule && target === incident.target && firedAt >= after(now, -limits.flapSeconds),
  ).length;
  return times > limits.flapsMax
    ? end("person-called", "flapping", `the rule fired ${times} times within ${duration(limits.flapSeconds)}`)
    : pass(times <= 1 ? "the rule fired once" : `the rule fired ${times} times within ${duration(limits.flapSeconds)}`);
};
