// Series → one chart: curves that stretch with the page, and beside them text that does not. Text is never part of the drawing, so that
// it can be read on a telephone as on a wide screen, and nothing is drawn by a script. It knows no rollout.
import { html, type Markup } from "./markup.ts";

/** A curve; undefined values are gaps. `step` holds each value until the next. */
export interface Curve {
  readonly name: string;
  readonly look: "canary" | "stable" | "against" | "favour";
  readonly step?: boolean;
  readonly points: readonly (readonly [at: number, value: number | undefined])[];
}

/** How values become heights. Both ends are drawn; what lies outside is drawn at the end. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

/** One chart. All charts of a page share the time. */
export interface Chart {
  readonly title: string;
  /** The chart in words, for who cannot see it. */
  readonly said: string;
  readonly curves: readonly Curve[];
  readonly scale: Scale;
  readonly lines?: readonly { readonly value: number; readonly label: string }[];
}

/** What all charts show at the same place. */
export interface Time {
  readonly from: number;
  readonly to: number;
  /** Moments with a line through every chart. */
  readonly marks: readonly number[];
  /** Stretches that are shaded. */
  readonly shaded: readonly { readonly from: number; readonly to: number }[];
}

const width = 1000;
const height = 100;

/** Gives where a moment lies, in percent of the charts' width. */
export const place = ({ from, to }: Pick<Time, "from" | "to">, at: number): number =>
  to === from ? 0 : Math.min(100, Math.max(0, (100 * (at - from)) / (to - from)));

/** Gives a scale from 0 that ends at a round number, for values up to `most`. */
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
  const x = (at: number) => round((place(time, at) * width) / 100);
  const y = (value: number) => round(height - heightOf(chart.scale, value) * height);
  const top = (value: number) => `top:${round(100 - heightOf(chart.scale, value) * 100)}%`;
  const level = (value: number, look: string) =>
    html`<line class="${look}" x1="0" x2="${width}" y1="${y(value)}" y2="${y(value)}"/>`;
  return html`<figure class="chart">
<figcaption><b>${chart.title}</b> ${chart.curves.map(({ name, look }) => html`<span class="key ${look}"><i></i>${name}</span> `)}</figcaption>
<div class="plot" role="img" aria-label="${chart.title}: ${chart.said}">
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">
${time.shaded.map(({ from, to }) => html`<rect class="shaded" x="${x(from)}" width="${round(Math.max(0, x(to) - x(from)))}" y="0" height="${height}"/>`)}
${chart.scale.ticks.map(([value]) => level(value, "grid"))}
${time.marks.map((at) => html`<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height}"/>`)}
${(chart.lines ?? []).map(({ value }) => level(value, "limit"))}
${chart.curves.map((curve) => pieces(curve).map((piece) => html`<polyline class="curve ${curve.look}" points="${widened(corners(piece, curve.step).map(([at, value]) => [x(at), y(value)])).join(" ")}"/>`))}
</svg>
${chart.scale.ticks.map(([value, label]) => html`<span class="tick" style="${top(value)}">${label}</span>`)}
${(chart.lines ?? []).map(({ value, label }) => html`<span class="label" style="${top(value)}">${label}</span>`)}
</div></figure>
`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

type Point = readonly [at: number, value: number];

/** Parts a curve at its gaps. */
function pieces({ points }: Curve): readonly (readonly Point[])[] {
  const found: Point[][] = [[]];
  for (const [at, value] of points) {
    if (value === undefined) found.push([]);
    else found.at(-1)!.push([at, value]);
  }
  return found.filter((piece) => piece.length > 0);
}

/** Draws a lone point as a short line, or it would not be seen. */
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

/** Gives the seconds after `from` that are labelled: round ones, five at the most. */
export function timeTicks({ from, to }: Pick<Time, "from" | "to">): readonly number[] {
  const seconds = (to - from) / 1000;
  const step = steps.find((each) => seconds / each <= 5) ?? Math.ceil(seconds / 5 / 86_400) * 86_400;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}
