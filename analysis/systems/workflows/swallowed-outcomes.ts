// Outcomes that a workflow throws away: a deployment whose failure stops nothing, and ways back that never hear of a
// failure, that fail without a word, or that also follow a run that went well.
import { deploying, type Effect, scriptsOf } from "./effects.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { deploymentsOf, isUndoJob, isUndoStep } from "./roles.ts";
import { charactersMax, commandsIn, type ShellCommand } from "./shell.ts";
import { shellScriptOf } from "./shell-options.ts";
import { isAskedLater } from "./shipped-around.ts";
import { simulate } from "./simulate.ts";
import { swallowedCommands } from "./swallowed-commands.ts";
import { isBeyond, passesOn } from "./swallowed-tests.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";
import { worldsOf } from "./worlds.ts";

const isSwallowed = ({ continueOnError }: StepNode): boolean => continueOnError?.text === "true";
const isReaction = /failure\(\)|always\(\)|== *'failure'|!= *'success'/;

/** Gives the deployments of a job whose failure leaves the run green, with how it is swallowed. */
export const swallowedDeployments = (
  view: WorkflowsView,
  job: JobNode,
): readonly { readonly effect: Effect; readonly how: string }[] =>
  deploymentsOf(view, job)
    .filter(({ step }) => step.job === job.id && step.via === undefined)
    .map((effect) => ({ effect, how: howSwallowed(view, job, effect) }))
    // A first attempt may fail if a second one is heard.
    .filter(
      ({ effect: { category, named, verb } }, at, all) =>
        !all
          .slice(at + 1)
          .some(
            ({ effect, how }) =>
              how === undefined && effect.category === category && effect.named === named && effect.verb === verb,
          ),
    )
    .flatMap(({ effect, how }) => (how === undefined ? [] : [{ effect, how }]));

/** An outcome that somebody asks for is heard; what a script ignores reaches no outcome, only what it writes. */
function howSwallowed(view: WorkflowsView, job: JobNode, effect: Effect): string | undefined {
  if (!isSwallowed(effect.step)) return ignoredCommand(job, effect);
  return isAskedLater(view, job, effect.step) ? undefined : "its step has continue-on-error";
}

/** A creation that may fail because the thing is there already is left out. */
function ignoredCommand(job: JobNode, { command, step }: Effect): string | undefined {
  if (command === undefined || command.words.includes("create")) return undefined;
  const script = scriptsOf(step).find(({ text }) => commandsIn(text).includes(command))?.text;
  return script && swallowedHow(job, step, script, command);
}

/** Says how a script swallows the failure of a command. */
function swallowedHow(job: JobNode, step: StepNode, script: string, command: ShellCommand): string | undefined {
  const found = shellScriptOf(job, step);
  // Nearly every script on a host goes on after a failure. Only what is ignored on purpose is reported there.
  const isOwn = found?.script.text === script && !found.isRemote;
  const options = isOwn ? found.options : { stopsOnFailure: true, hearsPipes: true };
  if (script.length > charactersMax || isBeyond(script)) return undefined;
  const asked = command.words.join(" ");
  const swallowed = swallowedCommands(script, options, ({ words }) => words.join(" ") === asked, passesOn(step));
  const how = swallowed.find(({ line }) => line === command.line)?.how;
  return how && `its command ${how}`;
}

/** Gives what keeps a step that goes back from being asked, or from being heard. */
export function outcomesOf(view: WorkflowsView, job: JobNode, step: StepNode): readonly Obstacle[] {
  const effects = view.ownEffectsOf(job);
  const own = effects.some((effect) => effect.step === step && (deploying.has(effect.verb) || effect.verb === "undo"));
  if ((!isUndoStep(step, effects) && !(isUndoJob(view, job) && own)) || isAskedLater(view, job, step)) return [];
  const conditions = `${step.condition?.text ?? ""} ${job.condition?.text ?? ""}`;
  return [
    ...neverAsked(view, job, step, conditions),
    ...(isReaction.test(conditions) ? [] : unheard(job, step, effects)),
  ];
}

/** A way back whose failure is swallowed: by its step, or by its own script. */
function unheard(job: JobNode, step: StepNode, effects: readonly Effect[]): readonly Obstacle[] {
  if (!isSwallowed(step)) return inScript(job, step, effects);
  return [
    {
      severity: "high",
      subject: `${step.id} unheard`,
      place: step.continueOnError!.place,
      message: `The way back "${step.name}" of job ${job.key} has continue-on-error: if it fails, the run is green.`,
      fix: "let its failure fail the run, so that somebody goes back by hand",
    },
  ];
}

function inScript(job: JobNode, step: StepNode, effects: readonly Effect[]): readonly Obstacle[] {
  const own = effects.filter(
    (effect) => effect.step === step && (deploying.has(effect.verb) || effect.verb === "undo"),
  );
  const found = own.flatMap((effect) => {
    const how = ignoredCommand(job, effect);
    return how === undefined ? [] : [{ effect, how }];
  });
  const [first] = found;
  if (first === undefined || found.length < own.length) return [];
  return [
    {
      severity: "high",
      subject: `${step.id} unheard`,
      place: first.effect.place,
      message: `The way back "${step.name}" of job ${job.key} cannot fail: ${first.how}.`,
      fix: "let its failure fail the run, so that somebody goes back by hand",
    },
  ];
}

/** A reaction to a failure of a job in which no deployment can fail. */
function neverAsked(view: WorkflowsView, job: JobNode, step: StepNode, conditions: string): readonly Obstacle[] {
  const deaf = view.needsOf(job).find((need) => {
    const deployments = deploymentsOf(view, need).filter((effect) => effect.step.job === need.id);
    return deployments.length > 0 && deployments.every((effect) => isSwallowed(effect.step));
  });
  if (deaf === undefined || !conditions.includes(`needs.${deaf.key}.result == 'failure'`)) return [];
  return [
    {
      severity: "high",
      subject: `${step.id} never asked`,
      place: step.condition?.place ?? job.condition!.place,
      message:
        `The way back "${step.name}" waits for a failure of ${deaf.key}, whose deploying step has ` +
        "continue-on-error, so a failed deployment never starts it.",
      fix: `take continue-on-error away from the deploying step of ${deaf.key}`,
    },
  ];
}

/** A way back that follows another workflow, and nowhere asks how that one ended. */
export function followsSuccess(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const workflow = view.workflowOf(job);
  const trigger = workflow.triggers.find(({ event }) => event === "workflow_run");
  const texts = [...workflow.templates, ...view.jobsOf(workflow).flatMap(({ templates }) => templates)];
  if (trigger === undefined || texts.some(({ text }) => /workflow_run\.conclusion|workflow_run'?\]?\)/.test(text)))
    return [];
  const changing = view
    .jobsOf(workflow)
    .find((each) => view.ownEffectsOf(each).some(({ verb }) => deploying.has(verb) || verb === "undo"));
  if (changing?.id !== job.id) return [];
  const world = worldsOf(view, workflow).find(({ conclusion }) => conclusion === "success");
  if (world === undefined || simulate(view, workflow, world).get(job.key)?.runs === false) return [];
  return [
    {
      severity: "critical",
      subject: "after success",
      cost: "A version that is good is taken back as soon as it is deployed.",
      place: job.condition?.place ?? job.place,
      message:
        `The way back ${job.key} follows ${(trigger.filters["workflows"] ?? []).map(({ text }) => text).join(", ")} ` +
        "and never asks how that run ended, so it also goes back after a deployment that went well.",
      fix: "require github.event.workflow_run.conclusion == 'failure' in its condition",
    },
  ];
}
