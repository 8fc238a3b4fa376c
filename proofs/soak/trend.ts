// Decides whether what a process keeps stays flat while it works. The slope is the median of the slopes between all
// pairs of measurements (Theil and Sen), so that single peaks, such as a rollout in progress, do not count.

/** What a process kept at a moment, after its garbage was collected. */
export interface Measured {
  readonly seconds: number;
  readonly bytes: number;
  readonly handles: number;
}

/** How one quantity went: its median, and by how much it grew over the time that was judged. */
export interface Trend {
  readonly median: number;
  readonly growth: number;
  readonly isFlat: boolean;
}

/** While its program is compiled and its connections open, a process grows without leaking. */
const warmUpShare = 0.2;
/** Growth up to this share of the median, or up to the absolute amount, is noise. */
const shareMax = 0.05;
const amountMax = { bytes: 2 * 1024 * 1024, handles: 3 };

/** Gives the trend of a quantity. With fewer than five measurements nothing can be said, and nothing counts as flat. */
export function trendOf(measured: readonly Measured[], quantity: "bytes" | "handles"): Trend {
  const judged = measured.slice(Math.floor(measured.length * warmUpShare));
  const median = middle(judged.map((each) => each[quantity]));
  if (judged.length < 5) return { median, growth: Number.NaN, isFlat: false };
  const slopes = judged.flatMap((later, index) =>
    judged.slice(0, index).map((earlier) => (later[quantity] - earlier[quantity]) / (later.seconds - earlier.seconds)),
  );
  const growth = middle(slopes) * (judged.at(-1)!.seconds - judged[0]!.seconds);
  return { median, growth, isFlat: growth <= Math.max(median * shareMax, amountMax[quantity]) };
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
