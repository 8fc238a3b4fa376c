// The laws of the repository. Each is a function that takes files and gives the violations, with the place and the
// remedy, so that the tests can also run it on small bad files. The law of imports is in `import-law.ts`, those of
// errors are in `error-laws.ts`.
import { posix } from "node:path";
import { declaredNamesOf } from "./declared-names.ts";
import { functionsOf, numbered } from "./functions.ts";
import { importsOf } from "./imports.ts";
import { isProgram, lineAt, type SourceFile } from "./source.ts";
import { nameOf, nodesOf } from "./syntax.ts";

/** Gives one line for each violation: file, line, what is wrong, and what to do. */
export type Law = (files: readonly SourceFile[]) => readonly string[];

export const broken = (path: string, line: number, what: string, remedy: string): string =>
  `${path}:${line}  ${what}: ${remedy}.`;
const programs = (files: readonly SourceFile[]): readonly SourceFile[] =>
  files.filter((file) => isProgram(file) && !file.path.endsWith(".d.mts"));
/** A file whose form a tool prescribes. */
const isToolsOwn = (path: string): boolean =>
  path === "vitest.config.ts" || path === "test/support/repository/timing-reporter.ts";

/** Sizes that are allowed beyond a law's limit, by key. */
export type Exceptions = Readonly<Record<string, number>>;

/** Something that a law measures: its place, its size, and the key by which an exception names it. */
interface Measured {
  readonly path: string;
  readonly line: number;
  readonly key: string;
  readonly size: number;
  readonly what: string;
}

/** Checks sizes against a limit. An exception must give the exact size, and must still be needed. */
function within(
  most: number,
  measured: readonly Measured[],
  exceptions: Exceptions,
  remedy: string,
): readonly string[] {
  const over = measured.filter(({ size }) => size > most);
  const keys = new Set(over.map(({ key }) => key));
  const spent = Object.keys(exceptions).filter((key) => !keys.has(key));
  return [
    ...over.flatMap(({ path, line, key, size, what }) => {
      const allowed = exceptions[key];
      if (allowed === size) return [];
      if (allowed === undefined) return [broken(path, line, `${what} (${key})`, remedy)];
      const next = size < allowed ? `write ${size} into exceptions.ts` : "bring it back to that, or below";
      return [broken(path, line, `${what}, but its exception says ${allowed}`, next)];
    }),
    ...spent.map((key) =>
      broken("test/support/repository/exceptions.ts", 1, `${key} needs no exception`, "remove its entry"),
    ),
  ];
}

/** Functions have 70 lines at most. */
export const shortFunctions =
  (exceptions: Exceptions = {}): Law =>
  (files) =>
    within(
      70,
      programs(files).flatMap(({ path, text }) =>
        functionsOf({ path, text })
          .filter(({ isChapter }) => !isChapter)
          .map(({ name, key, line, lines }) => ({
            path,
            line,
            key: `${path} ${key}`,
            size: lines,
            what: `${name || "a function"} has ${lines} lines`,
          })),
      ),
      exceptions,
      "split it by subject, to 70 lines at most",
    );

/** Files have 400 lines at most. */
export const shortFiles =
  (exceptions: Exceptions = {}): Law =>
  (files) =>
    within(
      400,
      programs(files).map(({ path, text }) => {
        const size = text.trimEnd().split("\n").length;
        return { path, line: 401, key: path, size, what: `the file has ${size} lines` };
      }),
      exceptions,
      "move one of its subjects to a file of its own; 400 is the maximum",
    );

/**
 * Lines have 120 columns at most. The formatter wraps code; comments and long texts are wrapped by hand.
 *
 * The key of an exception is the file and the first 40 characters of the line.
 */
