// The law of imports, read from the table in docs/explain/architecture.md, so that the page and the code always agree.
// Its columns are: folders and files in backticks | what they may import | what they must never import. The second cell
// has folders, files and packages in backticks (`@pulumi/*` covers a scope; `x` (plan, types) allows types of x and all
// of its plan.ts), or the words nothing, anything and libraries. `no x` in it and the third cell forbid; of two
// matching patterns the longer one decides. Other words in backticks in the third cell must not occur in the code; "one
// another" and "being imported" mean what they say.
import { posix } from "node:path";
import type { Law } from "./laws.ts";
import { type Import, importsOf, isProgram, lineAt, onlyCode } from "./source.ts";

/** One row of the table. */
export interface Row {
  readonly folders: readonly string[];
  readonly allows: readonly Pattern[];
  readonly forbids: readonly string[];
  readonly forbiddenWords: readonly string[];
  readonly anything: boolean;
  readonly notOneAnother: boolean;
  readonly notImported: boolean;
}

interface Pattern {
  readonly target: string;
  /** The files that may be loaded, by name without extension; of others only types. Undefined: all may be loaded. */
  readonly loads: readonly string[] | undefined;
}

const quoted = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

/** Reads the table. Throws if the page has none, because the law would then allow everything. */
export function readTable(page: string): readonly Row[] {
  const lines = page.split("\n");
  const head = lines.findIndex((line) => /^\|\s*folder\s*\|\s*may import\s*\|\s*must never\s*\|/.test(line));
  if (head === -1) throw new Error("docs/explain/architecture.md has no table | folder | may import | must never |");
  const body = lines.slice(head + 2);
  const end = body.findIndex((line) => !line.startsWith("|"));
  const cells = body.slice(0, end === -1 ? body.length : end).map((line) => line.split("|").slice(1, 4));
  const folders = cells.flatMap(([first = ""]) => quoted(first));
  const isPlace = (name: string): boolean =>
    /[/*@:]/.test(name) || folders.some((folder) => folder.split("/")[0] === name.split("/")[0]);
  return cells.map(([first = "", may = "", never = ""]) => ({
    folders: quoted(first),
    allows: [
      ...[...may.matchAll(/(?<!\bno )`([^`]+)`(?:\s*\(([^)]*)\))?/g)].map(([, target = "", loads]) => ({
        target,
        loads: loads?.split(/,\s*/),
      })),
      ...(/\blibraries\b/.test(may) ? [{ target: "*", loads: undefined }] : []),
    ],
    forbids: [...quoted(never).filter(isPlace), ...[...may.matchAll(/\bno `([^`]+)`/g)].map((match) => match[1] ?? "")],
    forbiddenWords: quoted(never).filter((name) => !isPlace(name)),
    anything: /\banything\b/.test(may),
    notOneAnother: /\bone another\b/.test(never),
    notImported: /\bbeing imported\b/.test(never),
  }));
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const isOurs = (target: string): boolean => target.startsWith("./");

/** Gives how well a pattern matches the target of an import, by its length; undefined if it does not match. */
function fit(pattern: string, target: string): number | undefined {
  if (pattern === "*") return isOurs(target) || target.startsWith("node:") ? undefined : 0;
  if (pattern.endsWith("*")) return target.startsWith(pattern.slice(0, -1)) ? pattern.length : undefined;
  return isWithin(isOurs(target) ? target.slice(2) : target, pattern) ? pattern.length : undefined;
}

/** Gives the row of a file: the one with the longest matching folder. */
function rowOf(table: readonly Row[], path: string): { readonly row: Row; readonly folder: string } | undefined {
  const all = table.flatMap((row) =>
    row.folders.filter((folder) => isWithin(path, folder)).map((folder) => ({ row, folder })),
  );
  return all.toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

function judge(table: readonly Row[], path: string, imported: Import): string | undefined {
  const own = rowOf(table, path);
  if (own === undefined) return "its folder has no row";
  const { row, folder } = own;
  const target = imported.specifier.startsWith(".")
    ? `./${posix.join(posix.dirname(path), imported.specifier)}`
    : imported.specifier;
  const home = row.notOneAnother
    ? path
        .split("/")
        .slice(0, folder.split("/").length + 1)
        .join("/")
    : folder;
  if (isOurs(target)) {
    const its = rowOf(table, target.slice(2));
    if (its !== undefined && its.folder === folder && isWithin(target.slice(2), home)) return undefined;
    const isPartOfRoot = isWithin(target.slice(2), path.replace(/\.ts$/, ""));
    const isTested = path.startsWith("test/") && its?.folder !== "test";
    if (its?.row.notImported && !isPartOfRoot && !isTested) return "that is an entry point, which is never imported";
  }
  if (row.anything) return undefined;
  const most = (patterns: readonly string[]): number =>
    Math.max(-1, ...patterns.map((pattern) => fit(pattern, target) ?? -1));
  const fitting = row.allows
    .filter((pattern) => fit(pattern.target, target) !== undefined)
    .toSorted((a, b) => b.target.length - a.target.length)[0];
  if (fitting === undefined || most(row.forbids) > most([fitting.target])) return `\`${folder}\` may not`;
  const file = posix.basename(target).replace(/\.\w+$/, "");
  if (fitting.loads !== undefined && !imported.typeOnly && !fitting.loads.includes(file))
    return `\`${folder}\` may import its types only`;
  return undefined;
}

/** Checks every import against the table. */
export const importLaw =
  (table: readonly Row[]): Law =>
  (files) =>
    files.filter(isProgram).flatMap(({ path, text }) => {
      const row = rowOf(table, path)?.row;
      if (row === undefined)
        return [
          `${path}:1  the table in docs/explain/architecture.md has no row for it: ` +
            "move it to a folder that has one, or add a row.",
        ];
      const code = onlyCode(text);
      const words = row.forbiddenWords.flatMap((word) =>
        [...code.matchAll(wordInCode(word))].map(
          (match) => `${path}:${lineAt(text, match.index)}  it uses ${word}: take it as a parameter.`,
        ),
      );
      const imports = importsOf(text).flatMap((imported) => {
        const why = judge(table, path, imported);
        return why === undefined
          ? []
          : [
              `${path}:${imported.line}  it imports "${imported.specifier}", but ${why}: ` +
                "move the code, or decide to change the table in docs/explain/architecture.md.",
            ];
      });
      return [...words, ...imports];
    });

/**
 * Matches a word of the language or a global, but not a property of that name. `async` covers everything that awaits.
 */
function wordInCode(word: string): RegExp {
  if (word === "async") return /(?<![\w$.])(?:async|await|Promise)\b(?!\s*\??:)/g;
  // A lower-case word may also be a shorthand property, as in `{ process }`.
  const isNoProperty = /^[a-z]+$/.test(word) ? "(?!\\s*[,}])" : "";
  return new RegExp(`(?<![\\w$.])${word.replaceAll(".", "\\s*\\.\\s*")}\\b(?!\\s*\\??:)${isNoProperty}`, "g");
}
