// Steps that deal with other runs of their workflow: those that wait until no other run is under way, as a lock does,
// and those that cancel the others, whatever these are doing.
import type { JobNode, StepNode } from "./nodes.ts";
import { simulate, stepRuns } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import type { World } from "./worlds.ts";

const waiting = /^(softprops\/turnstyle|ahmadnassri\/action-workflow-queue|ben-z\/gh-action-mutex)@/i;
const cancellers = [
  "styfle/cancel-workflow-action",
  "n1hility/cancel-previous-runs",
  "rokroskar/workflow-run-cleanup-action",
  "potiuk/cancel-workflow-runs",
];
const cancels = ({ uses }: StepNode): boolean =>
  cancellers.includes((uses?.text ?? "").replace(/@.*/, "").toLowerCase());

/** Whether a job, or one that must have succeeded before it, waits for other runs in a situation. */
export const waitsForOtherRuns = (view: WorkflowsView, job: JobNode, world: World): boolean =>
  [job, ...view.ancestorsOf(job)].some((each) =>
    view.stepsOf(each).some((step) => waiting.test(step.uses?.text ?? "") && stepRuns(step, world, false) !== false),
  );

/** Gives the step that cancels other runs of a job's workflow in a situation. */
export function cancellingStep(view: WorkflowsView, job: JobNode, world: World): StepNode | undefined {
  const workflow = view.workflowOf(job);
  const outcomes = simulate(view, workflow, world);
  return view
    .jobsOf(workflow)
    .filter(({ key }) => outcomes.get(key)?.runs !== false)
    .flatMap((each) => view.stepsOf(each))
    .find((step) => cancels(step) && stepRuns(step, world, false) !== false);
}
