// Literals of Kusto queries: strings, numbers, instants and time spans as they are written in a query.
import { notServed } from "./syntax.ts";
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
      return constant("int", absent ? null : whole(content));
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

/** Reads a string literal: quoted, or verbatim with `@`. */
export function stringOf(text: string): string {
  if (text.startsWith("@")) return text.slice(2, -1).replaceAll(text[1]!.repeat(2), text[1]!);
  if (!/^["']/.test(text)) throw notServed(`the literal ${text}`);
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code?: string, letter?: string) =>
      code ? String.fromCharCode(parseInt(code, 16)) : (escapes[letter!] ?? letter!),
    );
}

/** Reads an instant; one without a zone is UTC, as everywhere in Kusto. Null when the text is no instant. */
export function instantOf(text: string): number | null {
  const zoned =
    /(z|[+-]\d\d:?\d\d)$/i.test(text) || /^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text.replace(" ", "T")}Z`;
  // Kusto has a resolution of 100 ns; here it is 1 ms.
  const at = Date.parse(zoned.replace(/(\.\d{3})\d+/, "$1"));
  if (Number.isNaN(at)) return null;
  // `Date.parse` reads 30 February as 1 March.
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  const isReal =
    year === undefined || new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  return isReal ? at : null;
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
  const [, sign, days, hours, minutes, seconds] = /^(-?)(?:(\d+)\.)?(\d+):(\d+)(?::([\d.]+))?$/.exec(text) ?? [];
  if (hours === undefined) return null;
  return (
    (sign ? -1 : 1) *
    (Number(days ?? 0) * 86_400_000 +
      Number(hours) * 3_600_000 +
      Number(minutes) * 60_000 +
      Math.round(Number(seconds ?? 0) * 1000))
  );
}
