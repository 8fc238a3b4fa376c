// Finds what makes code impure: globals such as a clock, chance, timers or the network, and everything asynchronous.
// The law of imports takes the words from the table in docs/explain/architecture.md.
import { isReference, type Node, nameOf, nodesOf, type Placed, propertyOf, type Source } from "./syntax.ts";

/** One use of a forbidden word. */
export interface Use {
  readonly word: string;
  readonly line: number;
}

/**
 * Finds the uses of forbidden words. `Date` stands for the global of that name, as a value or a type; `Math.random` for
 * this property, and for every use of `Math` that could hide it, as in `const { random } = Math`; `async` for all
 * functions and statements that wait, and for promises.
 */
export const usesOf = (words: readonly string[], source: Source): readonly Use[] =>
  nodesOf(source).flatMap((placed) =>
    words.filter((word) => isUse(word, placed)).map((word) => ({ word, line: placed.line })),
  );

function isUse(word: string, placed: Placed): boolean {
  if (word === "async") return waits(placed.node) || isGlobal(placed, "Promise");
  const [global = "", property] = word.split(".");
  if (!isGlobal(placed, global)) return false;
  if (property === undefined) return true;
  const read = placed.field === "object" ? propertyOf(placed.parent?.node) : undefined;
  return read === undefined || read === property;
}

const isGlobal = (placed: Placed, name: string): boolean => nameOf(placed.node) === name && isReference(placed);

const waits = (node: Node): boolean =>
  node["async"] === true || node["await"] === true || node.type === "AwaitExpression" || node["kind"] === "await using";
