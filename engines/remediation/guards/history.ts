// Guards that look at the actions before this one, of all remediations. They are read from the journal, so no restart
// forgets them.
import { after, duration, type Instant } from "../../time.ts";
import { many } from "../../wording.ts";
import { streamOf } from "../names.ts";
import type { RunbookName } from "../runbooks.ts";
import type { Entry } from "../vocabulary.ts";
import { end, type Finding, type Guard, type Guarded, hold, lookSeconds, pass } from "./guard.ts";

const unknown = (now: Instant): Finding =>
  hold(after(now, lookSeconds), "the actions of other incidents could not be read");

const isDone = ({ stage }: Entry): boolean => stage !== "reserved";

/** Gives all actions, those of this remediation included. */
function actionsOf({ state, incident, situation }: Guarded): readonly Entry[] {
  const stream = streamOf(incident);
  const own = state.ended.map(({ action, endedAt, worked }) => ({
    stream,
    target: incident.target,
    runbook: action.runbook,
    stage: "ended" as const,
    at: action.reservedAt,
    endedAt,
    worked,
  }));
  return [...(situation.actions ?? []), ...own];
}

/** A target that was acted on so often needs a person, not another try. */
export const attempts: Guard = (guarded) => {
  const { incident, situation, limits, now } = guarded;
  if (situation.actions === null) return unknown(now);
  const since = after(now, -limits.periodSeconds);
  const done = actionsOf(guarded).filter(
    (entry) => entry.target === incident.target && isDone(entry) && entry.at >= since,
  ).length;
  return done >= limits.attemptsMax
    ? end(
        "person-called",
        "attempts-exhausted",
        `the target had ${done} of ${limits.attemptsMax} actions within ${duration(limits.periodSeconds)}`,
      )
    : pass(`${done} of ${limits.attemptsMax} actions within ${duration(limits.periodSeconds)}`);
};

/** The alert stays fired for a while after its cause is gone, so the time after an action says nothing. */
export const coolDown: Guard = ({ incident, situation: { actions }, limits, now }) => {
  if (actions === null) return unknown(now);
  const last = Math.max(
    0,
    ...actions
      .filter((entry) => entry.target === incident.target && isDone(entry))
      .map(({ at, endedAt }) => endedAt ?? at),
  );
  const until = after(last, limits.cooldownSeconds);
  return until <= now
    ? pass(last === 0 ? "no action before" : "the cool-down of the last action is over")
    : hold(until, `the last action was less than ${duration(limits.cooldownSeconds)} ago`);
};

/** The error budget says how much a risk may cost. If it is not known, nothing is risked. */
export const budget: Guard = ({ situation: { budgetLeftPercent: left }, limits, now }) => {
  if (left === null) return hold(after(now, lookSeconds), "how much error budget is left is not known");
  return left > limits.actBelowPercent
    ? hold(after(now, lookSeconds), `${left} percent of the error budget is left; it acts at ${limits.actBelowPercent}`)
    : pass(`${left} percent of the error budget is left`);
};

/** What a circuit knows: how often the runbook failed in a row, and when it last did. */
interface Circuit {
  readonly failures: number;
  readonly failedAt: Instant;
}

/**
 * Gives the circuit of a runbook: its failures in a row on all targets, or on this one if they are more. What helps
 * elsewhere in the meantime does not make a fault here stay away. An action that worked, but whose incident came back
 * soon, has failed. One that could not be verified says nothing.
 */
function circuitOf(guarded: Guarded, runbook: RunbookName): Circuit {
  const { incident, limits } = guarded;
  const ended = actionsOf(guarded)
    .filter((entry) => entry.runbook === runbook && entry.stage === "ended" && entry.worked !== null)
    .toSorted((one, other) => other.at - one.at);
  const cameBack = ({ target, endedAt }: Entry): boolean =>
    target === incident.target &&
    endedAt !== null &&
    endedAt <= incident.alert.firedAt &&
    incident.alert.firedAt <= after(endedAt, limits.recurrenceSeconds);
  const failuresIn = (entries: readonly Entry[]): Circuit => {
    const good = entries.findIndex((entry) => entry.worked === true && !cameBack(entry));
    const failed = good === -1 ? entries : entries.slice(0, good);
    return { failures: failed.length, failedAt: failed[0]?.endedAt ?? 0 };
  };
  const everywhere = failuresIn(ended);
  const here = failuresIn(ended.filter(({ target }) => target === incident.target));
  return here.failures > everywhere.failures ? here : everywhere;
}

/**
 * Opens a circuit after too many failures in a row, on this target or on all: then the runbook itself is in doubt.
 * After its time a single action may probe it.
 */
export const breaker: Guard = (guarded) => {
  const { situation, limits, rung, now } = guarded;
  if (situation.actions === null) return unknown(now);
  const { failures, failedAt } = circuitOf(guarded, rung.runbook);
  if (failures < limits.breakerFailuresMax)
    return pass(failures === 0 ? "the circuit is closed" : `${failures} of ${limits.breakerFailuresMax} failures`);
  if (now < after(failedAt, limits.breakerSeconds))
    return {
      verdict: "leave",
      message: `the circuit of ${rung.runbook} is open after ${many(failures, "failure")} in a row`,
    };
  const probes = competing(guarded, ({ runbook }) => runbook === rung.runbook);
  return probes ?? pass("the circuit is half open, and this action probes it");
};

/** Limits how many targets have an action whose result is not known yet. */
export const blastRadius: Guard = (guarded) => {
  const { situation, incident, limits, now } = guarded;
  if (situation.actions === null) return unknown(now);
  const open = situation.actions.filter(({ target, stage }) => target !== incident.target && stage !== "ended");
  const targets = new Set(open.map(({ target }) => target)).size;
  if (targets < limits.blastRadiusMax) return pass(`${many(targets, "other target")} with an open action`);
  const others = competing(guarded, ({ target }) => target !== incident.target, limits.blastRadiusMax - 1);
  return others ?? pass(`fewer than ${limits.blastRadiusMax} other targets have an action before this one`);
};

/**
 * Decides between remediations that want the same place at the same moment, without a lock: each writes its reservation
 * before it looks. Whoever sees an earlier reservation gives its own up; whoever sees a later one keeps its own and
 * waits until that one has been given up, or cleared by a remediation that had not seen this one.
 *
 * @param free How many others leave a place.
 */
function competing(guarded: Guarded, isRival: (entry: Entry) => boolean, free = 0): Finding | undefined {
  const { state, situation, incident, now } = guarded;
  const stream = streamOf(incident);
  const rivals = (situation.actions ?? []).filter((entry) => entry.stage !== "ended" && isRival(entry));
  const own = state.action?.stage === "reserved" ? state.action.reservedAt : undefined;
  const isLater = ({ stage, at, stream: other }: Entry): boolean =>
    own !== undefined && stage === "reserved" && (at > own || (at === own && other > stream));
  const before = new Set(rivals.filter((entry) => !isLater(entry)).map(({ target }) => target)).size;
  if (before > free)
    return hold(after(now, lookSeconds), `${many(before, "other target")} with an action that is not verified`);
  const undecided = rivals.filter(isLater);
  return undecided.length === 0
    ? undefined
    : {
        verdict: "hold",
        until: after(now, yieldSeconds),
        message: `${undecided[0]!.stream} wants to act at the same moment`,
        keeps: true,
      };
}

const yieldSeconds = 2;
