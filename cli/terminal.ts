// Output of the `ballast` command: lines and tables for people, JSON for machines, errors with their fix. Colour is
// used on terminals only, and no meaning depends on it.
import { inspect } from "node:util";
import type { BallastError } from "../errors/catalogue.ts";

/** Writes a text to standard output, ending in a line break. */
export const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

/** Writes a value as JSON on one line, so that several values make NDJSON. */
export const printJson = (value: unknown): void => print(JSON.stringify(value));

type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan" | "reset";

/**
 * Reports whether a stream gets colour: if it is a terminal, unless NO_COLOR or FORCE_COLOR decides otherwise.
 *
 * `styleText` of Node decides this itself, but only from Node 22 on. FORCE_COLOR wins, as in Node, and `0` or `false`
 * there means no colour.
 */
export function showsColour({ isTTY }: { readonly isTTY?: boolean }, environment = process.env): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = environment;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return !refused && terminal !== "dumb" && isTTY === true;
}

function styledOn(stream: NodeJS.WriteStream, styles: readonly Style[], text: string): string {
  if (!showsColour(stream)) return text;
  const codes = styles.map((style) => inspect.colors[style]!);
  return `${codes.map(([on]) => `\x1b[${on}m`).join("")}${text}${codes.map(([, off]) => `\x1b[${off}m`).join("")}`;
}

/** Styles a text if standard output shows colour. */
export const styled = (style: Style, text: string): string => styledOn(process.stdout, [style], text);

/** Writes an error: to standard error for people, or as `{"error": …}` to standard output for machines. */
export function printError({ id, message, fix, left }: BallastError, json: boolean): void {
  if (json) return printJson({ error: { id, message, fix, ...(left ? { left } : {}) } });
  const bold = styledOn(process.stderr, ["bold", "red"], id);
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
