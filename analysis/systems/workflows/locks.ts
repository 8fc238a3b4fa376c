// Which locks a job holds in a situation, and what they are called there. A group is evaluated for the event, so a
// lock that is unique for every run, or different for every branch, shows as what it is.
import { evaluate, holds, type Scope, type Truth, unknown } from "./conditions.ts";
import { type Expression, parseCondition, pathsIn, piecesOf } from "./expressions.ts";
import type { Concurrency, JobNode, WorkflowNode } from "./nodes.ts";
import { lookupOf } from "./templates.ts";
import type { WorkflowsView } from "./view.ts";
import { inWorld, type World } from "./worlds.ts";

/** A lock of a run in one situation. */
export interface Lock {
  readonly concurrency: Concurrency;
  readonly owner: "workflow" | "job";
  readonly ownerName: string;
  /** The group's name; what the situation does not decide stays as an expression. */
  readonly group: string;
  /** The paths that remain in the group, such as `github.ref`. */
  readonly varies: readonly string[];
  readonly cancels: Truth;
  /** Whether no two runs can have the same group. */
  readonly isInert: boolean;
  readonly keepsAll: boolean;
}

/** Gives the locks that a job holds: its own, its workflow's, and those of the jobs and workflows that call it. */
export function locksOf(view: WorkflowsView, job: JobNode, world: World): readonly Lock[] {
  const workflow = view.workflowOf(job);
  const callers = world.via.toReversed();
  const root = callers.at(-1);
  const rootTitle = root ? view.workflowOf(root).title : workflow.title;
  const here = (at: JobNode | undefined, of: WorkflowNode, via: readonly JobNode[]) =>
    scopeFor(world, of, at, via, rootTitle);
  return [
    ...lock(job.concurrency, "job", job.key, here(job, workflow, world.via)),
    ...lock(workflow.concurrency, "workflow", workflow.title, here(undefined, workflow, world.via)),
    ...callers.flatMap((caller, at) => {
      const of = view.workflowOf(caller);
      const via = world.via.slice(0, world.via.length - 1 - at);
      return [
        ...lock(caller.concurrency, "job", caller.key, here(caller, of, via)),
        ...lock(of.concurrency, "workflow", of.title, here(undefined, of, via)),
      ];
    }),
  ];
}

function scopeFor(
  world: World,
  workflow: WorkflowNode,
  job: JobNode | undefined,
  via: readonly JobNode[],
  rootTitle: string,
): Scope {
  const fixed = lookupOf(workflow, job, via);
  return {
    status: () => true,
    lookup: (path) => {
      if (path.join(".") === "github.workflow") return rootTitle;
      const known = fixed(path);
      if (known !== undefined) return known;
      return path[0] === "inputs" && via.length > 0 ? unknown : inWorld(world, path);
    },
  };
}

function lock(
  concurrency: Concurrency | undefined,
  owner: Lock["owner"],
  ownerName: string,
  scope: Scope,
): readonly Lock[] {
  if (concurrency === undefined) return [];
  const parts = piecesOf(concurrency.group.text).map((piece) => {
    if ("literal" in piece) return { text: piece.literal, paths: [] };
    return piece.expression ? residue(piece.expression, piece.source, scope) : { text: piece.source, paths: [] };
  });
  const varies = parts.flatMap(({ paths }) => paths);
  return [
    {
      concurrency,
      owner,
      ownerName,
      group: parts.map(({ text }) => text).join(""),
      varies,
      cancels: cancelsIn(concurrency, scope),
      isInert: varies.some((path) =>
        /^github\.(run_id|run_number|run_attempt|sha|event\.(after|head_commit\.id))$/.test(path),
      ),
      keepsAll: concurrency.queue?.text === "max",
    },
  ];
}

function cancelsIn({ cancelInProgress }: Concurrency, scope: Scope): Truth {
  if (cancelInProgress === undefined) return false;
  if (!cancelInProgress.text.includes("${{")) return cancelInProgress.text === "true";
  const expression = parseCondition(cancelInProgress.text);
  return expression ? holds(expression, scope) : unknown;
}

/** What remains of an expression: its value, or the paths on which it still depends. */
function residue(
  expression: Expression,
  source: string,
  scope: Scope,
): { readonly text: string; readonly paths: readonly string[] } {
  const value = evaluate(expression, scope);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return { text: String(value), paths: [] };
  if (expression.is === "any") {
    // Parts that are certainly empty are passed over: `github.head_ref || github.run_id` is the run's id on a push.
    const rest = expression.of.filter((part) => !isEmpty(part, scope));
    if (rest.length === 1) return residue(rest[0]!, source, scope);
    const first = rest[0];
    if (first && first !== expression.of[0]) return residue(first, source, scope);
    return { text: `\${{ ${source} }}`, paths: pathsIn(first).map((path) => path.join(".")) };
  }
  return {
    text: `\${{ ${expression.is === "path" ? expression.path.join(".") : source} }}`,
    paths: pathsIn(expression).map((path) => path.join(".")),
  };
}

const isEmpty = (expression: Expression, scope: Scope): boolean => {
  const value = evaluate(expression, scope);
  return value === null || value === "" || value === false;
};

const refPaths =
  /^github\.(ref|ref_name|head_ref|ref_type|event\.(ref|pull_request\.number|number|release\.tag_name))$/;

/** Whether runs of different branches or tags have different groups. */
export const isPerRef = ({ varies }: Lock): boolean => varies.some(isRefPath);

/** Whether a path gives the branch, the tag or the pull request of a run. */
export const isRefPath = (path: string): boolean => refPaths.test(path);
