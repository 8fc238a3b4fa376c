// How requests are counted, both in measurements and in the evidence made of them.
import { list, number, type ObjectOf, object } from "../../form.ts";

export const countFields = {
  requests: number({ description: "How many requests there were." }),
  failed: number({ description: "How many of them failed: they were answered 5xx, or not at all." }),
};

/** How many requests there were, and how many of them failed (5xx, or no answer). */
export interface Count extends ObjectOf<typeof countFields> {}

const durationFields = { from: number(), counts: list(number()) };
export const durationsForm = object(durationFields, {
  description: "Durations as counts by band, from the band `from` on, with eight bands to a doubling.",
});

/**
 * Durations as counts by band, with eight bands to a doubling. `counts[i]` requests took from 2^((from+i)/8) to under
 * 2^((from+i+1)/8) milliseconds; those under one millisecond are in band 0.
 */
export interface Durations extends ObjectOf<typeof durationFields> {}

/** Adds two counts. */
export const addCounts = (a: Count, b: Count): Count => ({
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
});
