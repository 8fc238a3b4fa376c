// Kusto's functions that look at the rows beside one: prev(), next() and row_number(). They need a serialized row set,
// whose order counts: one that was sorted or serialized, and has since only gone through operators that keep its order.
// Learn's pages contradict each other about mv-expand, so its result counts as one that is not serialized.
import { checkArguments, notServed, refusedToo, type Syntax } from "./syntax.ts";
import { constant, type Order, type Row, type Scalar, type Scope, type Table, unquoted } from "./values.ts";

const isWhole = ({ type }: Scalar): boolean => type === "int" || type === "long";

/** Marks the order of a table's rows as one that counts. A row that stands in it twice becomes two. */
export function serialized({ columns, rows }: Table): Table {
  const isOnceEach = new Set(rows).size === rows.length;
  return { columns, rows: isOnceEach ? rows : rows.map((row) => ({ ...row })), isSerialized: true };
}

/** Gives the order of a table; undefined if its order does not count. */
export function orderOf({ rows, isSerialized }: Table): Order | undefined {
  let places: Map<Row, number> | undefined;
  return isSerialized
    ? {
        rows,
        placeOf: (row) => {
          places ??= new Map(rows.map((each, place) => [each, place]));
          return places.get(row)!;
        },
      }
    : undefined;
}

const steps: Readonly<Record<string, 1 | -1>> = { prev: -1, next: 1 };

/** Reports whether a function looks at the rows beside one. */
export const isWindowFunction = (called: string): boolean => Object.hasOwn(steps, called) || called === "row_number";

/** Makes the call of a function that looks at the rows beside one. @throws KqlError where the order does not count */
export function windowed(
  called: string,
  args: readonly Syntax[],
  { order, columns }: Scope,
  inner: (syntax: Syntax) => Scalar,
): Scalar {
  if (order === undefined)
    throw refusedToo(`${called}() needs rows in an order that counts: 'sort' or 'serialize' them right before.`);
  if (called === "row_number") return rowNumber(order, args.map(inner));
  checkArguments(called, args.length, 1, 3);
  const [column, offset, otherwise] = args;
  if (column!.kind !== "NameReference" || !columns.has(unquoted(column!.text)))
    throw refusedToo(`${called}() takes a column, and '${column!.text}' is none.`);
  const of = inner(column!);
  const by = offset === undefined ? undefined : inner(offset);
  const count = by === undefined ? 1 : by.of({});
  if (by && !(by.isFixed && isWhole(by) && Number(count) >= 0))
    throw notServed(`${called}() by '${offset!.text}', which is no whole number from 0 on`);
  const absent = otherwise ? inner(otherwise) : constant(of.type, of.type === "string" ? "" : null);
  if (!(absent.isFixed && absent.type === of.type))
    throw notServed(`${called}() of a ${of.type} with '${otherwise?.text}' as the value without a row`);
  return {
    type: of.type,
    of(row) {
      const other = order.rows[order.placeOf(row) + steps[called]! * Number(count)];
      return other === undefined ? absent.of({}) : of.of(other);
    },
  };
}

/** Numbers the rows from 1, or from another whole number. */
function rowNumber({ placeOf }: Order, [from, ...more]: readonly Scalar[]): Scalar {
  if (more.length > 0) throw notServed("row_number() that begins again");
  if (from && !(from.isFixed && isWhole(from))) throw notServed("row_number() from what is no whole number");
  const first = from === undefined ? 1 : Number(from.of({}));
  return { type: "long", of: (row) => first + placeOf(row) };
}
