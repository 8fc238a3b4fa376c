// Which failures before a job do not stop it. A rule asks for each earlier job that could fail: would this job run all
// the same? The answer comes from simulated runs in every situation, so it follows the runner's rules.
import type { JobNode } from "./nodes.ts";
import { simulate } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import { type World, worldsOf } from "./worlds.ts";

/** A failure that a job ignores. */
export interface Masked {
  readonly failed: JobNode;
  readonly world: World;
}

/** Gives the earlier jobs whose failure does not stop a job that otherwise runs, with a situation for each. */
export function maskedFailures(view: WorkflowsView, job: JobNode): readonly Masked[] {
  const workflow = view.workflowOf(job);
  const worlds = worldsOf(view, workflow);
  return view.ancestorsOf(job).flatMap((failed) => {
    const world = worlds.find((each) => {
      const well = simulate(view, workflow, each);
      if (well.get(job.key)?.runs === false || well.get(failed.key)?.runs === false) return false;
      return simulate(view, workflow, each, new Set([failed.key])).get(job.key)?.runs === true;
    });
    return world ? [{ failed, world }] : [];
  });
}
