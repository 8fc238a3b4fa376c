// What the command of a hook runs and which files it replaces, read from its words and from the script that it runs.
// Only what is plain to see counts: a path with a variable that nothing resolves is no path, and a program that is not
// known to write does not write.
import type { Folder } from "../system.ts";
import { inside } from "./layout.ts";
import type { Write } from "./nodes.ts";

const shells = "sh bash zsh dash pwsh powershell powershell.exe env exec source .";
const runtimes = "node bun deno python python3 ruby perl php tsx ts-node";
const interpreters = new Set(`${shells} ${runtimes}`.split(" "));
/** Files there are made by a build or an installation, so their absence from a checkout says nothing. */
const made = /(^|\/)(node_modules|dist|build|out|target|\.venv|venv|vendor|bin|\.cache)\//;
const scriptMax = 200_000;

/** Where the placeholders of a command point to. */
export interface Roots {
  readonly project: string;
  readonly plugin: string | undefined;
}

/** Gives the file of the repository that a command runs; undefined if it runs none, or makes sure that it exists. */
export function scriptOf(
  folder: Folder,
  known: ReadonlySet<string>,
  command: string,
  roots: Roots,
): { readonly path: string; readonly exists: boolean } | undefined {
  if (/(^|[\s;&|])(if|test|\[)\s|\|\|/.test(command)) return undefined;
  for (const simple of command.split(/&&|[;|\n]/)) {
    const path = programOf(wordsOf(simple));
    if (path === undefined || !/[/]/.test(path)) continue;
    const candidates = placesOf(path, roots);
    if (candidates.length === 0) continue;
    const found = candidates.find((each) => known.has(each));
    if (found !== undefined) return { path: found, exists: true };
    const [missing] = candidates;
    if (made.test(`${missing}/`) || isBehindLink(folder, known, missing!)) continue;
    return { path: missing!, exists: false };
  }
  return undefined;
}

/** Splits at spaces outside of quotes, and takes the quotes away. */
const wordsOf = (text: string): readonly string[] =>
  [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, ""));

/** Gives the script: the first word, or what an interpreter is given. */
function programOf(words: readonly string[]): string | undefined {
  const rest = words.filter((word, at) => !(at === words.length - 1 && word === "") && !/^\w+=/.test(word));
  const first = rest[0];
  if (first === undefined) return undefined;
  if (!interpreters.has(first)) return first;
  const script = rest.slice(1).find((word) => !word.startsWith("-"));
  const isInline = rest.slice(1).some((word) => /^-(c|e|m|-eval|-command)$/i.test(word));
  return isInline ? undefined : script;
}

