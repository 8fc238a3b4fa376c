// The aggregates of `summarize`: each makes one or more columns from a group of rows. Others are refused by name.
// Percentiles are exact (nearest rank); Azure estimates them for large groups.
import { scalar } from "./scalars.ts";
import { checkArguments, notServed, type Syntax, semantic } from "./syntax.ts";
import { type Column, isNumber, type KqlType, type Row, type Scalar, type Scope, type Value } from "./values.ts";

/** An aggregate: its columns, and their values for a group. */
export interface Aggregate {
  readonly columns: readonly Column[];
  readonly of: (rows: readonly Row[]) => readonly Value[];
}

interface Asked {
  /** The name in the query, if it gives one. */
  readonly as: string | undefined;
  readonly args: readonly Syntax[];
  readonly scope: Scope;
  /** The columns of `by`, which `*` leaves out. */
  readonly by: readonly Column[];
}

const nameOf = (syntax: Syntax | undefined): string => (syntax?.kind === "NameReference" ? syntax.text : "");
const valuesOf = (of: Scalar, rows: readonly Row[]): Value[] => rows.map(of.of).filter((value) => value !== null);
const numbersOf = (of: Scalar, rows: readonly Row[]): number[] => valuesOf(of, rows) as number[];
const least = (values: readonly Value[], sign: number): Value =>
  values.reduce<Value>((best, value) => (best === null || (value! < best ? -1 : 1) * sign < 0 ? value : best), null);

/** Refuses an aggregate of values that it does not take. */
function requireType(called: string, { type }: Scalar, accepts: (type: KqlType) => boolean): void {
  if (accepts(type)) return;
  if (type === "dynamic") throw notServed(`${called}() of a dynamic value without a cast`);
  throw semantic("SEM0219", `${called}(): argument 1 cannot be of type ${type}`);
}
const any = (): boolean => true;
const isMoment = (type: KqlType): boolean => isNumber(type) || type === "datetime" || type === "timespan";
const isOrdered = (type: KqlType): boolean => isMoment(type) || type === "string";
const isSummed = (type: KqlType): boolean => isNumber(type) || type === "timespan";

/** An aggregate of one expression and one column. */
const simple =
  (
    prefix: string,
    accepts: (type: KqlType) => boolean,
    type: (of: KqlType) => KqlType,
    fold: (of: Scalar, rows: readonly Row[]) => Value,
  ) =>
  ({ as, args, scope }: Asked): Aggregate => {
    const of = scalar(args[0]!, scope);
    requireType(prefix, of, accepts);
    return {
      columns: [{ name: as ?? `${prefix}_${nameOf(args[0])}`, type: type(of.type) }],
      of: (rows) => [fold(of, rows)],
    };
  };
const same = (type: KqlType): KqlType => type;
const long = (): KqlType => "long";
const sum = (numbers: readonly number[]): number => numbers.reduce((added, each) => added + each, 0);

/** Adds numbers. Whole ones have 64 bits in Kusto; a sum that is not exact here is refused. */
function total(of: Scalar, rows: readonly Row[]): number {
  const added = sum(numbersOf(of, rows));
  if (isNumber(of.type) && of.type !== "real" && !Number.isSafeInteger(added))
    throw notServed("a sum of whole numbers beyond 2^53");
  return added;
}

/** Gives the mean. That of no numbers is 0 / 0, as in Kusto; an instant or a time span has no such value. */
function mean(of: Scalar, rows: readonly Row[]): Value {
  const numbers = numbersOf(of, rows);
  return numbers.length === 0 && !isNumber(of.type) ? null : sum(numbers) / numbers.length;
}

function rank(sorted: readonly number[], percent: number): Value {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}

function percentiles({ as, args, scope }: Asked): Aggregate {
  const of = scalar(args[0]!, scope);
  requireType("percentile", of, isMoment);
  const percents = args.slice(1).map((each) => Number(scalar(each, scope).of({})));
  if (percents.length === 0 || percents.some((each) => !(each >= 0 && each <= 100)))
    throw semantic("SEM0220", "percentile(): a percentage from 0 to 100 is expected");
  return {
    columns: percents.map((percent) => ({
      name: as && percents.length === 1 ? as : `percentile_${nameOf(args[0])}_${String(percent).replace(".", "_")}`,
      type: widened(of.type),
    })),
    of(rows) {
      const sorted = numbersOf(of, rows).sort((a, b) => a - b);
      return percents.map((percent) => rank(sorted, percent));
    },
  };
}

