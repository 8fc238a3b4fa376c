// Guards that look at what people and the control plane do: a stop, other work on the target, and what we caused.
import { after, duration, type Instant } from "../../time.ts";
import { utcOf } from "../../utc.ts";
import { dependenciesOf } from "../targets.ts";
import type { OtherWork } from "../vocabulary.ts";
import { type Guard, hold, lookSeconds, pass } from "./guard.ts";

/** A pause of all remediations, or of this one. Both end by themselves; an early end is seen at the next look. */
export const paused: Guard = ({ state, situation: { stopped, stopUnknown }, limits, now }) => {
  if (stopUnknown === true) return hold(after(now, lookSeconds), "whether all remediations are paused is not known");
  if (state.paused) return hold(after(state.pausedAt, limits.pauseSecondsMax), "a person has paused it");
  return stopped !== null && stopped.until > now
    ? hold(
        Math.min(stopped.until, after(now, lookSeconds)),
        `${stopped.by} has paused all remediations until ${utcOf(stopped.until)}: ${stopped.message}`,
      )
    : pass("no person has stopped it");
};

/** A rollout or a rotation has a judge of its own, which knows more of it than an alert does. */
export const inFlight: Guard = ({ state, incident, situation: { work }, now }) => {
  if (work === null) return hold(after(now, lookSeconds), "whether a rollout is in flight is not known");
  const near = [incident.target, ...dependenciesOf(incident.target, state.graph)];
  const found = work.find(({ target, endedAt }) => endedAt === null && near.includes(target));
  return found === undefined
    ? pass("no rollout and no rotation is in flight")
    : hold(after(now, lookSeconds), `${found.stream} is in flight`);
};

/**
 * An alert that fired during our own work or in its wake is its effect, until the wake is over. A finished rollout is
 * no excuse for itself: returning to the revision before is what undoes it.
 */
export const selfCaused: Guard = ({ incident, situation: { work, actions }, limits, rung, now }) => {
  const { alert, target } = incident;
  const done = [
    ...(work ?? []).filter(({ stream }) => rung.runbook !== "return-to-previous" || !stream.startsWith("rollout/")),
    ...(actions ?? []),
  ].filter((each): each is OtherWork & { endedAt: Instant } => each.target === target && each.endedAt !== null);
  const wake = done.find(({ endedAt }) => {
    const until = after(endedAt, limits.correlationSeconds);
    return alert.firedAt <= until && now < until;
  });
  return wake === undefined
    ? pass("it did not fire in the wake of our own work")
    : hold(
        after(wake.endedAt, limits.correlationSeconds),
        `it fired during ${wake.stream}, or within ${duration(limits.correlationSeconds)} after it`,
      );
};
