// Who may act on a target: the rules, pure, and the lease that a process keeps while it acts.
// One rollout holds a target until it finishes, through every change of process. A `pulumi up` may hold an app for a
// moment besides; only giving the traffic back does not wait for that. Where claims are stored is not known here.
import type { RolloutEffect } from "../../engines/rollout/vocabulary.ts";
import { nap } from "./clock.ts";
import type { Claim, Claims, Fence } from "./ports.ts";

/** A row of the claims as `taking` judges it, with the verdict of the store's own clock on its lease; no holder: the target is free. */
export interface Holding {
  readonly holder: string | null;
  readonly process: string | null;
  readonly epoch: number;
  readonly expired: boolean;
}

/**
 * Says under which epoch a process gets a target, or who has it.
 *
 * Only the same stream inherits an expired lease: a dead process does not end its rollout. Taking again what is ours
 * and live changes nothing; once it has expired even we get a new epoch, so that a late write of our own is fenced.
 *
 * This is the rule as something that can be executed. In production it is SQL, in one statement, and the contract test holds that
 * to this, through the claims in memory that are made of it.
 */
export function taking(
  held: Holding | undefined,
  stream: string,
  process: string,
): { readonly epoch: number } | { readonly heldBy: string } {
  if (!held) return { epoch: 1 };
  if (held.holder === null) return { epoch: held.epoch + 1 };
  if (held.holder !== stream) return { heldBy: held.holder };
  if (held.expired) return { epoch: held.epoch + 1 };
  return held.process === process ? { epoch: held.epoch } : { heldBy: held.holder };
}

const holdPollMilliseconds = 500;
const never = new AbortController().signal;

/**
 * Waits until nobody else is about to write the app, or until cancelled.
 *
 * Only a shift of traffic has to wait, since it is what a `pulumi up` would undo without knowing; and not one that gives
 * the traffic back to stable, because users come before a `pulumi up`.
 */
export async function untilUnheld(
  effect: RolloutEffect,
  claims: Pick<Claims, "held">,
  cancel: AbortSignal,
): Promise<void> {
  if (effect.kind !== "ShiftTraffic" || effect.overrideHold) return;
  while (!cancel.aborted && (await claims.held(effect.target))) await nap(holdPollMilliseconds, cancel);
}

/** Does something that only one process may do at a time, and waits for its turn. A process that dies at it is waited for no longer than a lease. */
export async function oneAtATime<Value>(
  name: string,
  work: () => Promise<Value>,
  claims: Claims,
  process: string,
  leaseSeconds: number,
): Promise<Value> {
  for (;;) {
    const claimed = await claims.take({ resourceGroup: "", app: name }, name, process);
    if (!("claim" in claimed)) {
      await nap(100, never);
      continue;
    }
    const lease = keepLease(claimed.claim, claims, leaseSeconds);
    try {
      return await work();
    } finally {
      lease.end();
      await claims.release(claimed.claim);
    }
  }
}

/** A claim that is being kept alive. */
export interface Lease {
  readonly claim: Claim;
  /** Fires once the claim is, or must be presumed, somebody else's. */
  readonly lost: AbortSignal;
  /** Asks the store, and prolongs the lease. Asked just before each write. @throws when the store cannot be asked. */
  readonly confirm: Fence;
  /** Says from our own steady clock alone whether the lease can still be ours, as it is not after a long sleep. */
  readonly fresh: () => boolean;
  /** Stops keeping it. It is neither given back nor lost by that. */
  readonly end: () => void;
}

/** Keeps a claim alive by renewing it at a third of its lease; a store that does not answer for a whole lease loses it. */
export function keepLease(claim: Claim, claims: Pick<Claims, "renew">, leaseSeconds: number): Lease {
  const losing = new AbortController();
  let renewedAt = performance.now();
  const fresh = (): boolean => !losing.signal.aborted && performance.now() - renewedAt < leaseSeconds * 1000;
  const confirm = async (): Promise<boolean> => {
    const askedAt = performance.now();
    if (losing.signal.aborted) return false;
    if (await claims.renew(claim)) renewedAt = Math.max(renewedAt, askedAt);
    else lose();
    return fresh();
  };
  const beat = setInterval(
    () => {
      if (!fresh()) lose();
      else confirm().catch(() => undefined); // Asked again at the next beat; the lease's own age is the limit.
    },
    (leaseSeconds * 1000) / 3,
  );
  const end = (): void => clearInterval(beat);
  const lose = (): void => {
    end();
    losing.abort();
  };
  return { claim, lost: losing.signal, confirm, fresh, end };
}
