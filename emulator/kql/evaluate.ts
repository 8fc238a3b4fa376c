// Evaluates a Kusto query over rows in memory: `let` with scalars and tables, then a table and its operators. Served
// are where, extend, project, project-away, summarize … by, make-series, mv-expand, serialize, sort/order by, top,
// take/limit, distinct, count, union and join.
// Everything else is refused by its name, since a query that is only partly understood would answer with wrong numbers.
import { type Aggregate, aggregate } from "./aggregates.ts";
import { joined, parametersOf, united } from "./combining.ts";
import { allNamed, keyOf, type NamedScalar } from "./naming.ts";
import { scalar } from "./scalars.ts";
import { expanded, seriesMade } from "./series.ts";
import { notServed, parseQuery, type Syntax, semantic } from "./syntax.ts";
import {
  type Column,
  constant,
  type Row,
  type Scalar,
  type Scope,
  type Table,
  unquoted,
  type Value,
} from "./values.ts";
import { orderOf, serialized } from "./windows.ts";

/** The tables of a database by name, and those that the query's own `let` statements name. */
interface Names {
  readonly tables: { readonly [name: string]: Table };
  readonly letTables: Map<string, Table>;
  readonly lets: Map<string, Scalar>;
  readonly now: number;
}

/** Evaluates a query at a moment. @throws KqlError when the query is wrong or uses something that is not served */
export function evaluate(query: string, tables: { readonly [name: string]: Table }, now: number): Table {
  try {
    return evaluated(query, tables, now);
  } catch (error) {
    // The parser and everything here descend into a query, and this ends the stack.
    if (error instanceof RangeError && error.message.includes("call stack"))
      throw notServed("a query that is nested as deeply as this one");
    throw error;
  }
}

function evaluated(query: string, tables: { readonly [name: string]: Table }, now: number): Table {
  const names: Names = { tables, letTables: new Map(), lets: new Map(), now };
  const statements = parseQuery(query);
  // Azure answers each with a table of its own, in an order that clients rely on.
  if (statements.filter(({ kind }) => kind === "ExpressionStatement").length > 1)
    throw notServed("several tabular statements in one query");
  let result: Table | undefined;
  for (const statement of statements) {
    const [first, second] = statement.parts;
    if (statement.kind === "LetStatement") bind(unquoted(first!.text), second!, names);
    else if (statement.kind === "ExpressionStatement") result = tabular(first!, names);
    else throw notServed(`the statement '${statement.text}'`);
  }
  if (!result) throw semantic("SEM0100", "The query has no tabular expression.");
  return result;
}

/** Binds a name to a table or to a scalar, which is evaluated once. */
function bind(name: string, syntax: Syntax, names: Names): void {
  if (syntax.kind === "FunctionDeclaration") throw notServed(`the function '${name}', which the query declares`);
  const isTable =
    syntax.kind === "PipeExpression" ||
    syntax.kind === "UnionOperator" ||
    (syntax.kind === "NameReference" && !names.lets.has(unquoted(syntax.text))) ||
    (syntax.kind === "ParenthesizedExpression" && syntax.parts[0]?.kind === "PipeExpression");
  if (isTable) {
    names.letTables.set(name, tabular(syntax, names));
    return;
  }
  const bound = scalar(syntax, { columns: new Map(), lets: names.lets, letTables: names.letTables, now: names.now });
  names.lets.set(name, constant(bound.type, bound.of({})));
}

/** Finds a table. One that is not here may exist on Azure, so that its code for a wrong name is not ours to give. */
function tableNamed(text: string, { tables, letTables }: Names): Table {
  const name = unquoted(text);
  const found = letTables.get(name) ?? (Object.hasOwn(tables, name) ? tables[name] : undefined);
  if (found) return found;
  throw semantic(
    "EmulatorUnsupported",
    `The emulator has no table '${text}'. Its tables are: ${Object.keys(tables).join(", ")}. ` +
      "Azure has more, and answers SEM0100 for a name that it does not know.",
  );
}

function tabular(syntax: Syntax, names: Names): Table {
  if (syntax.kind === "NameReference") return tableNamed(syntax.text, names);
  if (syntax.kind === "ParenthesizedExpression") return tabular(syntax.parts[0]!, names);
  if (syntax.kind === "UnionOperator") return unitedWith([], syntax, names);
  if (syntax.kind !== "PipeExpression") throw notServed(`'${syntax.text}' as a table`);
  const table = tabular(syntax.parts[0]!, names);
  const operator = syntax.parts[1]!;
  if (operator.kind === "UnionOperator") return unitedWith([table], operator, names);
  if (operator.kind === "JoinOperator") return joinedWith(table, operator, names);
  const { lets, now } = names;
  const columns = new Map(table.columns.map(({ name, type }) => [name, type]));
  const scope: Scope = { columns, lets, letTables: names.letTables, now };
  if (operator.kind === "MakeSeriesOperator") return seriesMade(table, operator, scope);
  if (operator.kind === "MvExpandOperator") return expanded(table, operator, scope);
  const apply = operators[operator.kind];
  if (!apply) throw notServed(`the operator '${operator.text.split(/\s/)[0]}'`);
  const hint = operator.parts.find((part) => part.kind === "List" && part.parts[0]?.kind === "NamedParameter");
  if (hint) throw notServed(`'${hint.text}' of the operator '${operator.text.split(/\s/)[0]}'`);
  const parts = operator.parts.filter((part) => part.kind !== "List" || part.parts.length > 0);
  if (!keepsOrder.has(operator.kind)) return apply(table, parts, scope);
  const order = orderOf(table);
  const result = apply(table, parts, order ? { ...scope, order } : scope);
  return order ? { ...result, isSerialized: true } : result;
}

