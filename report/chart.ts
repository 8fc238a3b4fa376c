// Series → one chart: curves that stretch with the page, and text that does not. Text is never part of the drawing, so
// that it stays readable on a phone. No script is needed.
import { html, type Markup } from "./markup.ts";

/** A curve; undefined values are gaps. `step` holds each value until the next. */
export interface Curve {
  readonly name: string;
  /** One of the curves of the kind's style. */
  readonly look: string;
  readonly step?: boolean;
  readonly points: readonly (readonly [at: number, value: number | undefined])[];
}

/** How values become heights. Values outside the range are drawn at its end. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

/** One chart. All charts of a page share the time. */
export interface Chart {
  readonly title: string;
  /** A description for people who cannot see the chart. */
  readonly description: string;
  readonly curves: readonly Curve[];
  readonly scale: Scale;
  readonly lines?: readonly { readonly value: number; readonly label: string }[];
}

/** The time axis that all charts share. */
export interface Time {
  readonly from: number;
  readonly to: number;
  /** Moments with a line through every chart. */
  readonly marks: readonly number[];
  /** Periods that are shaded. */
  readonly shaded: readonly { readonly from: number; readonly to: number }[];
}

const width = 1000;
const height = 100;

/** Gives the position of a moment, in percent of the charts' width. */
export const place = ({ from, to }: Pick<Time, "from" | "to">, at: number): number =>
  to === from ? 0 : Math.min(100, Math.max(0, (100 * (at - from)) / (to - from)));

/** Gives a scale from 0 to a round number, for values up to `most`. */
export function roundScale(most: number, least: number, unit: (value: number) => string): Scale {
  const wanted = Math.max(most, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const high = ([1, 2, 5, 10].find((factor) => factor * power >= wanted * 0.999) ?? 10) * power;
  return { low: 0, high, ticks: [0, high / 2, high].map((value) => [value, unit(value)]) };
}

const heightOf = ({ low, high, log }: Scale, value: number): number => {
  const bounded = Math.min(high, Math.max(low, value));
  return log ? (Math.log(bounded) - Math.log(low)) / (Math.log(high) - Math.log(low)) : (bounded - low) / (high - low);
};

/** Draws one chart. */
export function draw(chart: Chart, time: Time): Markup {
  const top = (value: number) => `top:${round(100 - heightOf(chart.scale, value) * 100)}%`;
  return html`<figure class="chart">
<figcaption><b>${chart.title}</b> ${chart.curves.map(key)}</figcaption>
<div class="plot" role="img" aria-label="${chart.title}: ${chart.description}">
${drawing(chart, time)}
${chart.scale.ticks.map(([value, label]) => html`<span class="tick" style="${top(value)}">${label}</span>`)}
${(chart.lines ?? []).map(({ value, label }) => html`<span class="label" style="${top(value)}">${label}</span>`)}
</div></figure>
`;
}

const key = ({ name, look }: Curve): Markup => html`<span class="key ${look}"><i></i>${name}</span> `;

/** Draws what stretches: shades, grid, marks and curves. */
function drawing({ scale, curves, lines = [] }: Chart, time: Time): Markup {
  const x = (at: number) => round((place(time, at) * width) / 100);
  const y = (value: number) => round(height - heightOf(scale, value) * height);
  const shade = ({ from, to }: Time["shaded"][number]) => {
    const wide = round(Math.max(0, x(to) - x(from)));
    return html`<rect class="shaded" x="${x(from)}" width="${wide}" y="0" height="${height}"/>`;
  };
  const level = (value: number, look: string) =>
    html`<line class="${look}" x1="0" x2="${width}" y1="${y(value)}" y2="${y(value)}"/>`;
  const mark = (at: number) => html`<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height}"/>`;
  const line = ({ look, step }: Curve, piece: readonly Point[]) => {
    const points = widened(corners(piece, step).map(([at, value]) => [x(at), y(value)]));
    return html`<polyline class="curve ${look}" points="${points.join(" ")}"/>`;
  };
  return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">
${time.shaded.map(shade)}
${scale.ticks.map(([value]) => level(value, "grid"))}
${time.marks.map(mark)}
${lines.map(({ value }) => level(value, "limit"))}
${curves.map((curve) => pieces(curve).map((piece) => line(curve, piece)))}
</svg>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

type Point = readonly [at: number, value: number];

/** Splits a curve at its gaps. */
function pieces({ points }: Curve): readonly (readonly Point[])[] {
  const found: Point[][] = [[]];
  for (const [at, value] of points) {
    if (value === undefined) found.push([]);
    else found.at(-1)!.push([at, value]);
  }
  return found.filter((piece) => piece.length > 0);
}

/** Draws a single point as a short line, so that it can be seen. */
const widened = (points: readonly Point[]): readonly Point[] =>
  points.length > 1
    ? points
    : points.flatMap(([x, y]): readonly Point[] => [
        [Math.max(0, x - 8), y],
        [Math.min(width, x + 8), y],
      ]);

const corners = (points: readonly Point[], step = false): readonly Point[] =>
  step
    ? points.flatMap((point, index): readonly Point[] =>
        index === 0 ? [point] : [[point[0], points[index - 1]![1]], point],
      )
    : points;

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Gives the moments that are labelled: round ones of the clock (UTC), at most five steps. */
export function timeTicks({ from, to }: Pick<Time, "from" | "to">): readonly number[] {
  const seconds = (to - from) / 1000;
  const step = 1000 * (steps.find((each) => seconds / each <= 5) ?? Math.ceil(seconds / 5 / 86_400) * 86_400);
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}

/** Labels moments of an axis: by the minute, by the second if it is short, and by the day if it is long. */
export function labelOf(at: number, { from, to }: Pick<Time, "from" | "to">): string {
  const text = new Date(at).toISOString();
  if (to - from > 5 * 86_400_000) return text.slice(5, 10);
  return to - from < 300_000 ? text.slice(11, 19) : text.slice(11, 16);
}
