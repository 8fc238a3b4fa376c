// What a run history says about one job. It stands alone, because nodes and the reading of histories both have it.
// Every number in a report that comes from here is called measured.

/** How long something took. */
export interface Measured {
  /** The median. */
  readonly seconds: number;
  readonly runs: number;
}
