// Conditions that hold always, because what they ask is a text: an output says "false" where nothing changed, and every
// text that is not empty counts as true. A job behind such a condition ships in every run.
import type { Place } from "../../place.ts";
import { bareIn, expressionsIn, parseCondition } from "./expressions.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { filterNames, isPathFilter } from "./path-filters.ts";
import { shipmentsOf } from "./roles.ts";
import type { WorkflowsView } from "./view.ts";

/** A condition that cannot be false, and what ships behind it. */
interface OpenCondition {
  readonly place: Place;
  readonly subject: string;
  readonly message: string;
  readonly shipped: Place;
  readonly fix: string;
}

/** Gives the conditions of a job that ships, and of its steps that do, which cannot be false. */
export function openConditions(view: WorkflowsView, job: JobNode): readonly OpenCondition[] {
  const shipments = shipmentsOf(view, job);
  const [first] = shipments;
  if (first === undefined) return [];
  const steps = shipments.map(({ step }) => step).filter((step) => step.job === job.id && step.via === undefined);
  return [job, ...new Set(steps)].flatMap(({ condition, id }) => {
    if (condition === undefined) return [];
    const path = bareIn(parseCondition(condition.text)).find((each) => saysFalse(view, job, each));
    if (path === undefined) return [];
    return [
      {
        place: condition.place,
        subject: `${id} always`,
        message:
          `The condition of ${id === job.id ? `job ${job.key}` : `a step of job ${job.key}`} asks ${path.join(".")}, ` +
          `which is the text "true" or "false": both count as true, so it decides nothing.`,
        shipped: first.place,
        fix: `compare it with a text: ${path.join(".")} == 'true'`,
      },
    ];
  });
}

/** Whether an output says "false" as a text where it means no. */
function saysFalse(view: WorkflowsView, job: JobNode, [context, key, field, name]: readonly string[]): boolean {
  if (field !== "outputs" || name === undefined) return false;
  if (context === "steps") return view.stepsOf(job).some((step) => step.key === key && writesFalse(step, name));
  if (context !== "needs") return false;
  const need = view.needsOf(job).find((each) => each.key === key);
  const value = need?.outputs.find((each) => each.key.text === name)?.value.text ?? "";
  const [expression] = expressionsIn(value);
  if (need === undefined || expression?.is !== "path" || expression.path[0] !== "steps") return false;
  return saysFalse(view, need, expression.path);
}

function writesFalse(step: StepNode, name: string): boolean {
  if (isPathFilter(step)) return filterNames(step)?.includes(name) ?? /^(any|only)_/.test(name);
  const script = step.run?.text ?? "";
  const written = [...script.matchAll(new RegExp(String.raw`["'\s]${name}=([^"'\s]*)["']?\s*>>`, "g"))].map(
    ([, value]) => value!,
  );
  return written.includes("false") && written.every((value) => value === "true" || value === "false");
}
