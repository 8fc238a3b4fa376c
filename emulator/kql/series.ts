// Kusto's series: make-series turns the rows of each group into arrays along an axis, and mv-expand turns arrays into
// rows again. What Learn leaves open is refused by name, since a guess would answer with wrong numbers.
import { type Aggregate, aggregate } from "./aggregates.ts";
import { instantOf, isInt } from "./literals.ts";
import { allNamed, keyOf, type NamedScalar } from "./naming.ts";
import { scalar } from "./scalars.ts";
import { notServed, refusedToo, type Syntax, semantic } from "./syntax.ts";
import {
  type Column,
  isNumber,
  type KqlType,
  type Row,
  type Scalar,
  type Scope,
  type Table,
  textOf,
  unquoted,
  type Value,
} from "./values.ts";

const partOf = ({ parts }: Syntax, kind: string): Syntax | undefined => parts.find((part) => part.kind === kind);

/** Learn: an array has 2^20 values at most. */
const valuesMax = 2 ** 20;

/** One column of arrays: its aggregate, and the value of a bin without rows. */
interface Line {
  readonly of: Aggregate;
  readonly otherwise: Value;
}

/** The axis: its values, and its bins from one to another. */
interface Axis {
  readonly of: NamedScalar;
  readonly step: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Makes the series of `make-series`: one row for each group, with an array for each aggregate and one for the axis. */
export function seriesMade(table: Table, operator: Syntax, scope: Scope): Table {
  const isNonempty = kindOf(operator);
  const by = allNamed(partOf(operator, "MakeSeriesByClause")?.parts[0]?.parts ?? [], scope);
  const lines = operator.parts
    .flatMap(({ kind, parts }) => (kind === "List" ? parts : []))
    .filter(({ kind }) => kind === "MakeSeriesExpression")
    .map((each) => lineOf(each, scope, by));
  const axis = axisOf(operator, scope);
  const groups = new Map<string, { readonly values: readonly Value[]; readonly rows: Row[] }>();
  for (const row of table.rows) {
    const values = by.map(({ of }) => of(row));
    const group = groups.get(keyOf(values)) ?? { values, rows: [] };
    groups.set(keyOf(values), group);
    group.rows.push(row);
  }
  if (groups.size === 0 && isNonempty) {
    if (by.length > 0) throw notServed("'kind=nonempty' of make-series with groups of no rows");
    groups.set("", { values: [], rows: [] });
  }
  const columns: readonly Column[] = [
    ...by.map(({ name, type }) => ({ name, type })),
    ...[...lines.map((line) => line.of.columns[0]!.name), axis.of.name].map((name) => ({
      name,
      type: "dynamic" as const,
    })),
  ];
  const twice = columns.find(({ name }, index) => columns.findIndex((each) => each.name === name) < index);
  if (twice) throw notServed(`make-series with two columns of the name '${twice.name}'`);
  return {
    columns,
    rows: [...groups.values()].map(({ values, rows }) => {
      const all = [...values, ...arraysOf(rows, lines, axis)];
      return Object.fromEntries(columns.map(({ name }, index) => [name, all[index] ?? null]));
    }),
  };
}

/** Reports whether `kind=nonempty` is asked for. */
function kindOf(operator: Syntax): boolean {
  const parameters = operator.parts.flatMap(({ parts }) => parts.filter(({ kind }) => kind === "NamedParameter"));
  const other = parameters.find(({ text }) => !/^kind\s*=\s*nonempty$/.test(text));
  if (other) throw notServed(`'${other.text}' of the operator 'make-series'`);
  return parameters.length > 0;
}

function lineOf({ parts: [asked, clause] }: Syntax, scope: Scope, by: readonly Column[]): Line {
  const of = aggregate(asked!, scope, by);
  const [column, ...more] = of.columns;
  if (more.length > 0 || !isNumber(column!.type))
    throw refusedToo(`'${asked!.text}' gives no single number, as each aggregate of make-series must.`);
  if (clause === undefined) return { of, otherwise: 0 };
  const otherwise = scalar(clause.parts[0]!, { ...scope, columns: new Map() });
  if (!isNumber(otherwise.type)) throw notServed(`make-series with '${clause.text}', which is no number`);
  return { of, otherwise: otherwise.of({}) };
}

function axisOf(operator: Syntax, scope: Scope): Axis {
  const span = partOf(operator, "MakeSeriesFromToStepClause");
  if (span === undefined) throw notServed("make-series with 'in range(…)'");
  const [of] = allNamed(partOf(operator, "MakeSeriesOnClause")!.parts, scope);
  const isTime = of!.type === "datetime" || of!.type === "timespan";
  if (!isTime && !isNumber(of!.type)) throw refusedToo(`make-series cannot lay an axis along a ${of!.type}.`);
  const valueOf = (clause: string, fits: (type: KqlType) => boolean): number | undefined => {
    const part = partOf(span, clause);
    if (part === undefined) return undefined;
    const found = scalar(part.parts[0]!, { ...scope, columns: new Map() });
    if (!fits(found.type)) throw semantic("SEM0220", `make-series: '${part.text}' does not fit a ${of!.type} axis`);
    const value = found.of({});
    if (typeof value !== "number") throw notServed(`make-series with '${part.text}', which is null`);
    return value;
  };
  const isOfAxis = (type: KqlType): boolean => (isTime ? type === of!.type : isNumber(type));
  const step = valueOf("MakeSeriesStepClause", (type) => (isTime ? type === "timespan" : isNumber(type)));
  if (step === undefined || step <= 0) throw refusedToo("The step of make-series must be above zero.");
  return {
    of: of!,
    step,
    from: valueOf("MakeSeriesFromClause", isOfAxis),
    to: valueOf("MakeSeriesToClause", isOfAxis),
  };
}

// Kusto counts the bins of instants from the first day of the year 1.
const firstDay = Date.parse("0001-01-01T00:00:00Z");

/** Gives the arrays of one group, each as JSON: those of the aggregates, and that of the axis. */
function arraysOf(rows: readonly Row[], lines: readonly Line[], axis: Axis): readonly string[] {
  const { of, step, to = Number.POSITIVE_INFINITY } = axis;
  const zero = axis.from ?? (of.type === "datetime" ? firstDay : 0);
  const bins = new Map<number, Row[]>();
  for (const row of rows) {
    const at = of.of(row);
    if (typeof at !== "number") throw notServed("make-series with a row that has no place on the axis");
    if (at < (axis.from ?? Number.NEGATIVE_INFINITY) || at >= to) continue;
    const bin = Math.floor((at - zero) / step);
    const held = bins.get(bin);
    if (held) held.push(row);
    else bins.set(bin, [row]);
  }
  // Whether Azure answers such a group with its default values, or leaves it out, is not public.
  if (bins.size === 0 && rows.length > 0) throw notServed("make-series with a group that has no row between its ends");
  const places = [...bins.keys()];
  const first = axis.from === undefined ? Math.min(...places) : 0;
  const last = axis.to === undefined ? Math.max(...places) : Math.ceil((to - zero) / step) - 1;
  if (!Number.isFinite(first) || !Number.isFinite(last)) throw notServed("make-series of no rows without its ends");
  const count = Math.max(0, last - first + 1);
  if (count > valuesMax) throw refusedToo(`A series of ${count} values is longer than ${valuesMax}.`);
  const all = Array.from({ length: count }, (_, index) => first + index);
  return [
    ...lines.map(({ of: { of: fold, columns }, otherwise }) =>
      jsonArray(
        all.map((bin) => (bins.has(bin) ? fold(bins.get(bin)!)[0]! : otherwise)),
        columns[0]!.type,
      ),
    ),
    jsonArray(
      all.map((bin) => zero + bin * step),
      of.type,
    ),
  ];
}

/** Writes an array as Learn shows it: real numbers with a fraction, instants and time spans as texts. */
function jsonArray(values: readonly Value[], type: KqlType): string {
  const shown = values.map((value) => {
    if (typeof value !== "number") return "null";
    if (!Number.isFinite(value)) throw notServed(`make-series with the value ${value}`);
    if (type === "datetime" || type === "timespan") return JSON.stringify(textOf(value, type));
    return type === "real" && Number.isInteger(value) ? value.toFixed(1) : JSON.stringify(value);
  });
  return `[${shown.join(",")}]`;
}

/** What the elements of an expanded column become; an element of another type becomes null. */
const casts: Readonly<Partial<Record<KqlType, (element: unknown) => Value>>> = {
  dynamic: (element) => (element === null ? null : JSON.stringify(element)),
  long: (element) => wholeOf(element, Number.isSafeInteger),
  int: (element) => wholeOf(element, (value) => isInt(value)),
  real: (element) => (typeof element === "number" ? element : null),
  bool: (element) => (typeof element === "boolean" ? element : null),
  datetime: (element) => (typeof element === "string" ? instantOf(element) : null),
  string(element) {
    if (typeof element === "string") return element;
    if (element !== null) throw notServed("mv-expand of what is no text 'to typeof(string)'");
    return "";
  },
};

function wholeOf(element: unknown, fits: (value: number) => boolean): Value {
  if (typeof element !== "number") return null;
  if (!fits(element)) throw notServed(`mv-expand of ${element} to a whole number`);
  return element;
}

/** One column that mv-expand expands. */
interface Expanded extends NamedScalar {
  readonly cast: (element: unknown) => Value;
  readonly castTo: KqlType;
}

/** Makes the rows of `mv-expand`: one for each element of an array, of several arrays side by side. */
export function expanded(table: Table, operator: Syntax, scope: Scope): Table {
  const { index, isArray } = expansionOf(operator);
  const columns = operator.parts
    .flatMap(({ kind, parts }) => (kind === "List" ? parts : []))
    .filter(({ kind }) => kind === "MvExpandExpression")
    .map((each) => expandedOf(each, scope));
  const limit = partOf(operator, "MvExpandRowLimitClause");
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(scalar(limit.parts[0]!, scope).of({}));
  const added: readonly Column[] = [
    ...columns.map(({ name, castTo }) => ({ name, type: castTo })),
    ...(index === undefined ? [] : [{ name: index, type: "long" as const }]),
  ];
  if (index !== undefined && scope.columns.has(index)) throw notServed(`mv-expand with the column '${index}' twice`);
  const expand = (row: Row): readonly Row[] => {
    const elements = columns.map((each) => elementsOf(each.of(row), isArray));
    const count = Math.min(most, Math.max(...elements.map(({ length }) => length)));
    return Array.from({ length: count }, (_, place) => ({
      ...row,
      ...Object.fromEntries(columns.map(({ name, cast }, which) => [name, cast(elements[which]![place] ?? null)])),
      ...(index === undefined ? {} : { [index]: place }),
    }));
  };
  return {
    columns: [
      ...table.columns.map((column) => added.find(({ name }) => name === column.name) ?? column),
      ...added.filter(({ name }) => !scope.columns.has(name)),
    ],
    rows: table.rows.flatMap(expand),
  };
}

/** Reads the parameters of mv-expand: the name of the column of places, and whether a bag becomes arrays. */
function expansionOf(operator: Syntax): { readonly index: string | undefined; readonly isArray: boolean } {
  let index: string | undefined;
  let isArray = false;
  for (const { text } of operator.parts.flatMap(({ parts }) => parts.filter(({ kind }) => kind === "NamedParameter"))) {
    const [name = "", value = ""] = text.split(/\s*=\s*/);
    if (name === "with_itemindex") index = unquoted(value);
    else if (/^(kind|bagexpansion)$/.test(name) && /^(bag|array)$/.test(value)) isArray = value === "array";
    else throw notServed(`'${text}' of the operator 'mv-expand'`);
  }
  return { index, isArray };
}

function expandedOf({ parts: [asked, clause] }: Syntax, scope: Scope): Expanded {
  if (asked!.kind !== "NameReference" && asked!.kind !== "SimpleNamedExpression")
    throw notServed(`mv-expand of '${asked!.text}' without a name`);
  const [of] = allNamed([asked!], scope);
  if (of!.type !== "dynamic")
    throw refusedToo(`mv-expand of '${asked!.text}', which is a ${of!.type} and not dynamic.`);
  const type = (clause === undefined ? "dynamic" : clause.text.replace(/^to\s+typeof\s*\(\s*|\s*\)$/g, "")) as KqlType;
  const cast = Object.hasOwn(casts, type) ? casts[type] : undefined;
  if (cast === undefined) throw notServed(`mv-expand '${clause!.text}'`);
  return { ...of!, cast, castTo: type };
}

/** Gives the elements of a dynamic value: those of an array, the entries of a bag, or the value alone. */
function elementsOf(value: ReturnType<Scalar["of"]>, isArray: boolean): readonly unknown[] {
  const held: unknown = value === null ? null : JSON.parse(String(value));
  if (Array.isArray(held)) return held;
  if (typeof held !== "object" || held === null) return [held];
  return Object.entries(held).map(([key, of]) => (isArray ? [key, of] : { [key]: of }));
}
