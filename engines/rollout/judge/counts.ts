// How requests are counted, both in measurements and in the evidence made of them.

/** How many requests there were, and how many of them failed (5xx, or no answer). */
export interface Count {
  readonly requests: number;
  readonly failed: number;
}

/**
 * Durations as counts by band, with eight bands to a doubling. `counts[i]` requests took from 2^((from+i)/8) to under
 * 2^((from+i+1)/8) milliseconds; those under one millisecond are in band 0.
 */
export interface Durations {
  readonly from: number;
  readonly counts: readonly number[];
}

/** Adds two counts. */
export const addCounts = (a: Count, b: Count): Count => ({
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
});
