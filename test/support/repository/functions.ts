// Finds the functions of a file for the law about their lengths. Each has a key of its own, so that an exception for
// one function can never cover another.
import { literalText, type Node, nameOf, nodesOf, type Placed, propertyOf, rootOf, type Source } from "./syntax.ts";

/** One function with a body: declared, an arrow, a method or a callback. */
export interface FoundFunction {
  /** Its own name, or that of the variable or property that holds it; empty for a callback. */
  readonly name: string;
  /** Its name and those around it, `outer > inner`. A callback is named by its call, `test "title"`. */
  readonly key: string;
  readonly line: number;
  readonly lines: number;
  /** Whether it only groups tests, as the function of a `describe` does. */
  readonly isChapter: boolean;
}

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** Gives the functions of a file. */
export function functionsOf(source: Source): readonly FoundFunction[] {
  const all = nodesOf(source).filter(({ node }) => functionTypes.has(node.type));
  const keys = numbered(all.map((placed) => keyOf(placed)));
  return all.map((placed, index) => ({
    name: ownNameOf(placed) ?? "",
    key: keys[index]!,
    line: placed.line,
    lines: source.text.slice(placed.node.start, placed.node.end).split("\n").length,
    isChapter: callOf(placed)?.callee === "describe",
  }));
}

/** Makes keys unique: the second `a` becomes `a #2`. */
export function numbered(keys: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return keys.map((key) => {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? key : `${key} #${count}`;
  });
}

const ownNameOf = ({ node, field, parent }: Placed): string | undefined => {
  if (node["id"]) return nameOf(node["id"]);
  const holder = parent?.node;
  if (field === "init" && holder?.type === "VariableDeclarator") return nameOf(holder["id"]);
  if (field === "value" && holder !== undefined) return nameOf(holder["key"]);
  if (field === "right" && holder?.type === "AssignmentExpression")
    return propertyOf(holder["left"]) ?? nameOf(holder["left"]);
  return undefined;
};

/** Gives the call to which a function is passed. */
function callOf({ field, parent }: Placed): { readonly callee: string; readonly title: string } | undefined {
  if (field !== "arguments" || parent === undefined) return undefined;
  const callee = rootOf(parent.node["callee"] as Node);
  const [first] = parent.node["arguments"] as readonly Node[];
  return { callee: nameOf(callee) ?? "", title: literalText(first) ?? "" };
}

function keyOf(placed: Placed): string {
  const names: string[] = [];
  for (let at: Placed | undefined = placed; at !== undefined; at = at.parent) {
    const name = labelOf(at);
    if (name !== undefined) names.unshift(name);
  }
  return names.join(" > ");
}

function labelOf(placed: Placed): string | undefined {
  if (placed.node.type === "ClassDeclaration") return nameOf(placed.node["id"]);
  if (!functionTypes.has(placed.node.type)) return undefined;
  const call = callOf(placed);
  return ownNameOf(placed) ?? (call === undefined ? "function" : `${call.callee} ${JSON.stringify(call.title)}`);
}
