// How the `ballast` command speaks: lines and tables for people, JSON for machines, errors as what, fix and left.
// Colour is for terminals alone, and never the only carrier of a meaning. Knows no command.
import { styleText } from "node:util";
import type { BallastError } from "../errors/catalogue.ts";

/** Writes one text to standard output. */
export const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

/** Writes one value as JSON, in one line, so that a stream of them is NDJSON. */
export const printJson = (value: unknown): void => print(JSON.stringify(value));

type Style = Parameters<typeof styleText>[0];

/** Gives the text in a style where standard output is a terminal that wants one (NO_COLOR is heeded). */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/** Writes an error: to people on standard error, to machines as `{"error": …}` on standard output, where they read. */
export function refuse({ id, message, fix, left }: BallastError, json: boolean): void {
  if (json) return printJson({ error: { id, message, fix, ...(left ? { left } : {}) } });
  const bold = styleText(["bold", "red"], id, { stream: process.stderr });
  process.stderr.write([`${bold}  ${message}`, `  fix   ${fix}`, ...(left ? [`  left  ${left}`] : []), ""].join("\n"));
}

/** Gives rows in columns as wide as their longest text, styled after they are measured. */
export function table(
  rows: readonly (readonly string[])[],
  style: (text: string, row: number, column: number) => string = (text) => text,
): string {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((text, column) => Math.max(text.length, widest[column] ?? 0)),
    [],
  );
  return rows
    .map((row, at) =>
      row
        .map(
          (text, column) =>
            style(text, at, column) + (column === row.length - 1 ? "" : " ".repeat(widths[column]! - text.length)),
        )
        .join("  "),
    )
    .join("\n");
}
