// What may be done about the alerts of one rule, and how often: the ladder of runbooks, the rails, and how an action is
// verified. Declared once. A run keeps the policy with which it began, so a change applies from the next incident on.
import { line, list, number, type ObjectOf, object, oneOf, text } from "../form.ts";
import { longestSeconds } from "../pause.ts";
import type { Range } from "../range.ts";
import { duration } from "../time.ts";
import { changesWorld, longestOf, runbookOf, rungForm } from "./runbooks.ts";

const limit = (about: Range & { readonly otherwise: number; readonly description: string }) => number(about);
const seconds = (otherwise: number, description: string, least = 1) =>
  limit({ least, most: longestSeconds, otherwise, description });
const count = (otherwise: number, description: string, least = 1) =>
  limit({ least, most: 1000, whole: true, otherwise, description });

const verificationFields = {
  measure: oneOf(["requests", "restarts", "blocked-sessions"], {
    otherwise: "requests",
    description:
      "What shows the symptom: failed `requests` of the app, which is what the control plane measures. A preview " +
      "refuses `restarts` of its replicas and `blocked-sessions`, which wait for others.",
  }),
  delaySeconds: seconds(60, "How long the action may take to show before rows count.", 0),
  windowSeconds: seconds(600, "For how long the symptom must stay away after that."),
  intervalSeconds: seconds(60, "How often the rows since the action are read."),
  samplesMin: count(50, "With fewer rows since the action nothing is verified: a third result, and no success."),
  badPercentMax: limit({
    least: 0,
    most: 99,
    otherwise: 1,
    description: "The largest share of bad rows with which the action counts as having worked.",
  }),
};
export const verificationForm = object(verificationFields);

/** How an action is verified: against the symptom since the action, never by the alert's state. */
export interface Verification extends ObjectOf<typeof verificationFields> {}

const limitFields = {
  settleSeconds: seconds(120, "How long an alert must have been fired before anything is done.", 0),
  lookBackSeconds: seconds(
    1500,
    "For how long the alert may stay fired after its cause is gone: the rule's window, ingestion and resolve time.",
  ),
  cooldownSeconds: seconds(3600, "How long a target is left alone after an action; at least lookBackSeconds."),
  attemptsMax: count(2, "How many actions a target may get within periodSeconds. The next incident calls a person."),
  periodSeconds: seconds(86_400, "The period of attemptsMax."),
  recurrenceSeconds: seconds(7200, "An incident that comes back this soon counts as a failure of the action before."),
  blastRadiusMax: count(1, "How many targets may have an action that is not verified yet, this one included."),
  actBelowPercent: limit({
    above: 0,
    most: 100,
    otherwise: 100,
    description: "Acts only while at most this share of the error budget is left: a rich budget needs no risk.",
  }),
  breakerFailuresMax: count(2, "After this many failures in a row of a runbook its circuit opens."),
  breakerSeconds: seconds(21_600, "How long an open circuit stays open; then a single action may probe it."),
  stormTargetsMax: count(5, "With alerts on more targets than this, nothing is done: one person is called."),
  flapsMax: count(5, "A rule that fired more often than this within flapSeconds calls a person."),
  flapSeconds: seconds(3600, "The period of flapsMax."),
  correlationSeconds: seconds(600, "For how long an alert is taken as the effect of what we did ourselves before it."),
  approvalSeconds: seconds(3600, "How long an approval is waited for."),
  pauseSecondsMax: seconds(14_400, "After this time a pause ends by itself."),
  staleSeconds: seconds(3600, "An alert that fired longer ago is refused: a delivery may be replayed."),
  skewSeconds: seconds(300, "How far in the future an alert may have fired by our clock.", 0),
  maximumSeconds: seconds(14_400, "How long an incident may take; then a person is called."),
};
export const limitsForm = object(limitFields);

/** The rails. */
export interface Limits extends ObjectOf<typeof limitFields> {}

export const policyFields = {
  rule: text("an alert rule's name", { most: 260, description: "The alert rule whose alerts are acted on." }),
  owner: line(200, { description: "The team or person who is called." }),
  targets: list(text("a target's key"), { least: 1, most: 100, description: "What may be acted on." }),
  ladder: list(rungForm, { least: 1, most: 5, description: "What is done, in this order, until something helps." }),
  verification: verificationForm,
  limits: limitsForm,
};
export const policyForm = object(policyFields, { check: objectionsToPolicy });

/** A policy: whose alerts, what is done about them, and the rails. */
export interface Policy extends ObjectOf<typeof policyFields> {}

export function objectionsToPolicy({ targets, ladder, verification, limits }: Policy): readonly string[] {
  const acting = ladder.filter(({ runbook }) => changesWorld(runbook));
  const unfit = acting.flatMap(({ runbook }) =>
    targets
      .filter((target) => !runbookOf(runbook).on.some((type) => target.startsWith(`${type}/`)))
      .map((target) => `${runbook} cannot act on ${target}.`),
  );
  const { cooldownSeconds, lookBackSeconds, maximumSeconds, settleSeconds, breakerFailuresMax, attemptsMax } = limits;
  const each = verification.delaySeconds + verification.windowSeconds;
  const least = settleSeconds + ladder.reduce((sum, rung) => sum + longestOf(rung) + each, 0);
  return [
    ...unfit,
    ...(cooldownSeconds < lookBackSeconds
      ? [
          `cooldownSeconds (${cooldownSeconds}) is shorter than lookBackSeconds (${lookBackSeconds}): the alert of ` +
            "a cause that is gone would be acted on again.",
        ]
      : []),
    ...(maximumSeconds < least
      ? [`maximumSeconds (${maximumSeconds}) is too short: the ladder takes up to ${duration(least)} (${least} s).`]
      : []),
    ...(verification.intervalSeconds > verification.windowSeconds
      ? ["The verification's window is shorter than its interval, so nothing could be verified."]
      : []),
    ...(breakerFailuresMax > attemptsMax * targets.length * ladder.length
      ? [`The circuit could never open: ${breakerFailuresMax} failures are more than the attempts allow.`]
      : []),
  ];
}
