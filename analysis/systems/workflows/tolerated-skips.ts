// Skips that one job tolerates and that still reach the job behind it: in which situation the first is skipped, the
// second runs all the same, and the third does not.
import { holds, unknown } from "./conditions.ts";
import { parseCondition } from "./expressions.ts";
import type { JobNode } from "./nodes.ts";
import { simulate } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import { inWorld, type World, worldsOf } from "./worlds.ts";

/** Finds a situation in which a job's need runs, an earlier job can be skipped, and the job therefore is. */
export function worldWhereSkipped(
  view: WorkflowsView,
  job: JobNode,
  skipped: JobNode,
  need: JobNode,
): World | undefined {
  const workflow = view.workflowOf(job);
  const own = job.condition && parseCondition(job.condition.text);
  return worldsOf(view, workflow).find((world) => {
    const outcomes = simulate(view, workflow, world);
    // A job that does not ask to run here is not skipped silently.
    if (own && holds(own, { status: () => true, lookup: (path) => inWorld(world, path) }) === false) return false;
    const isSkippable = outcomes.get(skipped.key)?.runs !== true;
    if (!isSkippable || outcomes.get(job.key)?.runs === true) return false;
    return (
      outcomes.get(need.key)?.runs === true ||
      isSkippedAlone(view, job, skipped, need, world) ||
      isToleratedSkip(view, job, skipped, need, world)
    );
  });
}

/** Whether the need's own condition accepts the skip by name, and only outputs decide whether the need runs. */
function isToleratedSkip(view: WorkflowsView, job: JobNode, skipped: JobNode, need: JobNode, world: World): boolean {
  const workflow = view.workflowOf(job);
  const outcomes = simulate(view, workflow, world);
  const isNamed = need.condition?.text.includes(`needs.${skipped.key}.`) === true;
  if (!isNamed || outcomes.get(skipped.key)?.runs !== false || outcomes.get(need.key)?.runs !== unknown) return false;
  const open = view.ancestorsOf(job).filter(({ key }) => outcomes.get(key)?.runs === unknown);
  const [without, all] = withoutAndWith(view, skipped, open, world);
  return without.get(job.key)?.runs === false && all.get(job.key)?.runs !== false;
}

/** Whether a job is skipped with one that nothing decides, while its need runs because of the others. */
function isSkippedAlone(view: WorkflowsView, job: JobNode, skipped: JobNode, need: JobNode, world: World): boolean {
  const workflow = view.workflowOf(job);
  const outcomes = simulate(view, workflow, world);
  const open = view
    .ancestorsOf(job)
    .filter((each) => each.condition !== undefined && outcomes.get(each.key)?.runs === unknown)
    .filter((each) => each.id !== need.id && !view.isBefore(skipped, each));
  if (!open.includes(skipped)) return false;
  const [without, all] = withoutAndWith(view, skipped, open, world);
  return without.get(need.key)?.runs === true && all.get(job.key)?.runs !== false;
}

type Run = ReturnType<typeof simulate>;

/** Simulates the run without a job and the run with it. The other jobs that nothing decides run in both. */
function withoutAndWith(
  view: WorkflowsView,
  skipped: JobNode,
  open: readonly JobNode[],
  world: World,
): readonly [without: Run, all: Run] {
  const run = (isRun: boolean): Run => {
    const assumed = new Map([...open, skipped].map((each) => [each.key, each !== skipped || isRun]));
    return simulate(view, view.workflowOf(skipped), world, { assumed });
  };
  return [run(false), run(true)];
}
