// Facts → lines for people: in scenarios, in `ballast remediation explain`, in notifications.
import { duration, secondsBetween } from "../time.ts";
import { many, senderOf } from "../wording.ts";
import { runbookOf } from "./runbooks.ts";
import { personalSignals, type SignalName } from "./signals.ts";
import type { Policy, RemediationEvent } from "./vocabulary.ts";
import { effectWords } from "./wording.ts";

/** Describes one fact in a line. */
export function messageOf(event: RemediationEvent): string {
  switch (event.kind) {
    case "Reported": {
      const { origin, alert, target, message, requestedBy, requestedByName = requestedBy } = event.incident;
      const who = origin === "alert" ? `alert ${alert.rule}` : `${origin} of ${requestedByName}`;
      return `${who} on ${target}, severity ${alert.severity}: ${message}`;
    }
    case "PolicyLoaded":
      return event.policy === null
        ? "no policy is declared"
        : `policy of ${event.policy.owner}: ${event.policy.ladder.map(({ runbook }) => runbook).join(", ")}; ` +
            describeLimits(event.policy.limits);
    case "Assessed":
      return describeSituation(event.situation);
    case "Guarded":
      return event.checked
        .map(({ guard, passes, message }) => `${guard} ${passes ? "passes" : "holds"}: ${message}`)
        .join("; ");
    case "Waited":
      return "waited";
    case "Held":
      return `${event.guard}: ${event.message}; looks again in ${restOf(event)}`;
    case "Reserved":
      return `${event.runbook} is reserved: ${event.plan}`;
    case "Yielded":
      return `the reservation is given up; ${event.guard}: ${event.message}`;
    case "Cleared":
      return `every guard lets ${event.runbook} pass: ${runbookOf(event.runbook).says}`;
    case "Acted":
      return event.receipt.message;
    case "Followed":
    case "Halted":
      return event.end.message;
    case "Measured":
      return `${event.bad} of ${event.samples} rows since the action show the symptom`;
    case "Judged":
      return `${resultWords[event.result]}: ${event.message}`;
    case "RungLeft":
      return `${event.runbook} is left${event.guard ? ` because of ${event.guard}` : ""}: ${event.message}`;
    case "PersonCalled":
      return `${event.message}${event.evidence.length === 0 ? "" : ` (${event.evidence.join("; ")})`}`;
    case "ApprovalAwaited":
    case "HaltBegun":
    case "UndoBegun":
    case "PersonTold":
    case "Undone":
    case "Finished":
      return event.message;
    case "AttemptFailed":
      return `${effectWords[event.effect]} failed: ${event.message}`;
    case "Signalled":
      return `${signalWords(event.signal)} by ${senderOf(event)}: ${event.message}`;
    case "Disregarded":
      return event.what;
  }
}

/** Says how far the actions of a policy may go. */
const describeLimits = (limits: Policy["limits"]): string =>
  [
    `acts once an alert has been fired for ${duration(limits.settleSeconds)}`,
    `${many(limits.attemptsMax, "action")} on a target within ${duration(limits.periodSeconds)}`,
    `cool-down ${duration(limits.cooldownSeconds)}`,
    `${many(limits.blastRadiusMax, "target")} at once`,
    `acts while at most ${limits.actBelowPercent} percent of the error budget are left`,
    `circuit opens for ${duration(limits.breakerSeconds)} after ${many(limits.breakerFailuresMax, "failure")} in a row`,
    `a storm is more than ${many(limits.stormTargetsMax, "target")}`,
    `calls a person after ${duration(limits.maximumSeconds)}`,
  ].join(", ");

const resultWords = {
  worked: "it worked",
  "did-not": "it did not help",
  "not-verified": "it is not verified",
} as const;

const restOf = ({ at, until }: { readonly at: number; readonly until: number }): string =>
  duration(Math.max(0, secondsBetween(at, until)));

const signalWords = (signal: SignalName): string => (signal === "look" ? "a delivery" : personalSignals[signal].sent);

function describeSituation({
  alerts,
  alertsLeftOut,
  actions,
  work,
}: Extract<RemediationEvent, { kind: "Assessed" }>["situation"]) {
  const known = (list: readonly unknown[] | null, what: string): string =>
    list === null ? `${what} unknown` : `${list.length} ${what}`;
  const more = alertsLeftOut === 0 ? "" : ` and ${alertsLeftOut} more`;
  return `${known(alerts, "alerts")}${more}, ${known(actions, "other actions")}, ${known(work, "other work")}`;
}

/** Reports whether a fact deserves a line for people who follow a remediation; the others are bookkeeping. */
export const isNoteworthy = (event: RemediationEvent): boolean =>
  !["PolicyLoaded", "Assessed", "Guarded", "Waited", "Measured"].includes(event.kind) &&
  !(event.kind === "Signalled" && event.signal === "look");
