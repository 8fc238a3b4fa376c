// The longest chain of jobs of a workflow, in seconds that were measured. It needs a time for every job; a workflow of
// which some job was never measured has no chain, because a guess in it would look like a measurement.
import type { JobNode, WorkflowNode } from "./nodes.ts";
import type { WorkflowsView } from "./view.ts";

export interface Chain {
  /** First to last. */
  readonly jobs: readonly JobNode[];
  readonly seconds: number;
  /** The smallest number of runs that a time in it is the median of. */
  readonly runs: number;
}

/** An edge that is left out: `later` then does not wait for `earlier`. */
export interface Removed {
  readonly earlier: JobNode;
  readonly later: JobNode;
}

/** Gives the longest chain, as it is or without one edge. @returns undefined if a job was not measured */
export function criticalPath(view: WorkflowsView, workflow: WorkflowNode, removed?: Removed): Chain | undefined {
  const jobs = view.jobsOf(workflow);
  if (jobs.length === 0 || jobs.some(({ measured }) => measured === undefined)) return undefined;
  const known = new Map<string, Chain>();
  const endingAt = (job: JobNode, depth: number): Chain => {
    const done = known.get(job.id);
    if (done) return done;
    const before = depth > 100 ? [] : view.needsOf(job).filter((need) => !isRemoved(removed, need, job));
    const longest = before.map((need) => endingAt(need, depth + 1)).toSorted(bySeconds)[0];
    const { seconds, runs } = job.measured!;
    const chain: Chain = {
      jobs: [...(longest?.jobs ?? []), job],
      seconds: (longest?.seconds ?? 0) + seconds,
      runs: Math.min(longest?.runs ?? runs, runs),
    };
    known.set(job.id, chain);
    return chain;
  };
  return jobs.map((job) => endingAt(job, 0)).toSorted(bySeconds)[0];
}

const bySeconds = (one: Chain, other: Chain): number => other.seconds - one.seconds;

const isRemoved = (removed: Removed | undefined, need: JobNode, job: JobNode): boolean =>
  removed !== undefined && removed.earlier.id === need.id && removed.later.id === job.id;

/** Writes seconds as people say them. */
export const timeOf = (seconds: number): string =>
  seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
