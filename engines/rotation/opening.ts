// When a rotation may begin: within the declared window, outside every freeze, and with room in the budget of rotations
// at once. A leaked password waits for none of these.
import { after, dayMilliseconds, type Instant } from "../time.ts";
import { instantOf, utcOf } from "../utc.ts";
import { many } from "../wording.ts";
import { type Credential, type RotationWindow, weekdays } from "./declaration.ts";
import type { WaitReason } from "./reasons.ts";
import type { CredentialView } from "./views.ts";

const minuteMilliseconds = 60_000;
/** The first day of all was a Thursday. */
const firstWeekday = 4;
/** How often a rotation that waits for others looks again. */
const othersSeconds = 60;
/** How often at least. Nobody comes to be first in a long queue all at once. */
const othersSecondsMax = 3_600;

/** How many of those ahead a message names. */
const namedMax = 5;

/** Why a rotation may not begin yet, and when to look again. */
export interface Closed {
  readonly reason: WaitReason;
  readonly message: string;
  readonly until: Instant;
}

type Declared = Pick<Credential, "window" | "freezes">;

/** Says why no rotation may begin at a moment, by window and freezes; undefined if one may. */
export function closedAt({ window, freezes }: Declared, now: Instant): Closed | undefined {
  const frozen = freezes.find(({ from, until }) => instantOf(from) <= now && now < instantOf(until));
  if (frozen !== undefined)
    return {
      reason: "frozen",
      message: `waits until ${frozen.until}, when the freeze ends: ${frozen.why}`,
      until: instantOf(frozen.until),
    };
  if (window === undefined || isOpen(window, now)) return undefined;
  const opensAt = nextOpening(window, now);
  return {
    reason: "window-closed",
    message: `waits until ${utcOf(opensAt)}, when the window opens`,
    until: opensAt,
  };
}

/** Gives the first moment, from a given one on, at which a rotation may begin. */
export function opensFrom(declared: Declared, from: Instant): Instant {
  const closed = closedAt(declared, from);
  return closed === undefined ? from : opensFrom(declared, closed.until);
}

/** Says why a rotation must wait for others; undefined if the budget has room. */
export function overBudget(
  { ahead, atOnce }: Pick<CredentialView, "ahead" | "atOnce">,
  now: Instant,
): Closed | undefined {
  if (atOnce === 0 || ahead.length < atOnce) return undefined;
  const more = ahead.length - namedMax;
  const names = [...ahead.slice(0, namedMax), ...(more > 0 ? [many(more, "other")] : [])];
  return {
    reason: "budget-used",
    message: `waits for ${names.join(", ")}: at most ${many(atOnce, "rotation")} at once`,
    until: after(now, Math.min(othersSecondsMax, othersSeconds * (ahead.length - atOnce + 1))),
  };
}

/** Says why a rotation must wait for its managing credential, or for one that it manages; undefined if it need not. */
export function amongKin({ kin }: Pick<CredentialView, "kin">, now: Instant): Closed | undefined {
  if (kin.length === 0) return undefined;
  return {
    reason: "manager-busy",
    message: `waits for ${kin.join(", ")}: a managing credential and one that it manages are never rotated at once`,
    until: after(now, othersSeconds),
  };
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const dayOf = (at: Instant): number => Math.floor(at / dayMilliseconds);
const hasDay = ({ days = weekdays }: RotationWindow, day: number): boolean =>
  days.includes(weekdays[(((day + firstWeekday) % 7) + 7) % 7]!);

function isOpen(window: RotationWindow, at: Instant): boolean {
  const [from, until] = [minutesOf(window.from), minutesOf(window.until)];
  const day = dayOf(at);
  const minute = (at - day * dayMilliseconds) / minuteMilliseconds;
  if (from < until) return hasDay(window, day) && minute >= from && minute < until;
  return (hasDay(window, day) && minute >= from) || (hasDay(window, day - 1) && minute < until);
}

/** Gives the next beginning of a window that is closed. */
function nextOpening(window: RotationWindow, at: Instant): Instant {
  const opens = (day: number): Instant => day * dayMilliseconds + minutesOf(window.from) * minuteMilliseconds;
  const today = dayOf(at);
  const next = [0, 1, 2, 3, 4, 5, 6, 7]
    .map((more) => today + more)
    .find((day) => hasDay(window, day) && opens(day) > at);
  return opens(next ?? today + 7);
}
