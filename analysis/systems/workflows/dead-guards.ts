// Guards that guard nothing: a step that would stop the job, under a condition that nothing makes true on any event.
import type { JobNode, StepNode } from "./nodes.ts";
import { commandsIn } from "./shell.ts";
import { stepRuns } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import { worldsOf } from "./worlds.ts";

/** A step that only fails, under a condition that nothing makes true. */
export function isDeadGuard(view: WorkflowsView, job: JobNode, step: StepNode): boolean {
  if (step.condition === undefined || step.via !== undefined) return false;
  const commands = commandsIn(step.run!.text);
  const last = commands.at(-1)?.words.join(" ") ?? "";
  if (!/^(false|exit [1-9]\d*)$/.test(last) || commands.slice(0, -1).some(({ words }) => words[0] !== "echo"))
    return false;
  const worlds = worldsOf(view, view.workflowOf(job));
  return (
    worlds.length > 0 &&
    worlds.every((world) => [true, false].every((hasFailed) => stepRuns(step, world, hasFailed) === false))
  );
}
