// Applies edits to a text, byte for byte: what no edit names stays as it is, line ends and byte order mark included.
import type { Edit } from "../rule.ts";

/** Applies edits of one file. Edits that overlap are refused. */
export function applyEdits(raw: string, edits: readonly Edit[]): string | undefined {
  const mark = raw.startsWith("\uFEFF") ? "\uFEFF" : "";
  const text = raw.slice(mark.length);
  const hasCarriageReturns = /\r\n/.test(text);
  const starts = lineStarts(text);
  const offset = (line: number, column: number): number => (starts[line - 1] ?? text.length) + column - 1;
  const ranges = edits
    .map(({ place, text: replacement }) => ({
      from: offset(place.line, place.column),
      to: offset(place.endLine, place.endColumn),
      text: hasCarriageReturns ? replacement.replaceAll("\n", "\r\n") : replacement,
    }))
    .toSorted((one, other) => one.from - other.from);
  if (ranges.some(({ from, to }, index) => to < from || to > text.length || from < (ranges[index - 1]?.to ?? 0)))
    return undefined;
  let out = mark;
  let at = 0;
  for (const range of ranges) {
    const before = text.slice(at, range.from);
    // A file may end without a line break; what is inserted at its end begins on a line of its own.
    const isGlued = range.from === text.length && !text.endsWith("\n") && range.text.endsWith("\n");
    out += before + (isGlued ? "\n" : "") + range.text;
    at = range.to;
  }
  return out + text.slice(at);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
