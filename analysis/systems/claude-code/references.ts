// Finds the files that a prompt or an agent needs: scripts after a placeholder, links, files attached with `@`,
// and files of Claude Code that it names by path. A file that the text asks to write need not exist, nor one that a
// build makes.
import type { Place } from "../../place.ts";
import type { Folder } from "../system.ts";
import { placeIn } from "./frontmatter.ts";
import { placesOf } from "./hook-shape.ts";
import { inside, type NamedRole } from "./layout.ts";
import type { ProseLine } from "./markdown.ts";
import type { Reference } from "./nodes.ts";

const variable = /\$\{CLAUDE_(SKILL_DIR|PLUGIN_ROOT|PROJECT_DIR)\}\/([\w./-]*\w)/g;
const link = /(?<!`)\[[^\]]+\]\(([\w./-]+\.\w+)(?:#[\w-]*)?\)/g;
const attached = /(?:^|\s)@((?:[\w-]+\/)+[\w.-]+\.(?:md|txt|json|ya?ml|ts|js|py))(?![\w/])/g;
const ofClaudeCode = /(?<![\w/.-])(?:\.\/)?(\.claude\/(?:agents|commands|skills)\/[\w./-]+\.md)\b/g;

/** Names that stand for a name. */
const placeholders =
  "path|file|filename|name|link|url|doc|document|example|xxx|foo|bar|new|agent-name|skill-name|command-name";
const placeholder = new RegExp(`(^|/)(${placeholders}|your-[^/]*|my-[^/]*)(/|\\.\\w+$)`, "i");
const writes = /\b(?:creat|writ|sav|generat|output|add|produc|stor|scaffold|new)\w*/i;
/** Words before a path by which it must be there already. */
const reads = /\b(?:against|according to|as defined in|read|follow|see|consult)\b.{0,120}$/i;
const unlisted = /(^|\/)(node_modules|dist|build|out|target|vendor|\.venv|venv)\//;

/** Gives the references of a file, in the order of its text. */
export class References {
  readonly #file: string;
  readonly #role: NamedRole;
  readonly #folder: Folder;
  readonly #known: ReadonlySet<string>;

  constructor(file: string, role: NamedRole, folder: Folder, known: ReadonlySet<string>) {
    this.#file = file;
    this.#role = role;
    this.#folder = folder;
    this.#known = known;
  }

  in(prose: readonly ProseLine[]): readonly Reference[] {
    return prose.flatMap((line) => [
      ...this.#variables(line),
      ...(line.fence === undefined ? [...this.#links(line), ...this.#paths(line)] : []),
    ]);
  }

  /** Scripts may be named in code; what an agent is told to run is often shown as a block. */
  #variables({ text, line }: ProseLine): readonly Reference[] {
    const { root: project, plugin } = this.#role;
    const roots = { project, plugin: plugin === undefined ? undefined : project };
    if (!text.includes("${CLAUDE_")) return [];
    return [...text.matchAll(variable)].flatMap(({ 0: whole, 1: kind, 2: path, index }) => {
      if (!/\.\w+$/.test(path!)) return [];
      const places = kind === "SKILL_DIR" ? [inside(this.#here, path!)] : placesOf(whole, roots);
      const use = /\.(md|txt|json|ya?ml)$/.test(path!) ? "document" : "script";
      return this.#reference(places, placeIn(this.#file, line, index + 1, whole.length), use);
    });
  }

  #links({ text, line }: ProseLine): readonly Reference[] {
    if (!text.includes("](")) return [];
    return [...text.matchAll(link)].flatMap(({ 0: whole, 1: path, index }) => {
      const here = inside(this.#here, path!);
      if (here === undefined || placeholder.test(path!)) return [];
      const places = [here, inside(this.#role.root, path!), inside("", path!)];
      return this.#reference(places, placeIn(this.#file, line, index + 1, whole.length), "document");
    });
  }

  #paths({ text, line }: ProseLine): readonly Reference[] {
    if (!/@|\.claude\//.test(text)) return [];
    const expanding = this.#role.kind === "agent" ? [] : [...text.matchAll(attached)];
    return [...expanding, ...text.matchAll(ofClaudeCode)].flatMap(({ 0: whole, 1: path, index }) => {
      if (placeholder.test(path!) || (writes.test(text) && !reads.test(text.slice(0, index)))) return [];
      const places = [inside(this.#role.root, path!), inside("", path!)];
      return this.#reference(places, placeIn(this.#file, line, index + 1, whole.length), "document");
    });
  }

  get #here(): string {
    return this.#file.replace(/\/?[^/]*$/, "");
  }

  #reference(all: readonly (string | undefined)[], place: Place, use: Reference["use"]): readonly Reference[] {
    const places = all.filter((each): each is string => each !== undefined && each !== "");
    if (places.length === 0 || unlisted.test(places[0]!)) return [];
    return [{ path: places[0]!, place, use, exists: places.some((path) => this.#exists(path)) }];
  }

  #exists(path: string): boolean {
    return this.#known.has(path) || foldersOf(this.#folder).has(path);
  }
}

const folders = new WeakMap<Folder, ReadonlySet<string>>();

/** Gives the folders of a folder. They are gathered once. */
function foldersOf(folder: Folder): ReadonlySet<string> {
  const found = folders.get(folder) ?? new Set(folder.files.flatMap(parentsOf));
  folders.set(folder, found);
  return found;
}

const parentsOf = (file: string): readonly string[] =>
  [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index));
