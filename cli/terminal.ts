// Output of the `ballast` command: lines and tables for people, JSON for machines, errors with their fix. Colour is
// used on terminals only, and no meaning depends on it.
import { styleText } from "node:util";
import type { BallastError } from "../errors/catalogue.ts";

/** Writes a text to standard output, ending in a line break. */
export const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

/** Writes a value as JSON on one line, so that several values make NDJSON. */
export const printJson = (value: unknown): void => print(JSON.stringify(value));

type Style = Parameters<typeof styleText>[0];

/** Styles a text if standard output is a terminal that shows colour (NO_COLOR is respected). */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/** Writes an error: to standard error for people, or as `{"error": …}` to standard output for machines. */
export function printError({ id, message, fix, left }: BallastError, json: boolean): void {
  if (json) return printJson({ error: { id, message, fix, ...(left ? { left } : {}) } });
  const bold = styleText(["bold", "red"], id, { stream: process.stderr });
  process.stderr.write([`${bold}  ${message}`, `  fix   ${fix}`, ...(left ? [`  left  ${left}`] : []), ""].join("\n"));
}

/** Aligns rows in columns. The style is applied after measuring, since it adds characters that take no room. */
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
        .map((text, column) => {
          const padding = column === row.length - 1 ? "" : " ".repeat(widths[column]! - text.length);
          return style(text, at, column) + padding;
        })
        .join("  "),
    )
    .join("\n");
}
