// The functions that Kusto's scalar expressions may call. A function that is not here is refused by its name.
import { instantOf, isInt } from "./literals.ts";
import { extracted } from "./regular-expressions.ts";
import { checkArguments, notServed, semantic } from "./syntax.ts";
import { constant, isNumber, type KqlType, type Scalar, type Scope, textOf, type Value } from "./values.ts";

const converted =
  (type: KqlType, convert: (value: string | number | boolean, from: KqlType) => Value) =>
  ([of]: readonly Scalar[]): Scalar => ({
    type,
    of: (row) => {
      const value = of!.of(row);
      if (value === null) return type === "string" ? "" : null;
      // A dynamic value converts as the simple value that it holds.
      return of!.type === "dynamic" ? convert(textOf(value, "dynamic"), "string") : convert(value, of!.type);
    },
  });
/** How numbers are written: whole ones, and all. Kusto reads more than these, such as `0x1F`. */
const wholeText = /^\s*[+-]?\d+\s*$/;
const numberText = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

type NumberType = "int" | "long" | "real";

/** Reads a number in a text; null when it is none. @throws KqlError for what may be one for Kusto */
function numberIn(text: string, type: NumberType): number | null {
  if ((type === "real" ? numberText : wholeText).test(text)) return Number(text);
  if (/^\s*[+-]?(\.?\d|inf|nan)/i.test(text)) throw notServed(`the text '${text}' as a ${kindOf(type)} number`);
  return null;
}

const kindOf = (type: NumberType): string => (type === "real" ? "real" : "whole");

const toNumber =
  (type: NumberType) =>
  (value: string | number | boolean, from: KqlType): Value => {
    // Kusto counts both in ticks of 100 ns, more than is exact here.
    if (from === "datetime" || from === "timespan") throw notServed(`a ${from} as a number`);
    const number = typeof value === "string" ? numberIn(value, type) : Number(value);
    if (number === null || type === "real") return number;
    const whole = Math.trunc(number);
    if (type === "int" && !isInt(whole)) throw notServed(`${String(value)} as an int, which has 32 bits`);
    if (!Number.isSafeInteger(whole)) throw notServed(`${String(value)} as a whole number`);
    return whole;
  };
const real = converted("real", toNumber("real"));
const datetime = converted("datetime", (value, from) => {
  if (typeof value === "string") return instantOf(value);
  if (from !== "datetime") throw notServed(`a ${from} as a datetime`);
  return Number(value);
});
const bool = converted("bool", (value) => {
  if (typeof value !== "string") return Boolean(value);
  if (/^(true|1)$/i.test(value)) return true;
  return /^(false|0)$/i.test(value) ? false : null;
});
/** Gives a value as text. Whether Kusto writes the real number 1 as `1` or `1.0` is not public. */
function shown(value: Value, type: KqlType): string {
  if (type === "real" && Number.isInteger(value)) throw notServed(`the real number ${value} as a text`);
  return textOf(value, type);
}
const dynamic = ([of]: readonly Scalar[]): Scalar => ({
  type: "dynamic",
  of: (row) => (of!.type === "dynamic" ? of!.of(row) : jsonOf(textOf(of!.of(row), of!.type))),
});

/** Reads a text as JSON, as `parse_json` does: text that is none is itself the value. */
function jsonOf(text: string): Value {
  if (text === "") return null;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}

/** Gives the one type of several results: numbers widen, and anything else must be equal. */
function commonType(called: string, results: readonly Scalar[]): KqlType {
  const types = [...new Set(results.map(({ type }) => type))];
  if (types.length === 1) return types[0]!;
  if (types.every(isNumber)) return types.includes("real") ? "real" : "long";
  throw notServed(`${called}() with results of the types ${types.join(" and ")}`);
}

const chosen = ([test, yes, no]: readonly Scalar[]): Scalar => ({
  type: commonType("iff", [yes!, no!]),
  of: (row) => (test!.of(row) === true ? yes! : no!).of(row),
});

/** Makes `case(test, result, …, otherwise)`. */
function cases(args: readonly Scalar[]): Scalar {
  const results = args.filter((_, index) => index % 2 === 1 || index === args.length - 1);
  const tests = args.filter((_, index) => index % 2 === 0 && index < args.length - 1);
  if (args.length % 2 === 0 || tests.some(({ type }) => type !== "bool"))
    throw semantic("SEM0219", "case(): pairs of a bool and a result are expected, and a result for all others");
  return {
    type: commonType("case", results),
    of: (row) => (results[tests.findIndex((test) => test.of(row) === true)] ?? results.at(-1)!).of(row),
  };
}

