// What ships around a step that looks at something: behind it, so that the step guards it, or before it, so that the
// step looks at the result. A step without either guards nothing.
import { byPlace, type Place, type Text } from "../../place.ts";
import { scriptsOf } from "./effects.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { changesOf, isUndoJob, shipmentsOf, stepTitle } from "./roles.ts";
import { commandsIn } from "./shell.ts";
import type { WorkflowsView } from "./view.ts";

/** Something that ships before or after a step. */
export interface Shipped {
  readonly place: Place;
  /** Whether it ships before the step, so that the step looks at the result. */
  readonly isBefore: boolean;
  /** Whether something was deployed before the step, whatever ships after it. */
  readonly looksBack: boolean;
  /** The line of the step's script behind which it looks at what it ships itself; 0 if it ships nothing. */
  readonly from: number;
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
  const before = own.find((effect) => steps.indexOf(effect.step) < steps.indexOf(step)) ?? earlierShipment(view, job);
  // What it ships itself counts only for what stands behind it in the script.
  const self = own.findLast(
    (effect) => effect.step === step && (effect.command !== undefined || scriptsOf(step).length > 0),
  );
  const from = before === undefined && self?.command ? self.command.line + 1 : 0;
  const looksBack = before !== undefined || self !== undefined;
  const next = after?.place ?? guarded?.place;
  if (next) return { place: next, isBefore: false, looksBack, from };
  const shipped = before ?? self;
  return shipped && { place: shipped.place, isBefore: true, looksBack: true, from };
}

const earlierShipment = (view: WorkflowsView, job: JobNode) =>
  view.ancestorsOf(job).flatMap((each) => (isUndoJob(view, each) ? changesOf(view, each) : shipmentsOf(view, each)))[0];

/** A later step or job that decides by the outcome. One that only tells it decides nothing. */
export const isAskedLater = (view: WorkflowsView, job: JobNode, step: StepNode): boolean => {
  const { key } = step;
  if (key === undefined) return false;
  const reads = (text: string): boolean =>
    text.includes(`steps.${key}.outcome`) || text.includes(`steps.${key}.outputs`);
  const told = toldIn(view, job);
  return (
    job.templates.some((each) => reads(each.text) && !told(each)) ||
    view
      .descendantsOf(job)
      .some(({ templates }) => templates.some(({ text }) => text.includes(`needs.${job.key}.outputs`)))
  );
};

/** Gives whether a text of a job is only told to people. */
export const toldIn = (view: WorkflowsView, job: JobNode): ((text: Text) => boolean) => {
  const told = view.stepsOf(job).filter(onlyTells).flatMap(textsOf);
  return ({ place }) => told.some((each) => byPlace(each.place, place) === 0);
};

/** What a step reads, its condition left out: a condition always decides. */
const textsOf = ({ run, env, with: inputs }: StepNode): readonly Text[] => [
  ...(run ? [run] : []),
  ...[...env, ...inputs].map(({ value }) => value),
];

const telling = /notif|slack|teams|discord|telegram|mail|summar|report|comment|announce/i;
const deciding = /\bexit [1-9]|setFailed|process\.exit|throw |GITHUB_(OUTPUT|ENV)|\breturn 1/;

/** A summary, or a message to people: by its commands, or by its name. */
function onlyTells(step: StepNode): boolean {
  const script = [step.run?.text, ...step.with.map(({ value }) => value.text)].join("\n");
  if (deciding.test(script)) return false;
  if (step.run === undefined) return telling.test(`${step.uses?.text ?? ""} ${stepTitle(step)}`);
  return commandsIn(step.run.text).every(
    ({ words, isCondition }) => isCondition || /^(echo|printf|cat|fi|else|done|\}|:)$/.test(words[0] ?? ""),
  );
}
