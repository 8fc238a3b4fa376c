// Facts → notifications. This file decides, once for every notifier, which facts of a rotation are sent.
import type { Notification, Tone } from "../kind.ts";
import type { SeenRotation } from "./glance.ts";
import type { RotationResult } from "./reasons.ts";
import { messageOf } from "./tell.ts";
import type { RotationEvent } from "./vocabulary.ts";

type NotificationKind = "started" | "waiting" | "adopted" | "reader-found" | RotationResult;

const tones: { readonly [Kind in NotificationKind]: Tone } = {
  started: "progress",
  adopted: "progress",
  waiting: "waiting",
  "reader-found": "waiting",
  rotated: "good",
  unchanged: "good",
  returned: "bad",
  rejected: "bad",
  stopped: "broken",
  degraded: "broken",
};

/** Gives the notification of a fact, if it has one. `seen` is the rotation at a glance up to the fact. */
export function notificationOf(
  stream: string,
  index: number,
  event: RotationEvent,
  { state }: SeenRotation,
): Notification | undefined {
  const kind = kindOf(event);
  if (kind === undefined || state.intent === undefined) return undefined;
  const { vault, credential, rotation, cause, trace } = state.intent;
  return {
    id: `${stream}#${index}`,
    index,
    kind,
    tone: tones[kind],
    at: event.at,
    subject: credential,
    item: rotation,
    place: vault,
    message: messageOf(event),
    data: {
      vault,
      credential,
      rotation,
      cause,
      reason: event.kind === "Waiting" || event.kind === "Finished" ? event.reason : null,
      ...(trace === undefined ? {} : { trace }),
    },
  };
}

function kindOf(event: RotationEvent): NotificationKind | undefined {
  switch (event.kind) {
    case "Started":
      return "started";
    case "Waiting":
      return "waiting";
    case "Adopted":
      return "adopted";
    case "ReaderFound":
      return "reader-found";
    case "Finished":
      return event.result;
    default:
      return undefined;
  }
}
