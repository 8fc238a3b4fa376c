// Scalar expressions of Kusto queries, turned once into typed functions of a row. This is a documented subset: every
// other expression is refused by its name, since an approximation would answer with wrong numbers.
import { call } from "./functions.ts";
import { literal, stringOf } from "./literals.ts";
import {
  arithmetic,
  between,
  calculated,
  compared,
  comparisons,
  inside,
  logical,
  requireTerm,
  terms,
  textOperators,
  textual,
} from "./operators.ts";
import { matching } from "./regular-expressions.ts";
import { notServed, type Syntax, semantic } from "./syntax.ts";
import { isNumber, type Scalar, type Scope, unquoted, type Value } from "./values.ts";
import { isWindowFunction, windowed } from "./windows.ts";

/**
 * Turns an expression into a function of a row.
 *
 * @throws KqlError for names, types and functions that are unknown or not served
 */
export function scalar(syntax: Syntax, scope: Scope): Scalar {
  const { kind, text, parts } = syntax;
  const [first, second] = parts;
  const inner = (part: Syntax | undefined): Scalar => scalar(part!, scope);
  if (kind.endsWith("LiteralExpression")) return literal(kind, text);
  switch (kind) {
    case "NameReference":
      return named(unquoted(text), scope);
    case "ParenthesizedExpression":
      return inner(first);
    case "UnaryPlusExpression": {
      const of = inner(first);
      if (isNumber(of.type) || of.type === "timespan") return of;
      throw semantic("SEM0062", `'${text}': the operator cannot take ${of.type}`);
    }
    case "UnaryMinusExpression":
      return negated(inner(first), text);
    case "FunctionCallExpression":
      if (isWindowFunction(first!.text)) return windowed(first!.text, second?.parts[0]?.parts ?? [], scope, inner);
      return call(first!.text, (second?.parts[0]?.parts ?? []).map(inner), scope);
    case "PathExpression":
      return property(inner(first), second!, text);
    case "ElementExpression":
      return element(inner(first), second!.parts[0] ?? second!, text, scope);
    case "AndExpression":
      return logical(inner(first), inner(second), false);
    case "OrExpression":
      return logical(inner(first), inner(second), true);
    case "BetweenExpression":
    case "NotBetweenExpression":
      return between(inner(first), inner(second!.parts[0]), inner(second!.parts[1]), kind.startsWith("Not"));
    case "InExpression":
    case "NotInExpression":
      return inside(inner(first), listIn(second).map(inner), kind.startsWith("Not"));
    case "HasAnyExpression":
    case "HasAllExpression":
      return terms(inner(first), listIn(second).map(inner), kind === "HasAllExpression");
    case "MatchesRegexExpression":
      return matching(inner(first), inner(second));
  }
  // Also where no row is looked at, as when an alert rule is written.
  if (/Has(Cs)?Expression$/.test(kind) && second?.kind === "StringLiteralExpression")
    requireTerm(stringOf(second.text));
  if (kind in textOperators) return textual(textOperators[kind]!, inner(first), inner(second));
  if (kind in comparisons) return compared(comparisons[kind]!, inner(first), inner(second), text);
  if (kind in arithmetic) return calculated(kind, inner(first), inner(second), text);
  throw notServed(`'${text}' (${kind})`);
}

const listIn = (list: Syntax | undefined): readonly Syntax[] => list?.parts[0]?.parts ?? [];

const negate = (value: Value): Value => (typeof value === "number" ? -value : null);

/** Makes a number or a time span of the other sign. */
function negated({ type, of, isFixed }: Scalar, text: string): Scalar {
  if (!isNumber(type) && type !== "timespan") throw semantic("SEM0062", `'${text}': the operator cannot take ${type}`);
  return { type: type === "int" ? "long" : type, of: (row) => negate(of(row)), ...(isFixed && { isFixed }) };
}

function named(text: string, { columns, lets, letTables }: Scope): Scalar {
  const type = columns.get(text);
  // Text is never null: a missing one is empty.
  const absent = type === "string" ? "" : null;
  if (type) return { type, of: (row) => row[text] ?? absent };
  const bound = lets.get(text);
  if (bound) return bound;
  if (letTables.has(text)) throw notServed(`the table '${text}' where a value is expected`);
  throw semantic("SEM0100", `Failed to resolve column or scalar expression named '${text}'`);
}

/** Makes the access to a property of a dynamic value; null when the value has no such property. */
function property(of: Scalar, member: Syntax, text: string): Scalar {
  if (of.type !== "dynamic" || !/^(NameReference|StringLiteralExpression)$/.test(member.kind))
    throw notServed(`'${text}'`);
  const key = member.kind === "NameReference" ? unquoted(member.text) : stringOf(member.text);
  return held(of, (holder) => (Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined));
}

/** Makes the access to an element by its index, from the end if it is negative, or to a property by its name. */
function element(of: Scalar, member: Syntax, text: string, scope: Scope): Scalar {
  if (member.kind === "StringLiteralExpression" || of.type !== "dynamic") return property(of, member, text);
  const index = scalar(member, { ...scope, columns: new Map() });
  if (index.type !== "long" && index.type !== "int") throw notServed(`'${text}'`);
  return held(of, (holder) => (Array.isArray(holder) ? (holder as unknown[]).at(Number(index.of({}))) : undefined));
}

/** Makes a dynamic value from one inside another. */
const held = (of: Scalar, find: (holder: object) => unknown): Scalar => ({
  type: "dynamic",
  of(row) {
    const holder: unknown = JSON.parse(String(of.of(row) ?? "null"));
    const found = typeof holder === "object" && holder !== null ? find(holder) : undefined;
    return found === undefined || found === null ? null : JSON.stringify(found);
  },
});
