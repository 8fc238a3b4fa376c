// What the judge keeps of a rollout, as plain values: the nouns between the bins that come and the verdict that is given. How
// they are filled is gather's business, what follows from them the judge's.
import type { Count, Durations } from "./counts.ts";

/** The kinds of badness that are compared in the same bins: failures, refusals, and three tails of the durations. */
export type StrandName = "failed" | "refused" | "p95" | "p99" | "p999";

/** What is looked at where nobody else is asked in the same minutes. */
export type AloneName = "failed" | "p95";

/** Requests of both arms, and how many of them were bad in the strand's own sense. */
export interface Table {
  readonly canary: number;
  readonly canaryBad: number;
  readonly stable: number;
  readonly stableBad: number;
}

/** What the bins so far say in one kind of badness. Evidence is in natural logarithms, one for each alternative that is weighed. */
export interface Strand {
  /** Against the canary, since the rollout began and since this step began. */
  readonly whole: readonly number[];
  readonly step: readonly number[];
  /** What earlier steps' `step` came to in the end, weighed; a plain number, not a logarithm. */
  readonly settled: number;
  /** In favour of the canary, since this step began: by odds, then by its own share of bad requests; zeros where a promotion does not ask for it. */
  readonly favour: readonly number[];
  readonly wholeTable: Table;
  readonly stepTable: Table;
}

/** How unevenly something bad comes: squared differences between neighbouring blocks of stable's bins in units of chance, so 1 on average without bursts. */
export interface Noise {
  readonly pairs: number;
  readonly sum: number;
  readonly requests: number;
  /** The same between neighbouring bins: bursts that last make blocks differ, and bins alike. */
  readonly binPairs: number;
  readonly binSum: number;
}

/** What stable is usually like, by bins in which it was not sick, those before the rollout included. */
export interface Usual extends Count {
  readonly refused: number;
  /** Until the tails are known. */
  readonly durations?: Durations;
  /** The bucket beyond which a request is in the tail. */
  readonly tails: { readonly [Name in StrandName]?: number };
  readonly noise: { readonly [Name in StrandName]: Noise };
  /** What stable did in the bin before, by strand. */
  readonly last: { readonly [Name in StrandName]?: readonly [requests: number, bad: number] };
  /** What stable did in the block of bins before, and in the one that is not full yet, by strand. */
  readonly before: { readonly [Name in StrandName]?: readonly [requests: number, bad: number] };
  readonly block: { readonly [Name in StrandName]?: readonly [requests: number, bad: number] };
  readonly blockBins: number;
  /** How often stable has fallen sick. */
  readonly incidents: number;
}

/** All that the judge keeps: as long as the rollout, but not longer than a few kilobytes. */
export interface Evidence {
  readonly usual: Usual;
  readonly strands: { readonly [Name in StrandName]: Strand };
  /** What the strand of failures would be since the rollout began, if they did not come in bursts. */
  readonly untempered: readonly number[];
  /** How many steps have begun, those that were skipped included. */
  readonly begun: number;
  /** Against the canary at 100 percent, where only its own shares of bad requests can be looked at. */
  readonly alone: { readonly [Name in AloneName]: readonly number[] };
  /** What both arms did in this step: judged, while the canary warmed up, while stable was sick. */
  readonly canary: Count;
  readonly stable: Count;
  readonly coldCanary: Count;
  readonly coldStable: Count;
  readonly sickCanary: Count;
  readonly sickStable: Count;
  /** What was wrong with the latest bin; undefined where nothing was. */
  readonly sick: "stable-sick" | "shared-outage" | undefined;
}
