// Runs a workflow on paper: which jobs run in a situation, and with which result, if given jobs fail. It has the
// runner's rules for skipped jobs: without a status function a job is skipped if anything before it, near or far, did
// not succeed, even if a job in between ran `always()` and succeeded (actions/runner#2205).
import { holds, type Maybe, type Scope, someText, type Truth, unknown } from "./conditions.ts";
import { type Expression, hasStatusFunction, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode, StepNode, WorkflowNode } from "./nodes.ts";
import type { WorkflowsView } from "./view.ts";
import { inWorld, type World } from "./worlds.ts";

export type Result = "success" | "failure" | "skipped" | typeof unknown;

/** What became of a job. */
export interface Outcome {
  readonly runs: Truth;
  readonly result: Result;
}

const cache = new WeakMap<World, Map<string, ReadonlyMap<string, Outcome>>>();

/** What a simulated run is told. */
interface Given {
  /** The jobs that fail if they run; all others succeed. */
  readonly failing?: ReadonlySet<string>;
  /** Which jobs run, where their conditions are not decided. */
  readonly assumed?: ReadonlyMap<string, boolean>;
  /** A job that fails may have written its outputs before, which nothing decides; so it fails before it writes any. */
  readonly losesOutputs?: boolean;
  /** A job for which the parts of its condition that only read outputs of other jobs are true. */
  readonly wanted?: Wanted;
}

/** A job that is to run, and the jobs whose results and outputs are left as they are. */
interface Wanted {
  readonly job: string;
  readonly except: ReadonlySet<string>;
}

/** Simulates a run. */
export function simulate(
  view: WorkflowsView,
  workflow: WorkflowNode,
  world: World,
  given: Given = {},
): ReadonlyMap<string, Outcome> {
  const runs = cache.get(world) ?? new Map<string, ReadonlyMap<string, Outcome>>();
  cache.set(world, runs);
  const { failing = [], assumed = [], losesOutputs, wanted } = given;
  const key = JSON.stringify([workflow.id, [...failing], [...assumed], losesOutputs, wanted?.job]);
  const outcomes = runs.get(key) ?? simulateNow(view, workflow, world, given);
  runs.set(key, outcomes);
  return outcomes;
}

function simulateNow(
  view: WorkflowsView,
  workflow: WorkflowNode,
  world: World,
  { failing, assumed, losesOutputs = false, wanted }: Given,
): ReadonlyMap<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  const visit = (job: JobNode, depth: number): Outcome => {
    const known = outcomes.get(job.key);
    if (known) return known;
    outcomes.set(job.key, { runs: unknown, result: unknown }); // ends a circle
    if (depth < 100) for (const need of view.needsOf(job)) visit(need, depth + 1);
    const scope = scopeOf(view, job, world, outcomes, losesOutputs);
    const runs = assumed?.get(job.key) ?? runsIn(job, scope, wanted?.job === job.key ? wanted.except : undefined);
    const outcome: Outcome = { runs, result: resultOf(job, runs, failing?.has(job.key) === true) };
    outcomes.set(job.key, outcome);
    return outcome;
  };
  for (const job of view.jobsOf(workflow)) visit(job, 0);
  return outcomes;
}

function resultOf(job: JobNode, runs: Truth, isFailing: boolean): Result {
  if (runs === unknown) return unknown;
  if (!runs) return "skipped";
  return isFailing && job.continueOnError?.text !== "true" ? "failure" : "success";
}

function runsIn(job: JobNode, scope: Scope, except: ReadonlySet<string> | undefined): Truth {
  const implied = scope.status("success");
  if (job.condition === undefined) return implied;
  const expression = parseCondition(job.condition.text);
  if (expression === undefined) return implied === false ? false : unknown;
  const parts = expression.is === "all" && except ? expression.of.filter((part) => !readsOnlyOthers(part, except)) : [];
  const own = holds(parts.length > 0 ? { is: "all", of: parts } : expression, scope);
  if (hasStatusFunction(expression)) return own;
  if (own === false || implied === false) return false;
  return own === true && implied === true ? true : unknown;
}

/** Whether a part of a condition depends on outputs of jobs, and not on those that are excepted. */
const readsOnlyOthers = (part: Expression, except: ReadonlySet<string>): boolean => {
  const paths = pathsIn(part);
  return (
    paths.length > 0 &&
    !hasStatusFunction(part) &&
    paths.every(([context, key = "", field]) => context === "needs" && field === "outputs" && !except.has(key))
  );
};

/** What the condition of a job sees. */
function scopeOf(
  view: WorkflowsView,
  job: JobNode,
  world: World,
  outcomes: ReadonlyMap<string, Outcome>,
  losesOutputs: boolean,
): Scope {
  const before = view.ancestorsOf(job).map(({ key }) => outcomes.get(key)?.result ?? unknown);
  return {
    status: (name) => statusOf(name, before),
    lookup: (path) => {
      const [context, key = "", field] = path;
      if (context !== "needs") return inWorld(world, path);
      if (key === "*" && field === "result") return resultsOf(job, outcomes);
      if (!job.needs.some(({ text }) => text === key)) return null;
      const outcome = outcomes.get(key);
      if (outcome === undefined) return unknown;
      if (field === "result") return outcome.result as Maybe;
      return outcome.result === "skipped" || (losesOutputs && outcome.result === "failure") ? null : someText;
    },
  };
}

/** What `needs.*.result` is, if every result is decided. */
function resultsOf({ needs }: JobNode, outcomes: ReadonlyMap<string, Outcome>): Maybe {
  const results = needs.map(({ text }) => outcomes.get(text)?.result ?? unknown);
  const known = results.filter((result) => result !== unknown);
  return known.length === results.length ? known : unknown;
}

/** The status functions over results. */
function statusOf(name: string, before: readonly Result[]): Truth {
  if (name === "always") return true;
  if (name === "cancelled") return false;
  if (name === "failure") return before.includes("failure") || (before.includes(unknown) ? unknown : false);
  if (before.some((result) => result === "failure" || result === "skipped")) return false;
  return before.includes(unknown) ? unknown : true;
}

/** Whether a step runs if an earlier step of its job failed, or if none did. */
export function stepRuns(step: StepNode, world: World, hasFailed: boolean): Truth {
  const expression = step.condition && parseCondition(step.condition.text);
  if (expression === undefined) return step.condition === undefined ? !hasFailed : unknown;
  const own = holds(expression, {
    status: (name) => statusOf(name, [hasFailed ? "failure" : "success"]),
    lookup: (path) => inWorld(world, path),
  });
  if (hasStatusFunction(expression) || !hasFailed) return own;
  return false;
}
