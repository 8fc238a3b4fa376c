// Reads what the package exports, with its types and docstrings, by the compiler's own interface: what is read is what a user's editor shows.
// That interface calls itself unstable, so the compiler's version is pinned and nothing else speaks to it. Knows no page.
import { join } from "node:path";
import {
  type ClassDeclaration,
  type Node,
  SyntaxKind,
  type TypeAliasDeclaration,
  type TypeLiteralNode,
  type TypeNode,
} from "typescript/unstable/ast";
import { API, type Project, type Symbol, SymbolFlags } from "typescript/unstable/sync";

/** One argument, output or field. What lies within another has that one's name before its own: `database.login.user`, `inventory[].app`. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly documentation: string;
  /** What is taken where it is left out, as its docstring says. */
  readonly byDefault?: string;
}

/** One export: a component has outputs, a type has fields or says in `type` what it stands for. */
export interface Exported {
  readonly name: string;
  readonly kind: "component" | "type";
  readonly documentation: string;
  readonly members: readonly Member[];
  readonly type?: string;
}

/** Gives what a file exports, in the order of its names. */
export function exportedTypes(root: string, file = "package.ts"): readonly Exported[] {
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProjects: [join(root, "tsconfig.package.json")] }).getProjects()[0]!;
    const { checker, program } = project;
    const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, file))!)!;
    return checker
      .getExportsOfModule(module)
      .map((symbol) =>
        described(project, symbol.name, symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol),
      )
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } finally {
    api.close();
  }
}

function described(project: Project, name: string, symbol: Symbol): Exported {
  const documentation = oneLine(project.checker.getDocumentationCommentOfSymbol(symbol));
  const node = symbol.declarations[0]!.resolve(project)!;
  const kind = node.kind === SyntaxKind.ClassDeclaration ? "component" : "type";
  if (node.kind === SyntaxKind.TypeAliasDeclaration)
    return { name, kind, documentation, members: [], type: written(project, (node as TypeAliasDeclaration).type) };
  return {
    name,
    kind,
    documentation,
    members: propertiesOf((node as ClassDeclaration).members).flatMap((property) => membersOf(project, property, "")),
  };
}

type Property = Node & { readonly name: Node; readonly type: TypeNode };

const propertiesOf = (members: Iterable<Node>): readonly Property[] =>
  [...members].filter(
    ({ kind }) => kind === SyntaxKind.PropertyDeclaration || kind === SyntaxKind.PropertySignature,
  ) as Property[];

function membersOf(project: Project, { name: node, type }: Property, within: string): readonly Member[] {
  const { checker } = project;
  const symbol = checker.getSymbolAtLocation(node)!;
  const [tag] = checker.getJsDocTagsOfSymbol(symbol).filter(({ name }) => name === "default");
  const name = within + symbol.name;
  const member: Member = {
    name,
    type: written(project, type),
    optional: Boolean(symbol.flags & SymbolFlags.Optional),
    documentation: oneLine(checker.getDocumentationCommentOfSymbol(symbol)),
    ...(tag && { byDefault: oneLine(String(tag.text)) }),
  };
  const inner = literalIn(type);
  return [
    member,
    ...propertiesOf(inner?.literal.members ?? []).flatMap((property) =>
      membersOf(project, property, `${name}${inner!.listed ? "[]" : ""}.`),
    ),
  ];
}

/** Finds the object that a type spells out, whether it is a list of such or may be undefined; the object's own fields are not looked into. */
function literalIn(
  type: Node,
  listed = false,
): { readonly literal: TypeLiteralNode; readonly listed: boolean } | undefined {
  if (type.kind === SyntaxKind.TypeLiteral) return { literal: type as TypeLiteralNode, listed };
  return type.forEachChild((child) => literalIn(child, listed || type.kind === SyntaxKind.ArrayType));
}

/** Writes a type as its source has it; an object that is spelt out is named only, since its fields follow. */
function written(project: Project, type: TypeNode): string {
  const text = project.emitter.printNode(type).replace(/\s+/g, " ");
  if (!literalIn(type) || /\{ readonly \[/.test(text))
    return text.replace(/readonly (?=\[)/g, "").replace(/;(?= \})/g, "");
  return /\}\[\]$/.test(text) ? "a list of objects" : "an object";
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, " ");
