// Finds where the names of a file are declared, so that the laws can tell a name of the file from a global, and can
// follow a variable to its first value.
import { type Node, nameOf, nodesOf, type Placed, type Source } from "./syntax.ts";

/** What a name stands for: the node that declares it, and the first value of a variable that has one name. */
export interface Declared {
  readonly node: Node;
  readonly value: Node | undefined;
  /** Whether it is declared at the top of the file, imports included. */
  readonly isTop: boolean;
}

/** Finds the declaration of a name that stands at a place; undefined for a global. */
export type Resolve = (placed: Placed) => Declared | undefined;

/** Gives how to resolve the names of a file. */
export function resolverOf(source: Source): Resolve {
  const scopes = new Map<Node, Map<string, Declared>>();
  for (const placed of nodesOf(source)) {
    for (const { name, value, scope } of declaredAt(placed)) {
      const names = scopes.get(scope) ?? new Map<string, Declared>();
      names.set(name, { node: placed.node, value, isTop: scope.type === "Program" });
      scopes.set(scope, names);
    }
  }
  return (placed) => {
    const name = nameOf(placed.node) ?? "";
    for (let at: Placed | undefined = placed; at !== undefined; at = at.parent) {
      const found = scopes.get(at.node)?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

interface Declaration {
  readonly name: string;
  readonly value: Node | undefined;
  readonly scope: Node;
}

const isBlock = (node: Node): boolean =>
  /^(Program|BlockStatement|StaticBlock|SwitchStatement|For.*Statement|TSModuleBlock|.*Function.*|Method.*)$/.test(
    node.type,
  );

function scopeAround(placed: Placed | undefined): Node {
  if (placed === undefined) throw new Error("a declaration outside of a program");
  return isBlock(placed.node) || placed.parent === undefined ? placed.node : scopeAround(placed.parent);
}

function declaredAt(placed: Placed): readonly Declaration[] {
  const { node, parent } = placed;
  const of = (patterns: readonly (Node | null | undefined)[], scope: Node, value?: Node): readonly Declaration[] =>
    patterns.flatMap((pattern) => boundBy(pattern).map((name) => ({ name, value, scope })));
  if (/^Import\w*Specifier$/.test(node.type)) return of([node["local"]], scopeAround(parent));
  if (node.type === "VariableDeclarator") {
    const isPlain = node["id"].type === "Identifier";
    return of([node["id"]], scopeAround(parent), isPlain ? (node["init"] ?? undefined) : undefined);
  }
  if (node.type === "CatchClause") return of([node["param"]], node);
  if (node.type === "TSTypeParameter")
    return of([node["name"]], parent?.node.type === "TSInferType" ? outerType(parent) : holderOf(parent)!);
  if (node.type === "TSMappedType") return of([node["key"]], node);
  if (/Function|^TS(Method|Call|Construct)/.test(node.type) && Array.isArray(node["params"]))
    return [
      ...of(node["params"], node),
      ...(/Declaration/.test(node.type) ? of([node["id"]], scopeAround(parent)) : of([node["id"]], node)),
    ];
  if (/^(Class|TSInterface|TSTypeAlias|TSEnum)Declaration$/.test(node.type))
    return of([node["id"]], scopeAround(parent));
  return [];
}

/** Gives the node to which type parameters belong. */
const holderOf = (placed: Placed | undefined): Node | undefined =>
  placed?.node.type === "TSTypeParameterDeclaration" ? placed.parent?.node : placed?.node;

/** Gives the conditional type in which `infer X` names a type. */
const outerType = (placed: Placed): Node =>
  placed.node.type === "TSConditionalType" || placed.parent === undefined ? placed.node : outerType(placed.parent);

/** Gives the names that a pattern binds, without those of the properties of objects that are `left` out. */
export function boundBy(pattern: Node | null | undefined, left = (_property: Node) => false): readonly string[] {
  const within = (part: Node | null | undefined) => boundBy(part, left);
  switch (pattern?.type) {
    case "Identifier":
      return [nameOf(pattern)!];
    case "AssignmentPattern":
      return within(pattern["left"]);
    case "RestElement":
      return within(pattern["argument"]);
    case "TSParameterProperty":
      return within(pattern["parameter"]);
    case "ArrayPattern":
      return pattern["elements"].flatMap(within);
    case "ObjectPattern":
      return pattern["properties"].flatMap((property: Node) =>
        left(property) ? [] : within(property["value"] ?? property),
      );
    default:
      return [];
  }
}
