// Draws the plots of the page as small SVG files, in colours that are readable on light and on dark backgrounds. A plot
// has a row for each cell and a dot for each contestant.
import type { Cell } from "./cells.ts";
import { type Row, type Score, score } from "./scores.ts";

/** One plot: which cells it has, and where each contestant lies on the axis. */
interface Drawing {
  readonly title: string;
  readonly truth: Cell["truth"];
  readonly value: (score: Score) => number | undefined;
  readonly ticks: readonly number[];
  readonly unit: string;
  /** From a value to a share of the axis. */
  readonly place: (value: number) => number;
}

const percents = { ticks: [0, 5, 25, 50, 75, 100], unit: " %", place: (value: number) => Math.sqrt(value / 100) };
const drawings: Readonly<Record<string, Drawing>> = {
  "wrong-promotions": {
    title: "Bad canaries promoted, track B (left is better)",
    truth: "bad",
    value: ({ promoted }) => promoted.percent,
    ...percents,
  },
  "false-rollbacks": {
    title: "Healthy canaries rolled back, track B (left is better)",
    truth: "good",
    value: ({ rolledBack }) => rolledBack.percent,
    ...percents,
  },
  "minutes-to-rollback": {
    title: "Minutes until half of all bad canaries are rolled back, track B (left is better; no dot means never)",
    truth: "bad",
    value: ({ rollbackMinutes }) => rollbackMinutes.median,
    ticks: [1, 2, 5, 10, 20, 50, 180],
    unit: "",
    place: (value) => Math.log(Math.max(1, value)) / Math.log(180),
  },
};

const left = 310;
const width = 460;
const rowHeight = 17;
const colours = [
  "#3b82f6",
  "#10b981",
  "#f59e0b",
  "#8b5cf6",
  "#06b6d4",
  "#84cc16",
  "#ec4899",
  "#a16207",
  "#64748b",
  "#14b8a6",
  "#f97316",
  "#6366f1",
  "#a3a3a3",
];
const colourOf = (index: number): string => colours[index % colours.length]!;
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function draw(
  { title, truth, value, ticks, unit, place }: Drawing,
  rows: readonly Row[],
  cells: readonly Cell[],
  ours: string,
): string {
  const named = cells.filter((cell) => cell.truth === truth);
  const names = [...new Set(rows.map(({ contestant }) => contestant))].sort(
    (one, other) => Number(one === ours) - Number(other === ours),
  );
  const legendTop = 34;
  const top = legendTop + Math.ceil(names.length / 4) * 16 + 22;
  const bottom = top + named.length * rowHeight;
  const x = (at: number): number => left + Math.round(width * place(at) * 10) / 10;
  const dot = (name: string, cx: number, cy: number): string =>
    name === ours
      ? `<circle class="ours" cx="${cx}" cy="${cy}" r="5"/>`
      : `<circle cx="${cx}" cy="${cy}" r="3.2" fill="${colourOf(names.indexOf(name))}" fill-opacity=".8"/>`;
  const legend = names.map((name, index) => {
    const cx = 20 + (index % 4) * 200;
    const cy = legendTop + Math.floor(index / 4) * 16;
    return `${dot(name, cx, cy)}<text x="${cx + 10}" y="${cy + 4}">${escaped(name)}</text>`;
  });
  const grid = ticks.map((tick) => {
    const line = `<path d="M${x(tick)} ${top - 8}V${bottom}"/>`;
    return `${line}<text text-anchor="middle" x="${x(tick)}" y="${bottom + 14}">${tick}${unit}</text>`;
  });
  const lines = named.map((cell, index) => {
    const cy = top + index * rowHeight;
    const dots = names.flatMap((name) => {
      const row = rows.find(
        ({ track, cell: of, contestant }) => track === "B" && of === cell.name && contestant === name,
      );
      const at = row && value(score(row));
      return at === undefined ? [] : [dot(name, x(at), cy)];
    });
    return `<text text-anchor="end" x="${left - 12}" y="${cy + 4}">${escaped(cell.name)}</text>${dots.join("")}`;
  });
  const viewBox = `0 0 ${left + width + 30} ${bottom + 24}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}"
  font-family="system-ui, sans-serif" font-size="11">
<title>${escaped(title)}</title>
<style>text{fill:#767e87}path{stroke:#8886;fill:none}.ours{fill:#e5484d}</style>
<text x="14" y="16" font-size="13" font-weight="600">${escaped(title)}</text>
${[...legend, ...grid, ...lines].join("\n")}
</svg>
`;
}

/** Draws all plots of the page, by the name of the file. */
export const plots = (rows: readonly Row[], cells: readonly Cell[], ours: string): ReadonlyMap<string, string> =>
  new Map(Object.entries(drawings).map(([name, drawing]) => [name, draw(drawing, rows, cells, ours)]));
