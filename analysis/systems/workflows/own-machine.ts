// What a job changes on a machine of one's own. On a machine that GitHub lends, a started container is gone with the
// job; on one's own it is what users reach. Many run tests there, too, so only jobs that are said to deploy count.
import { lineOf } from "../../place.ts";
import { deployName, type Effect } from "./effects.ts";
import type { JobNode, StepNode, WorkflowNode } from "./nodes.ts";
import { commandsIn } from "./shell.ts";
import { isTestStep } from "./tests.ts";

const changing = new RegExp(
  [
    String.raw`^docker[ -]compose (.* )?(up|restart)\b`,
    String.raw`^docker (run (.* )?(-\w*d\w*|--detach)|restart|stack deploy)\b`,
    String.raw`^pm2 (.* )?(restart|reload|start|startOrReload|startOrRestart)\b`,
    String.raw`^(systemctl (.* )?(restart|reload|start)|service \S+ (restart|reload)|nginx -s reload)\b`,
    String.raw`^supervisorctl (.* )?(restart|update|signal)\b`,
    "^(cp|rsync|mv) .* /(var/www|srv|opt|usr/share/nginx|home)/",
  ].join("|"),
);
const saysSo = /(^|[^a-z])(re-?)?deploy(ment|s|ing)?([^a-z]|$)|roll-?(out|back)|go-?live/i;
const otherPurpose = /test|lint|check|build|benchmark|preview|\bci\b/i;

/** Gives what a job that is said to deploy changes on a machine of one's own; nothing on any other. */
export function effectsOnOwnMachine(
  job: JobNode,
  workflow: WorkflowNode,
  steps: readonly StepNode[],
): readonly Effect[] {
  if (!job.runsOn.includes("self-hosted") || steps.some(isTestStep)) return [];
  const title = `${job.key} ${job.title?.text ?? ""}`;
  const isSaid = saysSo.test(title) || (!otherPurpose.test(title) && saysSo.test(workflow.title));
  return steps.flatMap((step) => {
    if (!isSaid && !deployName.test(step.title?.text ?? "")) return [];
    return commandsIn(step.run?.text ?? "").flatMap((command): readonly Effect[] => {
      if (!changing.test(command.words.join(" "))) return [];
      const place = lineOf(step.run!, command.line);
      const named = step.workingDirectory?.text;
      return [
        { step, verb: "deploy", category: "host", named, place, known: { inferred: 0.85 }, isAtomic: false, command },
      ];
    });
  });
}
