// Scalar expressions of Kusto queries: turned once into functions of a row, with their types, as Kusto types them.
// A documented subset; everything else is refused by name, never guessed. Instants and time spans are milliseconds inside.
import { notServed, type Syntax, semantic } from "./syntax.ts";

/** A value of `dynamic` is its JSON inside, as it is on the wire. */
export type KqlType = "string" | "int" | "long" | "real" | "bool" | "datetime" | "timespan" | "dynamic";
export type Value = string | number | boolean | null;
export type Row = { readonly [column: string]: Value };

export interface Scalar {
  readonly type: KqlType;
  readonly of: (row: Row) => Value;
}

/** What names mean where an expression stands. */
export interface Scope {
  readonly columns: ReadonlyMap<string, KqlType>;
  readonly lets: ReadonlyMap<string, Scalar>;
  /** The one moment that `now()` and `ago()` mean throughout a query. */
  readonly now: number;
}

const isNumber = (type: KqlType): boolean => type === "int" || type === "long" || type === "real";
const constant = (type: KqlType, value: Value): Scalar => ({ type, of: () => value });

/** Turns an expression into a function of a row. @throws KqlError for names, types and functions that are not known. */
export function scalar(syntax: Syntax, scope: Scope): Scalar {
  const { kind, text, parts } = syntax;
  const [first, second] = parts;
  const inner = (part: Syntax | undefined): Scalar => scalar(part!, scope);
  if (kind.endsWith("LiteralExpression")) return literal(kind, text);
  switch (kind) {
    case "NameReference":
      return name(unquoted(text), scope);
    case "ParenthesizedExpression":
      return inner(first);
    case "UnaryPlusExpression":
      return inner(first);
    case "UnaryMinusExpression": {
      const of = inner(first);
      return { type: of.type, of: (row) => negate(of.of(row)) };
    }
    case "FunctionCallExpression":
      return call(first!.text, (second?.parts[0]?.parts ?? []).map(inner), scope);
    case "PathExpression":
      return property(inner(first), second!, text);
    case "ElementExpression":
      return property(inner(first), second!.parts[0] ?? second!, text);
    case "AndExpression":
      return logical(inner(first), inner(second), false);
    case "OrExpression":
      return logical(inner(first), inner(second), true);
    case "BetweenExpression":
    case "NotBetweenExpression":
      return between(inner(first), inner(second!.parts[0]), inner(second!.parts[1]), kind.startsWith("Not"));
    case "InExpression":
    case "NotInExpression":
      return inside(inner(first), second!.parts[0]!.parts.map(inner), kind.startsWith("Not"));
  }
  if (kind in textOperators) return textual(textOperators[kind]!, inner(first), inner(second));
  if (kind in comparisons) return compared(comparisons[kind]!, inner(first), inner(second), text);
  if (kind in arithmetic) return calculated(kind, inner(first), inner(second), text);
  throw notServed(`'${text}' (${kind})`);
}