const extremeOf =
  (called: string, sign: 1 | -1) =>
  (args: readonly Scalar[]): Scalar => ({
    type: commonType(called, args),
    of: (row) =>
      args
        .map((each) => each.of(row))
        .reduce((best, next) => (next === null || (best !== null && (best >= next ? 1 : -1) * sign > 0) ? best : next)),
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
  const zero = of!.type === "datetime" ? firstDay : 0;
  const origin = fixed ? Number(fixed.of({})) : zero;
  return {
    type: temporal ? of!.type : commonType("bin", [of!, width!]),
    of(row) {
      const value = of!.of(row);
      const step = Number(width!.of(row));
      return typeof value !== "number" || !(step > 0) ? null : Math.floor((value - origin) / step) * step + origin;
    },
  };
}

/** What an argument may be: a type, one of several, or anything. */
type Expected = KqlType | "number" | "moment" | "scalar" | "any";
type Make = (args: readonly Scalar[], scope: Scope) => Scalar;

/** The served functions by name: what each argument may be, of which the last `optional` may be left out. */
const functions: Record<
  string,
  { readonly takes: readonly Expected[]; readonly optional?: number; readonly make: Make }
> = {
  now: {
    takes: ["timespan"],
    optional: 1,
    make: ([offset], { now }) =>
      offset ? { type: "datetime", of: (row) => now + Number(offset.of(row)) } : constant("datetime", now),
  },
  ago: {
    takes: ["timespan"],
    make: ([span], { now }) => ({ type: "datetime", of: (row) => now - Number(span!.of(row)) }),
  },
  ingestion_time: { takes: [], make: () => ({ type: "datetime", of: (row) => row["visibleAt"] ?? null }) },
  toint: { takes: ["any"], make: converted("int", toNumber("int")) },
  tolong: { takes: ["any"], make: converted("long", toNumber("long")) },
  todouble: { takes: ["any"], make: real },
  toreal: { takes: ["any"], make: real },
  tobool: { takes: ["any"], make: bool },
  tostring: { takes: ["any"], make: ([of]) => ({ type: "string", of: (row) => shown(of!.of(row), of!.type) }) },
  todatetime: { takes: ["any"], make: datetime },
  parse_json: { takes: ["any"], make: dynamic },
  todynamic: { takes: ["any"], make: dynamic },
  iff: { takes: ["bool", "any", "any"], make: chosen },
  iif: { takes: ["bool", "any", "any"], make: chosen },
  case: { takes: Array<Expected>(63).fill("any"), optional: 60, make: cases },
  coalesce: {
    takes: Array<Expected>(64).fill("any"),
    optional: 62,
    make(args) {
      const type = commonType("coalesce", args);
      const absent = type === "string" ? "" : null;
      return {
        type,
        of: (row) => args.map((each) => each.of(row)).find((value) => value !== null && value !== "") ?? absent,
      };
    },
  },
  not: {
    takes: ["bool"],
    make: ([of]) => ({
      type: "bool",
      of: (row) => {
        const value = of!.of(row);
        return value === null ? null : !value;
      },
    }),
  },
  isempty: { takes: ["any"], make: predicate((value) => value === null || value === "") },
  isnotempty: { takes: ["any"], make: predicate((value) => value !== null && value !== "") },
  isnull: { takes: ["any"], make: predicate((value) => value === null) },
  isnotnull: { takes: ["any"], make: predicate((value) => value !== null) },
  tolower: { takes: ["scalar"], make: converted("string", (value, from) => textOf(value, from).toLowerCase()) },
  toupper: { takes: ["scalar"], make: converted("string", (value, from) => textOf(value, from).toUpperCase()) },
  strlen: { takes: ["scalar"], make: converted("long", (value, from) => [...textOf(value, from)].length) },
  strcat: {
    takes: Array<Expected>(64).fill("any"),
    optional: 63,
    make: (args) => ({ type: "string", of: (row) => args.map((each) => shown(each.of(row), each.type)).join("") }),
  },
  extract: { takes: ["string", "long", "scalar"], make: extracted },
  log2: {
    takes: ["number"],
    make: ([of]) => ({
      type: "real",
      of: (row) => {
        const value = of!.of(row);
        return typeof value === "number" && value > 0 ? Math.log2(value) : null;
      },
    }),
  },
  max_of: { takes: Array<Expected>(64).fill("moment"), optional: 62, make: extremeOf("max_of", 1) },
  min_of: { takes: Array<Expected>(64).fill("moment"), optional: 62, make: extremeOf("min_of", -1) },
  bin: { takes: ["moment", "moment"], make: binned },
  floor: { takes: ["moment", "moment"], make: binned },
  bin_at: { takes: ["moment", "moment", "moment"], make: binned },
};

/** Reports whether a value of a type may stand where an argument is expected. A moment has an order and a distance. */
function fits(type: KqlType, expected: Expected): boolean {
  if (expected === "number") return isNumber(type);
  if (expected === "moment") return isNumber(type) || type === "datetime" || type === "timespan";
  return (
    expected === "any" || expected === type || (expected === "scalar" && (type === "string" || type === "dynamic"))
  );
}

/** Makes a call of a function. @throws KqlError when it is not served, or when its arguments are wrong */
export function call(called: string, args: readonly Scalar[], scope: Scope): Scalar {
  const known = Object.hasOwn(functions, called) ? functions[called] : undefined;
  if (!known) throw notServed(`the function ${called}()`);
  const { takes, optional = 0, make } = known;
  checkArguments(called, args.length, takes.length - optional, takes.length);
  const wrong = args.findIndex(({ type }, index) => !fits(type, takes[index]!));
  if (wrong >= 0 && args[wrong]!.type === "dynamic") throw notServed(`${called}() of a dynamic value without a cast`);
  if (wrong >= 0)
    throw semantic("SEM0219", `${called}(): argument ${wrong + 1} cannot be of type ${args[wrong]!.type}`);
  return make(args, scope);
}
