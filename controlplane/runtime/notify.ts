// Sends notifications to the configured notifiers. For each notifier it reads the journals from the last
// delivered fact on and delivers one notification after the other, retrying until it is accepted. It never writes a
// journal, and no rollout waits for it.
import { setTimeout as nap } from "node:timers/promises";
import type { Kinds } from "../../engines/kind.ts";
import type { Journal, Notifications, Notifier, Undelivered } from "./ports.ts";

/** What sending notifications needs. */
export interface NotifyingSetting {
  readonly kinds: Kinds;
  readonly journal: Pick<Journal, "read">;
  readonly notifications: Notifications;
  readonly notifiers: readonly Notifier[];
  readonly now: () => number;
  /** Receives trouble as one message, without addresses. */
  readonly log: (message: string) => void;
  /** How often to look for new notifications. @default 2 */
  readonly lookSeconds?: number;
}

/** Longer than any notifier may take to answer. After that another replica may deliver. */
const loanSeconds = 60;
/** A notification that was not accepted for this long is outdated and dropped. */
const newsSeconds = 24 * 3600;
const restSecondsMax = 300;

/** Starts to send notifications. Each notifier has its own loop, so that a slow one does not delay the others. */
export function startNotifying(setting: NotifyingSetting): { readonly close: () => Promise<void> } {
  const closing = new AbortController();
  const ended = Promise.all(setting.notifiers.map((notifier) => notifyForever(notifier, setting, closing.signal)));
  return {
    close: async () => {
      closing.abort();
      await ended;
    },
  };
}

async function notifyForever(notifier: Notifier, setting: NotifyingSetting, closing: AbortSignal): Promise<void> {
  let isRegistered = false;
  while (!closing.aborted) {
    let hasMore = false;
    try {
      if (!isRegistered) await setting.notifications.register(notifier.name);
      isRegistered = true;
      const undelivered = await setting.notifications.borrow(notifier.name, loanSeconds);
      if (undelivered !== undefined) hasMore = await deliverNext(notifier, undelivered, setting, closing);
    } catch (error) {
      setting.log(`Notification to ${notifier.name} failed; will retry: ${String((error as Error).message)}`);
    }
    if (!hasMore) await nap((setting.lookSeconds ?? 2) * 1000, undefined, { signal: closing }).catch(() => undefined);
  }
}

/** Delivers the next notification of a stream, or finds that there is none. False if the notifier must wait first. */
async function deliverNext(
  notifier: Notifier,
  { stream, delivered, failures }: Undelivered,
  { journal, kinds, notifications, now, log }: NotifyingSetting,
  closing: AbortSignal,
): Promise<boolean> {
  const wait = (seconds: number) => notifications.postpone(notifier.name, stream, seconds);
  const facts = await journal.read(stream).catch((error: Error) => error);
  if (facts instanceof Error) {
    // The loop that drives the stream reports this. Nothing is sent from a journal that cannot be trusted.
    await wait(restSecondsMax);
    return false;
  }
  const events = facts.map(({ event }) => event);
  const [next] = kinds.of(stream)?.messages.notificationsOf(stream, events, delivered) ?? [];
  if (next === undefined) {
    await notifications.advance(notifier.name, stream, facts.length);
    return true;
  }
  const isNews = now() - next.at < newsSeconds * 1000;
  const delivery = isNews
    ? await notifier.deliver(next, closing)
    : { kind: "refused" as const, reason: "it is a day old" };
  if (delivery.kind === "later") {
    if (closing.aborted) return false;
    if (failures === 0) log(`Notification ${next.id} to ${notifier.name} failed; will retry: ${delivery.reason}`);
    await wait(Math.max(delivery.afterSeconds ?? 0, Math.min(restSecondsMax, 2 ** Math.min(failures, 9))));
    return false;
  }
  if (delivery.kind === "refused") log(`Notification ${next.id} to ${notifier.name} is dropped: ${delivery.reason}`);
  await notifications.advance(notifier.name, stream, next.index + 1);
  return true;
}
