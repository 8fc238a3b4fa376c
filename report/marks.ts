// Decisions → numbered badges above the charts, in as many rows as needed so that none covers another.
import type { AnyEvent } from "../engines/kind.ts";
import { place, type Time } from "./chart.ts";

/** A decision or signal that is marked in the charts. Marks are numbered over the whole page. */
export interface Mark<Event extends AnyEvent> {
  readonly number: number;
  readonly event: Event;
  readonly message: string;
}

/** One badge: a decision, or several that are too close together to be drawn apart. */
export interface Badge<Event extends AnyEvent> {
  readonly label: string;
  readonly left: number;
  readonly row: number;
  readonly marks: readonly Mark<Event>[];
}

/** Decisions closer than this, in percent of the width, share a badge. */
const mergeBelow = 1.2;
/** The widths of a number and of `10–12`, in percent of the narrowest page. */
const narrow = 9;
const wide = 18;

/** Places the badges. */
export function badgesOf<Event extends AnyEvent>(
  marks: readonly Mark<Event>[],
  time: Pick<Time, "from" | "to">,
): readonly Badge<Event>[] {
  const groups: { readonly left: number; readonly marks: Mark<Event>[] }[] = [];
  for (const mark of marks) {
    const left = place(time, mark.event.at);
    const last = groups.at(-1);
    if (last !== undefined && left - last.left < mergeBelow) last.marks.push(mark);
    else groups.push({ left, marks: [mark] });
  }
  const free: number[] = [];
  return groups.map(({ left, marks: own }) => {
    const half = (own.length > 1 ? wide : narrow) / 2;
    const found = free.findIndex((until) => until <= left - half);
    const row = found === -1 ? free.length : found;
    free[row] = left + half;
    return {
      label: own.length > 1 ? `${own[0]!.number}–${own.at(-1)!.number}` : String(own[0]!.number),
      left,
      row,
      marks: own,
    };
  });
}