export const narrowLines =
  (exceptions: Exceptions = {}): Law =>
  (files) =>
    within(
      120,
      programs(files).flatMap(({ path, text }) => {
        const lines = text.split("\n");
        const keys = numbered(lines.map((line) => `${path} ${line.trim().slice(0, 40)}`));
        return lines.map((line, index) => ({
          path,
          line: index + 1,
          key: keys[index]!,
          size: line.length,
          what: `the line has ${line.length} columns`,
        }));
      }),
      exceptions,
      "break the comment or the text, to 120 columns at most",
    );

/** Every file opens with a comment that says what it is for. */
export const openingComments: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    isToolsOwn(path) || isHeader(text.replace(/^#!.*\n/, ""))
      ? []
      : [broken(path, 1, "the file does not say what it is for", "open it with a comment of two to five sentences")],
  );

/** Reports whether a text opens with a sentence in lines of `//`: a docstring is of a declaration, not of the file. */
function isHeader(text: string): boolean {
  const [lines = ""] = /^(\/\/[^\n]*(\n|$))*/.exec(text) ?? [];
  const said = lines.replaceAll(/^\/\/+ ?/gm, "").trim();
  const isForTools = /^(biome-|eslint|@ts-|<reference|<amd|#region|prettier-)/.test(said);
  return !isForTools && said.split(/\s+/).length >= 4 && /[.:]$|[.:]\s/.test(said);
}

const bannedInNames = new Set(["manager", "helper", "util", "handler", "processor", "data", "info", "do"]);
const bannedExactly = new Set(["New", "Legacy", "V2"]);
const bannedInPaths = new Set([
  ...bannedInNames,
  "managers",
  "helpers",
  "utils",
  "handlers",
  "processors",
  "common",
  "lib",
  "src",
  "new",
  "legacy",
  "v2",
]);
/** Foreign names inside ours: a product of Azure, and a field of its resources. */
const foreignNames = /resource-?manager|systemData/gi;
const segmentsOf = (name: string): readonly string[] =>
  name
    .replace(foreignNames, "")
    .split(/[_$-]|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .filter(Boolean);

/** Our names say what a thing is; these words do not. */
export const sayingNames: Law = (files) =>
  programs(files).flatMap(({ path, text }) => {
    const names = declaredNamesOf({ path, text }).flatMap(({ name, line }) =>
      segmentsOf(name)
        .filter((part) => bannedInNames.has(part.toLowerCase()) || bannedExactly.has(part))
        .map((part) => ({ name, line, part })),
    );
    const verbs = functionsOf({ path, text })
      .filter(({ name }) => /^process(?!Of|Id|By|In|At)[A-Z]/.test(name))
      .map(({ name, line }) => ({ name, line, part: "process" }));
    const parts = path
      .replace(/\.[a-z]+$/, "")
      .replace(foreignNames, "")
      .split("/")
      .flatMap((step) => step.split(/[-.]/));
    return [
      ...[...names, ...verbs].map(({ name, line, part }) =>
        broken(path, line, `the name ${name} contains "${part}"`, "name what it is or what it gives"),
      ),
      ...parts
        .filter((part) => bannedInPaths.has(part))
        .map((part) => broken(path, 1, `the path contains "${part}"`, "name the subject of the file or folder")),
    ];
  });

/** Source folders are three deep at most. */
export const shallowFolders: Law = (files) =>
  programs(files).flatMap(({ path }) =>
    path.split("/").length > 4 ? [broken(path, 1, "it lies deeper than three folders", "move it up")] : [],
  );

/** Nothing is exported as default. */
export const namedExports: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    isToolsOwn(path)
      ? []
      : nodesOf({ path, text })
          .filter(
            ({ node }) =>
              /^(ExportDefaultDeclaration|TSExportAssignment)$/.test(node.type) ||
              (node.type === "ExportSpecifier" && nameOf(node["exported"]) === "default"),
          )
          .map(({ line }) => broken(path, line, "a default export", "export it by the name of its file")),
  );

/** A file has a run bit if and only if it has a #! line. */
export const runBits: Law = (files) =>
  files.flatMap(({ path, text, executable }) => {
    if (text.startsWith("#!") === executable) return [];
    return [
      executable
        ? broken(path, 1, "it has a run bit but no #! line", "add the line, or chmod -x")
        : broken(path, 1, "it has a #! line but no run bit", "chmod +x, and git add --chmod=+x"),
    ];
  });

/** Relative imports have the extension of the file, as Node requires. */
export const wholeImports: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    importsOf({ path, text })
      .filter(({ specifier }) => specifier.startsWith(".") && !/\.(ts|mjs|json)$/.test(specifier))
      .map(({ specifier, line }) =>
        broken(path, line, `it imports "${specifier}"`, "end it in .ts, .mjs or .json, because sources run unbuilt"),
      ),
  );

// Assembled from pieces, because this law also applies to this file.
const machinePath = /(?<![\w.~}/-])\/(?:root|work|home\/[a-z][\w-]*|Users\/[A-Za-z][\w-]*|tmp\/exp)\//g;
const registryHosts = [
  "registry.npm" + "js.org",
  "registry.yarn" + "pkg.com",
  "proxy.gol" + "ang.org",
  "sum.gol" + "ang.org",
  "pypi" + ".org",
  "files.python" + "hosted.org",
];

