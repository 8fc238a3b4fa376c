// Decides `[ … ]`, `[[ … ]]` and `test` as far as the values are known, and puts known variables into words.
import type { Word } from "./shell-tokens.ts";

type Vars = ReadonlyMap<string, string>;

/** Gives a word with its variables filled in; undefined if something in it is not known. */
export function expanded({ text, isLiteral, inner }: Word, vars: Vars): string | undefined {
  if (inner.length > 0 || text.includes("${{")) return undefined;
  if (isLiteral || !text.includes("$")) return text;
  let isKnown = true;
  const filled = text.replaceAll(/\$\{?(\w+|[?#@*!$-])\}?/g, (whole, name: string) => {
    const value = vars.get(name);
    if (value === undefined || (whole.startsWith("${") && !whole.endsWith("}"))) isKnown = false;
    return value ?? "";
  });
  return isKnown && !filled.includes("$") ? filled : undefined;
}

/** Gives whether a test holds; undefined if the words are no test. */
export function testHolds(words: readonly Word[], vars: Vars, lastIsBad: boolean): boolean | "unknown" | undefined {
  const name = words[0]!.text;
  if (name.startsWith("((")) return "unknown";
  if (name !== "[" && name !== "[[" && name !== "test") return undefined;
  const end = name === "test" ? words.length : words.length - 1;
  const known = new Map(vars).set("?", lastIsBad ? "1" : "0");
  return holds(words.slice(1, end), known);
}

function holds(words: readonly Word[], vars: Vars): boolean | "unknown" {
  if (words.some(({ text, isQuoted }) => !isQuoted && /^(&&|\|\||-a|-o|\(|\)|=~)$/.test(text))) return "unknown";
  if (words[0]?.text === "!") {
    const of = holds(words.slice(1), vars);
    return of === "unknown" ? of : !of;
  }
  const values = words.map((word) => expanded(word, vars));
  if (words.length === 1) return values[0] === undefined ? "unknown" : values[0] !== "";
  if (words.length === 2) return ofOne(words[0]!.text, values[1]);
  const [left, , right] = values;
  return left === undefined || right === undefined ? "unknown" : ofTwo(left, words[1]!.text, right);
}

function ofOne(operator: string, value: string | undefined): boolean | "unknown" {
  if (value === undefined) return "unknown";
  if (operator === "-z") return value === "";
  return operator === "-n" ? value !== "" : "unknown";
}

function ofTwo(left: string, operator: string, right: string): boolean | "unknown" {
  if (/[*?[]/.test(right)) return "unknown";
  if (operator === "=" || operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  const [one, other] = [Number(left), Number(right)];
  if (left === "" || right === "" || Number.isNaN(one) || Number.isNaN(other)) return "unknown";
  const table: Readonly<Record<string, boolean>> = {
    "-eq": one === other,
    "-ne": one !== other,
    "-lt": one < other,
    "-le": one <= other,
    "-gt": one > other,
    "-ge": one >= other,
  };
  return table[operator] ?? "unknown";
}
