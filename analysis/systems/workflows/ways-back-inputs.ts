// Ways back that somebody starts with the version to go back to, and that never use it: the version is only printed, or
// nothing reads it at all.
import { deploying } from "./effects.ts";
import { expressionsIn, pathsIn } from "./expressions.ts";
import { readersOf, readsInput, readsPayload } from "./input-readers.ts";
import type { Input, JobNode } from "./nodes.ts";
import { deploymentsOf, isUndoJob } from "./roles.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";

const versionName = /version|tag|sha|commit|revision|release|image|build|target/i;
const otherName = /reason|message|comment|confirm|environment|\benv\b|region|stage|platform|service/i;

/** Gives the inputs of a way back by hand that say where to go and that it does not use. */
export function ignoredVersions(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const workflow = view.workflowOf(job);
  const jobs = view.jobsOf(workflow);
  if (jobs.some((each) => deploymentsOf(view, each).length > 0) || workflow.isBroken || readsPayload(view, workflow))
    return [];
  return workflow.inputs
    .filter(({ event, name }) => event === "workflow_dispatch" && versionName.test(name) && !otherName.test(name))
    .flatMap((input) => {
      const readers = readersOf(view, workflow, input.name);
      const isUsed = readers.some(({ isTold }) => !isTold);
      return isUsed ? besideOthers(view, job, input) : byNobody(view, job, input, readers.length > 0);
    });
}

/** An input that no way back of the workflow uses; it is reported once. */
function byNobody(view: WorkflowsView, job: JobNode, { name, place }: Input, isTold: boolean): readonly Obstacle[] {
  const workflow = view.workflowOf(job);
  if (view.jobsOf(workflow).find((each) => isUndoJob(view, each))?.id !== job.id) return [];
  const how = isTold ? "uses it only in messages and locks" : "nothing reads it";
  return [
    {
      severity: "high",
      subject: `${workflow.id} ${name}`,
      place,
      message: `The way back ${workflow.title} asks for ${name}, and ${how}: what is chosen decides nothing.`,
      fix: `deploy the version that ${name} names, or take the input away`,
    },
  ];
}

/** A way back that goes where it will, beside one in the same workflow that goes where somebody chose. */
function besideOthers(view: WorkflowsView, job: JobNode, { name }: Input): readonly Obstacle[] {
  const changes = (each: JobNode) => view.ownEffectsOf(each).find(({ verb }) => deploying.has(verb) || verb === "undo");
  const own = changes(job);
  const reads = (each: JobNode): boolean =>
    each.templates.some(({ text }) =>
      expressionsIn(text, true)
        .flatMap(pathsIn)
        .some((path) => readsInput(path, name) || (path[0] === "needs" && path[2] === "outputs")),
    );
  const others = view.jobsOf(view.workflowOf(job)).filter((each) => each.id !== job.id && isUndoJob(view, each));
  const other = others.find((each) => changes(each) !== undefined && reads(each));
  if (own === undefined || other === undefined || reads(job)) return [];
  return [
    {
      severity: "high",
      subject: `${job.id} ${name}`,
      place: own.place,
      message: `The way back ${job.key} does not use ${name}, which ${other.key} does: it goes to another version.`,
      fix: `deploy the version that ${name} names here, too`,
    },
  ];
}
