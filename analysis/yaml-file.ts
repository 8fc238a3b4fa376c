// Reads YAML with the place of every value, also from files that no strict parser accepts. It guards against what a
// stranger's file may hold: aliases are counted before anything expands them, and a file that is too large, too deep
// or not text is refused with the reason.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { Place, Text } from "./place.ts";

/** More bytes than the largest real workflow, by far. */
const charactersMax = 2_000_000;
/** Deeper than any workflow, and shallow enough for every recursion. */
const depthMax = 100;
/** The limit of the `yaml` package for its own expansion. */
const aliasesMax = 100;

type Value = ParsedNode | null | undefined;

/** A parsed file. Values are looked up lazily, so a file is walked only as far as it is used. */
export class YamlFile {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #document: Document.Parsed;
  /** What the YAML parser complains about, with places; the values are usable anyway. */
  readonly complaints: readonly { readonly message: string; readonly place: Place }[];

  constructor(file: string, text: string, lineOffset = 0) {
    this.#file = file;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, strict: true, merge: true });
    this.#offset = lineOffset;
    this.complaints = this.#document.errors.map(({ message, pos }) => ({
      message: message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, ""),
      place: this.#range(pos[0], pos[1]),
    }));
  }
  readonly #offset: number;

  /** Why the file cannot be judged, before its values are used. */
  get obstacle(): string | undefined {
    if (isDeeper(this.#document.contents, depthMax)) return `it is nested deeper than ${depthMax} levels`;
    const count = expansions(this.#document.contents, this.#document);
    return count > aliasesMax ? `its YAML aliases expand to more than ${aliasesMax} copies` : undefined;
  }

  get root(): Value {
    return this.#document.contents as Value;
  }

  #range(from: number, to: number): Place {
    const start = this.#lines.linePos(from);
    const end = this.#lines.linePos(to);
    return {
      file: this.#file,
      line: Math.max(start.line, 1) + this.#offset,
      column: Math.max(start.col, 1),
      endLine: Math.max(end.line, 1) + this.#offset,
      endColumn: Math.max(end.col, 1),
    };
  }

  /** Gives the place of a value as it is written; an alias has the place of the alias. */
  place(value: Value): Place {
    const [from = 0, to = 0] = value?.range ?? [];
    return this.#range(from, to);
  }

  /** Gives the place of a pair: from its key to the end of its value. */
  pairPlace(pair: Pair<ParsedNode, ParsedNode | null>): Place {
    const from = pair.key.range[0];
    return this.#range(from, pair.value?.range?.[1] ?? pair.key.range[1]);
  }

  /** Follows aliases. */
  resolve(value: Value): Value {
    return isAlias(value) ? ((value as Alias).resolve(this.#document) as Value) : value;
  }

  /** Gives the pairs of a mapping, merged ones last; nothing if it is no mapping. */
  pairs(value: Value): readonly Pair<ParsedNode, ParsedNode | null>[] {
    const map = this.resolve(value);
    if (!isMap(map)) return [];
    const all = (map as YAMLMap<ParsedNode, ParsedNode | null>).items;
    const own = all.filter((pair) => keyOf(pair) !== "<<");
    const merged = all
      .filter((pair) => keyOf(pair) === "<<")
      .flatMap(({ value: sources }) => {
        const source = this.resolve(sources);
        return isSeq(source) ? source.items.flatMap((each) => this.pairs(each as Value)) : this.pairs(source);
      });
    const names = new Set(own.map(keyOf));
    return [...own, ...merged.filter((pair) => !names.has(keyOf(pair)))];
  }

  /** Gives the value under a key. */
  get(value: Value, key: string): Value {
    return this.pair(value, key)?.value;
  }

  pair(value: Value, key: string): Pair<ParsedNode, ParsedNode | null> | undefined {
    return this.pairs(value).find((pair) => keyOf(pair) === key);
  }

  /** Gives the items of a sequence; a single value counts as one item, nothing as none. */
  items(value: Value): readonly Value[] {
    const resolved = this.resolve(value);
    if (isSeq(resolved)) return resolved.items as readonly Value[];
    return resolved === null || resolved === undefined || isEmptyScalar(resolved) ? [] : [value];
  }

  isMap(value: Value): boolean {
    return isMap(this.resolve(value));
  }

  isSequence(value: Value): boolean {
    return isSeq(this.resolve(value));
  }

  /** Gives a scalar as text, as GitHub reads it; undefined for everything else and for an empty value. */
  text(value: Value): Text | undefined {
    const scalar = this.resolve(value);
    if (!isScalar(scalar) || isEmptyScalar(scalar)) return undefined;
    const isBlock = scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED";
    const written = typeof scalar.value === "string" ? scalar.value : (scalar.source ?? String(scalar.value));
    return { text: written, place: this.place(value), isBlock };
  }

  /** Gives the scalars of a sequence, or the one scalar. */
  texts(value: Value): readonly Text[] {
    return this.items(value).flatMap((each) => this.text(each) ?? []);
  }

  /** Gives the scalar entries of a mapping. */
  entries(value: Value): readonly { readonly key: Text; readonly value: Text }[] {
    return this.pairs(value).flatMap((pair) => {
      const key = this.text(pair.key);
      const text = this.text(pair.value);
      return key && text ? [{ key, value: text }] : [];
    });
  }

  /** Gives every scalar below a value, keys left out. */
  scalars(value: Value): readonly Text[] {
    const resolved = this.resolve(value);
    if (isMap(resolved)) return this.pairs(resolved as Value).flatMap((pair) => this.scalars(pair.value));
    if (isSeq(resolved)) return (resolved.items as Value[]).flatMap((each) => this.scalars(each));
    const text = this.text(value);
    return text ? [text] : [];
  }
}

const isEmptyScalar = (value: Value): boolean => isScalar(value) && value.value === null;

export const keyOf = ({ key }: Pair<ParsedNode, ParsedNode | null>): string => (isScalar(key) ? String(key.value) : "");

/** Says why a text cannot be parsed at all. */
export function refusal(text: string): string | undefined {
  if (text.length > charactersMax) return `it has more than ${charactersMax} characters`;
  if (text.includes("\0")) return "it is not a text file";
  return undefined;
}

/** Whether a value is nested deeper than so many levels. It does not recurse further than that. */
function isDeeper(value: unknown, levels: number): boolean {
  if (levels < 0) return true;
  if (isMap(value)) return value.items.some(({ value: each }) => isDeeper(each, levels - 1));
  return isSeq(value) && value.items.some((each) => isDeeper(each, levels - 1));
}

/**
 * Counts the copies that aliases stand for, with nested ones multiplied, and stops beyond the limit. The document is
 * not expanded for it: the size of each anchor is computed once.
 */
function expansions(root: unknown, document: Document.Parsed): number {
  const sizes = new Map<unknown, number>();
  const sizeOf = (value: unknown, depth: number): number => {
    if (depth > depthMax * 4) return Number.POSITIVE_INFINITY; // aliases within aliases
    if (isAlias(value)) {
      const target = value.resolve(document);
      if (target === undefined) return 0;
      const known = sizes.get(target);
      if (known !== undefined) return 1 + known;
      sizes.set(target, Number.POSITIVE_INFINITY); // an anchor within itself
      const size = sizeOf(target, depth + 1);
      sizes.set(target, size);
      return 1 + size;
    }
    if (isMap(value))
      return value.items.reduce((sum, { key, value: each }) => sum + sizeOf(key, depth) + sizeOf(each, depth + 1), 0);
    if (isSeq(value)) return value.items.reduce<number>((sum, each) => sum + sizeOf(each, depth + 1), 0);
    return 0;
  };
  return sizeOf(root, 0);
}
