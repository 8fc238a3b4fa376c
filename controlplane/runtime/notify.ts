// Tells channels outside what the journal says: again and again whatever a channel has not been told yet, one fact after the other, until it is
// taken. It reads the journal and never writes it; no rollout waits for it, and it may fail as it likes.
import { setTimeout as nap } from "node:timers/promises";
import { noticesOf } from "../../engines/rollout/notifications.ts";
import type { Channel, Journal, Notices, Untold } from "./ports.ts";

/** What the notifier works with. */
export interface NotifierParts {
  readonly journal: Pick<Journal, "read">;
  readonly notices: Notices;
  readonly channels: readonly Channel[];
  readonly now: () => number;
  /** Gets trouble in one sentence, without addresses. */
  readonly log: (sentence: string) => void;
  /** How often is looked whether there is anything to tell. @default 2 */
  readonly lookSeconds?: number;
}

/** Longer than any channel may take to answer; after that another replica may tell. */
const loanSeconds = 60;
/** What nobody took for so long is no news any more. */
const newsSeconds = 24 * 3600;
const restSecondsMax = 300;

/** Starts to tell, each channel by itself, so that one that does not answer keeps nobody else waiting. */
export function startNotifier(parts: NotifierParts): { readonly close: () => Promise<void> } {
  const closing = new AbortController();
  const ended = Promise.all(parts.channels.map((channel) => tellForEver(channel, parts, closing.signal)));
  return {
    close: async () => {
      closing.abort();
      await ended;
    },
  };
}

async function tellForEver(channel: Channel, parts: NotifierParts, closing: AbortSignal): Promise<void> {
  let isRegistered = false;
  while (!closing.aborted) {
    let hasTold = false;
    try {
      if (!isRegistered) await parts.notices.register(channel.name);
      isRegistered = true;
      const untold = await parts.notices.borrow(channel.name, loanSeconds);
      if (untold !== undefined) hasTold = await tellNext(channel, untold, parts, closing);
    } catch (error) {
      parts.log(`${channel.name} could not be told, and is again soon: ${String((error as Error).message)}`);
    }
    if (!hasTold) await nap((parts.lookSeconds ?? 2) * 1000, undefined, { signal: closing }).catch(() => undefined);
  }
}

/** Tells one notice, or finds that there is none; false where it has to wait. */
async function tellNext(
  channel: Channel,
  { stream, told, failures }: Untold,
  { journal, notices, now, log }: NotifierParts,
  closing: AbortSignal,
): Promise<boolean> {
  const wait = (seconds: number) => notices.postpone(channel.name, stream, seconds);
  const read = await journal.read(stream).catch((error: Error) => error);
  if (read instanceof Error) {
    // Its keeper complains of it already; a journal that cannot be believed is told to nobody.
    await wait(restSecondsMax);
    return false;
  }
  const facts = read;
  const [next] = noticesOf(
    stream,
    facts.map(({ event }) => event),
    told,
  );
  if (next === undefined) {
    await notices.advance(channel.name, stream, facts.length);
    return true;
  }
  const isNews = now() - next.at < newsSeconds * 1000;
  const came = isNews ? await channel.tell(next, closing) : { kind: "refused" as const, reason: "it is a day old" };
  if (came.kind === "later") {
    if (closing.aborted) return false;
    if (failures === 0) log(`${channel.name} was not told of ${next.id}, and is tried again: ${came.reason}`);
    await wait(Math.max(came.afterSeconds ?? 0, Math.min(restSecondsMax, 2 ** Math.min(failures, 9))));
    return false;
  }
  if (came.kind === "refused") log(`${channel.name} is never told of ${next.id}: ${came.reason}`);
  await notices.advance(channel.name, stream, next.index + 1);
  return true;
}
