// The five fields of a cron expression, as jobs are scheduled by: minute, hour, day, month, weekday, in UTC.
// Numbers, lists, ranges and steps; whatever else a field may say elsewhere (names, `@daily`, seconds) is refused.
import { ArmError } from "../arm/resource.ts";

const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

/** Gives whether a moment lies in a minute that the expression names. @throws ArmError 400 for what is no such expression. */
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
  // Where both day and weekday say something, either will do; that is cron's oldest surprise.
  const [anyDay, anyWeekday] = [fields[2] === "*", fields[4] === "*"];
  return (at) => {
    const moment = new Date(at);
    const [day, weekday] = [days.has(moment.getUTCDate()), weekdays.has(moment.getUTCDay())];
    const isDay = anyDay ? weekday : anyWeekday ? day : day || weekday;
    return (
      minutes.has(moment.getUTCMinutes()) &&
      hours.has(moment.getUTCHours()) &&
      months.has(moment.getUTCMonth() + 1) &&
      isDay
    );
  };
}

/** Gives the numbers that a field names; undefined where it is no field of that range. */
function valuesOf(field: string, [least, most]: readonly [number, number]): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [, any, from, to, step = "1"] = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    if (any === undefined && from === undefined) return undefined;
    const first = any ? least : Number(from);
    // `5/15` means from 5 on, every 15.
    const last = any ? most : to !== undefined ? Number(to) : part.includes("/") ? most : first;
    if (first < least || last > most || first > last || Number(step) < 1) return undefined;
    for (let value = first; value <= last; value += Number(step)) values.add(value);
  }
  return values;
}
