// Finds the paths that a file builds from its own place, `import.meta.dirname` or `import.meta.url`, with `join`,
// `resolve`, `new URL` or a template. A worker that is started by path, or a file that is read, is reached as surely as
// an import, so the law of imports judges these too. It follows constants, so a second name hides nothing.
import { posix } from "node:path";
import { type Resolve, resolverOf } from "./scopes.ts";
import {
  isReference,
  literalText,
  type Node,
  nameOf,
  nodesOf,
  type Placed,
  propertyOf,
  type Source,
} from "./syntax.ts";

/** One path, from the root of the repository, as it is written. */
export interface OwnPath {
  readonly line: number;
  readonly written: string;
  /** Where it leads, or where its fixed beginning does; undefined if even the beginning is computed. */
  readonly place: string | undefined;
}

/** A value that is known so far: a file or folder of ours, and whether what follows is computed. */
interface Place {
  readonly path: string;
  /** Whether anything fixed was added to the file's own place: `join(here, name)` alone leads anywhere. */
  readonly isFixed: boolean;
  readonly isOpen: boolean;
}

/** Functions that give the place that they are given, in another form. */
const sameInAnotherForm = new Set(["fileURLToPath", "pathToFileURL", "String", "normalize", "realpathSync"]);

/** Gives the outermost expressions that build a path. A constant is judged where it is used, if it is not exported. */
export function ownPathsOf(source: Source): readonly OwnPath[] {
  const nodes = nodesOf(source);
  const placeOf = placeReader(source);
  return nodes.flatMap((placed) => {
    const { node, line, parent, field } = placed;
    const place = placeOf(placed);
    if (place === undefined || (parent !== undefined && placeOf(parent) !== undefined)) return [];
    if (field === "init" && isLocalConstant(parent)) return [];
    const written = source.text.slice(node.start, node.end).replace(/\s+/g, " ");
    return [{ line, written, place: place.isOpen && !place.isFixed ? undefined : place.path }];
  });
}

function isLocalConstant(declarator: Placed | undefined): boolean {
  const declaration = declarator?.parent;
  return (
    declarator?.node["id"]?.type === "Identifier" &&
    declaration?.node["kind"] === "const" &&
    declaration.parent?.node.type !== "ExportNamedDeclaration"
  );
}

/** Gives what reads the place of an expression; undefined if it does not begin with the file's own place. */
function placeReader(source: Source): (placed: Placed) => Place | undefined {
  const resolve = resolverOf(source);
  const placedOf = new Map(nodesOf(source).map((placed) => [placed.node, placed]));
  const known = new Map<Node, Place | undefined>();
  const read = (node: Node | undefined): Place | undefined => {
    if (node === undefined) return undefined;
    if (!known.has(node)) {
      known.set(node, undefined); // a name that leads back to itself has no place
      known.set(node, placeIn(node, { source, read, resolve, placedOf }));
    }
    return known.get(node);
  };
  return ({ node }) => read(node);
}

interface Reading {
  readonly source: Source;
  readonly read: (node: Node | undefined) => Place | undefined;
  readonly resolve: Resolve;
  readonly placedOf: ReadonlyMap<Node, Placed>;
}

function placeIn(node: Node, reading: Reading): Place | undefined {
  const { read } = reading;
  switch (node.type) {
    case "MemberExpression":
      return ownPlace(node, reading.source.path) ?? sameOfMember(node, read);
    case "Identifier":
      return placeOfName(node, reading);
    case "CallExpression":
      return placeOfCall(node, read);
    case "NewExpression":
      return nameOf(node["callee"]) === "URL" ? placeOfUrl(node["arguments"], read) : undefined;
    case "TemplateLiteral":
      return placeOfTemplate(node, read);
    case "BinaryExpression":
      return node["operator"] === "+" ? extended(read(node["left"]), literalText(node["right"])) : undefined;
    case "TSAsExpression":
    case "TSNonNullExpression":
    case "ParenthesizedExpression":
      return read(node["expression"]);
    default:
      return undefined;
  }
}

function ownPlace(node: Node, path: string): Place | undefined {
  const isMeta = node["object"].type === "MetaProperty" && node["object"]["meta"].name === "import";
  const property = isMeta ? propertyOf(node) : undefined;
  if (property === "dirname") return own(posix.dirname(path));
  return property === "filename" || property === "url" ? own(path) : undefined;
}

const own = (path: string): Place => ({ path, isFixed: false, isOpen: false });

function sameOfMember(node: Node, read: Reading["read"]): Place | undefined {
  return ["href", "pathname"].includes(propertyOf(node) ?? "") ? read(node["object"]) : undefined;
}

function placeOfName(node: Node, { source, read, resolve, placedOf }: Reading): Place | undefined {
  const placed = placedOf.get(node)!;
  if (!isReference(placed)) return undefined;
  const declared = resolve(placed);
  if (declared !== undefined) return read(declared.value);
  if (node["name"] === "__dirname") return own(posix.dirname(source.path));
  return node["name"] === "__filename" ? own(source.path) : undefined;
}

function placeOfCall(node: Node, read: Reading["read"]): Place | undefined {
  const callee = node["callee"] as Node;
  const name = propertyOf(callee) ?? nameOf(callee) ?? "";
  const [first, ...rest] = node["arguments"] as readonly Node[];
  if (sameInAnotherForm.has(name)) return read(first);
  if (name === "toString" && callee.type === "MemberExpression") return read(callee["object"]);
  if (name === "parse" && nameOf(callee["object"]) === "URL") return placeOfUrl(node["arguments"], read);
  const start = read(first);
  if (start === undefined) return undefined;
  if (name === "dirname") return start.isOpen ? start : { ...start, path: posix.dirname(start.path), isFixed: true };
  if (name !== "join" && name !== "resolve") return undefined;
  return rest.reduce<Place>((at, part) => extended(at, beginningOf(part), isLiteral(part))!, start);
}

const isLiteral = (node: Node): boolean => literalText(node) !== undefined;
/** Gives the fixed text with which an expression begins; undefined if there is none. */
const beginningOf = (node: Node): string | undefined =>
  (node.type === "TemplateLiteral" ? (node["quasis"][0].value.cooked as string) : literalText(node)) || undefined;

function placeOfUrl([relative, base]: readonly Node[], read: Reading["read"]): Place | undefined {
  const start = read(base);
  if (start === undefined || relative === undefined) return relative === undefined ? undefined : read(relative);
  const text = beginningOf(relative);
  // The folder of a file is the base, and a whole URL replaces it.
  if (text !== undefined && /^[a-z]+:/.test(text)) return undefined;
  const folder = start.path.endsWith("/") ? start.path : posix.dirname(start.path);
  return extended({ ...start, path: folder }, text, isLiteral(relative));
}

function placeOfTemplate(node: Node, read: Reading["read"]): Place | undefined {
  const [before, ...after] = node["quasis"] as readonly Node[];
  if (before!["value"].cooked !== "" && before!["value"].cooked !== "file://") return undefined;
  const start = read(node["expressions"][0]);
  return extended(start, after[0]?.["value"].cooked, after.length === 1);
}

/** Adds a text to a place. What follows a computed part is not known any more. */
function extended(at: Place | undefined, text: string | undefined, isWhole = true): Place | undefined {
  if (at === undefined || at.isOpen) return at;
  if (text === undefined) return { ...at, isOpen: true };
  if (text === "") return at;
  return { path: posix.join(at.path, text), isFixed: true, isOpen: !isWhole };
}
