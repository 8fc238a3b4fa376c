// The facts of a remediation, declared once: the form by which each is read from the journal, of which its type
// follows. A field that is added later stays optional here for good, because journals outlive the code that wrote them.
import { codecOf, type FactOf } from "../codec.ts";
import { flag, list, nullable, number, object, oneOf, optional } from "../form.ts";
import type { Instant } from "../time.ts";
import { intentForm } from "./intent.ts";
import { policyForm } from "./policy.ts";
import { codesOf, endReasons, guardNames, results } from "./reasons.ts";
import { runbookNames } from "./runbooks.ts";
import { signalNames } from "./signals.ts";
import { declaredForm } from "./targets.ts";
import { followedForm, haltedForm, receiptForm, rowsFields, situationForm, undoneFields, words } from "./views.ts";

const message = words();
const guard = oneOf(codesOf(guardNames));
const rung = number({ description: "The index of a rung of the ladder." });
const runbook = oneOf(runbookNames);

/** The names of all effects, for the facts about those that failed. */
const effectNames = ["LoadPolicy", "Assess", "Wait", "Act", "Follow", "Measure", "Halt", "Undo"] as const;

/** Facts that hold an observation. */
const observed = {
  Reported: object({ incident: intentForm }),
  PolicyLoaded: object({ policy: nullable(policyForm), graph: list(declaredForm) }),
  Assessed: object({ situation: situationForm }),
  Waited: object({}),
  Acted: object({ receipt: receiptForm }),
  Followed: object({ end: followedForm }),
  Measured: object(rowsFields),
  Halted: object({ end: haltedForm }),
  Undone: object(undoneFields),
  AttemptFailed: object({
    effect: oneOf(effectNames),
    message,
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

const checkedForm = object({ guard, passes: flag(), message });

/** Facts that hold a decision. */
const decided = {
  Guarded: object({ rung, runbook, checked: list(checkedForm, { description: "What each guard found." }) }),
  Held: object({ guard, until: number(), message }),
  Reserved: object({ rung, runbook, plan: words("What is going to be done, exactly.") }),
  Yielded: object({ guard, message }),
  ApprovalAwaited: object({ runbook, until: number(), message }),
  Cleared: object({ rung, runbook }),
  Judged: object({ result: oneOf(["worked", "did-not", "not-verified"]), message }),
  HaltBegun: object({ message }),
  UndoBegun: object({ message }),
  RungLeft: object({ rung, runbook, guard: optional(guard), message }),
  PersonTold: object({ message }),
  PersonCalled: object({ reason: oneOf(codesOf(endReasons)), message, evidence: list(words()) }),
  Disregarded: object({ what: words() }),
  Finished: object({ result: oneOf(codesOf(results)), reason: oneOf(codesOf(endReasons)), message }),
};

export type RemediationObserved = FactOf<typeof observed>;
export type RemediationDecision = FactOf<typeof decided>;

/** A fact of a remediation. An observation adds one fact that holds it whole, followed by the decisions it led to. */
export type RemediationEvent = { readonly at: Instant } & (RemediationObserved | RemediationDecision);

/** How a remediation ended, and why: for programs, then for people. */
export type Ending = Omit<Extract<RemediationDecision, { kind: "Finished" }>, "kind">;

/** Reads the facts of remediations. */
export const facts = codecOf({ ...observed, ...decided });

/** Reports whether a remediation is finished after these events; undefined if they do not change that. */
export const finishes = (events: readonly RemediationEvent[]): boolean | undefined =>
  events.some(({ kind }) => kind === "Finished") ? true : undefined;
