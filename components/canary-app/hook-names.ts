// Names for the hooks of components.
import * as pulumi from "@pulumi/pulumi";

/** How many components of each name have hooks, in each run of a program: its next run has the same names again. */
const countsOfRuns = new WeakMap<object, Map<string, number>>();

/**
 * Returns names for hooks of one component, others at each call. Pulumi knows hooks by their names alone, in the whole
 * stack, and runs the last one of a name for all; but two components of one name may have different parents.
 *
 * Every name ends in a number, the first one's too. Otherwise a second `shop` and a first `shop-2` would share theirs.
 */
export function hookNames(name: string): (of: string) => string {
  const run = pulumi.runtime.getMonitor() as object;
  const counts = countsOfRuns.get(run) ?? new Map<string, number>();
  const number = (counts.get(name) ?? 0) + 1;
  countsOfRuns.set(run, counts.set(name, number));
  return (of) => `${of}-${name}-${number}`;
}
