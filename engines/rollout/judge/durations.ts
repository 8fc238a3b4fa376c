// How long requests took, as counts by band. Each band is wider than the one before by the same factor, so that
// milliseconds and minutes have the same relative precision, and the counts of several buckets can be added.
import type { Durations } from "./counts.ts";

/** How many bands a doubling has. */
export const bandsPerDoubling = 8;
/** About four and a half minutes: no ingress waits longer. */
export const bandMax = 143;

/** Gives the band of a duration. */
export const bandOf = (milliseconds: number): number =>
  milliseconds < 1 ? 0 : Math.min(bandMax, Math.floor(bandsPerDoubling * Math.log2(milliseconds)));

/** Gives the number of bands that correspond to a factor. */
const bandsOf = (times: number): number => Math.round(bandsPerDoubling * Math.log2(times));

/** Gives the end of a band, in milliseconds. */
export const endOf = (band: number): number => 2 ** ((band + 1) / bandsPerDoubling);

/** Whole milliseconds that come this near to what is tolerated are near enough. */
const nearly = 0.98;

/**
 * Gives the band up to which a request is no slower than tolerated, if one of stable's may have the band `tail`.
 *
 * Durations are logged in whole milliseconds. Near one millisecond the next longer duration is the double, so a band
 * that is only a little higher would tolerate nothing.
 */
export function toleratedBand(tail: number, slowdown: number): number {
  const bands = bandsOf(slowdown);
  const least = nearly * 2 ** (bands / bandsPerDoubling) * Math.ceil(endOf(tail));
  let band = tail + bands;
  while (bands > 0 && band < bandMax && Math.ceil(endOf(band)) < least) band++;
  return band;
}

/** Packs counts by band; undefined if all are zero. */
export function durationsOf(counts: readonly (readonly [band: number, count: number])[]): Durations | undefined {
  const filled = counts.filter(([, count]) => count > 0);
  if (filled.length === 0) return undefined;
  const from = Math.min(...filled.map(([band]) => band));
  const to = Math.max(...filled.map(([band]) => band));
  const all = Array.from({ length: to - from + 1 }, () => 0);
  for (const [band, count] of filled) all[band - from]! += count;
  return { from, counts: all };
}

/** Adds the durations of two buckets. */
export function mergeDurations(a: Durations | undefined, b: Durations): Durations {
  if (a === undefined) return b;
  const from = Math.min(a.from, b.from);
  const to = Math.max(a.from + a.counts.length, b.from + b.counts.length);
  return {
    from,
    counts: Array.from(
      { length: to - from },
      (_, index) => (a.counts[from + index - a.from] ?? 0) + (b.counts[from + index - b.from] ?? 0),
    ),
  };
}

/** Counts the requests beyond a band. */
export function durationsAbove({ from, counts }: Durations, band: number): number {
  let sum = 0;
  for (let index = Math.max(0, band + 1 - from); index < counts.length; index++) sum += counts[index]!;
  return sum;
}

/** Finds the lowest band with at most a share of all requests beyond it. */
export function tailOf({ from, counts }: Durations, share: number): number {
  const most = share * counts.reduce((sum, count) => sum + count, 0);
  let beyond = 0;
  let index = counts.length - 1;
  while (index > 0 && beyond + counts[index]! <= most) beyond += counts[index--]!;
  return from + index;
}

/** Gives a quantile of the durations, in milliseconds, interpolated within its band. */
export function quantileOf(durations: Durations, share: number): number {
  const tail = tailOf(durations, 1 - share);
  const above = durationsAbove(durations, tail);
  const total = durations.counts.reduce((sum, count) => sum + count, 0);
  const inside = durations.counts[tail - durations.from] ?? 0;
  const part = inside === 0 ? 1 : Math.min(1, Math.max(0, (share * total - (total - above - inside)) / inside));
  return endOf(tail - 1) * (endOf(tail) / endOf(tail - 1)) ** part;
}
