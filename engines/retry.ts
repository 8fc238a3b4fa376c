// How long something that failed is tried again: one policy with a budget, for callers of the control plane and for
// the adapters. The budget counts everything, rests and attempts alike, so that policies within one another do not
// multiply.

/** A budget, and the rests between two attempts. */
export interface RetryPolicy {
  /** From the first attempt on. */
  readonly budgetSeconds: number;
  readonly firstRestSeconds: number;
  readonly restSecondsMax: number;
  /** How many times longer each rest is than the one before. */
  readonly backoffRate: number;
}

/** For calls of the control plane. The budget is longer than the failover of a managed database, which takes 120 s. */
export const callPolicy: RetryPolicy = {
  budgetSeconds: 180,
  firstRestSeconds: 0.5,
  restSecondsMax: 5,
  backoffRate: 1.5,
};

/**
 * Gives how many seconds to rest before the next attempt; undefined once the budget is used up.
 *
 * @param attempt The number of attempts that failed in a row, from 1.
 * @param askedSeconds What the other side asked for. A longer rest than the budget allows ends the attempts.
 * @param chance From 0 to 1: shortens the rest to at least its half, so that many callers do not come at once.
 */
export function restBefore(
  { budgetSeconds, firstRestSeconds, restSecondsMax, backoffRate }: RetryPolicy,
  attempt: number,
  spentSeconds: number,
  askedSeconds = 0,
  chance = 1,
): number | undefined {
  const own = Math.min(restSecondsMax, firstRestSeconds * backoffRate ** (attempt - 1)) * (0.5 + chance / 2);
  const seconds = Math.max(own, askedSeconds);
  return spentSeconds + seconds > budgetSeconds ? undefined : seconds;
}
