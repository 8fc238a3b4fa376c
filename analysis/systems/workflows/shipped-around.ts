// What ships around a step that looks at something: behind it, so that the step guards it, or before it, so that the
// step looks at the result. A step without either guards nothing.
import type { Place } from "../../place.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { changesOf, isUndoJob, shipmentsOf } from "./roles.ts";
import type { WorkflowsView } from "./view.ts";

/** Something that ships before or after a step. */
export interface Shipped {
  readonly place: Place;
  /** Whether it ships before the step, so that the step looks at the result. */
  readonly isBefore: boolean;
}

/** Gives what ships after a step, in its job or behind it, and else what shipped before. */
export function shippedAround(
  view: WorkflowsView,
  job: JobNode,
  step: StepNode,
  guarded: JobNode | undefined,
): Shipped | undefined {
  const steps = view.stepsOf(job);
  const own = (isUndoJob(view, job) ? changesOf(view, job) : shipmentsOf(view, job)).filter(
    (effect) => effect.step.job === job.id,
  );
  const after = own.find((effect) => steps.indexOf(effect.step) > steps.indexOf(step));
  if (after) return { place: after.place, isBefore: false };
  if (guarded) return { place: guarded.place, isBefore: false };
  const before = own.find((effect) => steps.indexOf(effect.step) < steps.indexOf(step)) ?? earlierShipment(view, job);
  return before && { place: before.place, isBefore: true };
}

const earlierShipment = (view: WorkflowsView, job: JobNode) =>
  view.ancestorsOf(job).flatMap((each) => shipmentsOf(view, each))[0];

/** A later step or job that asks for the outcome decides itself. */
export const isAskedLater = (view: WorkflowsView, job: JobNode, step: StepNode): boolean => {
  const { key } = step;
  if (key === undefined) return false;
  return (
    job.templates.some(({ text }) => text.includes(`steps.${key}.outcome`) || text.includes(`steps.${key}.outputs`)) ||
    view
      .descendantsOf(job)
      .some(({ templates }) => templates.some(({ text }) => text.includes(`needs.${job.key}.outputs`)))
  );
};
