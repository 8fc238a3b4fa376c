// Which failures before a job do not stop it. A rule asks for each earlier job that could fail: would this job run all
// the same? The answer comes from simulated runs in every situation, so it follows the runner's rules.
import { unknown } from "./conditions.ts";
import { expressionsIn, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode } from "./nodes.ts";
import { isCheckStep } from "./roles.ts";
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
    const failing = new Set([failed.key]);
    const world = worlds.find((each) => {
      const well = simulate(view, workflow, each);
      if (well.get(job.key)?.runs === false || well.get(failed.key)?.runs === false) return false;
      const runs = simulate(view, workflow, each, { failing }).get(job.key)?.runs;
      if (runs !== unknown) return runs === true;
      const early = simulate(view, workflow, each, { failing, losesOutputs: true }).get(job.key)?.runs;
      return early === true || keepsOutput(view, job, failed, each) || runsForOthers(view, job, failed, each);
    });
    return world ? [{ failed, world }] : [];
  });
}

/** Whether a job may run after a failure because of an output that was written before. */
function keepsOutput(view: WorkflowsView, job: JobNode, failed: JobNode, world: World): boolean {
  if (!asksEarlyOutput(view, job, failed)) return false;
  const given = { failing: new Set([failed.key]), assumed: new Map([[failed.key, true]]) };
  return simulate(view, view.workflowOf(job), world, given).get(job.key)?.runs !== false;
}

/**
 * Whether a job runs after a failure if the outputs of jobs that the failure does not touch say so, and the jobs that
 * it does not touch have run.
 */
function runsForOthers(view: WorkflowsView, job: JobNode, failed: JobNode, world: World): boolean {
  const workflow = view.workflowOf(job);
  const well = simulate(view, workflow, world);
  const touched = new Set([failed, ...view.descendantsOf(failed)].map(({ key }) => key));
  const open = view.ancestorsOf(job).filter(({ key }) => well.get(key)?.runs === unknown);
  const mine = outputsIn(failed);
  const beside = open.filter(
    ({ key }) => !touched.has(key) && !view.ancestorsOf(failed).some((each) => each.key === key),
  );
  // Jobs that ask the same output may exclude each other.
  if (beside.some((each) => outputsIn(each).some((path) => mine.includes(path)))) return false;
  const assumed = new Map(
    open.filter((each) => each === failed || !touched.has(each.key)).map(({ key }) => [key, true]),
  );
  const given = { failing: new Set([failed.key]), assumed, wanted: { job: job.key, except: touched } };
  return simulate(view, workflow, world, given).get(job.key)?.runs === true;
}

const outputsIn = ({ condition }: JobNode): readonly string[] =>
  pathsIn(condition && parseCondition(condition.text))
    .filter(([context, , field]) => context === "needs" && field === "outputs")
    .map(pathText);

/** Letter case means nothing in an expression. */
const pathText = (path: readonly string[]): string => path.join(".").toLowerCase();

/**
 * Whether a job asks an earlier one for an output and not for its result, and a check stands behind the step that
 * writes the output: GitHub keeps the outputs of a failed job, so the answer is there although the check failed.
 */
function asksEarlyOutput(view: WorkflowsView, job: JobNode, failed: JobNode): boolean {
  const text = job.condition?.text ?? "";
  const asked = expressionsIn(text, true).flatMap(pathsIn).map(pathText);
  if (!/always\(\)|!\s*cancelled\(\)/.test(text) || asked.includes(pathText(["needs", failed.key, "result"])))
    return false;
  const steps = view.stepsOf(failed);
  return failed.outputs.some(({ key, value }) => {
    if (!asked.includes(pathText(["needs", failed.key, "outputs", key.text]))) return false;
    const writer = /steps\.([\w-]+)\.outputs/.exec(value.text)?.[1];
    const at = steps.findIndex((step) => writer !== undefined && step.key === writer);
    return at !== -1 && steps.slice(at + 1).some((step) => step.condition === undefined && isCheckStep(step));
  });
}
