// Finds what a file imports, in every way that TypeScript, Node and vitest have for it: statements, `import()`,
// `require`, `import.meta.resolve`, `vi.mock`, types, `/// <reference>`, and the first line of a launcher. Whatever
// chooses its module while it runs is given as unreadable, so that the law of imports can refuse it. The files that it
// reaches by their paths are in `own-paths.ts`.
import { lineAt } from "./source.ts";
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

/** One module that a file names, by the specifier as written. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** What a file names. */
export interface Imports {
  readonly modules: readonly Import[];
  /** Imports of modules that cannot be read from the text, as they are written. */
  readonly unreadable: readonly Import[];
}

/** Gives the modules that a file names, types included. */
export const importsOf = (source: Source): readonly Import[] => allImportsOf(source).modules;

/** Gives all that a file names. */
export function allImportsOf(source: Source): Imports {
  const found = { modules: [] as Import[], unreadable: [] as Import[] };
  for (const placed of nodesOf(source)) {
    const { node, line } = placed;
    const named = namedBy(placed);
    if (named === undefined) continue;
    const specifier = literalText(named.from);
    if (specifier !== undefined && !opensModules(placed)) found.modules.push({ specifier, line });
    else found.unreadable.push({ specifier: source.text.slice(node.start, node.end).split("\n")[0]!, line });
  }
  found.modules.push(...importsInComments(source), ...importsOfLauncher(source));
  return found;
}

/** Gives what the compiler reads from comments: references and, in JavaScript, the modules of types. */
function importsInComments({ path, text }: Source): readonly Import[] {
  const forms = [
    /^\s*\/\/\/\s*<reference\s+(?<kind>path|types)\s*=\s*["'](?<specifier>[^"']+)["']/gm,
    ...(/\.[cm]?jsx?$/.test(path)
      ? [
          /^\s*(?:\/\*\*|\*).*?\bimport\(\s*["'](?<specifier>[^"']+)["']/gm,
          /^\s*(?:\/\*\*|\*)\s*@import\b.*["'](?<specifier>[^"']+)["']/gm,
        ]
      : []),
  ];
  return forms
    .flatMap((form) => [...text.matchAll(form)])
    .map(({ index, groups = {} }) => {
      const { kind, specifier = "" } = groups;
      const isBarePath = kind === "path" && !specifier.startsWith(".");
      return { specifier: isBarePath ? `./${specifier}` : specifier, line: lineAt(text, index) };
    });
}

/** Gives what the first line of a launcher loads, as in `#!/usr/bin/env -S node --import ./hook.mjs`. */
function importsOfLauncher({ text }: Source): readonly Import[] {
  const [first = ""] = text.split("\n");
  if (!first.startsWith("#!")) return [];
  const options = /(?:--import|--require|-r|--(?:experimental-)?loader)[ =]["']?([^\s"']+)/g;
  return [...first.matchAll(options)].map(([, specifier = ""]) => ({ specifier, line: 1 }));
}

/** Reports whether a statement names Node's own module of modules as a whole, which hides what it then loads. */
function opensModules({ node }: Placed): boolean {
  const isWhole = (each: Node): boolean =>
    each.type === "ImportNamespaceSpecifier" ||
    each.type === "ImportDefaultSpecifier" ||
    nameOf(each["imported"]) === "default";
  return (
    /^(node:)?module$/.test(literalText(node["source"] ?? node["arguments"]?.[0] ?? node["expression"]) ?? "") &&
    (node.type === "ImportDeclaration"
      ? (node["specifiers"] as readonly Node[]).some(isWhole)
      : node.type !== "TSImportType")
  );
}

interface Named {
  /** The node that names it; undefined if it is hidden. */
  readonly from: Node | undefined;
}

function namedBy(placed: Placed): Named | undefined {
  const { node } = placed;
  if (isGivenAway(placed)) return { from: undefined };
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return node["source"] ? { from: node["source"] } : undefined;
    case "ImportExpression":
    case "TSImportType":
      return { from: node["source"] };
    case "TSExternalModuleReference":
      return { from: node["expression"] };
    case "CallExpression":
      return isLoader(node["callee"]) && node["arguments"][0]?.type !== "ImportExpression"
        ? { from: node["arguments"][0] }
        : undefined;
    case "TSModuleDeclaration":
      return literalText(node["id"])?.startsWith(".") ? { from: node["id"] } : undefined;
    default:
      return undefined;
  }
}

const isIdentifier = (node: Node | undefined, ...names: readonly string[]): boolean =>
  node?.type === "Identifier" && names.includes(node["name"]);
const makesRequire = (node: Node): boolean =>
  node.type === "CallExpression" && isIdentifier(node["callee"], "createRequire");
const isRequire = (node: Node): boolean => isIdentifier(node, "require") || makesRequire(node);
const isVitest = (node: Node): boolean =>
  isIdentifier(node, "vi", "vitest") || ["vi", "vitest"].includes(propertyOf(node) ?? "");
const propertyOfMeta = (node: Node | undefined): string | undefined =>
  node?.type === "MemberExpression" && isMeta(node["object"]) ? propertyOf(node) : undefined;
const isMeta = (node: Node): boolean => node.type === "MetaProperty" && node["meta"].name === "import";
const vitestLoaders = new Set(["mock", "doMock", "unmock", "doUnmock", "importActual", "importMock"]);

/** Reports whether calling this loads or finds a module. */
function isLoader(callee: Node): boolean {
  const property = propertyOf(callee);
  if (property === undefined) return isRequire(callee);
  if (property === "resolve") return isRequire(callee["object"]) || isMeta(callee["object"]);
  return vitestLoaders.has(property) && isVitest(callee["object"]);
}

/** Reports whether a loader goes where its calls can no longer be seen: it gets another name, or is passed on. */
function isGivenAway(placed: Placed): boolean {
  const { node, field, parent } = placed;
  const isCalled = field === "callee" || (propertyOf(parent?.node) === "resolve" && parent?.field === "callee");
  if (makesRequire(node)) return !isCalled && !(field === "init" && isIdentifier(parent?.node["id"], "require"));
  switch (node.type) {
    case "MetaProperty":
      return isMeta(node) && propertyOf(parent?.node) === undefined;
    case "MemberExpression":
      return (
        ["createRequire", "getBuiltinModule", "_load"].includes(propertyOf(node) ?? "") ||
        (nameOf(node["object"]) === "process" && node["computed"] && propertyOf(node) === undefined) ||
        (propertyOfMeta(node) === "resolve" && field !== "callee")
      );
    case "ImportSpecifier":
      return (
        nameOf(node["imported"]) === "getBuiltinModule" ||
        (["createRequire", "vi", "vitest"].includes(nameOf(node["imported"]) ?? "") &&
          nameOf(node["imported"]) !== nameOf(node["local"]))
      );
    case "Identifier":
      if (!isReference(placed)) return false;
      return (
        (isIdentifier(node, "createRequire") && field !== "callee") ||
        (isIdentifier(node, "require") && !isCalled) ||
        (isIdentifier(node, "vi", "vitest") && field !== "object")
      );
    default:
      return false;
  }
}
