// The values of Kusto queries: their types, rows, and expressions as functions of a row.
// Instants and time spans are milliseconds.
import { notServed } from "./syntax.ts";

const firstInstant = Date.parse("0001-01-01T00:00:00Z");
const lastInstant = Date.parse("9999-12-31T23:59:59.999Z");

/** The types of Kusto. A `dynamic` value is held as its JSON text, as it is on the wire. */
export type KqlType = "string" | "int" | "long" | "real" | "bool" | "datetime" | "timespan" | "dynamic";
export type Value = string | number | boolean | null;
export type Row = { readonly [column: string]: Value };

/** A column and the type of its values. */
export interface Column {
  readonly name: string;
  readonly type: KqlType;
}

/** A table with typed columns. Rows may hold more values; only the columns are answered. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Whether the order of its rows means something, so that functions may look at the rows beside one. */
  readonly isSerialized?: true;
}

/** An expression with its type, as a function of a row. */
export interface Scalar {
  readonly type: KqlType;
  readonly of: (row: Row) => Value;
  /** True when it has one value for every row, as a literal. */
  readonly isFixed?: true;
}

/** What names mean in an expression. */
export interface Scope {
  readonly columns: ReadonlyMap<string, KqlType>;
  readonly lets: ReadonlyMap<string, Scalar>;
  /** The names of the tables that the query's own `let` statements bind. */
  readonly letTables: { has(name: string): boolean };
  /** The moment that `now()` and `ago()` mean throughout a query. */
  readonly now: number;
  /** The rows in their order, where an expression may look at the rows beside one. */
  readonly order?: Order;
}

/** Rows in an order that counts, each of them once. */
export interface Order {
  readonly rows: readonly Row[];
  readonly placeOf: (row: Row) => number;
}

export const isNumber = (type: KqlType): boolean => type === "int" || type === "long" || type === "real";

/** Makes an expression that has one value for every row. */
export const constant = (type: KqlType, value: Value): Scalar => ({ type, of: () => value, isFixed: true });

/** Gives the column of a bracketed name, `["a b"]`, and any other name as it is. */
export const unquoted = (text: string): string => /^\[\s*["'](.*)["']\s*\]$/.exec(text)?.[1] ?? text;

/** Writes a time span as Kusto does: `00:05:00`, `1.02:00:00.5000000`. */
export function spanText(milliseconds: number): string {
  const rest = Math.abs(milliseconds);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const sign = milliseconds < 0 ? "-" : "";
  const days = Math.floor(rest / 86_400_000);
  const time = [(rest / 3_600_000) % 24, (rest / 60_000) % 60, (rest / 1000) % 60].map(two).join(":");
  const fraction = Math.round((rest % 1000) * 10_000);
  return `${sign}${days ? `${days}.` : ""}${time}${fraction ? `.${String(fraction).padStart(7, "0")}` : ""}`;
}

/** Writes an instant in ISO 8601. @throws KqlError outside of the years 1 to 9999, which Kusto has */
export function instantText(milliseconds: number): string {
  if (!(milliseconds >= firstInstant && milliseconds <= lastInstant))
    throw notServed("an instant before the year 1 or after the year 9999");
  return new Date(milliseconds).toISOString();
}

/** Writes a value as `tostring` does. */
export function textOf(value: Value, type: KqlType): string {
  if (value === null) return "";
  if (type === "dynamic") {
    const plain: unknown = JSON.parse(String(value));
    return typeof plain === "string" ? plain : String(value);
  }
  if (type === "datetime") return instantText(Number(value)).replace("Z", "0000Z");
  return type === "timespan" ? spanText(Number(value)) : String(value);
}
