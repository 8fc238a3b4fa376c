// Facts → notifications. This file decides, once for every notifier, which facts are sent. A notification contains only
// what the journal says.
import type { Notification, Tone } from "../kind.ts";
import type { SeenRollout } from "./glance.ts";
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
 * Gives the notification of a fact, if it has one.
 *
 * A step that is reached again, after its weights were set back, is not reported again, nor is the read-back
 * after the end.
 *
 * @param before The rollout at a glance, up to the fact.
 */
export function notificationOf(
  stream: string,
  index: number,
  event: RolloutEvent,
  { state, reachedPercent }: SeenRollout,
): Notification | undefined {
  const isNews = event.kind !== "StepReached" || (state.ending === undefined && event.percent !== reachedPercent);
  const kind = isNews ? kindOf(event) : undefined;
  if (kind === undefined || state.intent === undefined) return undefined;
  const { target, revision, release, trace } = state.intent;
  return {
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
      ...(trace === undefined ? {} : { trace }),
    },
  };
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
