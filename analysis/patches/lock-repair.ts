// Patches about locks: a concurrency group for a deploying job, and settings of an existing group. They insert or
// replace whole lines with the indentation of the file.
import type { Place } from "../place.ts";
import type { Repair } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import type { Concurrency, JobNode } from "../systems/workflows/nodes.ts";

/** An empty range at the beginning of a line. */
const before = (place: Place, line = place.line): Place => ({
  ...place,
  line,
  column: 1,
  endLine: line,
  endColumn: 1,
});

/** Inserts lines before a job's first key. */
export const insertIntoJob = (job: JobNode, title: string, lines: readonly string[]): Repair => {
  const indent = " ".repeat(job.bodyAt.column - 1);
  return {
    title,
    edits: [{ place: before(job.bodyAt), text: lines.map((line) => `${indent}${line}\n`).join("") }],
  };
};

/** Adds a lock that names the job's environment, or its target, and a timeout, so that nothing holds it for hours. */
export function lockRepair(job: JobNode, effect: Effect): Repair | undefined {
  const environment = job.environment?.text;
  const name = environment ?? effect.category;
  if (!/^[\w .-]+$/.test(name)) return undefined;
  return insertIntoJob(job, "Add a lock around the deployment", [
    "concurrency:",
    `  group: deploy-${name.trim().replaceAll(" ", "-")}`,
    "  cancel-in-progress: false",
    ...(job.timeoutMinutes === undefined ? ["timeout-minutes: 60"] : []),
  ]);
}

/** Replaces the value of `cancel-in-progress`. */
export const keepRunning = ({ cancelInProgress }: Concurrency): Repair | undefined =>
  cancelInProgress && !cancelInProgress.isBlock
    ? { title: "Let running deployments finish", edits: [{ place: cancelInProgress.place, text: "false" }] }
    : undefined;
