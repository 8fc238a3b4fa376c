// Facts → notifications. This file decides, once for every notifier, which facts are sent. A notification contains only
// what the journal says.
import type { Notification, Tone } from "../kind.ts";
import { evolve } from "./evolve.ts";
import { initialState } from "./initial-state.ts";
import { messageOf } from "./tell.ts";
import type { RolloutEvent, RolloutResult } from "./vocabulary.ts";

/** What a notification reports: a start, a wait, a step, or an end by its result. */
export type NotificationKind = "started" | "waiting" | "step-reached" | RolloutResult;

const tones: { readonly [Kind in NotificationKind]: Tone } = {
  started: "progress",
  "step-reached": "progress",
  waiting: "waiting",
  promoted: "good",
  unchanged: "good",
  "rolled-back": "bad",
  rejected: "bad",
  degraded: "broken",
};

/**
 * Gives the notifications of a journal from an index on, in order.
 *
 * A step that is reached again, after its weights were set back, is not reported again, nor is the read-back
 * after the end.
 */
export function notificationsOf(
  stream: string,
  events: readonly RolloutEvent[],
  from: number,
): readonly Notification[] {
  const notifications: Notification[] = [];
  let state = initialState;
  let lastPercent = 0;
  for (const [index, event] of events.entries()) {
    const isNews = event.kind !== "StepReached" || (state.ending === undefined && event.percent !== lastPercent);
    const kind = isNews ? kindOf(event) : undefined;
    state = evolve(state, event);
    if (event.kind === "StepReached") lastPercent = event.percent;
    if (event.kind === "Started") lastPercent = 0;
    if (index < from || kind === undefined || state.intent === undefined) continue;
    const { target, revision, release } = state.intent;
    notifications.push({
      id: `${stream}#${index}`,
      index,
      kind,
      tone: tones[kind],
      at: event.at,
      subject: target.app,
      item: revision,
      place: target.resourceGroup,
      message: messageOf(event),
      data: {
        ...target,
        revision,
        release,
        reason: event.kind === "Waiting" || event.kind === "Finished" ? event.reason : null,
      },
    });
  }
  return notifications;
}

function kindOf(event: RolloutEvent): NotificationKind | undefined {
  switch (event.kind) {
    case "Started":
      return "started";
    case "Waiting":
      return "waiting";
    case "StepReached":
      return "step-reached";
    case "Finished":
      return event.result;
    default:
      return undefined;
  }
}
