// How long requests took, as counts by bucket. Buckets grow by the same factor, so that a tail of milliseconds and one of
// minutes are told with the same care, and counts of bins add up. It knows neither arms nor limits.
import type { Durations } from "../vocabulary.ts";

/** So many buckets to a doubling. */
export const bucketsPerDoubling = 8;
/** Some four and a half minutes: no ingress waits longer. */
export const bucketMax = 143;

/** Gives the bucket that a duration falls in. */
export const bucketOf = (milliseconds: number): number =>
  milliseconds < 1 ? 0 : Math.min(bucketMax, Math.floor(bucketsPerDoubling * Math.log2(milliseconds)));

/** Gives by how many buckets durations move that take so many times longer. */
export const bucketsOf = (times: number): number => Math.round(bucketsPerDoubling * Math.log2(times));

/** Gives where a bucket ends, in milliseconds. */
export const endOf = (bucket: number): number => 2 ** ((bucket + 1) / bucketsPerDoubling);

/** Writes counts by bucket in their short form; undefined where there are none. */
export function durationsOf(counts: readonly (readonly [bucket: number, count: number])[]): Durations | undefined {
  const filled = counts.filter(([, count]) => count > 0);
  if (filled.length === 0) return undefined;
  const from = Math.min(...filled.map(([bucket]) => bucket));
  const to = Math.max(...filled.map(([bucket]) => bucket));
  const all = Array.from({ length: to - from + 1 }, () => 0);
  for (const [bucket, count] of filled) all[bucket - from]! += count;
  return { from, counts: all };
}

/** Adds what two bins tell. */
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

/** Counts the requests beyond a bucket. */
export function durationsAbove({ from, counts }: Durations, bucket: number): number {
  let sum = 0;
  for (let index = Math.max(0, bucket + 1 - from); index < counts.length; index++) sum += counts[index]!;
  return sum;
}

/** Finds the lowest bucket beyond which there is no more than a share of all requests. */
export function tailOf({ from, counts }: Durations, share: number): number {
  const most = share * counts.reduce((sum, count) => sum + count, 0);
  let beyond = 0;
  let index = counts.length - 1;
  while (index > 0 && beyond + counts[index]! <= most) beyond += counts[index--]!;
  return from + index;
}

/** Gives the duration that a share of the requests did not exceed, in milliseconds, as exactly as buckets tell it. */
export function quantileOf(durations: Durations, share: number): number {
  const tail = tailOf(durations, 1 - share);
  const above = durationsAbove(durations, tail);
  const total = durations.counts.reduce((sum, count) => sum + count, 0);
  const inside = durations.counts[tail - durations.from] ?? 0;
  const part = inside === 0 ? 1 : Math.min(1, Math.max(0, (share * total - (total - above - inside)) / inside));
  return endOf(tail - 1) * (endOf(tail) / endOf(tail - 1)) ** part;
}
