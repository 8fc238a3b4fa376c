// Reads the frontmatter of a Markdown file as Claude Code does: it must begin on the first line, and a value that YAML
// refuses because it is not quoted is quoted and read again. That second reading is in the source of the runtime and
// is confirmed in github.com/anthropics/claude-code/issues/80890, so `description: Use when: …` is loaded. What is
// refused both times counts for nothing.
import type { ParsedNode } from "yaml";
import type { Place, Text } from "../../place.ts";
import { YamlFile } from "../../yaml-file.ts";
import type { Field, NotLoaded } from "./nodes.ts";

export interface Frontmatter {
  readonly fields: readonly Field[];
  readonly yaml: YamlFile | undefined;
  /** Why Claude Code reads no field. */
  readonly fault: NotLoaded | undefined;
  /** Why nobody should read it: its aliases stand for too many copies. */
  readonly obstacle: string | undefined;
  /** The place of the first field, or the first line. */
  readonly at: Place;
  /** The lines after it, and the number of the first. */
  readonly body: readonly string[];
  readonly bodyLine: number;
}

/** Lines of prose that are longer hold no prose. */
export const lineMax = 4000;

/** Gives the place of a part of a line, counted from 1. */
export const placeIn = (file: string, line: number, column = 1, length = 0): Place => ({
  file,
  line,
  column,
  endLine: line,
  endColumn: column + length,
});

/** Reads the frontmatter and the body. */
export function readFrontmatter(file: string, text: string): Frontmatter {
  const lines = text.split("\n");
  const first = placeIn(file, 1);
  const end = /^---\s*$/.test(lines[0] ?? "") ? lines.findIndex((line, at) => at > 0 && /^---\s*$/.test(line)) : -1;
  if (end === -1) {
    const none = { fields: [], yaml: undefined, obstacle: undefined, at: first, body: lines, bodyLine: 1 };
    return { ...none, fault: withoutFrontmatter(file, lines) };
  }
  const body = { body: lines.slice(end + 1), bodyLine: end + 2, at: placeIn(file, 2) };
  const source = lines.slice(1, end);
  const plain = new YamlFile(file, source.join("\n"), 1);
  const yaml = complaintOf(plain) === undefined ? plain : new YamlFile(file, source.map(quoted).join("\n"), 1);
  if (yaml.obstacle) return { ...body, fields: [], yaml: undefined, fault: undefined, obstacle: yaml.obstacle };
  const complaint = complaintOf(yaml);
  if (complaint !== undefined) {
    const because = `its frontmatter is not YAML (${complaint.message})`;
    const fault: NotLoaded = { reason: "broken-frontmatter", place: complaint.place, because };
    return { ...body, fields: [], yaml: undefined, obstacle: undefined, fault };
  }
  return { ...body, fields: fieldsOf(yaml), yaml, fault: undefined, obstacle: undefined };
}

const fieldsOf = (yaml: YamlFile): readonly Field[] =>
  yaml.pairs(yaml.root).flatMap((pair) => {
    const key = yaml.text(pair.key as ParsedNode);
    if (key === undefined) return [];
    const value = yaml.text(pair.value);
    return [{ key, value, items: yaml.texts(pair.value), place: yaml.pairPlace(pair) }];
  });

/** Equal keys are accepted by the runtime's parser; the last one counts. */
const complaintOf = (yaml: YamlFile) => yaml.complaints.find(({ message }) => !message.startsWith("Map keys must be"));

/** Quotes the value of a simple line if it contains a character that YAML gives a meaning. */
function quoted(line: string): string {
  const [, key, value] = /^([a-zA-Z_-]+):\s+(.+)$/.exec(line) ?? [];
  if (key === undefined || value === undefined) return line;
  if (/^(".*"|'.*')$/.test(value) || !/[{}[\]*&#!|>%@`]|: /.test(value)) return line;
  return `${key}: "${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Says whether a file has none, or has one that begins too late to be read. */
function withoutFrontmatter(file: string, lines: readonly string[]): NotLoaded {
  const late = lines.slice(0, 12).findIndex((line, at) => at > 0 && /^\s*---\s*$/.test(line));
  const isLate = late !== -1 && lines.slice(late + 1, late + 4).some((line) => /^(name|description):\s/.test(line));
  if (isLate) {
    const because = `its frontmatter begins on line ${late + 1} instead of the first`;
    return { reason: "late-frontmatter", place: placeIn(file, 1), because };
  }
  const isOpen = /^---\s*$/.test(lines[0] ?? "") && lines.slice(1, 4).some((line) => /^\w[\w-]*:\s/.test(line));
  const because = isOpen ? "its frontmatter does not end with a line of ---" : "it has no frontmatter";
  return { reason: isOpen ? "broken-frontmatter" : "no-frontmatter", place: placeIn(file, 1), because };
}

/** Gives the field of a name. */
export const fieldOf = (fields: readonly Field[], name: string): Field | undefined =>
  fields.findLast(({ key }) => key.text === name);

/** Gives the entries of a list of tools: a YAML list, or a text with commas, which do not count within parentheses. */
export function toolsOf(field: Field | undefined): readonly Text[] | undefined {
  if (field === undefined || field.items.length === 0) return undefined;
  return field.items.flatMap((item) =>
    item.text
      .split(/,(?![^(]*\))/)
      .map((text) => ({ ...item, text: text.trim() }))
      .filter(({ text }) => text !== ""),
  );
}
