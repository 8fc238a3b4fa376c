// Looks for credentials that expire soon, and asks for their rotations. Every process looks; the name of a rotation
// follows from the version that is due, so that it starts once. Event Grid may say that it is time to look.
import type { Result } from "../engines/engine.ts";
import { dueRotation, nextDueAt } from "../engines/rotation/due.ts";
import { type EventHint, eventHintOf } from "../engines/rotation/events.ts";
import { streamOf } from "../engines/rotation/intent.ts";
import { managersFirst } from "../engines/rotation/kin.ts";
import type { Credential, CredentialView } from "../engines/rotation/vocabulary.ts";
import type { Instant } from "../engines/time.ts";
import { systemTime } from "./runtime/clock.ts";
import type { Orchestrator } from "./runtime/orchestrate.ts";
import type { Clock, Time } from "./runtime/ports.ts";
import { openWake } from "./runtime/wake.ts";

/** What looking needs. */
export interface DueSetting {
  readonly credentials: () => Promise<readonly Credential[]>;
  readonly vault: {
    readonly look: (credential: Credential, cancel: AbortSignal) => Promise<Result<Pick<CredentialView, "published">>>;
  };
  readonly streams: Pick<Orchestrator, "start">;
  readonly now: Clock["now"];
  readonly log: (message: string) => void;
}

/** How often each process looks at least; a version is due weeks before it expires. */
const intervalMilliseconds = 3_600_000;
/** How soon it looks again if something could not be read. */
const againMilliseconds = 300_000;
/** The least time between two looks, so that clocks that differ a little cause no storm. */
const leastMilliseconds = 1_000;
/** A storm of deliveries must not become a storm of looks. */
const hintedMilliseconds = 5_000;

/**
 * Asks for every rotation that is due. Trouble with one credential is logged, and does not stop the others.
 *
 * @returns when to look again: at the next moment at which a credential becomes due, and within the hour
 */
export async function askForDue(setting: DueSetting, cancel: AbortSignal): Promise<Instant> {
  const { log, now } = setting;
  const soon = (): Instant => now() + againMilliseconds;
  let next = now() + intervalMilliseconds;
  const credentials = await setting.credentials().catch((error: unknown) => {
    log(`the declared credentials cannot be read: ${String(error)}`);
    next = soon();
    return [];
  });
  for (const credential of managersFirst(credentials)) {
    if (cancel.aborted) return next;
    const due = await askIfDue(credential, setting, cancel).catch((error: unknown) => ({ unread: String(error) }));
    if (typeof due === "object")
      log(`whether the credential ${credential.credential} is due is unknown: ${due.unread}`);
    next = Math.min(next, typeof due === "object" ? soon() : (due ?? next));
  }
  return next;
}

/** Asks for a rotation if it is due; gives when it becomes due otherwise, as far as that is known. */
async function askIfDue(
  credential: Credential,
  { vault, streams, now }: DueSetting,
  cancel: AbortSignal,
): Promise<Instant | undefined | { readonly unread: string }> {
  const seen = await vault.look(credential, cancel);
  if (!seen.ok) return { unread: seen.reason };
  const { published } = seen.value;
  const intent = dueRotation(credential, published, now());
  if (intent === undefined) return nextDueAt(credential, published, now());
  await streams.start(streamOf(intent), { kind: "Request", at: now(), intent });
  return undefined;
}

/** What looks. */
export interface Looking {
  /** Judges a delivery of Event Grid. One that may be about a credential ends the rest between two looks. */
  readonly hint: (payload: unknown) => Promise<EventHint>;
  readonly close: () => Promise<void>;
}

/**
 * Looks now, at every moment at which a credential becomes due, at a delivery that says so, and once in each hour,
 * until it is closed.
 */
export function startLooking(setting: DueSetting, time: Pick<Time, "nap"> = systemTime): Looking {
  const closing = new AbortController();
  const { wake, woken } = openWake();
  const looking = look();
  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      const hinted = woken();
      const next = await askForDue(setting, closing.signal);
      const rest = Math.max(leastMilliseconds, next - setting.now());
      await time.nap(Math.min(rest, hintedMilliseconds), closing.signal);
      const left = rest - hintedMilliseconds;
      if (left > 0) await time.nap(left, AbortSignal.any([closing.signal, hinted]));
    }
  }
  return {
    hint: async (payload) => {
      // A database that does not answer must not lose an event. The look itself meets that trouble, and tries again.
      const credentials = await setting.credentials().catch(() => undefined);
      const judged = eventHintOf(payload, credentials ?? []);
      const isUnsure = judged.says === "ignore" && credentials === undefined;
      if (judged.says === "look" || isUnsure) wake();
      return isUnsure ? { says: "look" } : judged;
    },
    close: async () => {
      closing.abort();
      await looking;
    },
  };
}
