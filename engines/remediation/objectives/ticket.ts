// The alert over three days, computed from hourly counts: a rule of Azure Monitor looks back two days at most. It
// follows from the rows alone, so every replica computes the same alert, and a restart forgets none.
import { after, type Instant } from "../../time.ts";
import { burnOf, ticketWindow } from "./burn-alerts.ts";
import { budgetOf, type Objective } from "./objective.ts";

/** The requests of one hour. */
export interface Hour {
  /** When it began. */
  readonly at: Instant;
  readonly requests: number;
  readonly bad: number;
}

const hourSeconds = 3600;
/** Within this time the rows of an hour have arrived. */
const arrivalSeconds = 900;
const longHours = ticketWindow.longMinutes / 60;
const shortHours = ticketWindow.shortMinutes / 60;
const weekMilliseconds = 7 * 24 * hourSeconds * 1000;

/** How far back hours are looked up: a workspace keeps rows for 30 days. */
export const historySeconds = 30 * 24 * hourSeconds;

/** One alert over three days. */
export interface Ticket {
  /** What it is named by, the same wherever it is computed. */
  readonly key: string;
  readonly firedAt: Instant;
  readonly resolvedAt: Instant | null;
}

/**
 * Gives the alerts of an objective over its history, the oldest first. `hours` are those with requests, in order.
 *
 * It fires once both windows burn too fast, and resolves once they are measured and do not. An hour without a request
 * in the short window says nothing, so it changes nothing: what is fired stays fired.
 */
export function ticketsOf(objective: Objective, hours: readonly Hour[], now: Instant): readonly Ticket[] {
  const [first] = hours;
  if (first === undefined) return [];
  const found: { readonly firedAt: Instant; resolvedAt: Instant | null }[] = [];
  const within = slidingOf(hours);
  const last = after(now, -arrivalSeconds);
  for (let end = after(first.at, hourSeconds); end <= last; end = after(end, hourSeconds)) {
    const open = found.at(-1)?.resolvedAt === null ? found.at(-1) : undefined;
    const burning = isBurning(objective, within(end, longHours), within(end, shortHours));
    if (burning === true && open === undefined) found.push({ firedAt: end, resolvedAt: null });
    if (burning === false && open !== undefined) open.resolvedAt = end;
  }
  // Only a history that may be cut is named by weeks: two alerts of a new service would share a name.
  const oldest = after(now, longHours * hourSeconds - historySeconds);
  return found.map(({ firedAt, resolvedAt }) => ({ key: keyOf(objective, firedAt, oldest), firedAt, resolvedAt }));
}

/** An alert that may have fired before its history begins is named after the week, because that beginning moves on. */
function keyOf({ target, measures }: Objective, firedAt: Instant, oldest: Instant): string {
  const named = firedAt <= oldest ? Math.floor(firedAt / weekMilliseconds) * weekMilliseconds : firedAt;
  return `${target} ${measures} ${named}`;
}

/** Reports whether the budget is used up too fast; undefined if the short window holds no request. */
function isBurning(objective: Objective, long: Counts, short: Counts): boolean | undefined {
  if (short.requests === 0) return undefined;
  const tooFast = ({ requests, bad }: Counts): boolean =>
    bad / requests / budgetOf(objective) > burnOf(ticketWindow, objective);
  return long.bad >= objective.failuresMin && tooFast(long) && tooFast(short);
}

type Counts = Omit<Hour, "at">;

/** Gives the counts of the hours that end within some hours before a moment. */
function slidingOf(hours: readonly Hour[]): (end: Instant, back: number) => Counts {
  return (end, back) => {
    const from = after(end, -back * hourSeconds);
    const inside = hours.filter(({ at }) => at >= from && at < end);
    return {
      requests: inside.reduce((sum, { requests }) => sum + requests, 0),
      bad: inside.reduce((sum, { bad }) => sum + bad, 0),
    };
  };
}
