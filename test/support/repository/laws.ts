// The laws of the house, each as a function from the repository's files to what breaks it, with the place and the remedy. Who may import
// whom is in `import-law.ts`. They judge what they are given, so that the tests can give them small bad files.
import { posix } from "node:path";
import { declaredNamesOf, functionsOf, importsOf, isProgram, lineAt, onlyCode, type SourceFile } from "./source.ts";

/** Gives one line for each place that breaks a law: file, line, what is wrong, and what to do. */
export type Law = (files: readonly SourceFile[]) => readonly string[];

const broken = (path: string, line: number, what: string, remedy: string): string =>
  `${path}:${line}  ${what}: ${remedy}.`;
const programs = (files: readonly SourceFile[]): readonly SourceFile[] =>
  files.filter((file) => isProgram(file) && !file.path.endsWith(".d.mts"));
/** What a tool reads, which prescribes its form. */
const isToolsOwn = (path: string): boolean => path === "vitest.config.ts";

/** Functions have 70 lines at most. */
export const shortFunctions: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    functionsOf(path, text)
      .filter((found) => found.lines > 70 && !found.isChapter)
      .map((found) =>
        broken(
          path,
          found.line,
          `${found.name || "a function"} has ${found.lines} lines`,
          "split it where its subject changes, to 70 lines at most",
        ),
      ),
  );

/** Files have 400 lines at most. */
export const shortFiles: Law = (files) =>
  programs(files).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    return lines > 400
      ? [
          broken(
            path,
            401,
            `the file has ${lines} lines`,
            "move one of its subjects to a file of its own; 400 is the most",
          ),
        ]
      : [];
  });

/** Every file says first what it is for. */
export const openingComments: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    isToolsOwn(path) || /^(#!.*\n)?(\/\/|\/\*)/.test(text)
      ? []
      : [broken(path, 1, "the file does not say what it is for", "open it with a comment of two to five sentences")],
  );

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
/** The names of others that stand in ours: a product of Azure, and a field of its resources. */
const foreignNames = /resource-?manager|systemData/gi;
const segmentsOf = (name: string): readonly string[] =>
  name
    .replace(foreignNames, "")
    .split(/[_$-]|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .filter(Boolean);

/** Names that we give say what a thing is; these words never do. */
export const sayingNames: Law = (files) =>
  programs(files).flatMap(({ path, text }) => {
    const names = declaredNamesOf(path, text).flatMap(({ name, line }) =>
      segmentsOf(name)
        .filter((part) => bannedInNames.has(part.toLowerCase()) || bannedExactly.has(part))
        .map((part) => ({ name, line, part })),
    );
    const verbs = functionsOf(path, text)
      .filter(({ name }) => /^process(?!Of|Id|By|In|At)[A-Z]/.test(name))
      .map(({ name, line }) => ({ name, line, part: "process" }));
    const parts = path
      .replace(/\.[a-z]+$/, "")
      .replace(foreignNames, "")
      .split("/")
      .flatMap((step) => step.split(/[-.]/));
    return [
      ...[...names, ...verbs].map(({ name, line, part }) =>
        broken(path, line, `the name ${name} holds "${part}"`, "name what it is or what it gives"),
      ),
      ...parts
        .filter((part) => bannedInPaths.has(part))
        .map((part) => broken(path, 1, `the path holds "${part}"`, "name the subject of the file or folder")),
    ];
  });

/** Source folders are three deep at most. */
export const shallowFolders: Law = (files) =>
  programs(files).flatMap(({ path }) =>
    path.split("/").length > 4 ? [broken(path, 1, "it lies deeper than three folders", "move it up")] : [],
  );

/** Nothing is exported without a name. */
export const namedExports: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    isToolsOwn(path)
      ? []
      : [...onlyCode(text).matchAll(/\bexport\s+default\b|\bas\s+default\b/g)].map((match) =>
          broken(path, lineAt(text, match.index), "a default export", "export it by the name of its file"),
        ),
  );

/** What is run directly has its run bit, and nothing else has. */
export const runBits: Law = (files) =>
  files.flatMap(({ path, text, executable }) => {
    if (text.startsWith("#!") === executable) return [];
    return [
      executable
        ? broken(path, 1, "it may be run but has no #! line", "add the line, or chmod -x")
        : broken(path, 1, "it has a #! line but no run bit", "chmod +x, and git add --chmod=+x"),
    ];
  });

