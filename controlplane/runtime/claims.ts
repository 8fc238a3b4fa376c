// Who may act on a target: the pure rules, and the lease that a process keeps while it acts. A stream holds the claim
// on its targets until it finishes, whichever process continues it. A client may also lock a target for a moment; the
// performer of a kind knows which of its effects wait for that.
import type { Claim, Claims, Fence, Time } from "./ports.ts";

/** The stored claim on one target, whose lease has expired or not by the store's own clock. */
export interface StoredClaim {
  /** Null if the target is free. */
  readonly holder: string | null;
  readonly process: string | null;
  readonly epoch: number;
  readonly expired: boolean;
}

/**
 * Gives the epoch under which a process gets all the targets of a stream, or the stream that holds one of them.
 *
 * Only the same stream inherits an expired lease: the death of a process does not end its work. Taking a live
 * claim of our own again changes nothing. After it has expired we, too, get a new epoch, so that a late write of
 * ours is fenced. The epoch is above the highest that any of the targets ever had, so that one number fences all.
 *
 * This is the rule in executable form, used by the claims in memory. In production the rule is a function in the
 * database, and a contract test runs both against the same cases.
 *
 * @param held What is stored for each target; undefined for a target that was never claimed.
 */
export function taking(
  held: readonly (StoredClaim | undefined)[],
  stream: string,
  process: string,
): { readonly epoch: number } | { readonly heldBy: string } {
  const other = held.find((row) => row?.holder != null && row.holder !== stream);
  if (other?.holder) return { heldBy: other.holder };
  if (held.some((row) => row?.holder === stream && !row.expired && row.process !== process)) return { heldBy: stream };
  const highest = Math.max(0, ...held.map((row) => row?.epoch ?? 0));
  const isOurs = held.every((row) => row?.holder === stream && !row.expired && row.epoch === highest);
  return { epoch: isOurs ? highest : highest + 1 };
}

const never = new AbortController().signal;

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
  time: Time,
): Promise<Value> {
  for (;;) {
    const claimed = await claims.take([`once/${name}`], name, process);
    if (!("claim" in claimed)) {
      await time.nap(100, never);
      continue;
    }
    const lease = keepLease(claimed.claim, claims, leaseSeconds, time);
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
export function keepLease(claim: Claim, claims: Pick<Claims, "renew">, leaseSeconds: number, time: Time): Lease {
  const losing = new AbortController();
  let renewedAt = time.steady();
  const fresh = (): boolean => !losing.signal.aborted && time.steady() - renewedAt < leaseSeconds * 1000;
  const confirm = async (): Promise<boolean> => {
    const askedAt = time.steady();
    if (losing.signal.aborted) return false;
    if (await claims.renew(claim)) renewedAt = Math.max(renewedAt, askedAt);
    else lose();
    return fresh();
  };
  const end = time.every((leaseSeconds * 1000) / 3, () => {
    if (!fresh()) lose();
    else confirm().catch(() => undefined); // The next beat tries again; the age of the lease is the limit.
  });
  const lose = (): void => {
    end();
    losing.abort();
  };
  return { claim, lost: losing.signal, confirm, fresh, end };
}
