// Literals of Kusto queries: strings, numbers, instants and time spans as they are written in a query.
import { notServed, refusedToo } from "./syntax.ts";
import { constant, type Scalar } from "./values.ts";

/** Reads a literal. @throws KqlError for one that is not served */
export function literal(kind: string, text: string): Scalar {
  const content =
    /^\w+\s*\((.*)\)$/s
      .exec(text)?.[1]
      ?.trim()
      .replace(/^["'](.*)["']$/, "$1") ?? text;
  const absent = content === "null";
  switch (kind) {
    case "StringLiteralExpression":
      return constant("string", stringOf(text));
    case "BooleanLiteralExpression":
      return constant("bool", absent ? null : content.toLowerCase() === "true");
    case "IntLiteralExpression":
      return constant("int", absent ? null : wholeInt(content, text));
    case "LongLiteralExpression":
      return constant("long", absent ? null : whole(content));
    case "RealLiteralExpression":
      return constant("real", absent ? null : Number(content));
    case "DateTimeLiteralExpression":
      return constant("datetime", absent ? null : known(instantOf(content), text));
    case "TimespanLiteralExpression":
      return constant("timespan", absent ? null : known(spanOf(content), text));
  }
  throw notServed(`the literal ${text}`);
}

/** Refuses a literal that cannot be read, which Kusto refuses too or reads in a form that is not served. */
function known(value: number | null, text: string): number {
  if (value === null) throw notServed(`the literal ${text}`);
  return value;
}

/** Reads a whole number. Kusto's have 64 bits; one that is not exact here is refused. */
function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw notServed(`the number ${text}, which is beyond 2^53`);
  return value;
}

/** Reports whether a whole number is an `int`, which has 32 bits. */
export const isInt = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;

function wholeInt(content: string, text: string): number {
  const value = whole(content);
  if (!isInt(value)) throw refusedToo(`${text} is no int, which has 32 bits.`);
  return value;
}

const escapes: { readonly [letter: string]: string } = {
  ...{ n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" },
  ...{ "\\": "\\", '"': '"', "'": "'" },
};

/** Reads a string literal: quoted, or verbatim with `@`. */
export function stringOf(text: string): string {
  if (text.startsWith("@")) return text.slice(2, -1).replaceAll(text[1]!.repeat(2), text[1]!);
  if (!/^["']/.test(text)) throw notServed(`the literal ${text}`);
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs, (escape, unicode?: string, byte?: string) => {
      const code = unicode ?? byte;
      if (code !== undefined) return String.fromCharCode(parseInt(code, 16));
      const letter = escapes[escape.slice(1)];
      if (letter === undefined) throw notServed(`the escape ${escape} in the literal ${text}`);
      return letter;
    });
}

// ISO 8601, with a blank for the T. Kusto reads other forms too, such as RFC 822.
const isoInstant = /^(\d{4})-(\d\d)-(\d\d)([T ]\d\d:\d\d(?::\d\d(?:\.(\d{1,7}))?)?)?(z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads an instant; one without a zone is UTC, as everywhere in Kusto. Null when the text is no instant.
 *
 * @throws KqlError for an instant in a form that is not served, or between two milliseconds
 */
export function instantOf(given: string): number | null {
  const text = given.trim();
  const [, year, month, day, time, fraction = "", zone] = isoInstant.exec(text) ?? [];
  if (year === undefined) {
    if (!Number.isNaN(Date.parse(text)) || /^\d{4}-\d/.test(text)) throw notServed(`the text '${text}' as a datetime`);
    return null;
  }
  // Kusto has a resolution of 100 ns; here it is 1 ms.
  if (/[1-9]/.test(fraction.slice(3))) throw notServed(`the datetime ${text}, which is no whole millisecond`);
  const iso = text.replace(" ", "T").replace(/(\.\d{3})\d+/, "$1");
  // A day alone is UTC for `Date.parse` as well.
  const at = Date.parse(time !== undefined && zone === undefined ? `${iso}Z` : iso);
  // `Date.parse` reads 30 February as 1 March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number.isNaN(at) || Number(day) > lastDay ? null : at;
}

const unitMilliseconds: Record<string, number> = {
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  h: 3_600_000,
  hr: 3_600_000,
  hrs: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  ms: 1,
  milli: 1,
  millis: 1,
  millisecond: 1,
  milliseconds: 1,
  microsecond: 0.001,
  microseconds: 0.001,
  tick: 0.0001,
  ticks: 0.0001,
  interval: 0.0001,
  intervals: 0.0001,
};

function spanOf(text: string): number | null {
  const [, amount, unit] = /^(-?[\d.]+)\s*([a-z]+)$/i.exec(text) ?? [];
  const milliseconds = unit === undefined ? undefined : unitMilliseconds[unit.toLowerCase()];
  if (milliseconds !== undefined) return Number(amount) * milliseconds;
  const [, sign, days, hours, minutes, seconds] =
    /^(-?)(?:(\d+)\.)?([01]?\d|2[0-3]):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?$/.exec(text) ?? [];
  if (hours === undefined) return null;
  return (
    (sign ? -1 : 1) *
    (Number(days ?? 0) * 86_400_000 +
      Number(hours) * 3_600_000 +
      Number(minutes) * 60_000 +
      Math.round(Number(seconds ?? 0) * 1000))
  );
}
