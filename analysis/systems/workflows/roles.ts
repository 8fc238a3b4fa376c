// What jobs and steps are for: gates that must pass before something ships, checks of what was shipped, ways back, and
// the environment that a job ships to. Roles come from commands first and from names second, and each function says in
// its name what it takes for granted.
import { deployHook } from "./effect-hosts.ts";
import { deploying, type Effect, shipping } from "./effects.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { commandsIn, type Worded } from "./shell.ts";
import { isTestStep } from "./tests.ts";
import type { WorkflowsView } from "./view.ts";

const gateNames =
  "unit test tests testing lint check checks quality validate verify scan security ci e2e integration typecheck".split(
    " ",
  );
const named = (names: readonly string[]): RegExp => new RegExp(`(^|[^a-z])(${names.join("|")})([^a-z]|$)`, "i");
const gateName = named(gateNames);
const checkName = /smoke|health|verif|post-?deploy|acceptance|e2e|probe|ready|synthetic|monitor/i;
const approvalName = /(^|[^a-z])(approv\w*|manual|sign-?off|confirm)([^a-z]|$)/i;
/** What was restored or reverted is looked at; nothing goes back there. */
const undoName = /roll[- ]?back|revert(?!ed)|undo|(?<![a-z])restore(?!d)/i;

/** Whether a command asks a running system for its state. An address that deploys when it is called is not asked. */
export const isProbe = (command: Worded): boolean =>
  (/^(curl|wget|httpie|http|grpcurl|nc) /.test(`${command.words.join(" ")} `) &&
    !deployHook.test(command.words.join(" "))) ||
  /^kubectl (.* )?(rollout status|wait)\b/.test(command.words.join(" ")) ||
  /^\S*(smoke|health)[\w-]*(\.\w+)?$/.test(command.words.find((word) => !/^(bash|sh|node|python3?)$/.test(word)) ?? "");

/** Whether a command asks the runner itself, on which nothing is deployed. */
export const isOfRunner = ({ words }: Worded): boolean => /\/\/(localhost|127\.0\.0\.1)\b/.test(words.join(" "));

export const titleOf = ({ key, title }: JobNode): string => `${key} ${title?.text ?? ""}`;
export const stepTitle = (step: StepNode): string => `${step.key ?? ""} ${step.title?.text ?? ""}`;

/** A step that looks at what was deployed. */
export const isCheckStep = (step: StepNode): boolean =>
  (checkName.test(stepTitle(step)) && (step.run !== undefined || step.uses !== undefined)) ||
  (step.run !== undefined &&
    commandsIn(step.run.text).some((command) => isProbe(command) && !isOfRunner(command)) &&
    !/token|webhook|slack|download|install/i.test(stepTitle(step) + step.run.text));

/** A job that tests what will ship: it ships nothing itself. */
export const isGate = (view: WorkflowsView, job: JobNode): boolean =>
  !view.effectsOf(job).some(({ verb }) => shipping.has(verb)) &&
  (view.stepsOf(job).some(isTestStep) || (gateName.test(titleOf(job)) && !checkName.test(titleOf(job))));

/** A job that somebody has to approve by an action, or whose name says so and that has an environment. */
export const isApproval = (view: WorkflowsView, job: JobNode): boolean =>
  view.stepsOf(job).some(({ uses }) => /manual-approval|wait-for-approval/.test(uses?.text ?? "")) ||
  (approvalName.test(titleOf(job)) && job.environment !== undefined);

/** Whether a job may run on a machine of one's own: files, tools and sign-ins outlast its runs there. */
export const isOnOwnMachine = ({ runsOn }: JobNode): boolean =>
  runsOn.some((label) => /self-hosted|\$\{\{/.test(label));

/** A step that goes back: by its command, or by its name if it does something. */
export const isUndoStep = (step: StepNode, effects: readonly Effect[]): boolean =>
  effects.some((effect) => effect.step.id === step.id && effect.verb === "undo") ||
  (undoName.test(stepTitle(step)) &&
    !/test|plan|check|info|instruction|notify|summary|smoke|verif|health/i.test(stepTitle(step)));

export const isUndoJob = (view: WorkflowsView, job: JobNode): boolean =>
  undoName.test(titleOf(job)) &&
  !(/check|notify/i.test(titleOf(job)) || (/test/i.test(titleOf(job)) && job.environment === undefined)) &&
  (view.stepsOf(job).length > 0 || job.uses !== undefined);

/** The effects of a job that deploy, those of its ways back left out. */
export const deploymentsOf = (view: WorkflowsView, job: JobNode): readonly Effect[] => {
  if (isUndoJob(view, job)) return [];
  const effects = view.effectsOf(job);
  return effects.filter(({ verb, step }) => deploying.has(verb) && !isUndoStep(step, effects));
};

/** What a job changes. A rollback that is a workflow of its own changes what runs like every deployment. */
export function changesOf(view: WorkflowsView, job: JobNode): readonly Effect[] {
  const jobs = view.jobsOf(view.workflowOf(job));
  if (!isUndoJob(view, job) || jobs.some((each) => deploymentsOf(view, each).length > 0))
    return deploymentsOf(view, job);
  return view.effectsOf(job).filter(({ verb }) => deploying.has(verb) || verb === "undo");
}

/** The effects of a job that ship something: deployments, publications, releases. */
export const shipmentsOf = (view: WorkflowsView, job: JobNode): readonly Effect[] => {
  if (isUndoJob(view, job)) return [];
  const effects = view.effectsOf(job);
  return effects.filter(({ verb, step }) => shipping.has(verb) && !isUndoStep(step, effects));
};

const production = /(^|[^a-z])(prod|production|live|prd)([^a-z]|$)/i;
const lesserNames =
  "staging stage stg dev develop development test testing qa uat preview sandbox demo pr nightly".split(" ");
const lesser = named(lesserNames);

export const isProduction = (text: string): boolean => production.test(text);

/** Which environment a job ships to, as far as names say. */
export function tierOf(job: JobNode, effects: readonly Effect[]): "production" | "lesser" | "unknown" {
  const said = [job.environment?.text, titleOf(job), ...effects.map((effect) => effect.named)].filter(
    (text) => text !== undefined,
  );
  const plain = said.map((text) => text.replaceAll(/\$\{\{.*?\}\}/gs, ""));
  if (plain.some(isProduction)) return "production";
  return plain.some((text) => lesser.test(text)) ? "lesser" : "unknown";
}
