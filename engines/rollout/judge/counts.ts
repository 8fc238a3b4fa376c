// How requests are counted: the two words that both what is measured and what is kept of it are made of. It knows neither.

/** How many requests there were and how many of them failed (5xx, or no answer). */
export interface Count {
  readonly requests: number;
  readonly failed: number;
}

/**
 * How long requests took: counts by bucket, eight buckets to a doubling. `counts[i]` took from 2^((from+i)/8) to under 2^((from+i+1)/8)
 * milliseconds; what took under one millisecond is in bucket 0.
 */
export interface Durations {
  readonly from: number;
  readonly counts: readonly number[];
}
