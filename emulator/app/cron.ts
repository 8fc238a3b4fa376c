// Cron expressions of scheduled jobs: five fields for minute, hour, day, month and weekday, in UTC. Numbers, lists,
// ranges and steps are served; other syntax (names, `@daily`, seconds) is refused.
import { ArmError } from "../arm/resource.ts";

const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

/**
 * Makes the function that reports whether a moment is in a minute of the expression.
 *
 * @throws ArmError 400 for an invalid expression
 */
export function parseCron(expression: string): (at: number) => boolean {
  const refuse = (): never => {
    throw new ArmError(
      400,
      "JobInvalidCronExpression",
      `The cron expression '${expression}' is not one of five fields: minute, hour, day, month, weekday.`,
    );
  };
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== ranges.length) refuse();
  const [minutes, hours, days, months, weekdays] = fields.map(
    (field, index) => valuesOf(field, ranges[index]!) ?? refuse(),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.has(7)) weekdays.add(0);
  // When both day and weekday are restricted, cron accepts a moment that matches either.
  const [anyDay, anyWeekday] = [fields[2] === "*", fields[4] === "*"];
  return (at) => {
    const moment = new Date(at);
    const isDay = days.has(moment.getUTCDate());
    const isWeekday = weekdays.has(moment.getUTCDay());
    return (
      minutes.has(moment.getUTCMinutes()) &&
      hours.has(moment.getUTCHours()) &&
      months.has(moment.getUTCMonth() + 1) &&
      (anyDay || anyWeekday ? (anyDay || isDay) && (anyWeekday || isWeekday) : isDay || isWeekday)
    );
  };
}

/** Gives the numbers that a field names; undefined when the field is invalid for its range. */
function valuesOf(field: string, [least, most]: readonly [number, number]): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const range = rangeOf(part, least, most);
    if (range === undefined) return undefined;
    for (let value = range.first; value <= range.last; value += range.step) values.add(value);
  }
  return values;
}

/**
 * Reads `*`, a number or a range, with or without a step; undefined when it is
 * none of these or outside the field's range.
 */
function rangeOf(
  part: string,
  least: number,
  most: number,
): { readonly first: number; readonly last: number; readonly step: number } | undefined {
  const [, any, from, to, every] = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
  if (any === undefined && from === undefined) return undefined;
  const first = any ? least : Number(from);
  // `5/15` means from 5 on, every 15.
  const end = every === undefined && !any ? first : most;
  const last = to === undefined ? end : Number(to);
  const step = Number(every ?? 1);
  return first < least || last > most || first > last || step < 1 ? undefined : { first, last, step };
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** An expression such as 29 February on a Monday has its next moment within this time, or never. */
const horizon = 40 * 366 * day;

/** Gives the first minute of an expression after a moment; undefined when it has none, such as 30 February. */
export function nextCron(expression: string, after: number): number | undefined {
  const isIn = parseCron(expression);
  const [, hours = "", ...days] = expression.trim().split(/\s+/);
  const isDay = parseCron(["*", "*", ...days].join(" "));
  const isHour = parseCron(["*", hours, ...days].join(" "));
  const last = after + horizon;
  for (let at = Math.floor(after / minute) * minute + minute; at < last; ) {
    if (!isDay(at)) at = Math.floor(at / day) * day + day;
    else if (!isHour(at)) at = Math.floor(at / hour) * hour + hour;
    else if (isIn(at)) return at;
    else at += minute;
  }
  return undefined;
}
