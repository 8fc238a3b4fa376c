// The graph as rules about workflows ask for it: jobs of a workflow, what a job needs, who calls whom, what a job
// changes. Everything is computed once for a graph. It reads the graph only, so a rule that uses it stays pure.
import { type Graph, nodesOf } from "../../graph.ts";
import { type Effect, effectByJob, effectsOf, shipping } from "./effects.ts";
import type { JobNode, StepNode, WorkflowNode } from "./nodes.ts";
import { effectsOnOwnMachine } from "./own-machine.ts";

/** A job with the jobs through which it is reached: the callers of its workflow, outermost first. */
export interface Reached {
  readonly job: JobNode;
  readonly via: readonly JobNode[];
}

export class WorkflowsView {
  readonly workflows: readonly WorkflowNode[];
  readonly jobs: readonly JobNode[];
  readonly #jobs = new Map<string, JobNode>();
  readonly #workflows = new Map<string, WorkflowNode>();
  readonly #jobsOf = new Map<string, readonly JobNode[]>();
  readonly #stepsOf = new Map<string, readonly StepNode[]>();
  readonly #inner = new Map<string, readonly StepNode[]>();
  readonly #callee = new Map<string, WorkflowNode>();
  readonly #callers = new Map<string, readonly JobNode[]>();
  readonly #needs = new Map<string, readonly JobNode[]>();
  readonly #ancestors = new Map<string, readonly JobNode[]>();
  readonly #before = new Map<string, ReadonlySet<string>>();
  readonly #after = new Map<string, readonly JobNode[]>();
  readonly #effects = new Map<string, readonly Effect[]>();

