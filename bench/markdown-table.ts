// The tables of the two benchmark pages, docs/evidence/judge.md and docs/evidence/performance.md, in Markdown. Cells
// are written as they are: a cell must not contain a vertical bar.

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** Renders a table with one row of headings, without a line break at its end. */
export const markdownTable = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
