// What a run history says about one job. It stands alone, because nodes and the reading of histories both have it.
// Every number in a report that comes from here is called measured.

/** How long something took, and what it cost to get there. */
export interface Measured {
  /** The median, from the first start of its legs to the last end. */
  readonly seconds: number;
  readonly runs: number;
  /** The median of what all its legs took together. */
  readonly machineSeconds: number;
  /** How long it waited for a machine after it could have started; undefined below thirty starts. */
  readonly wait?: Wait | undefined;
  /** Runs in which it failed and then passed on the same commit; undefined below ten runs. */
  readonly retries?: Retries | undefined;
}

export interface Wait {
  /** The median. */
  readonly seconds: number;
  /** Nine starts in ten waited no longer. */
  readonly ninetieth: number;
  readonly starts: number;
}

export interface Retries {
  readonly passed: number;
  readonly runs: number;
}
