// Who logged in with a role, by the control plane's clock. The log of logins has the times of its system's clock, which
// may be minutes ahead of ours or behind: a quiet time across two clocks ends early, or misses a login. So each look
// asks for the difference, and takes it off what the log says.
import type { Result } from "../../engines/engine.ts";
import type { Credential, Slot } from "../../engines/rotation/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import type { Clock } from "../runtime/ports.ts";
import type { Logins, Roles } from "./rotation-ports.ts";

/** What the look needs. */
export interface LoginsWorld {
  readonly roles: Pick<Roles, "clock">;
  readonly logins: Logins;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Reads who logged in with a role after a moment.
 *
 * The answer about the clock takes a while, so the difference is known from both sides. The read begins by the earlier
 * one and the watermark follows from the later one: no login falls between two looks, and the log counts as known for
 * less than it is, never for more.
 */
export async function loginsByOurClock(
  { roles, logins, clock }: LoginsWorld,
  credential: Credential,
  slot: Slot,
  from: Instant,
  cancel: AbortSignal,
): ReturnType<Logins["read"]> {
  const asked = clock.now();
  const theirs = await roles.clock(credential, cancel);
  if (!theirs.ok) return theirs;
  const answered = clock.now();
  const seen = await logins.read(credential, slot, from + aheadOf(theirs, answered), cancel);
  if (!seen.ok) return seen;
  const { to, alive } = seen.value;
  // A system that does not show its clock is ahead of ours at least if its log is.
  const ahead = theirs.value === null ? Math.max(0, to - clock.now()) : aheadOf(theirs, asked);
  return {
    ok: true,
    value: {
      logins: seen.value.logins.map((login) => ({ ...login, at: login.at - ahead })),
      to: Math.max(0, to - ahead),
      alive,
    },
  };
}

const aheadOf = ({ value }: Extract<Result<Instant | null>, { ok: true }>, ours: Instant): number =>
  value === null ? 0 : value - ours;
