// Reads our sources for the laws in `laws.ts`: which text is code, what a file imports, how long its
// functions are, which names it declares. It is a light scanner, because TypeScript 7 has no API for programs
// and a parser would be another dependency.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

/** One file of the repository, by its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** Reads every text file of the repository except what .gitignore excludes. */
export function readRepository(root: string): readonly SourceFile[] {
  const ignored = readFileSync(join(root, ".gitignore"), "utf8")
    .split("\n")
    .map((line) => line.replace(/\/$/, ""))
    .filter(Boolean);
  const isIgnored = (name: string): boolean =>
    name === ".git" ||
    ignored.some((pattern) => (pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern));
  const walk = (folder: string): readonly SourceFile[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isIgnored(entry.name)) return [];
      if (entry.isDirectory()) return walk(path);
      if (!entry.isFile()) return [];
      const text = readFileSync(join(root, path), "utf8");
      return text.includes("\0") ? [] : [{ path, text, executable: (statSync(join(root, path)).mode & 0o111) !== 0 }];
    });
  return walk("");
}

/** Reports whether a file is program text: TypeScript, JavaScript, or a launcher without extension that Node runs. */
export const isProgram = (file: SourceFile): boolean =>
  /\.(ts|mts|mjs|cjs|js)$/.test(file.path) || /^#!.*\bnode\b/.test(file.text);

/** Gives the line of an offset, counted from 1. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

const regexMayFollow =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|else|void|delete|await|yield|throw))\s*$/;

const literals: Readonly<Record<string, RegExp>> = {
  '"': /"(?:[^"\\\n]|\\[^])*"?/y,
  "'": /'(?:[^'\\\n]|\\[^])*'?/y,
  "/": /\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/\w*/y,
};

/**
 * Blanks what is not code: always comments, and on request the contents of strings, templates and regular expressions.
 * Every character keeps its place, so that offsets and lines stay the same.
 */