  constructor(graph: Graph) {
    this.workflows = nodesOf(graph, "workflow").toSorted((one, other) => (one.file < other.file ? -1 : 1));
    const inOrder = nodesOf(graph, "job").toSorted((one, other) => one.place.line - other.place.line);
    for (const workflow of this.workflows) {
      this.#workflows.set(workflow.id, workflow);
      this.#jobsOf.set(
        workflow.id,
        inOrder.filter((job) => job.workflow === workflow.id),
      );
    }
    this.jobs = this.workflows.flatMap(({ id }) => this.#jobsOf.get(id)!);
    for (const job of this.jobs) this.#jobs.set(job.id, job);
    const steps = nodesOf(graph, "step").toSorted((one, other) => one.index - other.index);
    for (const step of steps) {
      const [map, key] = step.via === undefined ? [this.#stepsOf, step.job] : [this.#inner, step.via];
      map.set(key, [...(map.get(key) ?? []), step]);
    }
    for (const { kind, from, to } of graph.edges) {
      const workflow = this.#workflows.get(to);
      const caller = this.#jobs.get(from);
      if (kind !== "calls" || workflow === undefined || caller === undefined) continue;
      this.#callee.set(from, workflow);
      this.#callers.set(to, [...(this.#callers.get(to) ?? []), caller]);
    }
  }

  workflowOf = (job: JobNode): WorkflowNode => this.#workflows.get(job.workflow)!;
  jobsOf = (workflow: WorkflowNode): readonly JobNode[] => this.#jobsOf.get(workflow.id) ?? [];
  job = (workflow: WorkflowNode, key: string): JobNode | undefined =>
    this.jobsOf(workflow).find((job) => job.key === key);

  /** Gives the steps of a job in order. A step that uses a local composite action is followed by its steps. */
  stepsOf = (job: JobNode): readonly StepNode[] => (this.#stepsOf.get(job.id) ?? []).flatMap(this.#withInner);
  #withInner = (step: StepNode): readonly StepNode[] => [
    step,
    ...(this.#inner.get(step.id) ?? []).flatMap(this.#withInner),
  ];

  /** The jobs that a job needs, those that do not exist left out. */
  needsOf(job: JobNode): readonly JobNode[] {
    const known = this.#needs.get(job.id);
    if (known) return known;
    const all = [...new Set(job.needs.flatMap(({ text }) => this.job(this.workflowOf(job), text) ?? []))];
    this.#needs.set(job.id, all);
    return all;
  }

  /** All jobs that come before a job, nearest first; a circle ends. */
  ancestorsOf(job: JobNode): readonly JobNode[] {
    const known = this.#ancestors.get(job.id);
    if (known) return known;
    const found = new Map<string, JobNode>();
    const ahead = [...this.needsOf(job)];
    for (let at = ahead.shift(); at !== undefined; at = ahead.shift()) {
      if (found.has(at.id)) continue;
      found.set(at.id, at);
      ahead.push(...this.needsOf(at));
    }
    const all = [...found.values()];
    this.#ancestors.set(job.id, all);
    return all;
  }

  isBefore(one: JobNode, other: JobNode): boolean {
    const known = this.#before.get(other.id) ?? new Set(this.ancestorsOf(other).map(({ id }) => id));
    this.#before.set(other.id, known);
    return known.has(one.id);
  }

  /** The jobs that come after a job, in the order of the file. */
  descendantsOf(job: JobNode): readonly JobNode[] {
    const known = this.#after.get(job.id);
    if (known) return known;
    const all = this.jobsOf(this.workflowOf(job)).filter((other) => this.isBefore(job, other));
    this.#after.set(job.id, all);
    return all;
  }

  calleeOf = (job: JobNode): WorkflowNode | undefined => this.#callee.get(job.id);
  /** The workflows that a finished run of this one starts. */
  followersOf = (workflow: WorkflowNode): readonly WorkflowNode[] =>
    this.workflows.filter(({ triggers }) =>
      triggers.some(
        ({ event, filters }) =>
          event === "workflow_run" && filters["workflows"]?.some(({ text }) => text === workflow.title),
      ),
    );
  callersOf = (workflow: WorkflowNode): readonly JobNode[] => this.#callers.get(workflow.id) ?? [];

  /** The effects of a job's own steps, in order. */
  ownEffectsOf(job: JobNode): readonly Effect[] {
    const kept = this.#effects.get(job.id);
    if (kept) return kept;
    const steps = this.stepsOf(job);
    const isThrowaway = hasThrowawayDatabase(job, steps);
    const known = steps.flatMap(effectsOf).filter(({ verb }) => verb !== "migrate" || !isThrowaway);
    const own = [...known, ...effectsOnOwnMachine(job, this.workflowOf(job), steps)];
    const isShipping = own.some(({ verb }) => shipping.has(verb) || verb === "undo");
    const all = isShipping ? own : [...own, ...effectByJob(`${job.key} ${job.title?.text ?? ""}`, steps)];
    this.#effects.set(job.id, all);
    return all;
  }

  /** The effects of a job, with those of the workflow that it calls. */
  effectsOf = (job: JobNode, depth = 0): readonly Effect[] => {
    const callee = this.calleeOf(job);
    if (callee === undefined || depth > 4) return this.ownEffectsOf(job);
    return this.jobsOf(callee).flatMap((inner) => this.effectsOf(inner, depth + 1));
  };

  /** Every way in which a job is reached: once for its own workflow's events, once for each caller. */
  waysTo(job: JobNode, depth = 0): readonly Reached[] {
    const workflow = this.workflowOf(job);
    const own = workflow.triggers.some(({ event }) => event !== "workflow_call") ? [{ job, via: [] }] : [];
    if (depth > 4) return own;
    const called = this.callersOf(workflow).flatMap((caller) =>
      this.waysTo(caller, depth + 1).map(({ via }) => ({ job, via: [...via, caller] })),
    );
    return [...own, ...called];
  }
}

/** Whether a job migrates a database that it has started itself: nobody uses that one. */
const hasThrowawayDatabase = ({ hasServices, env }: JobNode, steps: readonly StepNode[]): boolean =>
  hasServices ||
  [...env, ...steps.flatMap((step) => step.env)].some(({ value }) => /@(localhost|127\.0\.0\.1)\b/.test(value.text)) ||
  steps.some(({ run }) =>
    /^\s*(docker[ -]compose (.* )?up|docker run .*(postgres|mysql|mariadb))\b/m.test(run?.text ?? ""),
  );

const views = new WeakMap<Graph, WorkflowsView>();

/** Gives the view of a graph. */
export function viewOf(graph: Graph): WorkflowsView {
  const known = views.get(graph);
  if (known) return known;
  const view = new WorkflowsView(graph);
  views.set(graph, view);
  return view;
}
