// Evaluates a Kusto query over rows in memory: `let` with scalars, then a table and its operators in order. Served are
// where, extend, project, project-away, summarize … by, sort/order by, top, take/limit, distinct and count. Everything
// else is refused by its name, since a query that is only partly understood would answer with wrong numbers.
import { type Aggregate, aggregate, type Column } from "./aggregates.ts";
import { scalar } from "./scalars.ts";
import { notServed, parseQuery, type Syntax, semantic } from "./syntax.ts";
import { type KqlType, type Row, type Scalar, type Scope, unquoted, type Value } from "./values.ts";

/** A table with typed columns. Rows may hold more values; only the columns are answered. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Evaluates a query at a moment. @throws KqlError when the query is wrong or uses something that is not served */
export function evaluate(query: string, tables: { readonly [name: string]: Table }, now: number): Table {
  const lets = new Map<string, Scalar>();
  const none: ReadonlyMap<string, KqlType> = new Map();
  let result: Table | undefined;
  for (const statement of parseQuery(query)) {
    const [first, second] = statement.parts;
    if (statement.kind === "LetStatement") {
      const bound = scalar(second!, { columns: none, lets, now });
      const value = bound.of({});
      lets.set(first!.text, { type: bound.type, of: () => value });
    } else if (statement.kind === "ExpressionStatement") {
      result = tabular(first!, tables, lets, now);
    } else throw notServed(`the statement '${statement.text}'`);
  }
  if (!result) throw semantic("SEM0100", "The query has no tabular expression.");
  return result;
}

function tabular(
  syntax: Syntax,
  tables: { readonly [name: string]: Table },
  lets: ReadonlyMap<string, Scalar>,
  now: number,
): Table {
  if (syntax.kind === "NameReference") {
    const table = Object.hasOwn(tables, unquoted(syntax.text)) ? tables[unquoted(syntax.text)] : undefined;
    if (!table) throw semantic("SEM0100", `Failed to resolve table or column expression named '${syntax.text}'`);
    return table;
  }
  if (syntax.kind === "ParenthesizedExpression") return tabular(syntax.parts[0]!, tables, lets, now);
  if (syntax.kind !== "PipeExpression") throw notServed(`'${syntax.text}' as a table`);
  const table = tabular(syntax.parts[0]!, tables, lets, now);
  const operator = syntax.parts[1]!;
  const apply = operators[operator.kind];
  if (!apply) throw notServed(`the operator '${operator.text.split(/\s/)[0]}'`);
  const hint = operator.parts.find(({ kind, parts }) => kind === "List" && parts[0]?.kind === "NamedParameter");
  if (hint) throw notServed(`'${hint.text}' of the operator '${operator.text.split(/\s/)[0]}'`);
  const scope: Scope = { columns: new Map(table.columns.map(({ name, type }) => [name, type])), lets, now };
  return apply(
    table,
    operator.parts.filter(({ kind, parts }) => kind !== "List" || parts.length > 0),
    scope,
  );
}

type Operator = (table: Table, parts: readonly Syntax[], scope: Scope) => Table;

const operators: { readonly [kind: string]: Operator } = {
  FilterOperator(table, [condition], scope) {
    const test = scalar(condition!, scope);
    if (test.type !== "bool") throw semantic("SEM0025", `where: expected a bool, found ${test.type}`);
    return { columns: table.columns, rows: table.rows.filter((row) => test.of(row) === true) };
  },
  ExtendOperator(table, [list], scope) {
    const added = list!.parts.map((each, index) => named(each, scope, index));
    const names = new Set(added.map(({ name }) => name));
    return {
      columns: [
        ...table.columns.map((column) => added.find(({ name }) => name === column.name) ?? column),
        ...added.filter(({ name }) => !scope.columns.has(name)),
      ].map(({ name, type }) => ({ name, type })),
      rows: names.size === 0 ? table.rows : table.rows.map((row) => ({ ...row, ...valuesOf(added, row) })),
    };
  },
  ProjectOperator: (table, [list], scope) =>
    projected(
      table,
      list!.parts.map((each, index) => named(each, scope, index)),
    ),
  ProjectAwayOperator(table, [list], scope) {
    const away = new Set(list!.parts.map((each) => known(each.text, scope)));
    return { columns: table.columns.filter(({ name }) => !away.has(name)), rows: table.rows };
  },
  DistinctOperator(table, [list], scope) {
    const columns =
      list!.parts[0]?.kind === "StarExpression"
        ? table.columns.map(({ name, type }) => ({ name, type, of: (row: Row) => row[name] ?? null }))
        : list!.parts.map((each, index) => named(each, scope, index));
    const { columns: kept, rows } = projected(table, columns);
    return {
      columns: kept,
      rows: [...new Map(rows.map((row) => [keyOf(kept.map(({ name }) => row[name] ?? null)), row])).values()],
    };
  },
  SummarizeOperator: summarized,
  SortOperator: (table, [list], scope) => ({ columns: table.columns, rows: sorted(table.rows, list!.parts, scope) }),
  TopOperator: (table, [count, order], scope) => ({
    columns: table.columns,
    rows: sorted(table.rows, [order!], scope).slice(0, countOf(count!, scope)),
  }),
  TakeOperator: (table, [count], scope) => ({
    columns: table.columns,
    rows: table.rows.slice(0, countOf(count!, scope)),
  }),
  CountOperator: (table) => ({ columns: [{ name: "Count", type: "long" }], rows: [{ Count: table.rows.length }] }),
};

