// The scripts of the repository that a step calls by name: those of package.json, targets of a Makefile or a justfile,
// and shell scripts. They are read as text and never run. What a target needs stands before it, and a line of a recipe
// whose failure is ignored ends with `|| true`, so that the same reader follows all of them.
import type { FileRead, Folder } from "../system.ts";
import type { LocalScript, StepNode } from "./nodes.ts";
import { recipeOf } from "./recipes.ts";
import { charactersMax, commandsIn } from "./shell.ts";

const depthMax = 3;
/** More of them are generated. */
const scriptsMax = 40;

type Read = Pick<LocalScript, "file" | "text" | "stopsOnFailure">;

/** Gives the path of a file or folder that is named in a folder; undefined if it may lie outside of the repository. */
function within(folder: string, name: string): string | undefined {
  if (/^[/~]|[$`]/.test(name)) return undefined;
  const parts: string[] = [];
  for (const part of `${folder}/${name}`.split("/")) {
    if (part === ".." && parts.pop() === undefined) return undefined;
    if (part !== "" && part !== "." && part !== "..") parts.push(part);
  }
  return parts.join("/");
}

/** The scripts of one repository. */
export class LocalScripts {
  readonly #folder: Folder;
  readonly #files: ReadonlySet<string>;

  constructor(folder: Folder) {
    this.#folder = folder;
    this.#files = new Set(folder.files);
  }

  /** Gives the scripts that the commands of a step call. */
  of(step: StepNode): readonly LocalScript[] {
    const script = step.run?.text ?? "";
    const start = step.workingDirectory?.text ?? "";
    if (script === "" || script.length > charactersMax || start.includes("${{")) return [];
    let at = within("", start);
    const found: LocalScript[] = [];
    for (const { words, line } of commandsIn(script)) {
      if (words[0] === "cd") at = at === undefined ? undefined : within(at, words[1] ?? "~");
      const read = at === undefined ? undefined : this.#scriptOf(words, at, 0);
      if (read && found.length < scriptsMax) found.push({ ...read, line, called: words.join(" ") });
    }
    return found;
  }

  #text(file: string): string | undefined {
    const read: FileRead | undefined = this.#files.has(file) ? this.#folder.read(file) : undefined;
    return read && "text" in read && read.text.length <= charactersMax * 3 ? read.text : undefined;
  }

  /** Gives the script that a command calls; undefined if it calls none that is here. */
  #scriptOf(words: readonly string[], at: string, depth: number): Read | undefined {
    if (depth > depthMax) return undefined;
    const [name = ""] = words;
    if (/^(npm|pnpm|yarn|bun)$/.test(name)) return this.#ofPackage(words, at, depth);
    if (name === "make" || name === "just") return this.#ofTarget(words, at);
    const file = /^(bash|sh|source|\.)$/.test(name) ? words.slice(1).find((word) => !word.startsWith("-")) : name;
    return file !== undefined && /\.(sh|bash)$/.test(file) ? this.#ofFile(file, at) : undefined;
  }

  #ofFile(name: string, at: string): Read | undefined {
    const file = within(at, name);
    const text = file === undefined ? undefined : this.#text(file);
    if (file === undefined || text === undefined || text.length > charactersMax) return undefined;
    return { file, text, stopsOnFailure: /^#!.* -\w*e/.test(text) };
  }

  #ofPackage(words: readonly string[], at: string, depth: number): Read | undefined {
    const name = packageScript(words);
    const folder = optionOf(words, ["--prefix", "-C", "--cwd", "--dir"]) ?? "";
    const file = within(at, `${folder === "" ? "." : folder}/package.json`);
    const text = file === undefined || name === undefined ? undefined : this.#text(file);
    if (file === undefined || text === undefined || name === undefined) return undefined;
    const own = scriptsIn(text).get(name);
    if (own === undefined || own.length > charactersMax) return undefined;
    // A script that only calls another one is that one.
    const [only, ...more] = commandsIn(own);
    const inner =
      only && more.length === 0 && !/[|&;]/.test(own) ? this.#scriptOf(only.words, at, depth + 1) : undefined;
    return inner ?? { file, text: own, stopsOnFailure: false };
  }

  #ofTarget(words: readonly string[], at: string): Read | undefined {
    const isMake = words[0] === "make";
    const folder = within(at, optionOf(words, isMake ? ["-C", "--directory"] : ["-d"]) ?? "");
    if (folder === undefined) return undefined;
    const named = isMake ? optionOf(words, ["-f", "--file", "--makefile"]) : undefined;
    const usual = isMake ? ["GNUmakefile", "makefile", "Makefile"] : ["justfile", "Justfile", ".justfile"];
    const target = words
      .slice(1)
      .find((word, index, all) => /^\w[\w:./-]*$/.test(word) && !/^-\w$/.test(all[index - 1] ?? ""));
    for (const name of named ? [named] : usual) {
      const file = within(folder, name);
      const text = file === undefined ? undefined : this.#text(file);
      if (file === undefined || text === undefined) continue;
      const recipe = recipeOf(text, target, isMake);
      return recipe === undefined ? undefined : { file, text: recipe, stopsOnFailure: true };
    }
    return undefined;
  }
}

const optionOf = (words: readonly string[], names: readonly string[]): string | undefined => {
  const at = words.findIndex((each) => names.some((name) => each === name || each.startsWith(`${name}=`)));
  if (at === -1) return undefined;
  const word = words[at]!;
  return word.includes("=") ? word.slice(word.indexOf("=") + 1) : words[at + 1];
};

/** Commands of the package managers themselves. */
const ownCommands =
  /^(ci|install|i|add|publish|version|login|pack|audit|exec|dlx|x|create|init|set|config|cache|prune)$/;

/** Gives the name of the script that a command of a package manager runs. Those of other workspaces are not read. */
function packageScript(words: readonly string[]): string | undefined {
  if (words.some((word) => /^(-w|--workspaces?|--filter|-F|-r|--recursive|workspace|workspaces)(=|$)/.test(word)))
    return undefined;
  const rest = words
    .slice(1)
    .filter((word, at, all) => !word.startsWith("-") && !/^(--prefix|-C|--cwd|--dir)$/.test(all[at - 1] ?? ""));
  const [first, second] = rest;
  if (first === "run" || first === "run-script") return second;
  if (first === "t") return "test";
  if (first === undefined || ownCommands.test(first)) return undefined;
  return words[0] === "npm" && !/^(test|start|stop|restart)$/.test(first) ? undefined : first;
}

function scriptsIn(text: string): ReadonlyMap<string, string> {
  try {
    const { scripts } = JSON.parse(text) as { readonly scripts?: unknown };
    if (typeof scripts !== "object" || scripts === null) return new Map();
    return new Map(Object.entries(scripts).filter((each): each is [string, string] => typeof each[1] === "string"));
  } catch {
    return new Map();
  }
}
