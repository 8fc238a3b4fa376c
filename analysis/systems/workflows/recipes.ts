// The recipes of a Makefile or a justfile, as scripts of a shell: what a target needs stands before it, variables with
// a plain value are filled in, and a line whose failure is ignored ends with `|| true`.
import { charactersMax } from "./shell.ts";

interface Recipe {
  readonly needs: readonly string[];
  readonly lines: readonly string[];
}

/** Gives the recipe of a target as a script, or of the first target; undefined if there is none. */
export function recipeOf(text: string, target: string | undefined, isMake: boolean): string | undefined {
  const recipes = recipesIn(text, isMake);
  const first = target ?? [...recipes.keys()].find((name) => !name.startsWith("."));
  if (first === undefined || !recipes.has(first)) return undefined;
  const done = new Set<string>();
  const lines = (name: string): readonly string[] => {
    const recipe = recipes.get(name);
    if (recipe === undefined || done.has(name)) return [];
    done.add(name);
    return [...recipe.needs.flatMap(lines), ...recipe.lines];
  };
  const script = lines(first).join("\n");
  return script === "" || script.length > charactersMax ? undefined : script;
}

const makeHead = /^([^\s#:=][^:=#]*):(?![:=])([^#=]*)/;
const justHead = /^([\w-]+)(?: [^:\n]*)?:(?!=)(.*)$/;

function recipesIn(text: string, isMake: boolean): ReadonlyMap<string, Recipe> {
  const values = new Map(
    [...text.matchAll(/^(\w+)\s*[:?]?=\s*(\S.*)$/gm)].map(([, name, value]) => [name!, value!.trim()]),
  );
  const found = new Map<string, Recipe>();
  let open: readonly string[] = [];
  for (const line of text.replaceAll(/\\\n\s*/g, " ").split("\n")) {
    const head = (isMake ? makeHead : justHead).exec(line);
    if (head) open = begin(found, head[1]!, head[2] ?? "");
    else if (/^[\t ]+\S/.test(line)) addLine(found, open, shellLine(line, values, isMake));
    else if (/^[^\s#]/.test(line)) open = [];
  }
  return found;
}

/** Begins the recipes of one or several targets. */
function begin(found: Map<string, Recipe>, names: string, needs: string): readonly string[] {
  const open = names.trim().split(/\s+/);
  const named = needs
    .trim()
    .split(/\s+/)
    .filter((each) => /^[\w./-]+$/.test(each));
  for (const name of open) if (!found.has(name)) found.set(name, { needs: named, lines: [] });
  return open;
}

function addLine(found: Map<string, Recipe>, names: readonly string[], line: string): void {
  for (const name of names) {
    const recipe = found.get(name)!;
    found.set(name, { ...recipe, lines: [...recipe.lines, line] });
  }
}

/** Makes a line of a recipe a line of a shell. */
function shellLine(line: string, values: ReadonlyMap<string, string>, isMake: boolean): string {
  const [, marks = "", rest = ""] = /^\s*([@+-]*)\s*(.*)$/.exec(line) ?? [];
  const filled = isMake
    ? rest
        .replaceAll(/\$[({](\w+)[)}]/g, (_whole, name: string) => values.get(name) ?? `\${${name}}`)
        .replaceAll("$$", "$")
    : rest;
  return marks.includes("-") ? `${filled} || true` : filled;
}
