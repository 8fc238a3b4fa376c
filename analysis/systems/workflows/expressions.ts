// GitHub's expressions as plain trees, parsed by GitHub's own parser, and the paths that a text reads. Texts that do
// not parse give no tree; the official workflow parser reports them.
import { data, type Expr, Lexer, Parser } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
} from "@actions/expressions/ast";

/** An expression. A `path` begins with its context, such as `needs`; an index that is not literal is `*`. */
export type Expression =
  | { readonly is: "literal"; readonly value: string | number | boolean | null }
  | { readonly is: "path"; readonly path: readonly string[] }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: "not"; readonly of: Expression }
  | { readonly is: "all" | "any"; readonly of: readonly Expression[] }
  | { readonly is: "compare"; readonly operator: string; readonly left: Expression; readonly right: Expression };

const contexts = "github needs strategy matrix secrets inputs env vars job jobs runner steps hashFiles".split(" ");
const functions =
  "always success failure cancelled hashFiles contains startsWith endsWith format join toJson fromJson case".split(" ");
const known = functions.map((name) => ({ name, minArgs: 0, maxArgs: 255 }));
const cache = new Map<string, Expression | undefined>();

/** Parses what stands between the braces. */
export function parseExpression(text: string): Expression | undefined {
  if (!cache.has(text)) cache.set(text, parseNow(text));
  return cache.get(text);
}

/** GitHub's own limits for an expression. */
const charactersMax = 21_000;
const depthMax = 50;

function parseNow(text: string): Expression | undefined {
  if (text.length > charactersMax) return undefined;
  try {
    return plain(new Parser(new Lexer(text).lex().tokens, contexts, known).parse(), 0);
  } catch {
    return undefined;
  }
}

function plain(expr: Expr, depth: number): Expression {
  if (depth > depthMax) throw new Error("an expression that is nested too deep");
  const inner = (each: Expr): Expression => plain(each, depth + 1);
  if (expr instanceof Literal) return { is: "literal", value: primitive(expr.literal) };
  if (expr instanceof Grouping) return inner(expr.group);
  if (expr instanceof ContextAccess) return { is: "path", path: [expr.name.lexeme.toLowerCase()] };
  if (expr instanceof Unary) return { is: "not", of: inner(expr.expr) };
  if (expr instanceof Logical) return { is: expr.operator.lexeme === "&&" ? "all" : "any", of: expr.args.map(inner) };
  if (expr instanceof Binary)
    return { is: "compare", operator: expr.operator.lexeme, left: inner(expr.left), right: inner(expr.right) };
  if (expr instanceof FunctionCall)
    return { is: "call", name: expr.functionName.lexeme.toLowerCase(), args: expr.args.map(inner) };
  if (expr instanceof IndexAccess) {
    const of = inner(expr.expr);
    const index = expr.index instanceof Literal ? String(primitive(expr.index.literal) ?? "") : "*";
    if (of.is === "path") return { is: "path", path: [...of.path, index] };
    return { is: "call", name: "index", args: [of, { is: "literal", value: index }] };
  }
  if (expr instanceof Star) return { is: "literal", value: "*" };
  throw new Error("an expression of an unknown form");
}

const primitive = (value: data.ExpressionData): string | number | boolean | null => {
  if (value instanceof data.StringData || value instanceof data.NumberData || value instanceof data.BooleanData)
    return value.value;
  return null;
};

/** A part of a text: literal, or an expression. */
export type Piece =
  | { readonly literal: string }
  | { readonly source: string; readonly expression: Expression | undefined; readonly at: number };

/** Splits a text at its `${{ … }}`. It reads each character once, so no text takes long. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = text.indexOf("${{"); at !== -1; at = text.indexOf("${{", from)) {
    const end = endOfExpression(text, at + 3);
    if (end === -1) break;
    if (at > from) pieces.push({ literal: text.slice(from, at) });
    const source = text.slice(at + 3, end).trim();
    pieces.push({ source, expression: parseExpression(source), at });
    from = end + 2;
  }
  if (from < text.length) pieces.push({ literal: text.slice(from) });
  return pieces;
}

/** Finds the `}}` that ends an expression; those in quotes do not. */
function endOfExpression(text: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "'") isQuoted = !isQuoted;
    else if (!isQuoted && text[at] === "}" && text[at + 1] === "}") return at;
  }
  return -1;
}

/** Parses the text of an `if`, which needs no braces. A text of several pieces is a format, which is never false. */
export function parseCondition(text: string): Expression | undefined {
  const pieces = piecesOf(text.trim());
  const [piece] = pieces;
  if (pieces.length !== 1 || piece === undefined) return undefined;
  return "literal" in piece ? parseExpression(text.trim()) : piece.expression;
}

/** Gives every expression within an expression, itself first. */
function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.is) {
    case "literal":
    case "path":
      return [expression];
    case "not":
      return [expression, ...partsOf(expression.of)];
    case "compare":
      return [expression, ...partsOf(expression.left), ...partsOf(expression.right)];
    case "call":
      return [expression, ...expression.args.flatMap(partsOf)];
    default:
      return [expression, ...expression.of.flatMap(partsOf)];
  }
}

/** Gives the paths that an expression reads. */
export const pathsIn = (expression: Expression | undefined): readonly (readonly string[])[] =>
  expression === undefined ? [] : partsOf(expression).flatMap((part) => (part.is === "path" ? [part.path] : []));

/** Gives the expressions of a text: those in braces, or the whole text if it has none and is a condition. */
export const expressionsIn = (text: string, isCondition = false): readonly Expression[] => {
  const pieces = piecesOf(text).flatMap((piece) => ("source" in piece && piece.expression ? [piece.expression] : []));
  if (pieces.length > 0 || !isCondition) return pieces;
  const condition = parseCondition(text);
  return condition ? [condition] : [];
};

/** The functions that look at the results of earlier work. A condition without one implies `success()`. */
const statusFunctions: ReadonlySet<string> = new Set(["always", "success", "failure", "cancelled"]);

/** Whether a condition calls a status function. */
export const hasStatusFunction = (expression: Expression | undefined): boolean =>
  expression !== undefined && partsOf(expression).some((part) => part.is === "call" && statusFunctions.has(part.name));

/** Whether a condition also holds after something that was not successful: a plain `success()` is what is implied. */
export const isTolerant = (expression: Expression | undefined): boolean =>
  expression !== undefined &&
  partsOf(expression).some((part) => part.is === "call" && part.name !== "success" && statusFunctions.has(part.name));

/** Gives the paths whose value itself counts as yes or no, without a comparison: of `!a && b == 'c'`, only `a`. */
export function bareIn(expression: Expression | undefined): readonly (readonly string[])[] {
  if (expression === undefined) return [];
  if (expression.is === "path") return [expression.path];
  if (expression.is === "not") return bareIn(expression.of);
  return expression.is === "all" || expression.is === "any" ? expression.of.flatMap(bareIn) : [];
}

/** Whether somebody switched something off with a plain `false`, which is no mistake. */
export const isSwitchedOff = (expression: Expression | undefined): boolean =>
  expression?.is === "literal" || (expression?.is === "all" && expression.of.some(({ is }) => is === "literal"));
