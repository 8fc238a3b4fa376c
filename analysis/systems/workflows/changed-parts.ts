// Jobs that run only if a part of the repository changed, as a job with a path filter says. A job that asks for one
// part and waits for a job of another part is skipped whenever only its own part changed.
import { holds, type Scope, unknown } from "./conditions.ts";
import { hasStatusFunction, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode } from "./nodes.ts";
import { isPathFilter } from "./path-filters.ts";
import type { WorkflowsView } from "./view.ts";

/** A need that is skipped, and what changed then. */
export interface OtherChange {
  readonly skipped: JobNode;
  /** The outputs of the filter that are true. */
  readonly changed: readonly string[];
}

const partsMax = 8;

/** Finds a change for which a job should run and something that it waits for does not. */
export function skippedByOtherChange(view: WorkflowsView, job: JobNode): OtherChange | undefined {
  const own = job.condition && parseCondition(job.condition.text);
  if (own === undefined) return undefined;
  for (const filter of view.ancestorsOf(job).filter((each) => isFilter(view, each)))
    for (const skipped of view.ancestorsOf(job)) {
      const other = skipped.condition && parseCondition(skipped.condition.text);
      if (other === undefined || hasStatusFunction(other)) continue;
      const asked = [own, other].map((each) => outputsOf(each, filter));
      const parts = [...new Set(asked.flat())];
      if (asked.some(({ length }) => length === 0) || parts.length > partsMax) continue;
      const changed = changesOf(parts).find(
        (each) => holds(own, scopeOf(filter, each)) !== false && holds(other, scopeOf(filter, each)) === false,
      );
      if (changed) return { skipped, changed };
    }
  return undefined;
}

const isFilter = (view: WorkflowsView, job: JobNode): boolean => view.stepsOf(job).some(isPathFilter);

const outputsOf = (condition: Parameters<typeof pathsIn>[0], { key }: JobNode): readonly string[] =>
  pathsIn(condition).flatMap(([context, need, field, output]) =>
    context === "needs" && need === key && field === "outputs" && output !== undefined ? [output] : [],
  );

/** Every set of parts that may change, small ones first. */
function changesOf(parts: readonly string[]): readonly (readonly string[])[] {
  const all = Array.from({ length: 2 ** parts.length - 1 }, (_each, at) =>
    parts.filter((_part, bit) => ((at + 1) >> bit) & 1),
  );
  return all.toSorted((one, other) => one.length - other.length);
}

const scopeOf = (filter: JobNode, changed: readonly string[]): Scope => ({
  status: () => true,
  lookup: ([context, need, field, output]) =>
    context === "needs" && need === filter.key && field === "outputs" && output !== undefined
      ? String(changed.includes(output))
      : unknown,
});