/** Relative imports name the file, as Node does. */
export const wholeImports: Law = (files) =>
  programs(files).flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ specifier }) => specifier.startsWith(".") && !/\.(ts|mjs|json)$/.test(specifier))
      .map(({ specifier, line }) =>
        broken(path, line, `it imports "${specifier}"`, "end it in .ts, .mjs or .json, since sources run unbuilt"),
      ),
  );

// Put together from pieces, since this file is held to the same law.
const machinePath = new RegExp(`(?<![\\w.~}/-])/(?:root|work|home/[a-z][\\w-]*|Users/[A-Za-z][\\w-]*|tmp/exp)/`, "g");
const registryHosts = [
  "registry.npm" + "js.org",
  "registry.yarn" + "pkg.com",
  "proxy.gol" + "ang.org",
  "sum.gol" + "ang.org",
  "pypi" + ".org",
  "files.python" + "hosted.org",
];

/** The repository knows no machine and no package registry: it runs wherever it is cloned. */
export const placelessFiles: Law = (files) =>
  files.flatMap(({ path, text }) => [
    ...[...text.matchAll(machinePath)].map((match) =>
      broken(
        path,
        lineAt(text, match.index),
        `it holds the machine path ${match[0]}`,
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
              "leave the choice of a registry to the user's npm, Go or pip",
            ),
          ]
        : [],
    ),
  ]);

/** No file leads back to itself, not by types either: two files that need one another are one, or lack a third. */
export const noCircles: Law = (files) => {
  const known = new Set(files.map(({ path }) => path));
  const imports = new Map(
    programs(files).map(({ path, text }) => [
      path,
      importsOf(text)
        .map(({ specifier, line }) => ({ to: posix.join(posix.dirname(path), specifier), line }))
        .filter(({ to }) => known.has(to)),
    ]),
  );
  const reached = new Map([...imports.keys()].map((path) => [path, reachedFrom(path, imports)]));
  return [...imports].flatMap(([path, all]) =>
    all
      .filter(({ to }) => to === path || reached.get(to)?.has(path))
      .map(({ to, line }) =>
        broken(path, line, `it imports ${to}, which leads back to it`, "move what both need into a file of its own"),
      ),
  );
};

function reachedFrom(
  path: string,
  imports: ReadonlyMap<string, readonly { readonly to: string }[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const ahead = [path];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    for (const { to } of imports.get(at) ?? []) if (!reached.has(to)) ahead.push(to), reached.add(to);
  }
  return reached;
}

/** The lock pins versions and hashes, and leaves the registry to the user's npm. */
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
            'it holds "resolved" addresses',
            "run npm with omit-lockfile-registry-resolved=true, or delete these lines",
          ),
        ),
    );

/** What to do has no full stop at its end, since it often ends in a command to copy; what was left is a sentence and has one. */
export const evenWordings: Law = (files) =>
  files
    .filter(({ path }) => path.startsWith("errors/"))
    .flatMap(({ path, text }) => [
      ...[...text.matchAll(/^  fix:.*(?:\n   .*)*/gm)]
        .filter(([fix]) => /\.["`]/.test(fix))
        .map(({ index }) => broken(path, lineAt(text, index), "a fix ends in a full stop", "take it away")),
      ...[...text.matchAll(/^  left:.*(?:\n   .*)*/gm)]
        .filter(([left]) => /[^.]["`],$/.test(left))
        .map(({ index }) =>
          broken(path, lineAt(text, index), "what is left ends without a full stop", "end the sentence"),
        ),
    ]);

/** Every error that we can raise has been provoked by a test, and its id has the one form. */
export const provokedErrors =
  (ids: Iterable<string>): Law =>
  (files) => {
    const tests = files
      .filter(({ path }) => path.startsWith("test/") && path !== "test/repository/tidy.test.ts")
      .map(({ text }) => text);
    return [...ids].flatMap((id) => {
      const file = files.find(({ path, text }) => path.startsWith("errors/") && text.includes(`"${id}"`));
      const [path, line] =
        file === undefined ? ["errors", 1] : [file.path, lineAt(file.text, file.text.indexOf(`"${id}"`))];
      const isTested = tests.some((text) => new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(text));
      return [
        ...(/^[a-z]+(-[a-z0-9]+)+$/.test(id)
          ? []
          : [
              broken(
                path,
                line,
                `the error id ${id} has another form than area-phrase`,
                "write it in kebab-case, subsystem first",
              ),
            ]),
        ...(isTested
          ? []
          : [
              broken(
                path,
                line,
                `no test provokes ${id}`,
                "write one that does and expects this id, or delete the entry",
              ),
            ]),
      ];
    });
  };