/** The operators of which Learn says that their rows are serialized if those before them are. */
const keepsOrder = new Set([
  "FilterOperator",
  "ExtendOperator",
  "ProjectOperator",
  "ProjectAwayOperator",
  "TakeOperator",
]);

function unitedWith(first: readonly Table[], operator: Syntax, names: Names): Table {
  const others = operator.parts.at(-1)!.parts.map((each) => {
    if (each.kind.includes("Name") && each.text.includes("*"))
      throw notServed(`'${each.text}', which names several tables`);
    return tabular(each, names);
  });
  return united([...first, ...others], parametersOf(operator));
}

function joinedWith(left: Table, operator: Syntax, names: Names): Table {
  const [right, on] = operator.parts.filter(({ kind }) => kind !== "List");
  if (on?.kind !== "JoinOnClause") throw notServed(`'${on?.text ?? operator.text}' of the operator 'join'`);
  return joined(left, tabular(right!, names), on, parametersOf(operator));
}

type Operator = (table: Table, parts: readonly Syntax[], scope: Scope) => Table;

const operators: { readonly [kind: string]: Operator } = {
  FilterOperator(table, [condition], scope) {
    const test = scalar(condition!, scope);
    if (test.type !== "bool") throw semantic("SEM0025", `where: expected a bool, found ${test.type}`);
    return { columns: table.columns, rows: table.rows.filter((row) => test.of(row) === true) };
  },
  ExtendOperator(table, [list], scope) {
    const added = allNamed(list!.parts, scope);
    const names = new Set(added.map(({ name }) => name));
    return {
      columns: [
        ...table.columns.map((column) => added.find(({ name }) => name === column.name) ?? column),
        ...added.filter(({ name }) => !scope.columns.has(name)),
      ].map(({ name, type }) => ({ name, type })),
      rows: names.size === 0 ? table.rows : table.rows.map((row) => ({ ...row, ...valuesOf(added, row) })),
    };
  },
  ProjectOperator: (table, [list], scope) => projected(table, allNamed(list!.parts, scope)),
  ProjectAwayOperator(table, [list], scope) {
    const away = new Set(list!.parts.map((each) => known(each.text, scope)));
    return { columns: table.columns.filter(({ name }) => !away.has(name)), rows: table.rows };
  },
  DistinctOperator(table, [list], scope) {
    const columns =
      list!.parts[0]?.kind === "StarExpression"
        ? table.columns.map(({ name, type }) => ({ name, type, of: (row: Row) => row[name] ?? null }))
        : allNamed(list!.parts, scope);
    const { columns: kept, rows } = projected(table, columns);
    return {
      columns: kept,
      rows: [...new Map(rows.map((row) => [keyOf(kept.map(({ name }) => row[name] ?? null)), row])).values()],
    };
  },
  SummarizeOperator: summarized,
  SortOperator: (table, [list], scope) =>
    serialized({ columns: table.columns, rows: sorted(table.rows, list!.parts, scope) }),
  TopOperator: (table, [count, order], scope) =>
    serialized({
      columns: table.columns,
      rows: sorted(table.rows, [order!], scope).slice(0, countOf(count!, scope)),
    }),
  SerializeOperator(table, [list], scope) {
    const frozen = serialized(table);
    if (list === undefined) return frozen;
    const added = operators["ExtendOperator"]!(frozen, [list], { ...scope, order: orderOf(frozen)! });
    return { ...added, isSerialized: true };
  },
  TakeOperator: (table, [count], scope) => ({
    columns: table.columns,
    rows: table.rows.slice(0, countOf(count!, scope)),
  }),
  CountOperator: (table) => ({ columns: [{ name: "Count", type: "long" }], rows: [{ Count: table.rows.length }] }),
};

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

function summarized(table: Table, parts: readonly Syntax[], scope: Scope): Table {
  const clause = parts.find(({ kind }) => kind === "SummarizeByClause");
  const by = allNamed(clause?.parts[0]?.parts ?? [], scope);
  const aggregates: Aggregate[] = (parts.find(({ kind }) => kind === "List")?.parts ?? []).map((each) =>
    aggregate(each, scope, by),
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
