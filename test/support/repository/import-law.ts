// The law of imports, read from the table in docs/explain/architecture.md, so that the page and the code always agree.
// Its columns are: folders and files in backticks | what they may import | what they must never import. The second cell
// has folders, files and packages in backticks (`@pulumi/*` covers a scope), or the words nothing, anything and
// libraries. `no x` in it and the third cell forbid; of two matching patterns the longer one decides. "whatever is
// impure" there forbids what `purity.ts` finds, and "one another" the other folders within. "being imported" makes a
// root, and "being imported, except by the roots below" means what it says.
import { posix } from "node:path";
import { allImportsOf, type Import } from "./imports.ts";
import type { Law } from "./laws.ts";
import { ownPathsOf } from "./own-paths.ts";
import { impuritiesOf } from "./purity.ts";
import { isProgram, type SourceFile } from "./source.ts";

/** One row of the table. */
export interface Row {
  readonly folders: readonly string[];
  readonly allows: readonly string[];
  readonly forbids: readonly string[];
  readonly pure: boolean;
  readonly anything: boolean;
  readonly notOneAnother: boolean;
  /** Whether its files reach by their paths only what the row names: no page, no configuration. */
  readonly ownOnly: boolean;
  /** Who may import it from another folder: all whose rows allow it, the roots only, or none as it is itself a root. */
  readonly importers: "all" | "roots" | "none";
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
      ...[...may.matchAll(/(?<!\bno )`([^`]+)`/g)].map(([, target = ""]) => target),
      ...(/\blibraries\b/.test(may) ? ["*"] : []),
    ],
    forbids: [...quoted(never).filter(isPlace), ...[...may.matchAll(/\bno `([^`]+)`/g)].map((match) => match[1] ?? "")],
    pure: /\bimpure\b/.test(never),
    anything: /\banything\b/.test(may),
    notOneAnother: /\bone another\b/.test(never),
    ownOnly: /\beverything (else )?of ours\b/.test(never),
    importers: importersIn(never),
  }));
}

