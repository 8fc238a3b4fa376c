// The law that every exported value is imported by another file, or is exported by the package. An export that nobody
// imports is either dead code or a name that should stay in its file.
import { posix } from "node:path";
import { broken, type Law } from "./laws.ts";
import { isProgram, type SourceFile } from "./source.ts";
import { type Node, nameOf, nodesOf } from "./syntax.ts";

/** What a file takes from another: one name, or `*` for all of them. */
interface Taken {
  readonly from: string;
  readonly name: string;
}

const isTypeOnly = (node: Node): boolean => node["importKind"] === "type" || node["exportKind"] === "type";

/** Exports that no import leads to are violations; the entries are the files whose exports others than us import. */
export const usedExports =
  (entries: readonly string[]): Law =>
  (files) => {
    const programs = files.filter((file) => isProgram(file) && !file.path.endsWith(".d.mts"));
    const taken = new Set(programs.flatMap(takenBy).map(({ from, name }) => `${from} ${name}`));
    return programs.flatMap((file) =>
      entries.some((entry) => isEntry(file.path, entry)) || taken.has(`${file.path} *`)
        ? []
        : exportsOf(file)
            .map((each) => ({ ...each, key: `${file.path} ${each.name}` }))
            .filter(({ key }) => !taken.has(key) && !entries.includes(key))
            .map(({ name, line }) =>
              broken(file.path, line, `no file imports ${name}`, "delete it, or do not export it"),
            ),
    );
  };

/** A star stands for one folder: `a/*`. */
const isEntry = (path: string, entry: string): boolean => posix.matchesGlob(path, entry);

/** Gives the names that a file takes from others. */
function takenBy(file: SourceFile): readonly Taken[] {
  return nodesOf(file).flatMap(({ node, parent }) => {
    const source = node["source"]?.value ?? literalOf(node);
    if (typeof source !== "string" || !source.startsWith(".")) return [];
    const from = posix.join(posix.dirname(file.path), source);
    switch (node.type) {
      case "ImportDeclaration":
        return (node["specifiers"] as readonly Node[]).map((each) => ({ from, name: nameOf(each["imported"]) ?? "*" }));
      case "ExportNamedDeclaration":
        return (node["specifiers"] as readonly Node[]).map((each) => ({ from, name: nameOf(each["local"]) ?? "*" }));
      case "TSImportType":
        return parent === undefined ? [] : [{ from, name: nameOf(node["qualifier"]) ?? "*" }];
      case "ExportAllDeclaration":
      case "ImportExpression":
      case "CallExpression":
        return [{ from, name: "*" }];
      default:
        return [];
    }
  });
}

/** Gives the module that `vi.importActual("./a.ts")` and `require("./a.ts")` load. */
const literalOf = (node: Node): unknown =>
  node.type === "CallExpression" && /^(require|importActual|importMock)$/.test(calledBy(node["callee"]) ?? "")
    ? node["arguments"][0]?.value
    : undefined;
const calledBy = (callee: Node): string | undefined => nameOf(callee) ?? nameOf(callee["property"]);

/** Gives the values that a file exports. */
function exportsOf(file: SourceFile): readonly { readonly name: string; readonly line: number }[] {
  return nodesOf(file).flatMap(({ node, line }) => {
    if (node.type !== "ExportNamedDeclaration" || isTypeOnly(node)) return [];
    const { declaration, specifiers } = node;
    const declared: readonly Node[] = declaration?.declarations ?? (declaration ? [declaration] : []);
    const named = declared
      .filter(({ type }) => !type.startsWith("TS"))
      .flatMap((each) => (each["id"] ? namesIn(each["id"]) : []));
    const listed = (specifiers as readonly Node[])
      .filter((each) => !isTypeOnly(each))
      .map((each) => nameOf(each["exported"]) ?? "");
    return [...named, ...listed].map((name) => ({ name, line }));
  });
}

/** Gives the names of a declaration, also of a pattern: `export const { a, b } = c`. */
const namesIn = (pattern: Node): readonly string[] => {
  if (pattern.type === "Identifier") return [nameOf(pattern)!];
  const parts: readonly Node[] = pattern["properties"] ?? pattern["elements"] ?? [];
  return parts.flatMap((part) => (part === null ? [] : namesIn(part["value"] ?? part["argument"] ?? part)));
};