/** Finds the row in which an expression is greatest or least: `arg_max(at, *)`, or with named columns. */
const extreme =
  (sign: number) =>
  ({ as, args, scope, by: groups }: Asked): Aggregate => {
    const of = scalar(args[0]!, scope);
    const by = nameOf(args[0]);
    const rest =
      args[1]?.kind === "StarExpression"
        ? [...scope.columns]
            .filter(([name]) => name !== by && !groups.some((each) => each.name === name))
            .map(([name, type]) => ({ name, type, of: (row: Row): Value => row[name] ?? null }))
        : args.slice(1).map((each) => ({ name: nameOf(each) || each.text, ...scalar(each, scope) }));
    return {
      columns: [{ name: as ?? by, type: of.type }, ...rest.map(({ name, type }) => ({ name, type }))],
      of(rows) {
        let best: Row | undefined;
        let found: Value = null;
        for (const row of rows) {
          const value = of.of(row);
          if (value === null) continue;
          const isBetter = found === null || (sign > 0 ? value > found : value < found);
          if (isBetter) [best, found] = [row, value];
        }
        return [found, ...rest.map((each) => (best ? each.of(best) : null))];
      },
    };
  };

const widened = (type: KqlType): KqlType => (type === "int" ? "long" : type);
const averaged = (type: KqlType): KqlType => (isNumber(type) ? "real" : type);

/** Makes an aggregate of the rows for which its second argument is true. */
const filtered =
  (make: (asked: Asked) => Aggregate) =>
  (asked: Asked): Aggregate => {
    const test = scalar(asked.args[1]!, asked.scope);
    if (test.type !== "bool") throw semantic("SEM0219", `argument 2 must be a bool, not ${test.type}`);
    const { columns, of } = make(asked);
    return { columns, of: (rows) => of(rows.filter((row) => test.of(row) === true)) };
  };

const aggregates: Record<string, readonly [number, number, (asked: Asked) => Aggregate]> = {
  count: [0, 0, ({ as }) => ({ columns: [{ name: as ?? "count_", type: "long" }], of: (rows) => [rows.length] })],
  countif: [
    1,
    1,
    ({ as, args, scope }) => {
      const of = scalar(args[0]!, scope);
      requireType("countif", of, (type) => type === "bool");
      return {
        columns: [{ name: as ?? "countif_", type: "long" }],
        of: (rows) => [rows.reduce((count, row) => count + (of.of(row) === true ? 1 : 0), 0)],
      };
    },
  ],
  dcount: [1, 2, simple("dcount", any, long, (of, rows) => new Set(valuesOf(of, rows)).size)],
  sum: [1, 1, simple("sum", isSummed, widened, total)],
  sumif: [2, 2, filtered(simple("sumif", isSummed, widened, total))],
  min: [1, 1, simple("min", isOrdered, same, (of, rows) => least(valuesOf(of, rows), 1))],
  max: [1, 1, simple("max", isOrdered, same, (of, rows) => least(valuesOf(of, rows), -1))],
  avg: [1, 1, simple("avg", isMoment, averaged, mean)],
  avgif: [2, 2, filtered(simple("avgif", isMoment, averaged, mean))],
  take_any: [1, 1, simple("", any, same, (of, rows) => valuesOf(of, rows)[0] ?? null)],
  percentile: [2, 2, percentiles],
  percentiles: [2, 16, percentiles],
  arg_max: [2, 64, extreme(1)],
  arg_min: [2, 64, extreme(-1)],
};

/** Turns one expression of `summarize` into its aggregate. @throws KqlError when it is none that is served */
export function aggregate(syntax: Syntax, scope: Scope, by: readonly Column[]): Aggregate {
  const named = syntax.kind === "SimpleNamedExpression";
  const called = named ? syntax.parts[1]! : syntax;
  if (called.kind !== "FunctionCallExpression")
    throw notServed(`'${called.text}' in summarize; each expression is one aggregate`);
  const name = called.parts[0]!.text;
  const args = called.parts[1]?.parts[0]?.parts ?? [];
  const known = Object.hasOwn(aggregates, name) ? aggregates[name] : undefined;
  if (!known) throw notServed(`the aggregate ${name}()`);
  const [fewest, most, make] = known;
  checkArguments(name, args.length, fewest, most);
  const implied = name === "take_any" ? nameOf(args[0]) || undefined : undefined;
  return make({ as: named ? syntax.parts[0]!.text : implied, args, scope, by });
}
