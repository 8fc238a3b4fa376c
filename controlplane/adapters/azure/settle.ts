// Performs one write to Azure: reads the present state, and only if something is missing asks the fence, sends, and
// reads again until the state shows it. So a write whose answer was lost is found to have landed instead of being sent
// twice, and a write that is no longer ours is never sent.
import type { Result } from "../../../engines/engine.ts";
import { many } from "../../../engines/wording.ts";
import type { Fence } from "../../runtime/ports.ts";
import { afterFence, type Connection } from "./connection.ts";
import {
  type Answered,
  asksForLonger,
  type Failure,
  failureOf,
  type Patience,
  rest,
  restAfter,
  type Trouble,
  troubleOf,
  within,
} from "./trouble.ts";

/**
 * What a read says about a write: it is done, it must not happen, another operation must end first, or it must be sent.
 */
export type Look<Value> =
  | { readonly say: "done"; readonly value: Value }
  | ({ readonly say: "refuse" } & Refusal)
  | { readonly say: "wait"; readonly reason: string }
  | { readonly say: "send"; readonly send: Send };

type Refusal = Pick<Failure, "reason" | "retryAfterSeconds">;

/** What a look says if it could not read. */
export const refuseUnread = ({ reason, trouble }: Extract<Answered<unknown>, { ok: false }>) =>
  ({ say: "refuse", ...failureOf(reason, trouble) }) as const;

type Send = (signal: AbortSignal) => Promise<unknown>;

/** How to send writes, and for how long. */
export interface SettleSetting extends Pick<Connection, "ready"> {
  readonly patience: Patience;
}

/**
 * Performs a write: reads, asks the fence, sends, and reads again until the state shows it or the patience ends.
 *
 * @param look Reads the state. It receives whether a request already succeeded: if the state still differs then,
 *   someone else has changed it, and sending again would fight them instead of retrying.
 */
export async function settle<Value>(
  setting: SettleSetting,
  fence: Fence,
  look: (sent: boolean) => Promise<Look<Value>>,
): Promise<Result<Value>> {
  const { patience } = setting;
  const deadline = performance.now() + patience.operationSeconds * 1000;
  const tries: Tries = { sent: false, attempts: 0, last: "" };
  for (;;) {
    const found = await look(tries.sent);
    if (found.say === "done") return { ok: true, value: found.value };
    if (found.say === "refuse") return { ok: false, reason: found.reason, retryAfterSeconds: found.retryAfterSeconds };
    if (performance.now() >= deadline)
      return failed(
        `${found.say === "wait" ? found.reason : tries.last} (given up after ${patience.operationSeconds} s)`,
      );
    if (found.say === "wait") await rest(pollMilliseconds(patience));
    else {
      const refused = await attempt(setting, fence, found.send, tries);
      if (refused !== undefined) return refused;
    }
  }
}

/** What was sent so far, and why the last request failed. */
interface Tries {
  sent: boolean;
  attempts: number;
  last: string;
}

/** Sends once and then waits as long as a failure requires. Gives the failure if no further attempt makes sense. */
async function attempt(
  setting: SettleSetting,
  fence: Fence,
  send: Send,
  tries: Tries,
): Promise<Result<never> | undefined> {
  const { patience } = setting;
  if (tries.attempts >= patience.attemptsMax) return failed(`${tries.last} (${many(tries.attempts, "attempt")})`);
  const outcome = await sendFenced(setting, fence, send);
  if (outcome === "fenced") return failed("another process now owns the app, so nothing was sent");
  tries.attempts += 1;
  tries.sent = outcome === "sent";
  if (outcome === "sent") return undefined;
  if (!outcome.passing || asksForLonger(outcome, patience)) return failureOf(outcome.reason, outcome);
  tries.last = outcome.reason;
  await restAfter(tries.attempts, outcome, patience);
  // Azure rejects a conflict before it does anything. The other operation may take minutes, so only
  // the deadline counts.
  if (outcome.status === 409) tries.attempts -= 1;
  return undefined;
}

/** How often to read the state while another operation is under way. */
export const pollMilliseconds = ({ requestSeconds }: Patience): number => Math.min(2000, requestSeconds * 50);

const failed = (reason: string): Failure => ({ ok: false, reason });

/** Asks the fence and sends at once, with a token that is ready. */
async function sendFenced(
  { patience, ready }: SettleSetting,
  fence: Fence,
  send: Send,
): Promise<"fenced" | "sent" | Trouble> {
  // A slow token must delay us before the fence. If there is no token, the request itself reports why.
  await within(patience.operationSeconds, undefined, ready).catch(() => undefined);
  const askedAt = performance.now();
  if (!(await fence())) return "fenced";
  try {
    await within(patience.operationSeconds, undefined, (signal) => afterFence(askedAt, () => send(signal)));
    return "sent";
  } catch (thrown) {
    return troubleOf(thrown, patience.requestSeconds);
  }
}
