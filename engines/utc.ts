// Moments in UTC as text, such as 2026-12-24T00:00:00Z, by arithmetic alone: an engine reads no clock and no time zone.
import { dayMilliseconds, type Instant } from "./time.ts";

/** Gives a moment from its text in UTC; NaN if it is none. */
export function instantOf(text: string): Instant {
  const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return Number.NaN;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  return daysOf(year, month, day) * dayMilliseconds + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Gives a moment as text in UTC, in whole seconds. */
export function utcOf(at: Instant): string {
  const days = Math.floor(at / dayMilliseconds);
  const seconds = Math.floor((at - days * dayMilliseconds) / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hour, minute] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `${dateOf(days)}T${two(hour)}:${two(minute)}:${two(seconds % 60)}Z`;
}

/** Days since 1970-01-01. A year begins with March here, so that the leap day is its last one. */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

function dateOf(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const place = Math.floor((5 * ofYear + 2) / 153);
  const month = place < 10 ? place + 3 : place - 9;
  const day = ofYear - Math.floor((153 * place + 2) / 5) + 1;
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${year + era * 400 + (month <= 2 ? 1 : 0)}-${two(month)}-${two(day)}`;
}