interface NamedScalar extends Scalar {
  readonly name: string;
}

/** Names an expression as Kusto does: by its own name, by the column that it is or bins, or else by its place. */
function named(syntax: Syntax, scope: Scope, index: number): NamedScalar {
  if (syntax.kind === "SimpleNamedExpression")
    return { name: unquoted(syntax.parts[0]!.text), ...scalar(syntax.parts[1]!, scope) };
  const called =
    syntax.kind === "FunctionCallExpression" && (syntax.parts[0]!.text === "bin" || syntax.parts[0]!.text === "floor")
      ? syntax.parts[1]?.parts[0]?.parts[0]
      : syntax;
  return {
    name: called?.kind === "NameReference" ? unquoted(called.text) : `Column${index + 1}`,
    ...scalar(syntax, scope),
  };
}

const valuesOf = (columns: readonly NamedScalar[], row: Row): Row => {
  const values: { [name: string]: Value } = {};
  for (const column of columns) values[column.name] = column.of(row);
  return values;
};

const projected = (table: Table, columns: readonly NamedScalar[]): Table => ({
  columns: columns.map(({ name, type }) => ({ name, type })),
  rows: table.rows.map((row) => valuesOf(columns, row)),
});

function known(text: string, scope: Scope): string {
  if (!scope.columns.has(unquoted(text)))
    throw semantic("SEM0100", `Failed to resolve column or scalar expression named '${text}'`);
  return unquoted(text);
}

function countOf(syntax: Syntax, scope: Scope): number {
  const count = scalar(syntax, { ...scope, columns: new Map() }).of({});
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0)
    throw semantic("SEM0025", `'${syntax.text}' is not a number of rows`);
  return count;
}

const keyOf = (values: readonly Value[]): string => JSON.stringify(values);

function summarized(table: Table, parts: readonly Syntax[], scope: Scope): Table {
  const clause = parts.find(({ kind }) => kind === "SummarizeByClause");
  const by = (clause?.parts[0]?.parts ?? []).map((each, index) => named(each, scope, index));
  const aggregates: Aggregate[] = (parts.find(({ kind }) => kind === "List")?.parts ?? []).map((each) =>
    aggregate(each, scope),
  );
  const groups = new Map<string, { readonly values: readonly Value[]; readonly rows: Row[] }>();
  for (const row of table.rows) {
    const values = by.map(({ of }) => of(row));
    const key = keyOf(values);
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { values, rows: [row] });
  }
  // Without `by` there is one group, even when it is empty.
  if (by.length === 0 && groups.size === 0) groups.set("", { values: [], rows: [] });
  const columns = distinctNames([
    ...by.map(({ name, type }) => ({ name, type })),
    ...aggregates.flatMap((each) => each.columns),
  ]);
  return {
    columns,
    rows: [...groups.values()].map(({ values, rows }) => {
      const all = [...values, ...aggregates.flatMap((each) => each.of(rows))];
      return Object.fromEntries(columns.map(({ name }, index) => [name, all[index] ?? null]));
    }),
  };
}

/** Numbers the later of two columns with one name, since one would hide the other. */
function distinctNames(columns: readonly Column[]): readonly Column[] {
  const taken = new Map<string, number>();
  return columns.map((column) => {
    const times = taken.get(column.name) ?? 0;
    taken.set(column.name, times + 1);
    return times === 0 ? column : { ...column, name: `${column.name}${times}` };
  });
}

/** Sorts as Kusto does: descending by default, with nulls last when descending and first when ascending. */
function sorted(rows: readonly Row[], orders: readonly Syntax[], scope: Scope): readonly Row[] {
  const by = orders.map((each) => {
    const ordered = each.kind === "OrderedExpression";
    const clause = ordered ? (each.parts[1]?.text ?? "") : "";
    const ascending = /^asc/.test(clause);
    return {
      of: scalar(ordered ? each.parts[0]! : each, scope).of,
      sign: ascending ? 1 : -1,
      nullsFirst: /nulls\s+first/.test(clause) || (ascending && !/nulls\s+last/.test(clause)),
    };
  });
  return [...rows].sort((left, right) => {
    for (const { of, sign, nullsFirst } of by) {
      const one = of(left);
      const other = of(right);
      if (one === other) continue;
      if (one === null || other === null) return (one === null) === nullsFirst ? -1 : 1;
      return (one < other ? -1 : 1) * sign;
    }
    return 0;
  });
}
