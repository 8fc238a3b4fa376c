// The names of columns: an expression is named by the query, by what it reads, or else by a number.
import { scalar } from "./scalars.ts";
import { refusedToo, type Syntax } from "./syntax.ts";
import { type Scalar, type Scope, unquoted, type Value } from "./values.ts";

/** An expression with the name of its column. */
export interface NamedScalar extends Scalar {
  readonly name: string;
}

/** Names expressions as Kusto does: by their own name, by what they read, or else by a number. */
export function allNamed(parts: readonly Syntax[], scope: Scope): readonly NamedScalar[] {
  let numbered = 0;
  const columns = parts.map((each): NamedScalar => {
    const isGiven = each.kind === "SimpleNamedExpression";
    const name = isGiven ? unquoted(each.parts[0]!.text) : impliedName(each);
    if (name === undefined) numbered += 1;
    return { name: name ?? `Column${numbered}`, ...scalar(isGiven ? each.parts[1]! : each, scope) };
  });
  const twice = columns.find(({ name }, index) => columns.findIndex((each) => each.name === name) < index);
  if (twice) throw refusedToo(`A column with the name '${twice.name}' is declared twice.`);
  return columns;
}

/** Functions that leave the name of their first argument to the result. */
const naming = /^(bin|floor|bin_at|tostring|toint|tolong|todouble|toreal|todatetime|tobool)$/;

/** Gives the name that an expression implies: the column's, or the path's in a dynamic value. */
function impliedName({ kind, text, parts }: Syntax): string | undefined {
  if (kind === "NameReference") return unquoted(text);
  if (kind === "ParenthesizedExpression") return undefined;
  if (kind === "FunctionCallExpression")
    return naming.test(parts[0]!.text) ? impliedNameOf(parts[1]?.parts[0]?.parts[0]) : undefined;
  return impliedNameOf({ kind, text, parts }, true);
}

function impliedNameOf(syntax: Syntax | undefined, pathOnly = false): string | undefined {
  if (!syntax) return undefined;
  if (!pathOnly && syntax.kind === "NameReference") return unquoted(syntax.text);
  if (syntax.kind !== "PathExpression" && syntax.kind !== "ElementExpression") return undefined;
  const holder = impliedNameOf(syntax.parts[0]);
  const member = syntax.kind === "PathExpression" ? syntax.parts[1] : (syntax.parts[1]?.parts[0] ?? syntax.parts[1]);
  const key = member?.kind === "StringLiteralExpression" ? member.text.slice(1, -1) : unquoted(member?.text ?? "");
  return holder === undefined ? undefined : `${holder}_${key}`;
}

/** Gives the key of values by which rows are grouped. */
export const keyOf = (values: readonly Value[]): string => JSON.stringify(values);
