// Many samples → the few numbers that a page shows. Pure; what was measured is not known here.

/** The middle of samples and where half of them lie. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Gives the value below which so many percent of the samples lie, between two samples by how near it is to each. */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) return NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(place);
  return sorted[below]! + (sorted[Math.min(below + 1, sorted.length - 1)]! - sorted[below]!) * (place - below);
}

/** Gives median and quartiles. */
export const spreadOf = (samples: readonly number[]): Spread => ({
  median: percentile(samples, 50),
  low: percentile(samples, 25),
  high: percentile(samples, 75),
});

/**
 * Gives how many times as much one side is as the other, pair by pair.
 *
 * The two of a pair ran one after the other, so that a machine that was slow for a while was so for both.
 */
export const ratios = (ours: readonly number[], theirs: readonly number[]): Spread =>
  spreadOf(ours.slice(0, theirs.length).map((one, index) => one / theirs[index]!));
