// Decisions → numbered marks above the charts, in as many rows as it takes that none covers another, however close they lie. It knows
// their places and how wide they are, not what they mean.
import type { Mark } from "./attempts.ts";
import { place, type Time } from "./chart.ts";

/** One mark as it is shown; it stands for one decision or for several that lie too close to be told apart. */
export interface Badge {
  readonly label: string;
  readonly left: number;
  readonly row: number;
  readonly marks: readonly Mark[];
}

/** Decisions closer than this, in percent of the width, share a badge. */
const sameness = 1.2;
/** Widths in percent of the narrowest page: of a number, and of `10–12`. */
const narrow = 9;
const wide = 18;

/** Places the badges. */
export function badgesOf(marks: readonly Mark[], time: Pick<Time, "from" | "to">): readonly Badge[] {
  const groups: { readonly left: number; readonly marks: Mark[] }[] = [];
  for (const mark of marks) {
    const left = place(time, mark.event.at);
    const last = groups.at(-1);
    if (last !== undefined && left - last.left < sameness) last.marks.push(mark);
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
