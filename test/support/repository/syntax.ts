// Parses our sources for the laws, with the parser that the test runner brings along. The laws see the nodes of a
// syntax tree rather than text, so a comment, a string or a line break hides nothing from them.
import { parseAst } from "vitest/node";
import { lineAt, type SourceFile } from "./source.ts";

/** One node of a syntax tree in the form of ESTree; the parser's types name the fields of each type. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: any;
}

/** A node and where it stands: in a field of the node around it. */
export interface Placed {
  readonly node: Node;
  readonly field: string;
  readonly parent: Placed | undefined;
  readonly line: number;
}

/** The part of a file that parsing needs. */
export type Source = Pick<SourceFile, "path" | "text">;

const parsed = new Map<string, readonly Placed[]>();

/**
 * Gives every node of a file in the order of the text, each after the node around it.
 *
 * @throws If the file is no valid TypeScript or JavaScript.
 */
export function nodesOf({ path, text }: Source): readonly Placed[] {
  const key = `${path}\n${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const [, kind, lang = "js"] = /\.([cm]?)([jt]sx?)$/.exec(path) ?? [];
  const program = parseAst(
    text,
    { lang: lang as "js" | "jsx" | "ts" | "tsx", sourceType: kind === "c" ? "commonjs" : "module" },
    path,
  ) as unknown as Node;
  const found: Placed[] = [];
  collect(program, { field: "", parent: undefined }, lineCounter(text), found);
  parsed.set(key, found);
  return found;
}

function collect(
  node: Node,
  place: Pick<Placed, "field" | "parent">,
  lineOf: (offset: number) => number,
  found: Placed[],
): void {
  const placed = { node, ...place, line: lineOf(node.start) };
  found.push(placed);
  for (const [field, value] of Object.entries(node)) {
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each?.type === "string") collect(each, { field, parent: placed }, lineOf, found);
  }
}

/** Gives a function that finds the line of an offset. Nodes mostly come in order, so it goes on from the last one. */
function lineCounter(text: string): (offset: number) => number {
  let [last, line] = [0, 1];
  return (offset) => {
    line = offset < last ? lineAt(text, offset) : line + lineAt(text.slice(last, offset), offset - last) - 1;
    last = offset;
    return line;
  };
}

/** Gives the text of a string or of a template without expressions; undefined for everything else. */
export function literalText(node: Node | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node?.type === "TemplateLiteral" && node["expressions"].length === 0) return node["quasis"][0].value.cooked;
  return undefined;
}

/** Gives the name of an identifier, or the text of a string in its place, as in `import { "a" as b }`. */
export const nameOf = (node: Node | undefined): string | undefined =>
  node?.type === "Identifier" || node?.type === "PrivateIdentifier" ? node["name"] : literalText(node);

/** Gives the name of the property that an expression like `a.b` or `a["b"]` reads; undefined if it is computed. */
export const propertyOf = (node: Node | undefined): string | undefined => {
  if (node?.type !== "MemberExpression") return undefined;
  return node["computed"] ? literalText(node["property"]) : nameOf(node["property"]);
};

/** Gives the node before its dots and calls: `test` in `test.each([1])("a", f)`. */
export function rootOf(node: Node): Node {
  if (node.type === "MemberExpression") return rootOf(node["object"]);
  if (node.type === "CallExpression") return rootOf(node["callee"]);
  if (node.type === "TaggedTemplateExpression") return rootOf(node["tag"]);
  return node;
}

/** Where an identifier only names something, by the type of the node around it. */
const namingFields: Readonly<Record<string, readonly string[]>> = {
  ImportSpecifier: ["imported", "local"],
  ImportDefaultSpecifier: ["local"],
  ImportNamespaceSpecifier: ["local"],
  ExportSpecifier: ["exported"],
  VariableDeclarator: ["id"],
  MetaProperty: ["meta", "property"],
  TSQualifiedName: ["right"],
  TSFunctionType: ["params"],
  TSConstructorType: ["params"],
  TSMethodSignature: ["key", "params"],
  TSIndexSignature: ["parameters"],
  TSNamedTupleMember: ["label"],
};

/** Reports whether an identifier stands for a value or a type, rather than naming a property or a declaration. */
export function isReference({ node, field, parent }: Placed): boolean {
  if (node.type !== "Identifier" || parent === undefined) return false;
  if (field === "key" || field === "property") return parent.node["computed"] === true;
  if (parent.node.type === "Property" && parent.parent?.node.type === "ObjectPattern") return false;
  return !namingFields[parent.node.type]?.includes(field);
}
