// Reads what files export, with types and docstrings, through the compiler's own interface, so that the reference says
// what a user's editor shows. That interface is unstable, so the compiler's version is pinned, and only this file
// uses the interface.
import { join } from "node:path";
import {
  type ClassDeclaration,
  type ExpressionWithTypeArguments,
  type InterfaceDeclaration,
  type Node,
  SyntaxKind,
  type TypeAliasDeclaration,
  type TypeLiteralNode,
  type TypeNode,
} from "typescript/unstable/ast";
import { API, type Project, type Symbol, SymbolFlags } from "typescript/unstable/sync";
import { fieldsOfForm, type Member, typesOfForms } from "./form-members.ts";

export type { Member };

/** One export. A component has its outputs as members, a type has its fields or, in `type`, what it is an alias for. */
export interface Exported {
  readonly name: string;
  readonly kind: "component" | "type" | "value";
  readonly documentation: string;
  readonly members: readonly Member[];
  readonly type?: string;
  /**
   * What an interface extends from other packages, as its source names it: those fields belong to the type too, and are
   * not in `members`. What it has from our own interfaces is.
   */
  readonly bases?: readonly string[];
  /** The page with the fields of a type that says so by `@see`. They are not in `members`. */
  readonly page?: string;
}

/** What can be asked about the sources. Files are named from the repository's root. */
export interface Sources {
  /** Gives the exports of a file, sorted by name. */
  readonly exports: (file: string) => readonly Exported[];
}

/** Has the compiler read all sources, once, and gives what `ask` makes of them. */
export function askSources<Answer>(root: string, ask: (sources: Sources) => Answer): Answer {
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProjects: [join(root, "tsconfig.json")] }).getProjects()[0]!;
    const exportsOf = (file: string) =>
      project.checker.getExportsOfModule(
        project.checker.getSymbolAtLocation(project.program.getSourceFile(join(root, file))!)!,
      );
    return ask({
      exports: (file) =>
        exportsOf(file)
          .map((symbol) => described(project, symbol.name, withoutAlias(project, symbol)))
          .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    });
  } finally {
    api.close();
  }
}

/** Gives the exports of the package, or of another file, sorted by name. */
export const exportedTypes = (root: string, file = "package.ts"): readonly Exported[] =>
  askSources(root, (sources) => sources.exports(file));

const withoutAlias = ({ checker }: Project, symbol: Symbol): Symbol =>
  symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

const kinds: { readonly [kind in SyntaxKind]?: Exported["kind"] } = {
  [SyntaxKind.ClassDeclaration]: "component",
  [SyntaxKind.InterfaceDeclaration]: "type",
  [SyntaxKind.TypeAliasDeclaration]: "type",
};

function described(project: Project, name: string, symbol: Symbol): Exported {
  const documentation = oneLine(project.checker.getDocumentationCommentOfSymbol(symbol));
  const node = symbol.declarations[0]!.resolve(project)!;
  const kind = kinds[node.kind] ?? "value";
  if (kind === "value") return { name, kind, documentation, members: [] };
  const form = typesOfForms[name];
  if (form !== undefined)
    return { name, kind, documentation: form.about.description ?? "", members: fieldsOfForm(form) };
  if (node.kind === SyntaxKind.TypeAliasDeclaration) {
    const text = written(project, (node as TypeAliasDeclaration).type);
    const isDerived = text.includes("typeof ");
    const type = isDerived ? project.checker.typeToString(project.checker.getDeclaredTypeOfSymbol(symbol)) : text;
    return { name, kind, documentation, members: [], type };
  }
  const page = project.checker.getJsDocTagsOfSymbol(symbol).find((tag) => tag.name === "see");
  if (page !== undefined) return { name, kind, documentation, members: [], page: oneLine(String(page.text)) };
  const { members, heritageClauses = [] } = node as ClassDeclaration;
  const extended = kind === "type" ? [...heritageClauses].flatMap(({ types }) => [...types]) : [];
  const own = extended.map((base) => ownInterface(project, base));
  const bases = extended.filter((_base, at) => own[at] === undefined).map((base) => project.emitter.printNode(base));
  return {
    name,
    kind,
    documentation,
    members: [...own.flatMap((base) => [...(base?.members ?? [])]), ...members].flatMap((member) =>
      propertiesOf([member]).flatMap((property) => membersOf(project, property, "")),
    ),
    ...(bases.length > 0 && { bases }),
  };
}

/** Gives the interface of our own that a type extends whole; undefined if it has parts of it, or of another package. */
function ownInterface(
  project: Project,
  { expression, typeArguments }: ExpressionWithTypeArguments,
): InterfaceDeclaration | undefined {
  const named = typeArguments === undefined ? project.checker.getSymbolAtLocation(expression) : undefined;
  const handle = named && withoutAlias(project, named).declarations[0];
  if (handle === undefined || handle.path.includes("/node_modules/")) return undefined;
  return handle.kind === SyntaxKind.InterfaceDeclaration
    ? (handle.resolve(project) as InterfaceDeclaration)
    : undefined;
}

type Property = Node & { readonly name: Node; readonly type: TypeNode };

const propertiesOf = (members: Iterable<Node>): readonly Property[] =>
  [...members].filter(
    (member) =>
      (member.kind === SyntaxKind.PropertyDeclaration || member.kind === SyntaxKind.PropertySignature) &&
      // A private field of a class is no output.
      (member as Property).name.kind !== SyntaxKind.PrivateIdentifier,
  ) as Property[];

function membersOf(project: Project, { name, type }: Property, prefix: string): readonly Member[] {
  const member = memberOf(project, project.checker.getSymbolAtLocation(name)!, prefix, written(project, type));
  const inner = literalIn(type);
  return [
    member,
    ...propertiesOf(inner?.literal.members ?? []).flatMap((property) =>
      membersOf(project, property, `${member.name}${inner!.listed ? "[]" : ""}.`),
    ),
  ];
}

function memberOf({ checker }: Project, symbol: Symbol, prefix: string, type: string): Member {
  const byDefault = checker.getJsDocTagsOfSymbol(symbol).find(({ name }) => name === "default");
  return {
    name: prefix + symbol.name,
    type,
    optional: Boolean(symbol.flags & SymbolFlags.Optional),
    documentation: oneLine(checker.getDocumentationCommentOfSymbol(symbol)),
    ...(byDefault && { byDefault: oneLine(String(byDefault.text)) }),
  };
}

/** Finds the object that a type spells out, also as the item of a list or beside `undefined`. */
function literalIn(
  type: Node,
  listed = false,
): { readonly literal: TypeLiteralNode; readonly listed: boolean } | undefined {
  if (type.kind === SyntaxKind.TypeLiteral) return { literal: type as TypeLiteralNode, listed };
  return type.forEachChild((child) => literalIn(child, listed || type.kind === SyntaxKind.ArrayType));
}

/** Writes a type as in its source. An object that is spelt out is only called one, since its fields follow. */
function written(project: Project, type: TypeNode): string {
  const text = project.emitter.printNode(type).replace(/\s+/g, " ");
  if (!literalIn(type) || /\{ readonly \[/.test(text))
    return text.replace(/readonly (?=\[)/g, "").replace(/;(?= \})/g, "");
  return text.endsWith("}[]") ? "a list of objects" : "an object";
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, " ");
