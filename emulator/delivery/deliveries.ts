// Everything that the emulator sends to others by itself: one queue with retries, a journal and dead letters, for
// events and notifications alike. Attempts are appointments on the emulator's clock, so that a day of retries passes
// as fast as the clock is set. It sends to loopback only. A killed emulator repeats an attempt whose answer it did
// not see, as Azure delivers at least once.
import { randomUUID } from "node:crypto";
import type { Cloud } from "../arm/resource.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { type PolicyName, policies } from "./policies.ts";
import { isLoopback, type Posted, post } from "./post.ts";

/** What is to be delivered. */
export interface Order {
  readonly to: string;
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
  readonly policy: PolicyName;
  /** True when a delivery that is given up is kept as a dead letter. */
  readonly deadLetter: boolean;
  /** Fewer attempts, and a shorter life, than the policy's. */
  readonly attemptsMax?: number;
  readonly minutesToLive?: number;
  /** The application for which each attempt has a new token of the service that delivers. */
  readonly audience?: string;
}

/** One attempt: the status of the answer, or 0 and why there was none. */
export interface Attempt {
  readonly at: number;
  readonly status: number;
  readonly reason?: string;
}

/** A delivery as the journal shows it. */
export interface Delivery extends Order {
  readonly id: string;
  readonly madeAt: number;
  readonly state: "queued" | "sending" | "delivered" | "dropped" | "dead-lettered";
  readonly attempts: readonly Attempt[];
  /** Why it was given up, or was never sent. */
  readonly reason?: string;
}

/** The deliveries of one cloud. */
export interface Deliveries {
  /** Queues a delivery for the next pass of the scheduler, and gives its id. */
  readonly send: (order: Order) => string;
  /** Gives the deliveries, the oldest first. */
  readonly journal: () => readonly Delivery[];
  readonly get: (id: string) => Delivery | undefined;
  /** Takes deliveries of an emulator that was killed. One that was being sent is sent again. */
  readonly revive: (kept: Iterable<Delivery>) => void;
}

const kind = "delivery";
const elsewhere = "the emulator sends to loopback only";
const journalMax = 2_000;
const known = new WeakMap<Cloud, Deliveries>();

/** Gives the deliveries of a cloud; the first call starts them. */
export function deliveriesOf(cloud: Cloud): Deliveries {
  const found = known.get(cloud);
  if (found) return found;
  const made = makeDeliveries(cloud);
  known.set(cloud, made);
  return made;
}

function makeDeliveries(cloud: Cloud): Deliveries {
  const byId = new Map<string, Delivery>();
  const silentUntil = new Map<string, number>();
  const scheduler = schedulerOf(cloud);
  const put = (delivery: Delivery): void => {
    byId.set(delivery.id, delivery);
    cloud.changed?.(kind, delivery.id);
    const oldest = byId.size > journalMax ? byId.keys().next().value : undefined;
    if (oldest === undefined) return;
    byId.delete(oldest);
    scheduler.cancel(`${kind} ${oldest}`);
    cloud.changed?.(kind, oldest);
  };
  const dueAt = (id: string, at: number): void => scheduler.at(at, `${kind} ${id}`);

  const giveUp = (delivery: Delivery, reason: string): void => {
    const { silenceSeconds } = policies[delivery.policy];
    if (silenceSeconds > 0) silentUntil.set(delivery.to, cloud.clock.now() + silenceSeconds * 1000);
    put({ ...delivery, state: delivery.deadLetter ? "dead-lettered" : "dropped", reason });
  };

  /** Records an attempt, and makes the appointment for the next one if there is one. */
  const settle = (id: string, attempt: Attempt): void => {
    const before = byId.get(id);
    if (!before) return;
    const delivery = { ...before, attempts: [...before.attempts, attempt] };
    const next = nextStep(delivery, cloud.clock.now());
    if (next === "delivered") return put({ ...delivery, state: "delivered" });
    if (typeof next === "string") return giveUp(delivery, next);
    put({ ...delivery, state: "queued" });
    dueAt(id, next);
  };

  scheduler.handle(kind, ({ key }, now) => {
    const delivery = byId.get(key.slice(kind.length + 1));
    if (delivery?.state !== "queued") return undefined;
    if ((silentUntil.get(delivery.to) ?? 0) > now) {
      put({ ...delivery, state: "dropped", reason: "the receiver failed before, and gets nothing for some time" });
      return undefined;
    }
    put({ ...delivery, state: "sending" });
    return () =>
      void sendOnce(cloud, delivery).then(({ status, reason }) => {
        settle(delivery.id, { at: cloud.clock.now(), status, ...(reason === undefined ? {} : { reason }) });
        cloud.keep?.();
      });
  });

  return {
    send: (order) => {
      const made = { ...order, id: randomUUID(), madeAt: cloud.clock.now(), attempts: [] };
      const isSent = isLoopback(order.to, cloud.suffix);
      put(isSent ? { ...made, state: "queued" } : { ...made, state: "dropped", reason: elsewhere });
      if (isSent) dueAt(made.id, cloud.clock.now());
      return made.id;
    },
    journal: () => [...byId.values()],
    get: (id) => byId.get(id),
    revive: (kept) => {
      for (const delivery of kept) {
        const isCut = delivery.state === "sending";
        byId.set(delivery.id, isCut ? { ...delivery, state: "queued" } : delivery);
        if (isCut) dueAt(delivery.id, cloud.clock.now());
      }
    },
  };
}

/** Sends a delivery once, with the number of attempts before and, for a protected receiver, with a token. */
async function sendOnce(cloud: Cloud, delivery: Delivery): Promise<Posted> {
  const { policy, audience, attempts } = delivery;
  const { answerSeconds, countHeader } = policies[policy];
  const token = audience === undefined ? undefined : await cloud.serviceToken?.(policy, audience);
  const headers = {
    ...delivery.headers,
    ...(countHeader === undefined ? {} : { [countHeader]: String(attempts.length) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return post(cloud, { ...delivery, headers }, answerSeconds);
}

/** Gives what follows the last attempt: that it is delivered, the time of the next one, or why it is given up. */
function nextStep(delivery: Delivery, now: number): "delivered" | number | (string & {}) {
  const { policy, attempts, madeAt } = delivery;
  const { delays, isDelivered, isRetried, leastDelays, ...limits } = policies[policy];
  const { attemptsMax = limits.attemptsMax, minutesToLive = limits.minutesToLive } = delivery;
  const { status } = attempts.at(-1)!;
  if (isDelivered(status)) return "delivered";
  if (!isRetried(status)) return `status ${status} is not tried again`;
  if (attempts.length >= attemptsMax) return `${attemptsMax} attempts failed`;
  const seconds = Math.max(delays[attempts.length - 1] ?? delays.at(-1)!, leastDelays[status] ?? 0);
  const next = now + seconds * 1000;
  return next > madeAt + minutesToLive * 60_000 ? `its ${minutesToLive} minutes are over` : next;
}
