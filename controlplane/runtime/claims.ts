// Who may act on a target: the pure rules, and the lease that a process keeps while it acts. A rollout holds the claim
// on its target until it finishes, whichever process continues it. A `pulumi up` may also lock an app for a moment;
// every shift of traffic waits for that, except one that returns the traffic to stable.
import type { RolloutEffect } from "../../engines/rollout/vocabulary.ts";
import { nap } from "./clock.ts";
import type { Claim, Claims, Fence } from "./ports.ts";

/** A stored claim, whose lease has expired or not by the store's own clock. Without a holder the target is free. */
export interface StoredClaim {
  readonly holder: string | null;
  readonly process: string | null;
  readonly epoch: number;
  readonly expired: boolean;
}

/**
 * Gives the epoch under which a process gets a target, or the stream that holds it.
 *
 * Only the same stream inherits an expired lease: the death of a process does not end its rollout. Taking a live
 * claim of our own again changes nothing. After it has expired we, too, get a new epoch, so that a late write of
 * ours is fenced.
 *
 * This is the rule in executable form, used by the claims in memory. In production the rule is one SQL statement, and a
 * contract test runs both against the same cases.
 */
export function taking(
  held: StoredClaim | undefined,
  stream: string,
  process: string,
): { readonly epoch: number } | { readonly heldBy: string } {
  if (!held) return { epoch: 1 };
  if (held.holder === null) return { epoch: held.epoch + 1 };
  if (held.holder !== stream) return { heldBy: held.holder };
  if (held.expired) return { epoch: held.epoch + 1 };
  return held.process === process ? { epoch: held.epoch } : { heldBy: held.holder };
}

const lockPollMilliseconds = 500;
const never = new AbortController().signal;

/**
 * Waits until the app is not locked, or until cancelled.
 *
 * Only a shift of traffic waits, because a `pulumi up` that writes the app would undo it unknowingly. A shift that
 * returns the traffic to stable does not wait: users come before a `pulumi up`.
 */
export async function untilUnlocked(
  effect: RolloutEffect,
  claims: Pick<Claims, "lockOn">,
  cancel: AbortSignal,
): Promise<void> {
  if (effect.kind !== "ShiftTraffic" || effect.overrideLock) return;
  while (!cancel.aborted && (await claims.lockOn(effect.target))) await nap(lockPollMilliseconds, cancel);
}

/**
 * Runs work that only one process may do at a time, after waiting until the others have finished. If a process dies
 * during it, the next one waits no longer than a lease.
 */
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
  /** Fires once the claim belongs to another process, or must be presumed to. */
  readonly lost: AbortSignal;
  /** Renews the lease in the store, just before each write. @throws when the store cannot be reached. */
  readonly confirm: Fence;
  /** Reports, by our own monotonic clock alone, whether the lease can still be ours. After a long sleep it is not. */
  readonly fresh: () => boolean;
  /** Stops renewing. The claim is neither released nor lost by that. */
  readonly end: () => void;
}

/** Renews a claim every third of its lease. If the store does not answer for a whole lease, the claim is lost. */
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
      else confirm().catch(() => undefined); // The next beat tries again; the age of the lease is the limit.
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
