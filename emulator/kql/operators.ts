// The operators of Kusto's scalar expressions: logic, comparison, text and arithmetic. Each is made once from
// its operands and checks their types then.
import { notServed, semantic } from "./syntax.ts";
import { isNumber, type KqlType, type Scalar, textOf, type Value } from "./values.ts";

type Comparable = NonNullable<Value>;

/**
 * Makes `and` (`decisive` false) or `or` (`decisive` true). With a null on one side the
 * result is null, unless the other side decides.
 */
export function logical(left: Scalar, right: Scalar, decisive: boolean): Scalar {
  for (const { type } of [left, right])
    if (type !== "bool")
      throw semantic("SEM0025", `'${decisive ? "or" : "and"}' operator: expected a bool, found ${type}`);
  return {
    type: "bool",
    of(row) {
      const one = left.of(row);
      if (one === decisive) return decisive;
      const other = right.of(row);
      if (other === decisive) return decisive;
      return one === null || other === null ? null : !decisive;
    },
  };
}

/** Compares two values that are not null and of comparable types. */
type Comparison = (left: Comparable, right: Comparable) => boolean;

export const comparisons: Record<string, Comparison> = {
  EqualExpression: (left, right) => left === right,
  NotEqualExpression: (left, right) => left !== right,
  LessThanExpression: (left, right) => left < right,
  LessThanOrEqualExpression: (left, right) => left <= right,
  GreaterThanExpression: (left, right) => left > right,
  GreaterThanOrEqualExpression: (left, right) => left >= right,
};

/** Reports whether a comparison orders its sides instead of asking whether they are equal. */
const isOrder = (test: Comparison): boolean =>
  test !== comparisons["EqualExpression"] && test !== comparisons["NotEqualExpression"];

/** Refuses what Kusto cannot compare. @throws KqlError */
function requireComparable(left: Scalar, right: Scalar, text: string, ordered: boolean): void {
  const types = [left.type, right.type];
  // Kusto gives text no order; `strcmp` does that.
  const isText = ordered && left.type === "string" && right.type === "string";
  if (!isText && (left.type === right.type || (isNumber(left.type) && isNumber(right.type)))) return;
  if (types.includes("dynamic")) throw notServed(`'${text}' without casts, which compares ${types.join(" and ")}`);
  throw semantic(
    "SEM0064",
    `Cannot compare values of types ${left.type} and ${right.type}. Try adding explicit casts. Query: '${text}'`,
  );
}

const javaScriptType = (type: KqlType): string => {
  if (isNumber(type)) return "number";
  return type === "bool" ? "boolean" : "string";
};

/**
 * Gives both sides in a form in which they can be equal: a dynamic value is compared with a simple one as the simple
 * value that it holds, and is unlike a value of another type.
 */
function equated(left: Scalar, right: Scalar): readonly [Scalar, Scalar] {
  if ((left.type === "dynamic") === (right.type === "dynamic")) return [left, right];
  const simple = (side: Scalar, other: KqlType): Scalar =>
    side.type !== "dynamic"
      ? side
      : {
          type: other,
          of: (row) => {
            const text = side.of(row);
            if (text === null) return null;
            const held: unknown = JSON.parse(String(text));
            return typeof held === javaScriptType(other) ? (held as Value) : String(text);
          },
        };
  const plain = left.type === "dynamic" ? right.type : left.type;
  if (!isNumber(plain) && plain !== "string" && plain !== "bool") return [left, right];
  return [simple(left, plain), simple(right, plain)];
}

/** Makes a comparison; its result is null when a side is null, except that a null is not equal to a value. */
export function compared(test: Comparison, one: Scalar, other: Scalar, text: string): Scalar {
  const equality = !isOrder(test);
  const [left, right] = equality ? equated(one, other) : [one, other];
  requireComparable(left, right, text, !equality);
  if (left.type === "dynamic" && right.type === "dynamic")
    throw notServed(`'${text}', which compares two dynamic values`);
  return {
    type: "bool",
    of(row) {
      const first = left.of(row);
      const second = right.of(row);
      // Null differs from every value, and has no order.
      if (first === null || second === null) return equality && first !== second ? test(0, 1) : null;
      return test(first, second);
    },
  };
}

