// Who reads an input of a workflow: the texts whose expressions name it, and whether they only tell it to people or
// name a lock with it, which changes nothing of what the run does.
import { byPlace, type Text } from "../../place.ts";
import { expressionsIn, pathsIn } from "./expressions.ts";
import type { Concurrency, WorkflowNode } from "./nodes.ts";
import { toldIn } from "./shipped-around.ts";
import type { WorkflowsView } from "./view.ts";

/** A text that reads an input. */
export interface InputReader {
  readonly text: Text;
  /** Whether it only tells people, or only names a lock. */
  readonly isTold: boolean;
}

/** Gives the texts of a workflow that read an input. */
export function readersOf(view: WorkflowsView, workflow: WorkflowNode, name: string): readonly InputReader[] {
  const jobs = view.jobsOf(workflow).flatMap((job) => {
    const isTold = toldIn(view, job);
    const titles = [job, ...view.stepsOf(job)].flatMap(({ title }) => title ?? []);
    const isTitle = ({ place }: Text): boolean => titles.some((title) => byPlace(title.place, place) === 0);
    return job.templates.map((text) => ({
      text,
      isTold: isTold(text) || isTitle(text) || isLock(text, job.concurrency),
    }));
  });
  const ofWorkflow = workflow.templates.map((text) => ({ text, isTold: isLock(text, workflow.concurrency) }));
  return [...ofWorkflow, ...jobs].filter(({ text }) =>
    expressionsIn(text.text, true)
      .flatMap(pathsIn)
      .some((path) => readsInput(path, name)),
  );
}

/** Whether a script reads all inputs at once. */
export const readsPayload = (view: WorkflowsView, workflow: WorkflowNode): boolean =>
  view
    .jobsOf(workflow)
    .some((job) =>
      view.stepsOf(job).some(({ run }) => /GITHUB_EVENT_PATH|toJSON\((github\.event\.)?inputs/i.test(run?.text ?? "")),
    );

/** Whether a path reads an input. */
export const readsInput = (path: readonly string[], name: string): boolean => {
  const at = path[0] === "inputs" ? 1 : 3;
  const isInputs = path[0] === "inputs" || path.slice(0, 3).join(".") === "github.event.inputs";
  return isInputs && (path.length <= at || path[at] === "*" || path[at]!.toLowerCase() === name.toLowerCase());
};

/** The name of a lock keeps runs apart, and changes nothing of what they do. */
const isLock = ({ place }: Text, concurrency: Concurrency | undefined): boolean =>
  concurrency !== undefined && byPlace(place, concurrency.group.place) === 0;
