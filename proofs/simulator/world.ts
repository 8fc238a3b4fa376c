// What the processes of the simulated control plane share: the loop, the models of cloud and store, and a log of all
// writes that a process sent, which the invariants check.

import type { Orchestrator } from "../../controlplane/runtime/orchestrate.ts";
import type { RolloutEffect, RolloutEvent, RolloutOutcome, Weight } from "../../engines/rollout/vocabulary.ts";
import type { Cloud } from "./cloud.ts";
import type { Host, Loop } from "./loop.ts";
import type { Store } from "./store.ts";
import type { Trouble } from "./trouble.ts";

export const leaseSeconds = 60;

/** One of our writes, at the moment when it was sent. */
export interface Write {
  readonly at: number;
  readonly stream: string;
  /** The length of the journal that asked for it. */
  readonly length: number;
  readonly epoch: number;
  readonly kind: RolloutEffect["kind"];
  readonly weights: readonly Weight[];
  readonly process: string;
  /** When its fence was asked last. */
  readonly fencedAt: number;
  /** How many milliseconds before it the claim was lost; 0 if the claim still held. */
  readonly lateBy: number;
  /** Whether the process slept between its fence and the write. */
  readonly sleptThere: boolean;
}

/** The outcome of a pass as its step recorded it. */
export interface Recorded {
  readonly stream: string;
  /** The length of the journal that asked for it. */
  readonly length: number;
  readonly process: string;
  readonly beganAt: number;
  /** What was performed and when, by the clock of its process; undefined if it was cut short. */
  readonly outcome: RolloutOutcome | undefined;
}

/** What all replicas share. */
export interface World {
  readonly loop: Loop;
  readonly cloud: Cloud;
  readonly store: Store;
  readonly trouble: Trouble;
  readonly writes: Write[];
  /** The outcomes that passes recorded, which the journal must have. */
  readonly recorded: Recorded[];
  /** Adds a line to the story of the run. */
  readonly note: (who: string, what: string) => void;
}

/** One replica of the control plane; `process` names its current process. */
export interface Replica extends Host {
  readonly index: number;
  /** The error of its own clock in milliseconds. */
  skew: number;
  process: string;
  /** The loop of its current process; undefined before it is up. */
  orchestrator?: Orchestrator<RolloutEvent> | undefined;
}
