// Charts → one panel: the charts one below the other over a shared time axis, with numbered badges above them. The
// numbers are those of the journal's rows.
import type { AnyEvent } from "../engines/kind.ts";
import { type Chart, draw, labelOf, place, type Time, timeTicks } from "./chart.ts";
import { type Badge, badgesOf, type Mark } from "./marks.ts";
import { html, type Markup } from "./markup.ts";
import { gravest, type Tone } from "./tone.ts";

/** What a panel shows. */
export interface Panel<Event extends AnyEvent> extends Pick<Time, "from" | "to" | "shaded"> {
  readonly charts: readonly Chart[];
  readonly marks: readonly Mark<Event>[];
  readonly toneOf: (event: Event) => Tone;
  /** Explains the shaded periods, and what is not drawn. */
  readonly note: string;
}

/** Draws a panel. */
export function panel<Event extends AnyEvent>({ from, to, shaded, charts, marks, toneOf, note }: Panel<Event>): Markup {
  const badges = badgesOf(marks, { from, to });
  const rows = Math.max(0, ...badges.map(({ row }) => row + 1));
  const time: Time = { from, to, marks: badges.map((badge) => badge.marks[0]!.event.at), shaded };
  const tick = (at: number) => html`<span style="left:${place(time, at).toFixed(1)}%">${labelOf(at, time)}</span>`;
  return html`<div class="charts">
<div class="badges" style="height:${rows * badgeRem}rem">${badges.map((badge) => badgeMark(badge, toneOf))}</div>
${charts.map((chart) => draw(chart, time))}
<div class="axis">${timeTicks(time).map(tick)}</div>
<p class="note">Times are UTC, from ${new Date(from).toISOString().slice(0, 10)}.
Numbers refer to the journal below. ${note}</p></div>`;
}

/** The height of a row of badges. */
const badgeRem = 1.6;

function badgeMark<Event extends AnyEvent>(
  { left, row, label, marks }: Badge<Event>,
  toneOf: (event: Event) => Tone,
): Markup {
  const tone = gravest(marks.map(({ event }) => toneOf(event)));
  const style = `left:${left.toFixed(1)}%;top:${row * badgeRem}rem`;
  const title = marks.map(({ message }) => message).join("; ");
  return html`<span class="badge ${tone}" style="${style}" title="${title}">${label}</span>`;
}
