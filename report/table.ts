// Rows → a table of a section. On a narrow page each row becomes a block in which every value has its column's name, so
// that nothing is cut off. The style makes the last value of a row bold, in the row's colour.
import { html, type Markup } from "./markup.ts";
import type { Tone } from "./tone.ts";

/** A column: its name, and what it says about a row. */
export type Column<Row> = readonly [name: string, of: (row: Row) => string];

/** Makes a table. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], toneOf: (row: Row) => Tone): Markup {
  const rowOf = (row: Row) => {
    const cells = columns.map(([name, of]) => html`<td data-name="${name}">${of(row)}</td>`);
    return html`<tr class="${toneOf(row)}">${cells}</tr>`;
  };
  const head = columns.map(([name]) => html`<th>${name}</th>`);
  return html`<table><thead><tr>${head}</tr></thead>
<tbody>${rows.map(rowOf)}</tbody></table>`;
}
