// What a contest of judges is made of: minutes of traffic, and contestants that look at them. Ours and each peer's is one
// contestant; the worlds that make the minutes, and the scores, know no contestant by name.
import { bucketMax } from "../../engines/rollout/judge/durations.ts";

/**
 * So many buckets of durations there are: bucket i holds the requests that took from 2^(i/8) to under 2^((i+1)/8) milliseconds, the first
 * one all that were faster, the last one all that were slower.
 */
export const durationBuckets = bucketMax + 1;

/** What one revision did in one minute. Requests count in the minute in which they ended. */
export interface Arm {
  readonly requests: number;
  /** Answered 5xx, or not answered until the ingress gave up. */
  readonly failed: number;
  /** Answered 4xx. */
  readonly refused: number;
  /** Requests by bucket of duration; they add up to `requests`. */
  readonly durations: readonly number[];
}

/** What happened in one minute, counted from the start of the rollout; minutes before it are negative and have no canary. */
export interface Minute {
  readonly at: number;
  /** The percentage that the canary was given. */
  readonly weight: number;
  readonly canary: Arm;
  readonly stable: Arm;
  /** Probes of the canary's own address, and how many of them failed. */
  readonly probes: number;
  readonly probesFailed: number;
}

/** What a contestant says at the end of a minute: the weight it wants next, and its end once it has come to one. */
export interface Move<State> {
  readonly state: State;
  readonly weight: number;
  readonly ending?: "promoted" | "rolled-back";
  /** Why it stays where it is, in its own word; absent when nothing holds it. */
  readonly held?: string;
}

/** A judge with its rules of advance. It is pure: the same minutes, the same moves. */
export interface Contestant<State = unknown> {
  readonly name: string;
  /** Whether it takes part only where it sets its own weights. */
  readonly onlyOwnWeights?: true;
  /** Gives the state before the first minute, knowing what stable did in the hour before (minutes −60 to −1). */
  readonly start: (history: readonly Minute[]) => State;
  /**
   * Looks once at the end of minute `now`. `arrived` are the minutes that became visible since the last look, oldest first: none while metrics
   * are late or lost, several when they come at once, the same one twice where they are delivered twice.
   */
  readonly look: (state: State, now: number, arrived: readonly Minute[]) => Move<State>;
}