/** The repository names no machine path and no package registry, so that it runs wherever it is cloned. */
export const placelessFiles: Law = (files) =>
  files.flatMap(({ path, text }) => [
    ...[...text.matchAll(machinePath)].map((match) =>
      broken(
        path,
        lineAt(text, match.index),
        `it contains the machine path ${match[0]}`,
        "make it relative, or take it from the environment",
      ),
    ),
    ...registryHosts.flatMap((host) =>
      text.includes(host)
        ? [
            broken(
              path,
              lineAt(text, text.indexOf(host)),
              `it names the registry ${host}`,
              "leave the choice of the registry to the user's npm, Go or pip",
            ),
          ]
        : [],
    ),
  ]);

/** An import of one of our files by another. */
interface Arrow {
  readonly to: string;
  readonly line: number;
}

/** Gives the imports among files, by file: what leads to packages and to other files is left out. */
export function importsAmong(files: readonly SourceFile[]): ReadonlyMap<string, readonly Arrow[]> {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    programs(files).map(({ path, text }) => [
      path,
      importsOf({ path, text })
        .map(({ specifier, line }) => ({ to: posix.join(posix.dirname(path), specifier), line }))
        .filter(({ to }) => known.has(to)),
    ]),
  );
}

/** No file leads back to itself through imports, including those of types. */
export const noCircles: Law = (files) => {
  const imports = importsAmong(files);
  const reached = new Map([...imports.keys()].map((path) => [path, reachedFrom(path, imports)]));
  return [...imports].flatMap(([path, all]) =>
    all
      .filter(({ to }) => to === path || reached.get(to)?.has(path))
      .map(({ to, line }) =>
        broken(path, line, `it imports ${to}, which leads back to it`, "move what both need into a file of its own"),
      ),
  );
};

/** Gives all files that a file's imports lead to. */
export function reachedFrom(path: string, imports: ReadonlyMap<string, readonly Arrow[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const ahead = [path];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    for (const { to } of imports.get(at) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      ahead.push(to);
    }
  }
  return reached;
}

/** The lock pins versions and hashes, but leaves the registry to the user's npm. */
export const lockWithoutAddresses: Law = (files) =>
  files
    .filter(({ path }) => path === "package-lock.json")
    .flatMap(({ path, text }) =>
      [...text.matchAll(/"resolved":(?! "[^"]*",\n *"link": true)/g)]
        .slice(0, 1)
        .map((match) =>
          broken(
            path,
            lineAt(text, match.index),
            'it contains "resolved" addresses',
            "run npm with omit-lockfile-registry-resolved=true, or delete these lines",
          ),
        ),
    );
