// Every deployment of a repository in every situation: which job, in which world, of what, under which locks. Rules
// about locks, cancellation and timeouts ask here, so that they agree on what a deployment is.
import type { Effect } from "./effects.ts";
import { isPerRef, type Lock, locksOf } from "./locks.ts";
import type { JobNode, WorkflowNode } from "./nodes.ts";
import { changesOf, tierOf } from "./roles.ts";
import { simulate } from "./simulate.ts";
import { fill, lookupOf } from "./templates.ts";
import type { WorkflowsView } from "./view.ts";
import { type World, worldsOf } from "./worlds.ts";

/** One job that deploys in one situation. */
export interface Deployment {
  readonly job: JobNode;
  readonly workflow: WorkflowNode;
  readonly world: World;
  /** The workflow whose event started the run. */
  readonly root: WorkflowNode;
  readonly effects: readonly Effect[];
  readonly locks: readonly Lock[];
  /** Names of what it changes, as far as the situation decides them. */
  readonly targets: readonly string[];
  readonly tier: "production" | "lesser" | "unknown";
}

const cache = new WeakMap<WorkflowsView, readonly Deployment[]>();

/** Gives all deployments. Jobs that only call a workflow are not listed; the callee's jobs are. */
export function deploymentsIn(view: WorkflowsView): readonly Deployment[] {
  const known = cache.get(view);
  if (known) return known;
  const all = view.workflows.flatMap((workflow) => ofWorkflow(view, workflow));
  cache.set(view, all);
  return all;
}

function ofWorkflow(view: WorkflowsView, workflow: WorkflowNode): readonly Deployment[] {
  const jobs = view.jobsOf(workflow).filter((job) => job.uses === undefined && changesOf(view, job).length > 0);
  if (jobs.length === 0) return [];
  return worldsOf(view, workflow).flatMap((world) => {
    const outcomes = simulate(view, workflow, world);
    const isStarted = callersRun(view, world);
    return jobs
      .filter((job) => isStarted && outcomes.get(job.key)?.runs !== false)
      .map((job) => oneDeployment(view, workflow, world, job));
  });
}

/** Whether the jobs that call the workflow can run in the situation. */
function callersRun(view: WorkflowsView, world: World): boolean {
  return world.via.every((caller, at) => {
    if (at > 0) return true;
    const outcomes = simulate(view, view.workflowOf(caller), { ...world, via: [] });
    return outcomes.get(caller.key)?.runs !== false;
  });
}

function oneDeployment(view: WorkflowsView, workflow: WorkflowNode, world: World, job: JobNode): Deployment {
  const effects = changesOf(view, job);
  const lookup = lookupOf(workflow, job, world.via);
  const place = fill(job.environment?.text ?? "", lookup);
  const root = world.via[0] ? view.workflowOf(world.via[0]) : workflow;
  const targets = effects.flatMap(({ category, named }) =>
    named === undefined ? [] : [`${category} ${fill(named, lookup)}${isFixed(named) ? "" : ` (${place})`}`],
  );
  return {
    job,
    workflow,
    world,
    root,
    effects,
    locks: locksOf(view, job, world),
    targets: [...new Set(targets)],
    tier: tierOf({ ...job, environment: job.environment && { ...job.environment, text: place } }, effects),
  };
}

/** A name without secrets and variables, which differ between environments. */
const isFixed = (named: string): boolean => !named.includes("${{");

const ofRequest = /github\.(head_ref|event\.(number|pull_request\.number))|pr-\$/;

/**
 * Whether what is deployed is made for one pull request or branch, so that no other run deploys it. Platforms make such
 * a place themselves; a host is one place for all, unless something in the job names the request.
 */
export function isPreview({ world, effects, job }: Deployment): boolean {
  const named = [job.environment?.text, ...effects.map((effect) => effect.named)];
  if (named.some((text) => ofRequest.test(text ?? ""))) return true;
  if (!world.event.startsWith("pull_request")) return false;
  if (job.templates.some(({ text }) => /head_ref|ref_name|event\.(number|pull_request\.(number|head))/.test(text)))
    return true;
  return world.action !== "closed" && effects.some(({ category }) => category !== "host");
}

/** Gives the locks that two runs of this situation share. */
export const sharedLocks = (deployment: Deployment): readonly Lock[] =>
  deployment.locks.filter(({ isInert }) => !isInert);

/** Whether runs from different refs of the situation are not held apart. */
export const missesRefs = (deployment: Deployment): boolean => {
  const shared = sharedLocks(deployment);
  return shared.length > 0 && shared.every(isPerRef);
};