/** Resolves a path of a command to paths of the repository; none if it points elsewhere or cannot be known. */
export function placesOf(path: string, { project, plugin }: Roots): readonly string[] {
  const [, variable, inner] = /^\$\{?(CLAUDE_PROJECT_DIR|CLAUDE_PLUGIN_ROOT)(?::-[^}]*)?\}?\/?(.*)$/.exec(path) ?? [];
  const rest = inner ?? path;
  if (rest === "" || /[$`*?{}<>~]|^\/|^[a-z]:|\\/i.test(rest)) return [];
  if (variable === "CLAUDE_PLUGIN_ROOT") return plugin === undefined ? [] : definite([inside(plugin, rest)]);
  return definite([...new Set([inside(project, rest), inside("", rest)])]);
}

const definite = (paths: readonly (string | undefined)[]): readonly string[] =>
  paths.filter((path): path is string => path !== undefined && path !== "");

/** Whether a folder on the way is a link, which is not followed. */
function isBehindLink(folder: Folder, known: ReadonlySet<string>, path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, at) => {
    const folderPath = parts.slice(0, at).join("/");
    return folderPath !== "" && known.has(folderPath) && "because" in folder.read(folderPath);
  });
}

interface Rewriter {
  readonly by: string;
  readonly pattern: RegExp;
  readonly languages: readonly string[];
}

const scripts = ["js", "jsx", "ts", "tsx", "mjs", "cjs"];
const web = [...scripts, "json", "css", "scss", "html", "md", "yaml", "yml", "vue", "svelte"];
/** Programs that change files in place, from their own documentation. */
const rewriters: readonly Rewriter[] = [
  { by: "prettier --write", pattern: /\bprettier\b[^\n;|&]*\s(--write|-w)\b/, languages: web },
  { by: "eslint --fix", pattern: /\beslint\b[^\n;|&]*\s--fix\b/, languages: [...scripts, "vue", "svelte"] },
  {
    by: "biome --write",
    pattern: /\bbiome\b[^\n;|&]*\s--(write|apply|fix)\b/,
    languages: [...scripts, "json", "css"],
  },
  { by: "black", pattern: /\bblack\s(?![^\n;|&]*--(check|diff))/, languages: ["py"] },
  { by: "isort", pattern: /\bisort\s(?![^\n;|&]*--(check|diff))/, languages: ["py"] },
  { by: "ruff", pattern: /\bruff\s+(format\b(?![^\n;|&]*--check)|check\b[^\n;|&]*--fix)/, languages: ["py"] },
  { by: "gofmt -w", pattern: /\bgofmt\b[^\n;|&]*\s-w\b/, languages: ["go"] },
  { by: "goimports -w", pattern: /\bgoimports\b[^\n;|&]*\s-w\b/, languages: ["go"] },
  { by: "rustfmt", pattern: /\brustfmt\s(?![^\n;|&]*--check)/, languages: ["rs"] },
  { by: "shfmt -w", pattern: /\bshfmt\b[^\n;|&]*\s-w\b/, languages: ["sh"] },
  { by: "clang-format -i", pattern: /\bclang-format\b[^\n;|&]*\s-i\b/, languages: ["c", "cc", "cpp", "h", "hpp"] },
];
const editedFile = /file_path|CLAUDE_FILE_PATHS?\b|CLAUDE_TOOL_INPUT/;
const extension = /\.(jsx?|tsx?|mjs|cjs|py|go|rs|sh|json|css|md|vue|svelte|ya?ml|html|cc|cpp|hpp)\b/g;

/** Gives what a hook's text replaces: the edited file, or files that it names. */
export function writesOf(text: string): readonly Write[] {
  if (text.length > scriptMax) return [];
  const code = text.replaceAll(/^\s*#.*$/gm, "");
  const names = assignments(code);
  const edited = editedFile.test(code) ? rewriters.filter(({ pattern }) => pattern.test(code)) : [];
  const guarded = [...new Set([...code.matchAll(extension)].map((match) => match[1]!))];
  return [
    ...edited.map(({ by, languages }) => {
      const both = languages.filter((each) => guarded.includes(each));
      return { target: "*edited*", languages: both.length > 0 ? both : languages, by };
    }),
    ...replaced(code).flatMap(({ path, by }) => {
      const target = resolved(path, names);
      return target === undefined ? [] : [{ target, languages: [], by }];
    }),
  ];
}

/** Variables of a script that hold a literal path. */
function assignments(code: string): ReadonlyMap<string, string> {
  const found = [
    ...code.matchAll(
      /^\s*(?:export |local |readonly )?(\w+)=["']?([^"'\s;$()`]*(?:\$\{?\w+\}?[^"'\s;$()`]*)*)["']?\s*$/gm,
    ),
  ];
  return new Map(found.map((match) => [match[1]!, match[2]!]));
}

/** Finds paths that a text overwrites. An appended line is no replacement: it is written as one piece. */
function replaced(code: string): readonly { readonly path: string; readonly by: string }[] {
  const patterns: readonly (readonly [RegExp, string])[] = [
    [/(?<![>&\d=-])>\s*("[^"\n]+"|'[^'\n]+'|[\w./${}-]+)/g, "a redirection"],
    [/\bmv\s+(?:-f\s+)?(?:"[^"\n]+"|\S+)\s+("[^"\n]+"|'[^'\n]+'|[\w./${}-]+)/g, "mv"],
    [/\bsed\s+-i\S*\s+(?:"[^"\n]*"|'[^'\n]*')\s+("[^"\n]+"|'[^'\n]+'|[\w./${}-]+)/g, "sed -i"],
    [/\bwriteFile(?:Sync)?\(\s*("[^"\n]+"|'[^'\n]+')/g, "writeFile"],
    [/\bopen\(\s*("[^"\n]+"|'[^'\n]+')\s*,\s*["']w/g, "open"],
    [/\bPath\(\s*("[^"\n]+"|'[^'\n]+')\s*\)\.write_text/g, "write_text"],
  ];
  return patterns.flatMap(([pattern, by]) =>
    [...code.matchAll(pattern)].map((match) => ({ path: match[1]!.replaceAll(/["']/g, ""), by })),
  );
}

/** Gives a path of the repository with its variables replaced; undefined for temporary files and unknown ones. */
function resolved(path: string, names: ReadonlyMap<string, string>, depth = 0): string | undefined {
  const plain = path.replace(/^\$\{?CLAUDE_PROJECT_DIR(?::-[^}]*)?\}?\//, "").replace(/^\.\//, "");
  const [, variable] = /\$\{?(\w+)\}?/.exec(plain) ?? [];
  if (variable !== undefined) {
    const value = names.get(variable);
    if (value === undefined || depth > 5) return undefined;
    return resolved(
      plain.replaceAll(new RegExp(`\\$\\{?${variable}\\}?`, "g"), () => value),
      names,
      depth + 1,
    );
  }
  const isPath = /[./]/.test(plain) && !/^(\/|~|\.\.)|tmp|\.(tmp|bak|pid|lock|log)$/i.test(plain);
  return isPath ? plain : undefined;
}

/** Whether a text takes a lock around what it does. */
export const isLocked = (text: string): boolean =>
  /\b(flock|lockfile|shlock|proper-lockfile|filelock|fcntl)\b|mkdir\s+\S*lock/i.test(text.slice(0, scriptMax));