/** Makes `between (low .. high)`, both ends included. */
export function between(value: Scalar, from: Scalar, to: Scalar, negated: boolean): Scalar {
  // `t between (start .. 5m)` means up to start plus the span.
  const end: Scalar =
    value.type === "datetime" && to.type === "timespan" ? calculated("AddExpression", from, to, "between") : to;
  requireComparable(value, from, "between", true);
  requireComparable(value, end, "between", true);
  return {
    type: "bool",
    of(row) {
      const found = value.of(row);
      const [least, most] = [from.of(row), end.of(row)];
      return found === null || least === null || most === null ? null : (found >= least && found <= most) !== negated;
    },
  };
}

/** Makes `in (…)`. */
export function inside(value: Scalar, list: readonly Scalar[], negated: boolean): Scalar {
  const pairs = list.map((each) => equated(value, each));
  for (const [one, other] of pairs) {
    requireComparable(one, other, "in", false);
    if (one.type === "dynamic") throw notServed("'in' with a dynamic list");
  }
  return {
    type: "bool",
    of: (row) =>
      pairs.some(([one, other]) => {
        const found = one.of(row);
        return found !== null && other.of(row) === found;
      }) !== negated,
  };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Refuses what `has` may be asked for and is no term. @throws KqlError */
export function requireTerm(term: string): void {
  if (!/^[a-z0-9](.*[a-z0-9])?$/is.test(term))
    throw notServed(`'has' with '${term}', which is no term of letters and digits`);
}

/**
 * Reports whether a text has a term: a run of letters and digits, or several with what is between them. Whether Kusto
 * counts letters beyond ASCII to a term is not public, nor what it makes of a term with other characters at its ends.
 *
 * @throws KqlError where the answer would depend on that
 */
function hasTerm(text: string, term: string, isCased = false): boolean {
  requireTerm(term);
  const whole = new RegExp(`(?<![a-zA-Z0-9])${escaped(term)}(?![a-zA-Z0-9])`, isCased ? "g" : "gi");
  const found = [...text.matchAll(whole)];
  const isSure = ({ index, 0: match }: RegExpExecArray): boolean =>
    !/[\p{L}\p{N}]$/u.test(text.slice(0, index)) && !/^[\p{L}\p{N}]/u.test(text.slice(index + match.length));
  if (found.length > 0 && !found.some(isSure))
    throw notServed(`'has' with '${term}' beside a letter or digit beyond ASCII`);
  return found.length > 0;
}
const lower = (text: string): string => text.toLowerCase();

type TextTest = (text: string, other: string) => boolean;

/** The operators that look at the case of letters, by the name of the one that does not. */
const cased: Record<string, TextTest> = {
  Has: (text, other) => hasTerm(text, other, true),
  Contains: (text, other) => text.includes(other),
  StartsWith: (text, other) => text.startsWith(other),
  EndsWith: (text, other) => text.endsWith(other),
};
const uncased: Record<string, TextTest> = {
  ...Object.fromEntries(
    Object.entries(cased).map(([name, test]) => [name, (text, other) => test(lower(text), lower(other))]),
  ),
  Has: (text, other) => hasTerm(text, other),
};

export const textOperators: Record<string, TextTest> = {
  EqualTildeExpression: (text, other) => lower(text) === lower(other),
  BangTildeExpression: (text, other) => lower(text) !== lower(other),
  ...Object.fromEntries(
    Object.keys(cased).flatMap((name): readonly [string, TextTest][] => [
      [`${name}Expression`, uncased[name]!],
      [`Not${name}Expression`, (text, other) => !uncased[name]!(text, other)],
      [`${name}CsExpression`, cased[name]!],
      [`Not${name}CsExpression`, (text, other) => !cased[name]!(text, other)],
    ]),
  ),
};

/** Makes `has_any (…)`, or `has_all (…)` of all the terms. */
export function terms(text: Scalar, list: readonly Scalar[], all: boolean): Scalar {
  if (list.some(({ type }) => type === "dynamic")) throw notServed("'has_any' and 'has_all' with a dynamic list");
  const tests = list.map((each) => textual(hasTerm, text, each));
  return {
    type: "bool",
    of: (row) => (all ? tests.every((each) => each.of(row)) : tests.some((each) => each.of(row))),
  };
}

/** Makes an operator on two strings. */
export function textual(test: TextTest, left: Scalar, right: Scalar): Scalar {
  for (const { type } of [left, right])
    if (type !== "string" && type !== "dynamic")
      throw semantic("SEM0025", `string operator: expected a string, found ${type}`);
  return { type: "bool", of: (row) => test(textOf(left.of(row), left.type), textOf(right.of(row), right.type)) };
}

export const arithmetic: Record<string, (left: number, right: number) => number> = {
  AddExpression: (left, right) => left + right,
  SubtractExpression: (left, right) => left - right,
  MultiplyExpression: (left, right) => left * right,
  DivideExpression: (left, right) => left / right,
  // Kusto's modulo is never negative, whatever the signs of its operands.
  ModuloExpression: (left, right) => ((left % right) + Math.abs(right)) % Math.abs(right),
};

/** Makes an arithmetic operator. @throws KqlError when Kusto does not define it for these types */
export function calculated(kind: string, left: Scalar, right: Scalar, text: string): Scalar {
  const type = resultType(kind, left.type, right.type);
  if (!type && [left.type, right.type].includes("dynamic"))
    throw notServed(`'${text}' without casts of its dynamic values`);
  if (!type) throw semantic("SEM0062", `'${text}': the operator cannot take ${left.type} and ${right.type}`);
  const whole = isNumber(type) && type !== "real";
  const calculate = arithmetic[kind]!;
  return {
    type,
    of(row) {
      const one = left.of(row);
      const other = right.of(row);
      if (typeof one !== "number" || typeof other !== "number") return null;
      const result = calculate(one, other);
      if (!whole) return result;
      // Whole numbers divide to whole numbers, and by zero to null.
      if (!Number.isFinite(result)) return null;
      // Kusto's have 64 bits; beyond 2^53 a result here would be a wrong one.
      if (!Number.isSafeInteger(Math.trunc(result))) throw notServed(`'${text}', which is beyond 2^53`);
      return Math.trunc(result);
    },
  };
}

/** Gives the type of a result; undefined when Kusto does not define the operator for these types. */
function resultType(kind: string, left: KqlType, right: KqlType): KqlType | undefined {
  if (isNumber(left) && isNumber(right)) return numberType(left, right);
  if (left === "datetime" || right === "datetime") return instantType(kind, left, right);
  if (left === "timespan" && right === "timespan") {
    if (isSum(kind) || kind === "ModuloExpression") return "timespan";
    return kind === "DivideExpression" ? "real" : undefined;
  }
  if (left === "timespan" && isNumber(right))
    return kind === "MultiplyExpression" || kind === "DivideExpression" ? "timespan" : undefined;
  return isNumber(left) && right === "timespan" && kind === "MultiplyExpression" ? "timespan" : undefined;
}

const isSum = (kind: string): boolean => kind === "AddExpression" || kind === "SubtractExpression";

function numberType(left: KqlType, right: KqlType): KqlType {
  // Even two ints make a long.
  return left === "real" || right === "real" ? "real" : "long";
}

function instantType(kind: string, left: KqlType, right: KqlType): KqlType | undefined {
  if (left === "datetime" && right === "timespan") return isSum(kind) ? "datetime" : undefined;
  if (left === "timespan" && right === "datetime") return kind === "AddExpression" ? "datetime" : undefined;
  return left === right && kind === "SubtractExpression" ? "timespan" : undefined;
}
