// Moments as Azure writes them in alerts → instants. No clock and no time zone of the machine is asked.
import type { Instant } from "../../time.ts";

const iso = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;
const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d):(\d\d) ([AP])M$/;

/** Gives the moment that a text names; undefined if it names none. A fraction of a millisecond is cut off. */
export function momentOf(text: string): Instant | undefined {
  const found = text.match(iso);
  if (found === null) return americanMoment(text);
  const [, year, month, day, hour, minute, second, fraction = "", sign, hours = "0", minutes = "0"] = found;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const milliseconds = Number(fraction.padEnd(3, "0").slice(0, 3));
  const at = utc([year, month, day, hour, minute, second].map(Number));
  return at === undefined ? undefined : at + milliseconds - offset * 60_000;
}

/** Log alerts of the first version write `3/22/2019 1:36:31 PM`, in UTC. */
function americanMoment(text: string): Instant | undefined {
  const found = text.match(american);
  if (found === null) return undefined;
  const [, month, day, year, hour, minute, second, half] = found;
  const hours = (Number(hour) % 12) + (half === "P" ? 12 : 0);
  return utc([Number(year), Number(month), Number(day), hours, Number(minute), Number(second)]);
}

const daysOfMonth = (year: number, month: number): number => {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
};

/** Counts the days since 1970 with years that begin in March, so that a leap day is the last day of its year. */
function utc([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]): Instant | undefined {
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (((era * 146_097 + dayOfEra - 719_468) * 24 + hour) * 60 + minute) * 60_000 + second * 1000;
}
