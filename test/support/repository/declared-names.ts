// Finds the names that a file declares, for the law about names that say what a thing is.
import { type Node, nameOf, nodesOf, type Source } from "./syntax.ts";

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
    return patterns.flatMap(boundBy).map((name) => ({ name, line }));
  });

/** Gives the names that a pattern chooses: `[a, b]` chooses both, `{ a, b: c }` only c. */
function boundBy(pattern: Node | null): readonly string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [nameOf(pattern)!];
    case "AssignmentPattern":
      return boundBy(pattern["left"]);
    case "RestElement":
      return boundBy(pattern["argument"]);
    case "ArrayPattern":
      return pattern["elements"].flatMap(boundBy);
    case "ObjectPattern":
      return pattern["properties"].flatMap((property: Node) =>
        property.type === "RestElement" || !property["shorthand"] ? boundBy(property["value"] ?? property) : [],
      );
    default:
      return [];
  }
}
