// Finds the names that a file declares, for the law about names that say what a thing is.
import { boundBy } from "./scopes.ts";
import { type Node, nodesOf, type Source } from "./syntax.ts";

/** A name that a file declares. */
export interface DeclaredName {
  readonly name: string;
  readonly line: number;
}

/**
 * Gives the names that a file declares: variables, functions, classes, types and parameters.
 *
 * Properties are left out, and so are names destructured from an object under their own name. Those are often
 * foreign names, such as the fields of a protocol.
 */
export const declaredNamesOf = (source: Source): readonly DeclaredName[] =>
  nodesOf(source).flatMap(({ node, line }) => {
    const declares = /Function|Class|^TS(Interface|TypeAlias|Enum)Declaration$|^VariableDeclarator$/.test(node.type);
    const isFunction = /^(Function|ArrowFunction)/.test(node.type);
    const patterns: readonly Node[] = [
      ...(declares && node["id"] ? [node["id"]] : []),
      ...(isFunction ? (node["params"] as readonly Node[]) : []),
    ];
    return patterns.flatMap((pattern) => boundBy(pattern, isShorthand)).map((name) => ({ name, line }));
  });

/** Whether a property of a pattern binds the object's own name: `{ a, b: c }` chooses only c. */
const isShorthand = (property: Node): boolean => property.type !== "RestElement" && property["shorthand"];
