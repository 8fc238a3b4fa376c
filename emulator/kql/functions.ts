// The functions that Kusto's scalar expressions may call. A function that is not here is refused by its name.
import { instantOf } from "./literals.ts";
import { checkArguments, notServed, semantic } from "./syntax.ts";
import { constant, type KqlType, type Scalar, type Scope, textOf, type Value } from "./values.ts";

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
    if (Number.isNaN(number)) return null;
    return whole ? Math.trunc(number) : number;
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
  const zero = of!.type === "datetime" ? firstDay : 0;
  const origin = fixed ? Number(fixed.of({})) : zero;
  return {
    type: of!.type,
    of(row) {
      const value = of!.of(row);
      const step = Number(width!.of(row));
      return typeof value !== "number" || !(step > 0) ? null : Math.floor((value - origin) / step) * step + origin;
    },
  };
}

/** The served functions by name, each with the least and the greatest number of arguments. */
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
  tolower: [1, 1, converted("string", (value) => String(value).toLowerCase())],
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

/** Makes a call of a function. @throws KqlError when the function is not served or the number of arguments is wrong */
export function call(called: string, args: readonly Scalar[], scope: Scope): Scalar {
  const known = Object.hasOwn(functions, called) ? functions[called] : undefined;
  if (!known) throw notServed(`the function ${called}()`);
  const [least, most, make] = known;
  checkArguments(called, args.length, least, most);
  return make(args, scope);
}
