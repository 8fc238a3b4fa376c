// What the judge keeps of a rollout, as plain values: the types between the buckets that arrive and the verdict.
// gather.ts fills them, judge.ts reads them.
import type { Instant } from "../../time.ts";
import type { Count, Durations } from "./counts.ts";

/**
 * What is compared in the same buckets: failures, refusals, and requests beyond five quantiles of stable's durations,
 * two in the body of the distribution and three in its tail.
 */
export type MetricName = "failed" | "refused" | "p50" | "p75" | "p95" | "p99" | "p999";

/** What is judged at 100 percent, when there is no stable to compare with. */
export type AloneName = "failed" | "p95";

/** The requests of both arms, and how many of them were bad by one metric. */
export interface Table {
  readonly canary: number;
  readonly canaryBad: number;
  readonly stable: number;
  readonly stableBad: number;
}

/** The evidence so far by one metric, in natural logarithms, one for each alternative that is weighed. */
export interface Metric {
  /** Against the canary, since the rollout began and since this step began. */
  readonly whole: readonly number[];
  readonly step: readonly number[];
  /** The final `step` evidence of earlier steps, weighted; a plain number, not a logarithm. */
  readonly settled: number;
  /** In favour of the canary, since this step began. It stays zero if a promotion does not need it. */
  readonly favour: number;
  /** The requests that it is made of; those of bursts count in part. */
  readonly favourTable: Table;
  /** Stable's usual share of bad requests when this step began. */
  readonly usual: number;
  readonly wholeTable: Table;
  readonly stepTable: Table;
}

/** Requests, and how many of them were bad. */
export type Counted = readonly [requests: number, bad: number];

/**
 * How unevenly bad requests arrive: squared differences between neighbouring blocks of stable's buckets, in units of
 * chance, so 1 on average without bursts. The sum of the pairs, of their squares, and of their requests.
 */
export interface Noise {
  readonly pairs: number;
  readonly sum: number;
  readonly requests: number;
  /** Stable's previous block, if it was not sick. */
  readonly before?: Counted;
  /** The block that is not full yet. */
  readonly open?: Counted;
}

/** What is normal for stable: its buckets while it was not sick, including those before the rollout. */
export interface Baseline extends Count {
  readonly refused: number;
  /** Kept until all tails are known. */
  readonly durations?: Durations;
  /** The band beyond which a request is in the tail. */
  readonly tails: { readonly [Name in MetricName]?: number };
  /** By the length of the blocks. */
  readonly noise: { readonly [Name in MetricName]: readonly Noise[] };
  /** How many buckets are in the open blocks. */
  readonly blockBuckets: number;
  /** How many of stable's requests took a minute or more. */
  readonly long: number;
  /** How often stable has become sick. */
  readonly incidents: number;
}

/** Everything that the judge keeps during a rollout: never more than a few kilobytes. */
export interface Evidence {
  readonly baseline: Baseline;
  readonly metrics: { readonly [Name in MetricName]: Metric };
  /** The evidence by failures since the rollout began, as if they did not come in bursts. */
  readonly untempered: readonly number[];
  /** How many steps have begun, including skipped ones. */
  readonly begun: number;
  /** Until then the canary has just started, and slow requests count little. */
  readonly startUntil: Instant;
  /** Against the canary at 100 percent, by its own shares of bad requests. */
  readonly alone: { readonly [Name in AloneName]: readonly number[] };
  /** How many buckets of this step were judged. */
  readonly intervals: number;
  /** The requests of both arms in this step: judged, during warm-up, and while stable was sick. */
  readonly canary: Count;
  readonly stable: Count;
  readonly coldCanary: Count;
  readonly coldStable: Count;
  readonly sickCanary: Count;
  readonly sickStable: Count;
  /** What was wrong in the latest bucket, if anything. */
  readonly sick: "stable-sick" | "shared-outage" | undefined;
}
