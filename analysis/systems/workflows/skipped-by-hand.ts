// Starts by hand that ask for a job and do not get it: the job's own condition is true, or it has none, and a job that
// it needs is skipped by the very choice that was made.
import { holds } from "./conditions.ts";
import { hasStatusFunction, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode } from "./nodes.ts";
import { isApproval, isGate, shipmentsOf, titleOf } from "./roles.ts";
import { simulate } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import { inWorld, type World, worldsOf } from "./worlds.ts";

/** A job that is skipped although a start by hand asks for it. */
export interface SkippedByHand {
  readonly skipped: JobNode;
  readonly message: string;
}

/** Gives a start by hand that asks for a job and does not get it. */
export function skippedByHand(view: WorkflowsView, job: JobNode): SkippedByHand | undefined {
  const own = job.condition && parseCondition(job.condition.text);
  if (hasStatusFunction(own) || shipmentsOf(view, job).length === 0) return undefined;
  const workflow = view.workflowOf(job);
  const worlds = worldsOf(view, workflow).filter(({ event, via }) => event === "workflow_dispatch" && via.length === 0);
  const skipping = worlds.flatMap((world) => {
    const outcomes = simulate(view, workflow, world);
    const skipped = view.ancestorsOf(job).find(({ key }) => outcomes.get(key)?.runs === false);
    return skipped && outcomes.get(job.key)?.runs === false
      ? [{ skipped: firstOf(view, skipped, outcomes), world }]
      : [];
  });
  const isNever = skipping.length === worlds.length;
  for (const each of skipping) {
    const why = reasonFor(view, job, each, isNever);
    const { skipped, world } = each;
    const message = `Job ${job.key} is skipped on ${world.label}, because ${skipped.key} is, although ${why}.`;
    if (why !== undefined) return { skipped, message };
  }
  return undefined;
}

/** Gives the job with whose condition the skipping begins. */
const firstOf = (view: WorkflowsView, skipped: JobNode, outcomes: ReturnType<typeof simulate>): JobNode =>
  view.ancestorsOf(skipped).findLast(({ key }) => outcomes.get(key)?.runs === false) ?? skipped;

/** Says why the job should run, as the end of a sentence. */
function reasonFor(
  view: WorkflowsView,
  job: JobNode,
  { skipped, world }: { readonly skipped: JobNode; readonly world: World },
  isNever: boolean,
): string | undefined {
  const own = job.condition && parseCondition(job.condition.text);
  const other = skipped.condition && parseCondition(skipped.condition.text);
  const holdsHere = (condition: typeof own): boolean =>
    condition !== undefined &&
    holds(condition, { status: () => true, lookup: (path) => inWorld(world, path) }) === true;
  if (own !== undefined) return holdsHere(own) && readsStart(own) ? "its own condition is true then" : undefined;
  if (other === undefined) return undefined;
  const isInTheWay = isGate(view, skipped) || isApproval(view, skipped) || /approv|gate/i.test(titleOf(skipped));
  if (!isInTheWay) return undefined;
  if (pathsIn(other).some((path) => skipNames.test(path.at(-1) ?? "")))
    return `whoever skips ${skipped.key} wants what stands behind it`;
  const isByEvent = pathsIn(other).every((path) => path.join(".") === "github.event_name");
  return isByEvent && isNever ? "such a start never ships anything" : undefined;
}

const skipNames = /skip|bypass|force|emergency|without|no[_-]?(test|check|gate)/i;

const readsStart = (condition: Parameters<typeof pathsIn>[0]): boolean =>
  pathsIn(condition).some((path) => path[0] === "inputs" || /^github\.event(_name$|\.inputs\.)/.test(path.join(".")));
