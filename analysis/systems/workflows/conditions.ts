// Evaluates conditions as the runner does, as far as the files decide them. A value is known, known by how it begins,
// or unknown; the result of a condition is true, false or unknown. What is unknown stays unknown, so a rule that asks
// whether something certainly happens gets a certain answer.
import type { Expression } from "./expressions.ts";

export const unknown = Symbol("unknown");

/** A text of which only the beginning is known, such as the ref of a tag. */
export interface Beginning {
  readonly prefix: string;
}
/** A text of which nothing is known, such as an output or a variable: it is no boolean, whatever it says. */
export const someText: Beginning = { prefix: "" };
export type Value = string | number | boolean | null;
export type Maybe = Value | Beginning | readonly Value[] | typeof unknown;
export type Truth = boolean | typeof unknown;

/** What a condition can look at. */
export interface Scope {
  readonly lookup: (path: readonly string[]) => Maybe;
  /** Gives what a status function gives. */
  readonly status: (name: string) => Truth;
}

/** Evaluates an expression. */
export function evaluate(expression: Expression, scope: Scope): Maybe {
  switch (expression.is) {
    case "literal":
      return expression.value;
    case "path":
      return scope.lookup(expression.path);
    case "not": {
      const truth = truthOf(evaluate(expression.of, scope));
      return truth === unknown ? unknown : !truth;
    }
    case "all":
      return conjunction(expression.of, scope);
    case "any":
      return disjunction(expression.of, scope);
    case "compare":
      return compare(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
    default:
      return call(expression.name, expression.args, scope);
  }
}

/** Evaluates a condition. */
export const holds = (expression: Expression, scope: Scope): Truth => truthOf(evaluate(expression, scope));

function truthOf(value: Maybe): Truth {
  if (value === unknown) return unknown;
  if (value === null) return false;
  if (typeof value === "object") return "prefix" in value ? value.prefix !== "" || unknown : true;
  return Boolean(value);
}

function conjunction(parts: readonly Expression[], scope: Scope): Maybe {
  let last: Maybe = true;
  let isSure = true;
  for (const part of parts) {
    const value = evaluate(part, scope);
    const truth = truthOf(value);
    if (truth === false) return isSure ? value : false;
    if (truth === unknown) isSure = false;
    last = value;
  }
  return isSure ? last : unknown;
}

function disjunction(parts: readonly Expression[], scope: Scope): Maybe {
  let last: Maybe = false;
  let isSure = true;
  for (const part of parts) {
    const value = evaluate(part, scope);
    const truth = truthOf(value);
    if (truth === true) return isSure ? value : true;
    if (truth === unknown) isSure = false;
    last = value;
  }
  return isSure ? last : unknown;
}

const isBeginning = (value: Maybe): value is Beginning =>
  typeof value === "object" && value !== null && "prefix" in value;
const isList = (value: Maybe): value is readonly Value[] => Array.isArray(value);

const isOpen = (value: Maybe): boolean => value === unknown || isBeginning(value) || isList(value);

function compare(operator: string, left: Maybe, right: Maybe): Maybe {
  if (operator === "==") return same(left, right);
  if (operator === "!=") {
    const truth = same(left, right);
    return truth === unknown ? unknown : !truth;
  }
  if (isOpen(left) || isOpen(right)) return unknown;
  const [one, other] = [numberOf(left as Value), numberOf(right as Value)];
  if (operator === "<") return one < other;
  if (operator === "<=") return one <= other;
  return operator === ">" ? one > other : one >= other;
}

/** Texts are compared without case; values of different types as numbers. */
function same(left: Maybe, right: Maybe): Truth {
  if (left === unknown || right === unknown || isList(left) || isList(right)) return unknown;
  if (isBeginning(left)) return isBeginning(right) ? unknown : beginsLike(left, right as Value);
  if (isBeginning(right)) return beginsLike(right, left as Value);
  if (typeof left === "string" && typeof right === "string") return left.toLowerCase() === right.toLowerCase();
  if (typeof left === typeof right) return left === right;
  return numberOf(left as Value) === numberOf(right as Value);
}

/** The text 'true' is no number, so it is not equal to true; an empty text is equal to false, 0 and null. */
function beginsLike({ prefix }: Beginning, value: Value): Truth {
  if (typeof value === "string") return value.toLowerCase().startsWith(prefix.toLowerCase()) ? unknown : false;
  return prefix === "" && value !== true ? unknown : false;
}

function numberOf(value: Value): number {
  if (value === null || value === "") return 0;
  return Number(value);
}

function call(name: string, args: readonly Expression[], scope: Scope): Maybe {
  if (["always", "success", "failure", "cancelled"].includes(name)) return scope.status(name);
  const values = args.map((each) => evaluate(each, scope));
  const [subject, part] = values as [Maybe, Maybe];
  if (name === "startswith") return startsWith(subject, part);
  if (name === "endswith") return textual(subject, part, (text, end) => text.endsWith(end));
  if (name === "contains") {
    if (isList(subject)) return member(subject, part);
    return textual(subject, part, (text, inner) => text.includes(inner));
  }
  if (name === "fromjson") return parsedJson(subject);
  return unknown;
}

function startsWith(subject: Maybe, start: Maybe): Truth {
  if (!isBeginning(subject) || typeof start !== "string")
    return textual(subject, start, (text, part) => text.startsWith(part));
  const [prefix, asked] = [subject.prefix.toLowerCase(), start.toLowerCase()];
  if (prefix.startsWith(asked)) return true;
  return asked.startsWith(prefix) ? unknown : false;
}

function textual(subject: Maybe, part: Maybe, test: (text: string, part: string) => boolean): Truth {
  if (subject === null || subject === "") return part === unknown ? unknown : test("", String(part ?? ""));
  if (typeof subject !== "string" || typeof part !== "string") return unknown;
  return test(subject.toLowerCase(), part.toLowerCase());
}

function member(list: readonly Value[], value: Maybe): Truth {
  const truths = list.map((each) => same(each, value));
  if (truths.includes(true)) return true;
  return truths.includes(unknown) ? unknown : false;
}

function parsedJson(text: Maybe): Maybe {
  if (typeof text !== "string") return unknown;
  try {
    const value: unknown = JSON.parse(text);
    const isSimple = (each: unknown): each is Value => each === null || typeof each !== "object";
    if (Array.isArray(value) && value.every(isSimple)) return value;
    return isSimple(value) ? value : unknown;
  } catch {
    return unknown;
  }
}