function importersIn(never: string): Row["importers"] {
  if (/\bexcept by the roots\b/.test(never)) return "roots";
  return /\bbeing imported\b/.test(never) ? "none" : "all";
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const isOurs = (target: string): boolean => target.startsWith("./");
/** The package's own name leads back to our sources, and so may a path or a URL. */
const isLibrary = (target: string): boolean => /^[@\w][^:]*$/.test(target) && !isWithin(target, "ballast");

/** Gives how well a pattern matches the target of an import, by its length; undefined if it does not match. */
function fit(pattern: string, target: string): number | undefined {
  if (pattern === "*") return isLibrary(target) ? 0 : undefined;
  if (pattern.endsWith("*")) return target.startsWith(pattern.slice(0, -1)) ? pattern.length : undefined;
  return isWithin(isOurs(target) ? target.slice(2) : target, pattern) ? pattern.length : undefined;
}

const best = (patterns: readonly string[], target: string): number =>
  Math.max(-1, ...patterns.map((pattern) => fit(pattern, target) ?? -1));

/** A row, and the one of its folders that holds a file. */
interface Home {
  readonly row: Row;
  readonly folder: string;
}

/** Gives the row of a file: the one with the longest matching folder. */
function homeOf(table: readonly Row[], path: string): Home | undefined {
  const all = table.flatMap((row) =>
    row.folders.filter((folder) => isWithin(path, folder)).map((folder) => ({ row, folder })),
  );
  return all.toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** Gives what an import leads to: a package by its specifier, our own files by `./` and their path from the root. */
const targetOf = (path: string, specifier: string): string =>
  specifier.startsWith(".") ? `./${posix.join(posix.dirname(path), specifier.replace(/[?#].*/, ""))}` : specifier;

/** Gives why a file may not import a target; undefined if it may. */
function refusal(table: readonly Row[], path: string, target: string): string | undefined {
  const { row, folder } = homeOf(table, path)!;
  if (isOurs(target)) {
    const place = target.slice(2);
    const its = homeOf(table, place);
    const depth = folder.split("/").length + (row.notOneAnother ? 1 : 0);
    const room = path.split("/").slice(0, depth).join("/");
    if (its?.folder === folder && isWithin(place, room)) return undefined;
    if (its?.row.importers === "none" && !isItsOwnOrTested(path, its.folder, place))
      return "that is an entry point, which is never imported";
    if (its?.row.importers === "roots" && !isRoot(table, path)) return `only the roots know \`${its.folder}\``;
  }
  if (row.anything) return undefined;
  const allowed = best(row.allows, target);
  return allowed === -1 || best(row.forbids, target) > allowed ? `\`${folder}\` may not` : undefined;
}

/** Reports whether a root imports a part of itself, as `index.ts` does in `index/part.ts`, or a test what it tests. */
const isItsOwnOrTested = (path: string, folder: string, place: string): boolean =>
  isWithin(place, path.replace(/\.ts$/, "")) || (isWithin(path, "test") && folder !== "test");

const isRoot = (table: readonly Row[], path: string): boolean =>
  table.some(({ importers, folders }) => importers === "none" && folders.some((folder) => isWithin(path, folder)));

/** Imports that are chosen while the program runs: the file, the import as written, and why that is right. */
export type ComputedImports = Readonly<Record<string, string>>;

/** Checks every import against the table, and that every import can be read or is listed with a reason. */
export const importLaw =
  (table: readonly Row[], computed: ComputedImports = {}): Law =>
  (files) => {
    const programs = files.filter(isProgram);
    const used = new Set<string>();
    const violations = programs.flatMap((file) => {
      const row = homeOf(table, file.path)?.row;
      if (row === undefined)
        return [
          `${file.path}:1  the table in docs/explain/architecture.md has no row for it: ` +
            "move it to a folder that has one, or add a row.",
        ];
      const { modules, unreadable: imports } = allImportsOf(file);
      const paths = row.anything ? [] : pathsRefused(table, file, row);
      const unreadable = [...imports, ...paths.filter(({ why }) => why === undefined)];
      for (const { specifier } of [...imports, ...paths]) used.add(`${file.path} ${specifier}`);
      return [
        ...(row.pure ? impuritiesOf(file) : []).map(
          ({ word, line }) => `${file.path}:${line}  it uses ${word}, which is impure: take it as a parameter.`,
        ),
        ...judged(table, file, modules),
        ...paths
          .filter(({ specifier, why }) => why !== undefined && !(`${file.path} ${specifier}` in computed))
          .map(
            ({ specifier, line, why }) =>
              `${file.path}:${line}  it reaches ${why} by the path ${specifier}, ` +
              `but \`${homeOf(table, file.path)!.folder}\` ` +
              "may not: move the code, or list it with a reason in exceptions.ts.",
          ),
        ...unreadable
          .filter(({ specifier }) => !(`${file.path} ${specifier}` in computed))
          .map(
            ({ specifier, line }) =>
              `${file.path}:${line}  what ${specifier} imports cannot be read: ` +
              "name the module by a literal, or list it with a reason in exceptions.ts.",
          ),
      ];
    });
    const spent = Object.keys(computed).filter((key) => !used.has(key));
    return [
      ...violations,
      ...spent.map(
        (key) => `test/support/repository/exceptions.ts:1  ${key} is no computed import any more: remove its entry.`,
      ),
    ];
  };

const judged = (table: readonly Row[], file: SourceFile, imports: readonly Import[]): readonly string[] =>
  imports.flatMap(({ specifier, line }) => {
    const why = refusal(table, file.path, targetOf(file.path, specifier));
    return why === undefined
      ? []
      : [
          `${file.path}:${line}  it imports "${specifier}", but ${why}: ` +
            "move the code, or decide to change the table in docs/explain/architecture.md.",
        ];
  });

/** A path that a file may not build: why is where it leads; undefined if that cannot be read. */
interface PathRefused extends Import {
  readonly why: string | undefined;
}

/** Gives the paths of a file that lead out of the places that its row allows, or to places that cannot be read. */
const pathsRefused = (table: readonly Row[], file: SourceFile, row: Row): readonly PathRefused[] =>
  ownPathsOf(file).flatMap(({ line, written, place }) => {
    const bare = place?.replace(/\/$/, "");
    if (bare !== undefined && isReachable(table, file.path, row, bare)) return [];
    return [{ specifier: written, line, why: bare === "." ? "all of ours" : bare }];
  });

function isReachable(table: readonly Row[], path: string, row: Row, place: string): boolean {
  if (isWithin(place, "node_modules") || isWithin(place, "..") || isWithin(place, path)) return true;
  const leadsToRows =
    place === "." ||
    homeOf(table, place) !== undefined ||
    table.some(({ folders }) => folders.some((folder) => isWithin(folder, place)));
  if (!leadsToRows && !row.ownOnly) return true;
  return refusal(table, path, `./${place}`) === undefined;
}
