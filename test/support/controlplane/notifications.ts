// The notifications of a whole journal of a rollout, for tests that compare them with what was delivered.
import type { Notification } from "../../../engines/kind.ts";
import { glance } from "../../../engines/rollout/glance.ts";
import { notificationOf } from "../../../engines/rollout/notifications.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

/** Gives the notifications of a journal from an index on, in order. */
export function notificationsOf(
  stream: string,
  events: readonly RolloutEvent[],
  from: number,
): readonly Notification[] {
  let seen = glance.initial;
  return events.flatMap((event, index) => {
    const notification = index < from ? undefined : notificationOf(stream, index, event, seen);
    seen = glance.evolve(seen, event);
    return notification ?? [];
  });
}