export const unquoted = (text: string): string => /^\[\s*["'](.*)["']\s*\]$/.exec(text)?.[1] ?? text;
const negate = (value: Value): Value => (typeof value === "number" ? -value : null);

function name(text: string, { columns, lets }: Scope): Scalar {
  const type = columns.get(text);
  if (type) return { type, of: (row) => row[text] ?? null };
  const bound = lets.get(text);
  if (bound) return bound;
  throw semantic("SEM0100", `Failed to resolve column or scalar expression named '${text}'`);
}

/** Gives what a dynamic value has under a name; of anything that has no such name, null. */
function property(of: Scalar, name: Syntax, text: string): Scalar {
  if (of.type !== "dynamic" || !/^(NameReference|StringLiteralExpression)$/.test(name.kind))
    throw notServed(`'${text}'`);
  const key = name.kind === "NameReference" ? unquoted(name.text) : stringOf(name.text);
  return {
    type: "dynamic",
    of(row) {
      const holder: unknown = JSON.parse(String(of.of(row) ?? "null"));
      const found: unknown =
        typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
          ? (holder as Record<string, unknown>)[key]
          : undefined;
      return found === undefined || found === null ? null : JSON.stringify(found);
    },
  };
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
};

function literal(kind: string, text: string): Scalar {
  const inside =
    /^\w+\s*\((.*)\)$/s
      .exec(text)?.[1]
      ?.trim()
      .replace(/^["'](.*)["']$/, "$1") ?? text;
  const absent = inside === "null";
  switch (kind) {
    case "StringLiteralExpression":
      return constant("string", stringOf(text));
    case "BooleanLiteralExpression":
      return constant("bool", absent ? null : inside.toLowerCase() === "true");
    case "IntLiteralExpression":
      return constant("int", absent ? null : Number(inside));
    case "LongLiteralExpression":
      return constant("long", absent ? null : Number(inside));
    case "RealLiteralExpression":
      return constant("real", absent ? null : Number(inside));
    case "DateTimeLiteralExpression":
      return constant("datetime", absent ? null : instantOf(inside));
    case "TimespanLiteralExpression":
      return constant("timespan", absent ? null : spanOf(inside));
  }
  throw notServed(`the literal ${text}`);
}

function stringOf(text: string): string {
  if (text.startsWith("@")) return text.slice(2, -1).replaceAll(text[1]!.repeat(2), text[1]!);
  if (!/^["']/.test(text)) throw notServed(`the literal ${text}`);
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code?: string, letter?: string) =>
      code ? String.fromCharCode(parseInt(code, 16)) : (escapes[letter!] ?? letter!),
    );
}

/** Reads an instant; one that says no zone is UTC, as everywhere in Kusto. Null where it is none. */
function instantOf(text: string): number | null {
  const zoned =
    /(z|[+-]\d\d:?\d\d)$/i.test(text) || /^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text.replace(" ", "T")}Z`;
  // Kusto counts 100 ns; a clock of milliseconds cannot.
  const at = Date.parse(zoned.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) ? null : at;
}

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

/** Writes a time span as Kusto does: `00:05:00`, `1.02:00:00.5000000`. */
export function spanText(milliseconds: number): string {
  const rest = Math.abs(milliseconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const days = Math.floor(rest / 86_400_000);
  const fraction = Math.round((rest % 1000) * 10_000);
  return `${milliseconds < 0 ? "-" : ""}${days ? `${days}.` : ""}${two((rest / 3_600_000) % 24)}:${two((rest / 60_000) % 60)}:${two((rest / 1000) % 60)}${fraction ? `.${String(fraction).padStart(7, "0")}` : ""}`;
}

/** Writes a value as `tostring` does. */
function textOf(value: Value, type: KqlType): string {
  if (value === null) return "";
  if (type === "dynamic") {
    const plain: unknown = JSON.parse(String(value));
    return typeof plain === "string" ? plain : String(value);
  }
  if (type === "datetime") return new Date(Number(value)).toISOString().replace("Z", "0000Z");
  return type === "timespan" ? spanText(Number(value)) : String(value);
}

/** And, or with Kusto's null: unknown unless the other side decides. */
function logical(left: Scalar, right: Scalar, decisive: boolean): Scalar {
  for (const { type } of [left, right])
    if (type !== "bool")
      throw semantic("SEM0025", `'${decisive ? "or" : "and"}' operator: expected a bool, found ${type}`);
  return {
    type: "bool",
    of(row) {
      const one = left.of(row);
      if (one === decisive) return decisive;
      const other = right.of(row);
      return other === decisive ? decisive : one === null || other === null ? null : !decisive;
    },
  };
}

const comparisons: Record<string, (left: any, right: any) => boolean> = {
  EqualExpression: (left, right) => left === right,
  NotEqualExpression: (left, right) => left !== right,
  LessThanExpression: (left, right) => left < right,
  LessThanOrEqualExpression: (left, right) => left <= right,
  GreaterThanExpression: (left, right) => left > right,
  GreaterThanOrEqualExpression: (left, right) => left >= right,
};

function comparable(left: Scalar, right: Scalar, text: string): void {
  if (left.type === right.type || (isNumber(left.type) && isNumber(right.type))) return;
  throw semantic(
    "SEM0064",
    `Cannot compare values of types ${left.type} and ${right.type}. Try adding explicit casts. Query: '${text}'`,
  );
}

function compared(test: (left: any, right: any) => boolean, left: Scalar, right: Scalar, text: string): Scalar {
  comparable(left, right, text);
  const equality = test === comparisons["EqualExpression"] || test === comparisons["NotEqualExpression"];
  return {
    type: "bool",
    of(row) {
      const one = left.of(row);
      const other = right.of(row);
      // Null equals nothing that is there; of order it knows nothing.
      if (one === null || other === null) return equality && one !== other ? test(0, 1) : null;
      return test(one, other);
    },
  };
}

function between(value: Scalar, low: Scalar, high: Scalar, negated: boolean): Scalar {
  // `t between (start .. 5m)` means up to start plus the span.
  const end: Scalar =
    value.type === "datetime" && high.type === "timespan" ? calculated("AddExpression", low, high, "between") : high;
  comparable(value, low, "between");
  comparable(value, end, "between");
  return {
    type: "bool",
    of(row) {
      const found = value.of(row);
      const from = low.of(row);
      const to = end.of(row);
      return found === null || from === null || to === null ? null : (found >= from && found <= to) !== negated;
    },
  };
}

function inside(value: Scalar, list: readonly Scalar[], negated: boolean): Scalar {
  for (const each of list) comparable(value, each, "in");
  return {
    type: "bool",
    of(row) {
      const found = value.of(row);
      return list.some((each) => each.of(row) === found) !== negated;
    },
  };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const hasTerm = (text: string, term: string): boolean =>
  new RegExp(`(?<![a-z0-9])${escaped(term)}(?![a-z0-9])`, "i").test(text);
const low = (text: string): string => text.toLowerCase();
const textOperators: Record<string, (text: string, other: string) => boolean> = {
  EqualTildeExpression: (text, other) => low(text) === low(other),
  BangTildeExpression: (text, other) => low(text) !== low(other),
  HasExpression: hasTerm,
  NotHasExpression: (text, other) => !hasTerm(text, other),
  ContainsExpression: (text, other) => low(text).includes(low(other)),
  NotContainsExpression: (text, other) => !low(text).includes(low(other)),
  StartsWithExpression: (text, other) => low(text).startsWith(low(other)),
  NotStartsWithExpression: (text, other) => !low(text).startsWith(low(other)),
  EndsWithExpression: (text, other) => low(text).endsWith(low(other)),
  NotEndsWithExpression: (text, other) => !low(text).endsWith(low(other)),
};

function textual(test: (text: string, other: string) => boolean, left: Scalar, right: Scalar): Scalar {
  for (const { type } of [left, right])
    if (type !== "string") throw semantic("SEM0025", `string operator: expected a string, found ${type}`);
  return { type: "bool", of: (row) => test(String(left.of(row) ?? ""), String(right.of(row) ?? "")) };
}

const arithmetic: Record<string, (left: number, right: number) => number> = {
  AddExpression: (left, right) => left + right,
  SubtractExpression: (left, right) => left - right,
  MultiplyExpression: (left, right) => left * right,
  DivideExpression: (left, right) => left / right,
  ModuloExpression: (left, right) => left % right,
};

function calculated(kind: string, left: Scalar, right: Scalar, text: string): Scalar {
  const type = resultType(kind, left.type, right.type);
  if (!type) throw semantic("SEM0062", `'${text}': the operator cannot take ${left.type} and ${right.type}`);
  const whole = isNumber(type) && type !== "real";
  const calculate = arithmetic[kind]!;
  return {
    type,
    of(row) {
      const one = left.of(row);
      const other = right.of(row);
      if (typeof one !== "number" || typeof other !== "number") return null;
      const result = calculate(one, other);
      // Whole numbers divide to whole numbers, and by zero to null.
      return whole ? (Number.isFinite(result) ? Math.trunc(result) : null) : result;
    },
  };
}

function resultType(kind: string, left: KqlType, right: KqlType): KqlType | undefined {
  if (isNumber(left) && isNumber(right))
    return left === "real" || right === "real" ? "real" : left === "int" && right === "int" ? "int" : "long";
  const sum = kind === "AddExpression" || kind === "SubtractExpression";
  if (left === "datetime" && right === "timespan" && sum) return "datetime";
  if (left === "timespan" && right === "datetime" && kind === "AddExpression") return "datetime";
  if (left === "datetime" && right === "datetime" && kind === "SubtractExpression") return "timespan";
  if (left === "timespan" && right === "timespan")
    return sum ? "timespan" : kind === "DivideExpression" ? "real" : undefined;
  if (left === "timespan" && isNumber(right) && (kind === "MultiplyExpression" || kind === "DivideExpression"))
    return "timespan";
  return isNumber(left) && right === "timespan" && kind === "MultiplyExpression" ? "timespan" : undefined;
}

const converted =
  (type: KqlType, convert: (value: string | number | boolean, from: KqlType) => Value) =>
  ([of]: readonly Scalar[]): Scalar => ({
    type,
    of: (row) => {
      const value = of!.of(row);
      return value === null ? null : convert(value, of!.type);
    },
  });
const toNumber =
  (whole: boolean) =>
  (value: string | number | boolean): Value => {
    const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
    return Number.isNaN(number) ? null : whole ? Math.trunc(number) : number;
  };
const real = converted("real", toNumber(false));
const datetime = converted("datetime", (value) => (typeof value === "string" ? instantOf(value) : Number(value)));
const chosen = ([test, yes, no]: readonly Scalar[]): Scalar => ({
  type: yes!.type,
  of: (row) => (test!.of(row) === true ? yes! : no!).of(row),
});
const predicate =
  (test: (value: Value) => boolean) =>
  ([of]: readonly Scalar[]): Scalar => ({ type: "bool", of: (row) => test(of!.of(row)) });

// Kusto counts bins from the first day of the year 1.
const firstDay = -62_135_596_800_000;

function binned([of, width, fixed]: readonly Scalar[]): Scalar {
  const temporal = of!.type === "datetime" || of!.type === "timespan";
  if (temporal !== (width!.type === "timespan") || (fixed && fixed.type !== of!.type))
    throw semantic("SEM0219", `bin(): cannot round ${of!.type} to ${width!.type}`);
  const origin = fixed ? Number(fixed.of({})) : of!.type === "datetime" ? firstDay : 0;
  return {
    type: of!.type,
    of(row) {
      const value = of!.of(row);
      const step = Number(width!.of(row));
      return typeof value !== "number" || !(step > 0) ? null : Math.floor((value - origin) / step) * step + origin;
    },
  };
}

/** The functions that are served, by name, with the least and greatest number of arguments. */
const functions: Record<string, readonly [number, number, (args: readonly Scalar[], scope: Scope) => Scalar]> = {
  now: [
    0,
    1,
    ([offset], { now }) =>
      offset ? { type: "datetime", of: (row) => now + Number(offset.of(row)) } : constant("datetime", now),
  ],
  ago: [1, 1, ([span], { now }) => ({ type: "datetime", of: (row) => now - Number(span!.of(row)) })],
  ingestion_time: [0, 0, () => ({ type: "datetime", of: (row) => row["visibleAt"] ?? null })],
  toint: [1, 1, converted("int", toNumber(true))],
  tolong: [1, 1, converted("long", toNumber(true))],
  todouble: [1, 1, real],
  toreal: [1, 1, real],
  tostring: [1, 1, ([of]) => ({ type: "string", of: (row) => textOf(of!.of(row), of!.type) })],
  todatetime: [1, 1, datetime],
  iff: [3, 3, chosen],
  iif: [3, 3, chosen],
  not: [
    1,
    1,
    ([of]) => ({
      type: "bool",
      of: (row) => {
        const value = of!.of(row);
        return value === null ? null : !value;
      },
    }),
  ],
  isempty: [1, 1, predicate((value) => value === null || value === "")],
  isnotempty: [1, 1, predicate((value) => value !== null && value !== "")],
  isnull: [1, 1, predicate((value) => value === null)],
  isnotnull: [1, 1, predicate((value) => value !== null)],
  tolower: [1, 1, converted("string", (value) => low(String(value)))],
  toupper: [1, 1, converted("string", (value) => String(value).toUpperCase())],
  strcat: [
    1,
    64,
    (args) => ({ type: "string", of: (row) => args.map((each) => textOf(each.of(row), each.type)).join("") }),
  ],
  log2: [
    1,
    1,
    ([of]) => ({
      type: "real",
      of: (row) => {
        const value = of!.of(row);
        return typeof value === "number" && value > 0 ? Math.log2(value) : null;
      },
    }),
  ],
  max_of: [
    2,
    64,
    (args) => ({
      type: args[0]!.type,
      of: (row) =>
        args
          .map((each) => each.of(row))
          .reduce((most, next) => (next === null || (most !== null && most >= next) ? most : next)),
    }),
  ],
  bin: [2, 2, binned],
  floor: [2, 2, binned],
  bin_at: [3, 3, binned],
};

function call(called: string, args: readonly Scalar[], scope: Scope): Scalar {
  const known = Object.hasOwn(functions, called) ? functions[called] : undefined;
  if (!known) throw notServed(`the function ${called}()`);
  const [least, most, make] = known;
  if (args.length < least || args.length > most)
    throw semantic(
      "SEM0219",
      `${called}(): function expects ${least === most ? least : `${least} to ${most}`} argument(s).`,
    );
  return make(args, scope);
}
