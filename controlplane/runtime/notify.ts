// Sends notifications to the configured notifiers. For each notifier it reads the journals from the last
// delivered fact on and delivers one notification after the other, retrying until it is accepted. It never writes a
// journal, and no rollout waits for it.
import { setTimeout as nap } from "node:timers/promises";
import type { AnyKind, Kinds, Notification } from "../../engines/kind.ts";
import type { Fact, Journal, Notifications, Notifier, Undelivered } from "./ports.ts";

/** What sending notifications needs. */
export interface NotifyingSetting {
  readonly kinds: Kinds;
  readonly journal: Pick<Journal, "read" | "after">;
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
  const readings = new Map<string, Reading>();
  let isRegistered = false;
  while (!closing.aborted) {
    let hasMore = false;
    try {
      if (!isRegistered) await setting.notifications.register(notifier.name);
      isRegistered = true;
      const undelivered = await setting.notifications.borrow(notifier.name, loanSeconds);
      if (undelivered !== undefined) hasMore = await deliverNext(notifier, undelivered, setting, readings, closing);
    } catch (error) {
      setting.log(`Notification to ${notifier.name} failed; will retry: ${String((error as Error).message)}`);
    }
    if (!hasMore) await nap((setting.lookSeconds ?? 2) * 1000, undefined, { signal: closing }).catch(() => undefined);
  }
}

/**
 * How far a notifier has read a stream: the facts before `folded` are in `seen`, those from there on in `ahead`. It is
 * kept between two looks, so that a long journal is neither read nor folded again for each notification.
 */
interface Reading {
  folded: number;
  /** No fact from here to `folded` has a notification. */
  quietFrom: number;
  seen: unknown;
  ahead: readonly Fact[];
  last: Fact | undefined;
}

/** The streams that a notifier keeps its place in. More would be read again from their starts. */
const readingsMax = 200;

/** Gives the reading of a stream with its newest facts, from the start if it does not continue what was read. */
async function readOn(
  stream: string,
  delivered: number,
  initial: unknown,
  readings: Map<string, Reading>,
  { journal }: Pick<NotifyingSetting, "journal">,
): Promise<Reading> {
  const kept = readings.get(stream);
  readings.delete(stream);
  const more =
    kept?.last !== undefined && kept.quietFrom <= delivered ? await journal.after(stream, kept.last) : undefined;
  const facts = more === undefined ? await journal.read(stream) : more;
  const reading: Reading =
    kept !== undefined && more !== undefined
      ? { ...kept, ahead: [...kept.ahead, ...facts], last: facts.at(-1) ?? kept.last }
      : { folded: 0, quietFrom: 0, seen: initial, ahead: facts, last: facts.at(-1) };
  readings.set(stream, reading); // The newest last, so that the oldest is forgotten first.
  for (const oldest of readings.keys()) {
    if (readings.size <= readingsMax) break;
    readings.delete(oldest);
  }
  return reading;
}

/** Folds a reading up to its next notification from an index on, and gives that one without folding it. */
function nextOf(kind: AnyKind | undefined, reading: Reading, from: number): Notification | undefined {
  reading.quietFrom = from;
  for (const [place, { stream, index, event }] of reading.ahead.entries()) {
    const next = index < from ? undefined : kind?.messages.notificationOf(stream, index, event, reading.seen);
    if (next !== undefined) {
      reading.ahead = reading.ahead.slice(place);
      return next;
    }
    reading.seen = kind?.glance.evolve(reading.seen, event);
    reading.folded = index + 1;
  }
  reading.ahead = [];
  return undefined;
}

/** Delivers the next notification of a stream, or finds that there is none. False if the notifier must wait first. */
async function deliverNext(
  notifier: Notifier,
  { stream, delivered, failures }: Undelivered,
  setting: NotifyingSetting,
  readings: Map<string, Reading>,
  closing: AbortSignal,
): Promise<boolean> {
  const { kinds, notifications, now, log } = setting;
  const wait = (seconds: number) => notifications.postpone(notifier.name, stream, seconds);
  const kind = kinds.of(stream);
  let reading: Reading;
  let next: Notification | undefined;
  try {
    reading = await readOn(stream, delivered, kind?.glance.initial, readings, setting);
    next = nextOf(kind, reading, delivered);
  } catch {
    // The loop that drives the stream reports this. Nothing is sent from a journal that cannot be trusted or told.
    readings.delete(stream);
    await wait(restSecondsMax);
    return false;
  }
  if (next === undefined) {
    await notifications.advance(notifier.name, stream, reading.folded);
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