export function onlyCode(text: string, blankStrings = true): string {
  const out = [...text.replace(/[^]/gu, (character) => (character.length === 2 ? "xx" : character))];
  const templates: number[] = []; // The depth of braces at which each open template continues.
  let depth = 0;
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to && i < out.length; i++) if (out[i] !== "\n") out[i] = " ";
  };
  const endOf = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from;
    return pattern.exec(text) === null ? text.length : pattern.lastIndex;
  };
  const skipComment = (pattern: RegExp, from: number): number => {
    const end = endOf(pattern, from);
    blank(from, end);
    return end;
  };
  const skipLiteral = (pattern: RegExp, from: number): number => {
    const end = endOf(pattern, from);
    if (blankStrings) blank(from + 1, end - 1);
    return end;
  };
  const skipTemplate = (from: number): number => {
    const end = endOf(/(?:[^\\`$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y, from);
    if (blankStrings) blank(from, end - 1);
    if (text[end - 1] === "{") templates.push(depth++);
    return end;
  };
  const closeBrace = (at: number): number => {
    depth--;
    if (templates.at(-1) !== depth) return at + 1;
    templates.pop();
    return skipTemplate(at + 1);
  };
  const regexMayBegin = (at: number): boolean => regexMayFollow.test(out.slice(Math.max(0, at - 40), at).join(""));
  const skip = (at: number): number => {
    const two = text.slice(at, at + 2);
    const character = text[at] ?? "";
    if (two === "//" || (at === 0 && two === "#!")) return skipComment(/[^\n]*/y, at);
    if (two === "/*") return skipComment(/\/\*[^]*?\*\//y, at);
    if (character === "`") return skipTemplate(at + 1);
    const literal = character === "/" && !regexMayBegin(at) ? undefined : literals[character];
    if (literal !== undefined) return skipLiteral(literal, at);
    if (character === "}") return closeBrace(at);
    if (character === "{") depth++;
    return at + 1;
  };
  for (let at = 0; at < text.length; ) at = skip(at);
  return out.join("");
}

/** One import, `export … from` or dynamic import of a literal. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Whether it imports only types, so that nothing is loaded. */
  readonly typeOnly: boolean;
}

/** Gives what a file imports. */
export function importsOf(text: string): readonly Import[] {
  const code = onlyCode(text, false);
  const masked = onlyCode(text);
  const found: Import[] = [];
  const statement = new RegExp(
    [
      /\b(?:import|export)\b(?<clause>[^;"'`()]*?)\bfrom\s*["']/,
      /\bimport\s*\(?\s*["'`]/,
      /\brequire(?:\.resolve)?\s*\(\s*["'`]/,
    ]
      .map(({ source }) => source)
      .join("|"),
    "g",
  );
  for (const match of masked.matchAll(statement)) {
    const open = match.index + match[0].length;
    const specifier = code.slice(open, code.indexOf(code[open - 1] ?? "", open));
    const clause = match.groups?.["clause"]?.trim() ?? "";
    const names = /^\{(.*)\}$/s
      .exec(clause)?.[1]
      ?.split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    const typeOnly =
      /^type\b/.test(clause) ||
      (names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type ")));
    found.push({ specifier, line: lineAt(text, match.index), typeOnly });
  }
  return found;
}

/** One function with a body in braces or brackets. */
export interface FoundFunction {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** Its parameters as written, without types. */
  readonly parameters: string;
  /** Whether it only groups tests, as the function of a `describe` does. */
  readonly isChapter: boolean;
}

/** Gives the functions of a file, including arrow functions and methods. */
export function functionsOf(path: string, text: string): readonly FoundFunction[] {
  const code = onlyCode(/\.m?ts$/.test(path) ? stripTypeScriptTypes(text) : text);
  const found: FoundFunction[] = [];
  for (const match of code.matchAll(/=>\s*(?<arrow>[{([]?)|\)\s*(?<block>\{)/g)) {
    const isArrow = match[0].startsWith("=>");
    const headEnd = isArrow ? code.slice(0, match.index).trimEnd().length : match.index + 1;
    const headStart =
      code[headEnd - 1] === ")"
        ? openingOf(code, headEnd - 1)
        : headEnd - (/[\w$]*$/.exec(code.slice(0, headEnd))?.[0].length ?? 0);
    const before = code.slice(Math.max(0, headStart - 200), headStart);
    const name = /(?:([\w$]+)\s*(?:=|:)\s*(?:async\s*)?|([\w$]+)\s*)$/.exec(before);
    if (!isArrow && /\b(?:if|for|while|switch|catch|with|await)\s*$/.test(before)) continue;
    const bodyStart = match.index + match[0].length - 1;
    const hasBody = !isArrow || match.groups?.["arrow"] !== "";
    const line = lineAt(code, headStart);
    found.push({
      name: name?.[1] ?? name?.[2] ?? "",
      line,
      lines: hasBody ? lineAt(code, closingOf(code, bodyStart)) - line + 1 : 1,
      parameters: code.slice(headStart, headEnd).replace(/^\(|\)$/g, ""),
      isChapter: /\bdescribe\b[^;{}]*,\s*(?:async\s*)?$/.test(before),
    });
  }
  return found;
}

const closerOf: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function closingOf(code: string, open: number): number {
  const [opener, closer] = [code[open] ?? "", closerOf[code[open] ?? ""]];
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === opener) depth++;
    else if (code[at] === closer && --depth === 0) return at;
  }
  return code.length;
}

function openingOf(code: string, close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (code[at] === ")") depth++;
    else if (code[at] === "(" && --depth === 0) return at;
  }
  return 0;
}

/** A name that a file declares. */
export interface DeclaredName {
  readonly name: string;
  readonly line: number;
}

/**
 * Gives the names that a file declares: variables, functions, classes, types and parameters.
 *
 * Properties are left out, and so are names destructured from an object under their own name. Those are often
 * foreign names, such as the fields of a protocol.
 */
export function declaredNamesOf(path: string, text: string): readonly DeclaredName[] {
  const code = onlyCode(text);
  const declared: DeclaredName[] = [];
  const declaration = new RegExp(
    [
      /\b(?:const|let|var|function\*?|class|interface|enum)\s+(?<name>[A-Za-z_$][\w$]*)/,
      /\btype\s+(?<type>[A-Za-z_$][\w$]*)\s*[=<]/,
    ]
      .map(({ source }) => source)
      .join("|"),
    "g",
  );
  for (const match of code.matchAll(declaration)) {
    const name = match.groups?.["name"] ?? match.groups?.["type"];
    if (name !== undefined) declared.push({ name, line: lineAt(code, match.index) });
  }
  for (const match of code.matchAll(/\b(?:const|let|var)\s*(?<pattern>\{[^=;]*?\}|\[[^=;]*?\])\s*=/g)) {
    declared.push(
      ...boundBy(match.groups?.["pattern"] ?? "").map((name) => ({ name, line: lineAt(code, match.index) })),
    );
  }
  for (const { parameters, line } of functionsOf(path, text))
    declared.push(...boundBy(`[${parameters}]`).map((name) => ({ name, line })));
  return declared;
}

/** Gives the names that a pattern chooses: `[a, b]` chooses both, `{ a, b: c }` only c. */
function boundBy(pattern: string): readonly string[] {
  return partsOf(pattern.slice(1, -1)).flatMap((part) => {
    const value = pattern.startsWith("{") ? /^[\w$]+\s*:\s*([^]*)$/.exec(part)?.[1] : part.replace(/^\.\.\./, "");
    if (value === undefined) return [];
    if (/^[{[]/.test(value)) return boundBy(value.slice(0, closingOf(value, 0) + 1));
    return /^[A-Za-z_$][\w$]*/.exec(value)?.slice(0, 1) ?? [];
  });
}

/** Splits at the commas outside of brackets. */
function partsOf(list: string): readonly string[] {
  const parts: string[] = [""];
  let depth = 0;
  for (const character of list) {
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}
