// Reduces samples to the numbers that the page shows: median, quartiles, percentiles and ratios.

/** The median and the quartiles of samples. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Gives a percentile, interpolated linearly between samples. */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) return NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(rank);
  return sorted[below]! + (sorted[Math.min(below + 1, sorted.length - 1)]! - sorted[below]!) * (rank - below);
}

/** Gives median and quartiles. */
export const spreadOf = (samples: readonly number[]): Spread => ({
  median: percentile(samples, 50),
  low: percentile(samples, 25),
  high: percentile(samples, 75),
});

/**
 * Gives the ratios of one side to the other, pair by pair.
 *
 * The two samples of a pair were taken one after the other, so that a slow phase of the machine hits both.
 */
export const ratios = (ours: readonly number[], theirs: readonly number[]): Spread =>
  spreadOf(ours.slice(0, theirs.length).map((one, index) => one / theirs[index]!));
