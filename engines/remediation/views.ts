// What the world shows: the situation before an action, the answer of a runbook, and the rows since the action. Facts
// hold these views whole, so each is declared once, as the form by which a stored fact is read.
import { flag, list, nullable, number, type ObjectOf, object, oneOf, optional, text } from "../form.ts";
import { pauseFields } from "../pause.ts";
import { traceForm } from "../trace.ts";
import { alertKindNames } from "./alerts/alert.ts";
import { runbookNames } from "./runbooks.ts";

/** Any text, also an empty one. */
export const words = (description?: string) =>
  text("a text", { least: 0, ...(description === undefined ? {} : { description }) });

const instant = (description: string) => number({ description });

const sightingFields = {
  id: words("The alert's instance."),
  kind: oneOf(alertKindNames),
  rule: words(),
  severity: number(),
  target: nullable(words("The declared target that it names; null if it names none.")),
  covered: flag({ description: "Whether a policy is declared for its rule and target." }),
  firedAt: instant("When it fired."),
  resolvedAt: nullable(instant("When it resolved; null while it is fired.")),
  trace: traceForm,
};

/** One alert of the estate, as the alerts API lists it. */
export interface Sighting extends ObjectOf<typeof sightingFields> {}

/** How far a remediation has come with an action. A `reserved` one may still be given up, a `cleared` one may not. */
const stages = ["reserved", "cleared", "acted", "ended"] as const;

const entryFields = {
  stream: words("The remediation."),
  target: words(),
  runbook: oneOf(runbookNames),
  stage: oneOf(stages),
  at: instant("When it was reserved."),
  endedAt: nullable(instant("When it was verified or given up; null before.")),
  worked: nullable(flag({ description: "Whether it worked; null before that is known, and if it never was." })),
};
const entryForm = object(entryFields);

/** One action of any remediation, for the rails that span incidents. */
export interface Entry extends ObjectOf<typeof entryFields> {}

const workFields = {
  stream: words("A rollout or a rotation."),
  target: words(),
  endedAt: nullable(instant("When it ended; null while it is in flight.")),
};

/** Other work of the control plane on the target or on what it depends on. */
export interface OtherWork extends ObjectOf<typeof workFields> {}

const situationFields = {
  alerts: nullable(
    list(object(sightingFields), { description: "The most severe alerts first; null if they could not be read." }),
  ),
  alertsLeftOut: number({ description: "How many alerts are not in the list, because there were too many." }),
  actions: nullable(list(entryForm, { description: "Actions of other remediations; null if they are unknown." })),
  work: nullable(list(object(workFields), { description: "Other work; null if it is unknown." })),
  budgetLeftPercent: nullable(number({ description: "The error budget that is left; null if it is unknown." })),
  stopped: nullable(object(pauseFields)),
  stopUnknown: optional(flag({ description: "Whether it could not be read whether all remediations are paused." })),
  readiness: object({
    fits: flag({ description: "Whether the runbook of the present rung fits now." }),
    message: words("Why, or why not."),
    plan: words("What it would do, exactly."),
    unread: optional(flag({ description: "Whether that could not be read, which may pass." })),
    retryAfterSeconds: optional(number({ least: 0, description: "What the other side then asked to wait." })),
  }),
};
export const situationForm = object(situationFields);

/** Everything that the guards look at. What could not be read is null, which is no reason to act. */
export interface Situation extends ObjectOf<typeof situationFields> {}

const receiptFields = {
  message: words("What was done."),
  evidence: optional(list(words(), { description: "Evidence for people, a line each." })),
  follow: optional(words("The stream or execution to follow to its end; absent if it is done.")),
  undo: optional(words("What the runbook needs to know for its undo; absent if there is nothing to undo.")),
};
export const receiptForm = object(receiptFields);

/** What a runbook answers. */
export interface Receipt extends ObjectOf<typeof receiptFields> {}

const endFields = { good: flag(), message: words() };
export const followedForm = object(endFields);

/** How what a runbook began has ended. */
export interface FollowedEnd extends ObjectOf<typeof endFields> {}

const haltedFields = {
  ...endFields,
  undo: optional(words("What its undo needs to know; absent if nothing had begun, or there is nothing to undo.")),
};
export const haltedForm = object(haltedFields);

/** How what a runbook began has ended once it was halted. It is good if it ended well before the halt reached it. */
export interface HaltedEnd extends ObjectOf<typeof haltedFields> {}

export const undoneFields = {
  message: words("What was undone."),
  follow: optional(words("The execution to follow to its end; absent if it is done.")),
};
/** What an undo answers. */
export interface UndoReceipt extends ObjectOf<typeof undoneFields> {}

export const rowsFields = {
  samples: number({ description: "Requests, or looks at replicas or sessions, since the action." }),
  bad: number({ description: "How many of them show the symptom." }),
  to: instant("Up to when all rows have arrived."),
};

/** The rows since the action, counted anew each time. */
export interface Rows extends ObjectOf<typeof rowsFields> {}
