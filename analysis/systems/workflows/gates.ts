// Gates of a job that pass whatever they find, each with what ships all the same. What a gate is and what ships around
// it is decided here; the ways in which it passes are in the files about checks, tests and conditions.
import { lineOf, type Place } from "../../place.ts";
import { openConditions } from "./always-true.ts";
import { type BlindCheck, blindChecks, exitCodeOfScan } from "./blind-checks.ts";
import { isDeadGuard } from "./dead-guards.ts";
import { deafScripts } from "./deaf-scripts.ts";
import { emptyChecks } from "./empty-checks.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { changesOf, isApproval, isCheckStep, isGate, shipmentsOf, tierOf } from "./roles.ts";
import { isAskedLater, type Shipped, shippedAround } from "./shipped-around.ts";
import { swallowedTests } from "./swallowed-tests.ts";
import { isTestStep } from "./tests.ts";
import { softInput, toldToPass } from "./told-to-pass.ts";
import { checksWithoutVerdict } from "./verdicts.ts";
import type { WorkflowsView } from "./view.ts";

/** A gate that cannot fail. */
export interface DeafGate {
  readonly place: Place;
  readonly subject: string;
  readonly message: string;
  /** What ships all the same. */
  readonly shipped: Place;
  /** @default "high" */
  readonly severity?: "high" | "medium";
  /** What to do, if it is not that the failure should fail the step. */
  readonly fix?: string;
}

/** Gives the gates of a job that cannot fail. */
export function deafGates(view: WorkflowsView, job: JobNode): readonly DeafGate[] {
  const guarded = guardedBy(view, job);
  const steps = view.stepsOf(job).flatMap((step) => ofStep(view, job, step, guarded));
  return [...ofJob(view, job, guarded), ...openConditions(view, job), ...steps];
}

/** What ships after a job: later jobs that wait for it, and else those of a workflow that follows its run. */
const guardedBy = (view: WorkflowsView, job: JobNode): JobNode | undefined =>
  view
    .descendantsOf(job)
    .find((each) => shipsOrGoesBack(view, each) || (each.environment && tierOf(each, []) === "production")) ??
  view
    .followersOf(view.workflowOf(job))
    .flatMap((each) => view.jobsOf(each))
    .find((each) => shipmentsOf(view, each).length > 0);

/** A way back that is a workflow of its own changes what runs, too. */
const shipsOrGoesBack = (view: WorkflowsView, job: JobNode): boolean =>
  shipmentsOf(view, job).length > 0 || changesOf(view, job).length > 0;

function ofJob(view: WorkflowsView, job: JobNode, guarded: JobNode | undefined): readonly DeafGate[] {
  if (job.continueOnError?.text !== "true" || guarded === undefined || !isGate(view, job)) return [];
  return [
    {
      place: job.continueOnError.place,
      subject: job.id,
      message: `Job ${job.key} has continue-on-error, so ${guarded.key} ships whatever it finds.`,
      shipped: guarded.place,
    },
  ];
}

function ofStep(view: WorkflowsView, job: JobNode, step: StepNode, guarded: JobNode | undefined): readonly DeafGate[] {
  const shipped = shippedAround(view, job, step, guarded);
  if (shipped === undefined) return [];
  // Who waits for an approval is asked by the environment, whatever the step says.
  const empty = isApproval(view, job) ? [] : ofBlind(job, step, shipped, emptyChecks(step));
  if (empty.length > 0 || isAskedLater(view, job, step)) return empty;
  const isGateStep = isTestStep(step) || (isCheckStep(step) && shipped.isBefore);
  if (step.continueOnError?.text === "true" && isGateStep)
    return [
      {
        place: step.continueOnError.place,
        subject: step.id,
        message: `The step "${step.name}" of job ${job.key} has continue-on-error, so its failure stops nothing.`,
        shipped: shipped.place,
      },
    ];
  if (step.run === undefined) return [...toldByInput(job, step, shipped), ...ofScript(job, step, shipped)];
  if (isDeadGuard(view, job, step))
    return [
      {
        place: step.condition!.place,
        subject: step.id,
        message:
          `The guard "${step.name}" of job ${job.key} never runs: its condition ${step.condition!.text.trim()} is ` +
          "false on every event of the workflow.",
        shipped: shipped.place,
      },
    ];
  const told = shipped.isBefore ? [] : toldToPass(step, view.stepsOf(job));
  return [...ofScript(job, step, shipped), ...ofBlind(job, step, shipped, told)];
}

/** A scanner that is told to succeed whatever it finds, and writes no report that another job could read. */
function toldByInput(job: JobNode, step: StepNode, shipped: Shipped): readonly DeafGate[] {
  const told = shipped.isBefore ? undefined : (exitCodeOfScan(step) ?? softInput(step));
  const message = `The scan "${step.name}" of job ${job.key} is told to succeed whatever it finds.`;
  return told ? [{ place: told.place, subject: step.id, message, shipped: shipped.place, severity: "medium" }] : [];
}

/** What the script of a step swallows, asks without a verdict, or looks at without seeing it. */
function ofScript(job: JobNode, step: StepNode, shipped: Shipped): readonly DeafGate[] {
  // A step in which nothing can fail has one finding.
  const without = shipped.looksBack ? checksWithoutVerdict(job, step, shipped.from) : [];
  const swallowed = without.length > 0 ? [] : swallowedTests(job, step, shipped.looksBack, shipped.from);
  const found = swallowed.map((each) => ({ ...each, message: `asks in vain: ${each.message}` }));
  return ofBlind(job, step, shipped, [...without, ...found, ...blindChecks(step), ...deafScripts(step)]);
}

const ofBlind = (job: JobNode, step: StepNode, shipped: Shipped, found: readonly BlindCheck[]): readonly DeafGate[] =>
  found.map(({ line, message, script }) => ({
    place: lineOf(script ?? step.run!, line),
    // The line of the script and not of the file, so that a baseline survives moved lines.
    subject: `${step.id} ${line}`,
    message: `"${step.name}" in job ${job.key} ${message}.`,
    shipped: shipped.place,
    severity: shipped.isBefore ? "medium" : "high",
  }));
