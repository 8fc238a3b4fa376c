// A model of claims.ts and of calls to the database: how a process keeps its lease and how it loses it.
// Each function names the one that it models.
import type { Claim } from "../../controlplane/runtime/ports.ts";
import { type Cue, createCue, type Task } from "./loop.ts";
import { leaseSeconds, type World } from "./world.ts";

/** A call to the database failed, before or after the commit. */
export class StoreLost extends Error {}

/** A claim and whether it still holds. */
export interface Lease {
  readonly claim: Claim;
  readonly gone: Cue;
  lost: boolean;
  renewedAt: number;
  ended: boolean;
}

/** Gives the lease of a claim that was granted at a moment. */
export const leaseOf = (claim: Claim, grantedAt: number): Lease => ({
  claim,
  gone: createCue(),
  lost: false,
  renewedAt: grantedAt,
  ended: false,
});

/** Reports whether the process may still rely on its lease. */
export const isFresh = ({ loop }: World, lease: Lease): boolean =>
  !lease.lost && loop.now() - lease.renewedAt < leaseSeconds * 1000;

/** Makes one call to the database; the connection may be lost before or after the call takes effect. */
export function* query<Value>({ loop, trouble }: World, act: () => Value): Task<Value> {
  const lost = trouble.store();
  yield { until: loop.now() + 3 };
  if (lost === "before") throw new StoreLost("the database is down");
  const value = act();
  if (lost === "after") throw new StoreLost("the connection was lost after the commit");
  return value;
}

/** claims.ts `keepLease`: renews at each third of a lease; a store that does not answer for a whole lease loses it. */
export function* keepLease(world: World, lease: Lease): Task<void> {
  for (;;) {
    yield { until: world.loop.now() + (leaseSeconds * 1000) / 3 };
    if (lease.ended || lease.lost) return;
    if (!isFresh(world, lease)) return lose(lease);
    try {
      yield* confirm(world, lease);
    } catch {
      /* Tried again at the next beat. */
    }
  }
}

function lose(lease: Lease): void {
  lease.lost = true;
  lease.gone.give();
}

/** claims.ts `confirm`. */
export function* confirm(world: World, lease: Lease): Task<boolean> {
  const askedAt = world.loop.now();
  if (lease.lost) return false;
  if (yield* query(world, () => world.store.renew(lease.claim))) lease.renewedAt = Math.max(lease.renewedAt, askedAt);
  else lose(lease);
  return isFresh(world, lease);
}
