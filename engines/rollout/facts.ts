// The facts of a rollout, declared once: the form by which each is read from the journal, of which its type follows. A
// field that is added later stays optional here for good, because journals outlive the code that wrote them.
import { codecOf, type FactOf } from "../codec.ts";
import { flag, list, nullable, number, object, oneOf, optional } from "../form.ts";
import type { Instant } from "../time.ts";
import { intentForm } from "./intent.ts";
import { codesOf, endReasons, results, waitReasons } from "./reasons.ts";
import { signalNames } from "./signals.ts";
import {
  admissionFields,
  appForm,
  landingForm,
  measurementFields,
  probeFields,
  trafficFields,
  weightForm,
  words,
} from "./views.ts";

const percent = number();
const message = words();
const endReason = oneOf(codesOf(endReasons));
const waitReason = oneOf(codesOf(waitReasons));
const verdict = oneOf(["pass", "fail", "inconclusive"]);

/** The names of all effects, for the facts about those that failed. */
const effectNames = [
  "Repoint",
  "Inspect",
  "OpenRole",
  "Activate",
  "Probe",
  "ShiftTraffic",
  "VerifyTraffic",
  "Wait",
  "AwaitSignal",
  "Measure",
  "Deactivate",
] as const;

/** Facts that hold an observation. */
const observed = {
  Planned: object({ intent: intentForm, steps: list(number()) }),
  Repointed: object({}),
  Inspected: object({ view: appForm }),
  RoleAsked: object(admissionFields),
  Activated: object({}),
  Probed: object(probeFields),
  TrafficShifted: object({ weights: list(weightForm), mayLand: optional(landingForm) }),
  TrafficRead: object(trafficFields),
  Waited: object({}),
  Measured: object(measurementFields),
  Deactivated: object({}),
  AttemptFailed: object({
    effect: oneOf(effectNames),
    message,
    mayLand: optional(landingForm),
    retryAfterSeconds: optional(number({ least: 0 })),
  }),
  Signalled: object({
    signal: oneOf(signalNames),
    by: words(),
    byName: optional(words()),
    message,
    about: optional(words()),
    mayApprove: optional(flag()),
  }),
};

/** Facts that hold a decision. */
const decided = {
  Started: object({
    stable: nullable(words()),
    activate: flag(),
    /** The rotation that retires the role by which the canary logs in; absent if none does. */
    opens: optional(words()),
  }),
  FoundUnchanged: object({ stable: words(), untouched: flag(), message }),
  SmokePassed: object({}),
  StepReached: object({ percent }),
  TrafficDrifted: object({ percent, seenPercent: percent, deactivated: optional(list(words())) }),
  TrafficMoved: object({ percent, seenPercent: percent }),
  TrafficAdopted: object({ percent }),
  Waiting: object({ reason: waitReason, message }),
  DryRunJudged: object({ verdict, reason: optional(waitReason), message }),
  StepPassed: object({ percent, message }),
  Aborted: object({ reason: endReason, message, by: words() }),
  ReleaseRefused: object({ revision: words(), deactivate: flag(), message }),
  Reverted: object({}),
  Disregarded: object({ what: words() }),
  Finished: object({ result: oneOf(codesOf(results)), reason: endReason, message }),
};

export type RolloutObserved = FactOf<typeof observed>;
export type RolloutDecision = FactOf<typeof decided>;

/**
 * A fact of a rollout. An observation adds one fact that holds it whole, followed by the decisions it led to, so that a
 * journal can be decided again from itself.
 */
export type RolloutEvent = { readonly at: Instant } & (RolloutObserved | RolloutDecision);

/** How a rollout ended, and why: for programs, then for people. */
export type Ending = Omit<Extract<RolloutDecision, { kind: "Finished" }>, "kind">;

/** Reads the facts of rollouts. */
export const facts = codecOf({ ...observed, ...decided });

/** Reports whether a rollout is finished after these events; undefined if they do not change that. */
export function finishes(events: readonly RolloutEvent[]): boolean | undefined {
  const last = events.findLast(
    (event) =>
      event.kind === "Finished" || event.kind === "Planned" || (event.kind === "Signalled" && event.signal === "retry"),
  );
  return last && last.kind === "Finished";
}
