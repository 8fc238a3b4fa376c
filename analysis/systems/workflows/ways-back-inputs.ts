// Ways back that somebody starts with the version to go back to, and that never use it: the version is only printed, or
// nothing reads it at all.
import { readersOf, readsPayload } from "./input-readers.ts";
import type { JobNode } from "./nodes.ts";
import { deploymentsOf, isUndoJob } from "./roles.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";

const versionName = /version|tag|sha|commit|revision|release|image|build|target/i;
const otherName = /reason|message|comment|confirm|environment|\benv\b|region|stage|platform|service/i;

/** Gives the inputs of a way back by hand that say where to go and that no command reads. */
export function ignoredVersions(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const workflow = view.workflowOf(job);
  const jobs = view.jobsOf(workflow);
  const first = jobs.find((each) => isUndoJob(view, each));
  const isOwn = first?.id === job.id && !jobs.some((each) => deploymentsOf(view, each).length > 0);
  if (!isOwn || workflow.isBroken || readsPayload(view, workflow)) return [];
  return workflow.inputs
    .filter(({ event, name }) => event === "workflow_dispatch" && versionName.test(name) && !otherName.test(name))
    .flatMap((input): readonly Obstacle[] => {
      const readers = readersOf(view, workflow, input.name);
      if (readers.some(({ isTold }) => !isTold)) return [];
      const how = readers.length > 0 ? "only tells it" : "nothing reads it";
      return [
        {
          severity: "high",
          subject: `${workflow.id} ${input.name}`,
          place: input.place,
          message:
            `The way back ${workflow.title} asks for ${input.name}, and ${how}: what is chosen does not decide where ` +
            "it goes.",
          fix: `deploy the version that ${input.name} names, or take the input away`,
        },
      ];
    });
}
