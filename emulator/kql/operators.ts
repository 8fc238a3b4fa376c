// The operators of Kusto's scalar expressions: logic, comparison, text and arithmetic. Each is made once from
// its operands and checks their types then.
import { semantic } from "./syntax.ts";
import { isNumber, type KqlType, type Scalar, type Value } from "./values.ts";

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

function requireComparable(left: Scalar, right: Scalar, text: string): void {
  if (left.type === right.type || (isNumber(left.type) && isNumber(right.type))) return;
  throw semantic(
    "SEM0064",
    `Cannot compare values of types ${left.type} and ${right.type}. Try adding explicit casts. Query: '${text}'`,
  );
}

/** Makes a comparison; its result is null when a side is null, except that a null is not equal to a value. */
export function compared(test: Comparison, left: Scalar, right: Scalar, text: string): Scalar {
  requireComparable(left, right, text);
  const equality = test === comparisons["EqualExpression"] || test === comparisons["NotEqualExpression"];
  return {
    type: "bool",
    of(row) {
      const one = left.of(row);
      const other = right.of(row);
      // Null differs from every value, and has no order.
      if (one === null || other === null) return equality && one !== other ? test(0, 1) : null;
      return test(one, other);
    },
  };
}

/** Makes `between (low .. high)`, both ends included. */
export function between(value: Scalar, from: Scalar, to: Scalar, negated: boolean): Scalar {
  // `t between (start .. 5m)` means up to start plus the span.
  const end: Scalar =
    value.type === "datetime" && to.type === "timespan" ? calculated("AddExpression", from, to, "between") : to;
  requireComparable(value, from, "between");
  requireComparable(value, end, "between");
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
  for (const each of list) requireComparable(value, each, "in");
  return {
    type: "bool",
    of(row) {
      const found = value.of(row);
      return list.some((each) => each.of(row) === found) !== negated;
    },
  };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const hasTerm = (text: string, term: string): boolean =>
  new RegExp(`(?<![a-z0-9])${escaped(term)}(?![a-z0-9])`, "i").test(text);
const lower = (text: string): string => text.toLowerCase();
export const textOperators: Record<string, (text: string, other: string) => boolean> = {
  EqualTildeExpression: (text, other) => lower(text) === lower(other),
  BangTildeExpression: (text, other) => lower(text) !== lower(other),
  HasExpression: hasTerm,
  NotHasExpression: (text, other) => !hasTerm(text, other),
  ContainsExpression: (text, other) => lower(text).includes(lower(other)),
  NotContainsExpression: (text, other) => !lower(text).includes(lower(other)),
  StartsWithExpression: (text, other) => lower(text).startsWith(lower(other)),
  NotStartsWithExpression: (text, other) => !lower(text).startsWith(lower(other)),
  EndsWithExpression: (text, other) => lower(text).endsWith(lower(other)),
  NotEndsWithExpression: (text, other) => !lower(text).endsWith(lower(other)),
};

/** Makes an operator on two strings. */
export function textual(test: (text: string, other: string) => boolean, left: Scalar, right: Scalar): Scalar {
  for (const { type } of [left, right])
    if (type !== "string") throw semantic("SEM0025", `string operator: expected a string, found ${type}`);
  return { type: "bool", of: (row) => test(String(left.of(row) ?? ""), String(right.of(row) ?? "")) };
}

export const arithmetic: Record<string, (left: number, right: number) => number> = {
  AddExpression: (left, right) => left + right,
  SubtractExpression: (left, right) => left - right,
  MultiplyExpression: (left, right) => left * right,
  DivideExpression: (left, right) => left / right,
  ModuloExpression: (left, right) => left % right,
};

/** Makes an arithmetic operator. @throws KqlError when Kusto does not define it for these types */
export function calculated(kind: string, left: Scalar, right: Scalar, text: string): Scalar {
  const type = resultType(kind, left.type, right.type);
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
      return Number.isFinite(result) ? Math.trunc(result) : null;
    },
  };
}

/** Gives the type of a result; undefined when Kusto does not define the operator for these types. */
function resultType(kind: string, left: KqlType, right: KqlType): KqlType | undefined {
  if (isNumber(left) && isNumber(right)) return numberType(left, right);
  if (left === "datetime" || right === "datetime") return instantType(kind, left, right);
  if (left === "timespan" && right === "timespan") {
    if (isSum(kind)) return "timespan";
    return kind === "DivideExpression" ? "real" : undefined;
  }
  if (left === "timespan" && isNumber(right))
    return kind === "MultiplyExpression" || kind === "DivideExpression" ? "timespan" : undefined;
  return isNumber(left) && right === "timespan" && kind === "MultiplyExpression" ? "timespan" : undefined;
}

const isSum = (kind: string): boolean => kind === "AddExpression" || kind === "SubtractExpression";

function numberType(left: KqlType, right: KqlType): KqlType {
  if (left === "real" || right === "real") return "real";
  return left === "int" && right === "int" ? "int" : "long";
}

function instantType(kind: string, left: KqlType, right: KqlType): KqlType | undefined {
  if (left === "datetime" && right === "timespan") return isSum(kind) ? "datetime" : undefined;
  if (left === "timespan" && right === "datetime") return kind === "AddExpression" ? "datetime" : undefined;
  return left === right && kind === "SubtractExpression" ? "timespan" : undefined;
}
