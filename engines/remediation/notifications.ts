// Facts → notifications. A person is told that an action is about to run or waits for approval, and how it ended.
import type { Notification, Tone } from "../kind.ts";
import type { SeenRemediation } from "./glance.ts";
import { messageOf } from "./tell.ts";
import type { RemediationEvent, RemediationResult, RemediationState } from "./vocabulary.ts";

/** What a notification reports: a critical incident, an approval that is needed, an action, or an end by its result. */
export type RemediationNotification = "critical" | "approval-needed" | "acting" | RemediationResult;

const tones: { readonly [Kind in RemediationNotification]: Tone } = {
  critical: "broken",
  "approval-needed": "waiting",
  acting: "progress",
  repaired: "good",
  "self-healed": "good",
  attributed: "waiting",
  refused: "bad",
  "person-called": "broken",
  stopped: "bad",
  drilled: "good",
};

/** What is left to do after an end, for whoever reads the issue. */
const todos: { readonly [Each in RemediationResult]?: string } = {
  repaired: "The symptom is gone, its cause is not: find it before the same is released or happens again.",
  "person-called": "Nothing that may be done by itself helped. A person must repair this.",
};

/** Gives the notification of a fact, if it has one. An end with a call carries the evidence. */
export function notificationOf(
  stream: string,
  index: number,
  event: RemediationEvent,
  { state, called }: SeenRemediation,
): Notification | undefined {
  const kind = kindOf(event);
  if (kind === undefined || state.incident === undefined) return undefined;
  const { target, alert, origin } = state.incident;
  const [, place = "", name = ""] = target.split("/");
  return {
    id: `${stream}#${index}`,
    index,
    kind,
    tone: tones[kind],
    at: event.at,
    subject: name,
    item: alert.rule,
    place,
    message: kind === "person-called" && called !== undefined ? called : messageOf(event),
    ...(event.kind === "Finished" && todos[event.result] !== undefined && !hasIssue(state)
      ? { todo: todos[event.result] }
      : {}),
    data: {
      target,
      rule: alert.rule,
      incident: alert.id,
      origin,
      owner: state.policy?.owner ?? null,
      reason: event.kind === "Finished" ? event.reason : null,
      ...(alert.trace === undefined ? {} : { trace: alert.trace }),
    },
  };
}

/** Reports whether the ladder has opened the incident's issue, or commented on it: a second one would say the same. */
const hasIssue = ({ policy, evidence }: RemediationState): boolean =>
  (policy?.ladder ?? []).some(({ runbook }) => runbook === "open-issue") &&
  evidence.some((line) => /^issue: \S+#\d+$/.test(line));

function kindOf(event: RemediationEvent): RemediationNotification | undefined {
  switch (event.kind) {
    case "PersonTold":
      return "critical";
    case "ApprovalAwaited":
      return "approval-needed";
    case "Cleared":
      return "acting";
    case "Finished":
      return event.result;
    default:
      return undefined;
  }
}
