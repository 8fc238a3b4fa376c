// The types of the contest: minutes of traffic, and contestants that look at them.
// Our judge and each peer is one contestant.
import { bandMax } from "../../engines/rollout/judge/durations.ts";

/**
 * The number of duration bands. Band i holds the requests that took from 2^(i/8) to under 2^((i+1)/8) milliseconds; the
 * first band also holds all faster ones, the last one all slower ones.
 */
export const durationBands = bandMax + 1;

/** The requests of one revision in one minute. A request counts in the minute in which it ends. */
export interface Arm {
  readonly requests: number;
  /** Requests answered 5xx, or not answered before the ingress timed out. */
  readonly failed: number;
  /** Requests answered 4xx. */
  readonly refused: number;
  /** Requests by band of duration; their sum is `requests`. */
  readonly durations: readonly number[];
}

/** One minute of traffic, numbered from the start of the rollout. Minutes before it are negative and have no canary. */
export interface Minute {
  readonly at: number;
  /** The canary's weight in percent. */
  readonly weight: number;
  readonly canary: Arm;
  readonly stable: Arm;
  /** Probes of the canary's own address. */
  readonly probes: number;
  readonly probesFailed: number;
}

/** What a contestant decides at the end of a minute: the next weight, and the ending if it has one. */
export interface Move<State> {
  readonly state: State;
  readonly weight: number;
  readonly ending?: "promoted" | "rolled-back";
  /** Why it waits at its weight, in its own words; absent if it does not wait. */
  readonly waiting?: string;
}

/** A judge with its rules of advance. It is pure: the same minutes give the same moves. */
export interface Contestant<State = unknown> {
  readonly name: string;
  /** What it decides by, in one line for the page; absent for those that only `--contestant` names. */
  readonly about?: string;
  /** Set if it takes part only in the track in which contestants set their own weights. */
  readonly onlyOwnWeights?: true;
  /** The least minutes after which it can promote; if a run has fewer, it is ranked apart. */
  readonly leastMinutes?: number;
  /** Gives the state before the first minute from stable's hour before it (minutes −60 to −1). */
  readonly start: (history: readonly Minute[]) => State;
  /**
   * Looks once at the end of minute `now`. `arrived` are the minutes that became visible since the
   * last look, oldest first: none while metrics are late or lost, several if they arrive at once,
   * one minute twice if it is delivered twice.
   */
  readonly look: (state: State, now: number, arrived: readonly Minute[]) => Move<State>;
}
