// The operators that combine tables: union and join. What Azure leaves open, such as which row of several with one key
// an `innerunique` join keeps, is refused by name.
import { notServed, refusedToo, type Syntax, semantic } from "./syntax.ts";
import { type Column, type Row, unquoted, type Value } from "./values.ts";

interface Combined {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Gives the parameters of an operator, such as `kind=inner`, by name. */
export function parametersOf(operator: Syntax): ReadonlyMap<string, string> {
  const list = operator.parts.find(({ kind, parts }) => kind === "List" && parts[0]?.kind === "NamedParameter");
  return new Map((list?.parts ?? []).map(({ parts: [name, value] }) => [name!.text, value?.text ?? ""]));
}

/** Refuses a parameter that is not served. @throws KqlError */
function requireKinds(operator: string, parameters: ReadonlyMap<string, string>, kinds: readonly string[]): void {
  for (const [name, value] of parameters)
    if (name !== "kind" || !kinds.includes(value)) throw notServed(`'${name}=${value}' of the operator '${operator}'`);
}

/** Gives a value of a row. Text is never null: a missing one is empty. */
const valueIn = (row: Row, { name, type }: Column): Value => row[name] ?? (type === "string" ? "" : null);

/**
 * Puts the rows of tables together. `kind=outer`, the default, has every column of any of them, and `kind=inner` those
 * that all have.
 */
export function united(tables: readonly Combined[], parameters: ReadonlyMap<string, string>): Combined {
  requireKinds("union", parameters, ["outer", "inner"]);
  const all = tables.flatMap(({ columns }) => columns);
  for (const { name, type } of all)
    if (all.some((other) => other.name === name && other.type !== type))
      throw notServed(`a union of tables in which '${name}' has several types`);
  const names = [...new Set(all.map(({ name }) => name))].filter(
    (name) =>
      parameters.get("kind") !== "inner" || tables.every(({ columns }) => columns.some((each) => each.name === name)),
  );
  const shown = names.map((name) => all.find((each) => each.name === name)!);
  return {
    columns: shown,
    rows: tables.flatMap((table) => {
      const own = new Set(table.columns.map(({ name }) => name));
      return table.rows.map((row) =>
        Object.fromEntries(shown.map((each) => [each.name, valueIn(own.has(each.name) ? row : {}, each)])),
      );
    }),
  };
}

const joinKinds = ["innerunique", "inner", "leftouter", "leftsemi", "leftanti"] as const;

/** Joins two tables by columns that are equal. The columns of the right table that the left one has get a number. */
export function joined(left: Combined, right: Combined, on: Syntax, parameters: ReadonlyMap<string, string>): Combined {
  requireKinds("join", parameters, joinKinds);
  const kind = parameters.get("kind") ?? "innerunique";
  const keys = (on.parts[0]?.parts ?? []).map((each) => keyColumns(each, left, right));
  const keyOf = (row: Row, side: 0 | 1): string => {
    const { columns } = side === 0 ? left : right;
    const values = keys.map((pair) => valueIn(row, columns.find(({ name }) => name === pair[side])!));
    if (values.includes(null)) throw notServed("a join by a value that is null");
    return JSON.stringify(values);
  };
  const matches = new Map<string, Row[]>();
  for (const row of right.rows) matches.set(keyOf(row, 1), [...(matches.get(keyOf(row, 1)) ?? []), row]);
  const found = left.rows.map((row) => ({ row, key: keyOf(row, 0), others: matches.get(keyOf(row, 0)) ?? [] }));
  if (kind === "leftsemi" || kind === "leftanti")
    return {
      columns: left.columns,
      rows: found.filter(({ others }) => others.length > 0 === (kind === "leftsemi")).map(({ row }) => row),
    };
  if (kind === "innerunique" && new Set(found.map(({ key }) => key)).size < found.length)
    throw notServed("a join of the kind innerunique whose left side has a key twice: which row it keeps is open");
  const added = right.columns.map((column) => ({ ...column, from: column.name, name: freeName(column.name, left) }));
  const twice = added.find(({ name }, index) => added.findIndex((each) => each.name === name) < index);
  // Which number Kusto gives the second one is not public.
  if (twice) throw notServed(`a join whose right side has '${twice.from}' beside a column that is numbered so`);
  const both = (row: Row, other: Row | undefined): Row => ({
    ...row,
    ...Object.fromEntries(added.map(({ name, from, type }) => [name, valueIn(other ?? {}, { name: from, type })])),
  });
  return {
    columns: [...left.columns, ...added.map(({ name, type }) => ({ name, type }))],
    rows: found.flatMap(({ row, others }) => {
      if (others.length === 0 && kind === "leftouter") return [both(row, undefined)];
      return others.map((other) => both(row, other));
    }),
  };
}

function freeName(name: string, { columns }: Combined): string {
  const taken = new Set(columns.map((column) => column.name));
  if (!taken.has(name)) return name;
  for (let number = 1; ; number++) if (!taken.has(`${name}${number}`)) return `${name}${number}`;
}

/** Gives the column of each side by which a condition joins: `a`, or `$left.a == $right.b`. @throws KqlError */
function keyColumns(condition: Syntax, left: Combined, right: Combined): readonly [left: string, right: string] {
  const [one, other] = condition.kind === "EqualExpression" ? condition.parts : [condition, condition];
  const names = [nameIn(one!, "$left"), nameIn(other!, "$right")] as const;
  const [mine, theirs] = [left, right].map(({ columns }, side) => columns.find(({ name }) => name === names[side]));
  if (mine === undefined || theirs === undefined)
    throw semantic("SEM0100", `Failed to resolve column or scalar expression named '${condition.text}'`);
  if (mine.type === "dynamic") throw notServed("a join by a dynamic value");
  if (mine.type !== theirs.type) throw refusedToo(`'${condition.text}' joins ${mine.type} and ${theirs.type}.`);
  return names;
}

function nameIn({ kind, text, parts }: Syntax, side: "$left" | "$right"): string {
  if (kind === "NameReference") return unquoted(text);
  if (kind === "PathExpression" && parts[0]?.text === side) return unquoted(parts[1]!.text);
  throw notServed(`'${text}' as the condition of a join`);
}
