// Ways back that run, succeed and bring nothing back: they only print, they start the same version again, or they push
// a revert that starts no deployment.
import { deploying, effectsOf } from "./effects.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { deploymentsOf, isOnOwnMachine, isUndoJob, isUndoStep, stepTitle } from "./roles.ts";
import { isSetup } from "./setup-steps.ts";
import { commandsIn, type ShellCommand } from "./shell.ts";
import type { WorkflowsView } from "./view.ts";
import type { Obstacle } from "./ways-back.ts";

/** Gives what makes a way back end well without bringing anything back; at most one for a job. */
export const inVain = (view: WorkflowsView, job: JobNode): readonly Obstacle[] =>
  [...onlyPrints(view, job), ...startsAgain(view, job), ...deploysAgain(view, job), ...unheardPush(view, job)].slice(
    0,
    1,
  );

const told = /^(echo|printf|sleep|date|:|true|exit)$/;
const does = ({ words }: ShellCommand): boolean => !told.test(words[0] ?? "");
const reacts = /failure\(\)|== *'failure'|!= *'success'/;

/** The steps of a job that go back when something fails. */
const reactions = (view: WorkflowsView, job: JobNode): readonly StepNode[] => {
  const effects = view.ownEffectsOf(job);
  return view
    .stepsOf(job)
    .filter((step) => isUndoStep(step, effects) && reacts.test(step.condition?.text ?? job.condition?.text ?? ""));
};

/** A step of a deploying job that is called a way back, and whose script only prints. */
function onlyPrints(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  if (isUndoJob(view, job) || deploymentsOf(view, job).length === 0) return [];
  const steps = reactions(view, job);
  const isIdle = ({ run }: StepNode): boolean =>
    run !== undefined && commandsIn(run.text).length > 0 && !commandsIn(run.text).some(does);
  const step = steps.find((each) => isIdle(each) && !/manual|remind|alert|message|point/i.test(stepTitle(each)));
  if (step === undefined || !steps.every(isIdle)) return [];
  return [
    {
      severity: "high",
      subject: `${step.id} prints`,
      place: step.run!.place,
      message: `The way back "${step.name}" of job ${job.key} only prints: the bad version stays.`,
      fix: "let it deploy the earlier version, or take it away so that nobody relies on it",
    },
  ];
}

const restart = new RegExp(
  "^(kubectl (.* )?rollout restart|oc (.* )?rollout restart|aws ecs update-service (?!.*--task-definition).*" +
    "--force-new-deployment|docker[ -]compose (.* )?restart|docker restart|pm2 (restart|reload)|" +
    "systemctl (.* )?restart|service \\S+ restart|az (webapp|containerapp revision) restart|heroku (ps:)?restart|" +
    "(fly|flyctl) (apps?|machines?) restart)\\b",
);
const chooses = new RegExp(
  "undo|rollback|revert|restor|previous|prev|old|backup|last|stable|HEAD|history|git |set image|" +
    "docker (tag|pull|load)|" +
    "register|--to-|inputs\\.|outputs\\.|(^|\\s)(cp|mv|ln|tar|rsync|scp|sed|export)\\s",
  "i",
);
const textOf = ({ words }: ShellCommand): string => words.join(" ");

/** A way back whose only change is that it starts what is there once more. */
function startsAgain(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const steps = isUndoJob(view, job) ? view.stepsOf(job) : reactions(view, job);
  const scripts = steps.flatMap(({ run, with: inputs }) => [
    ...(run ? [run.text] : []),
    ...inputs.filter(({ key }) => /^(script|inlinescript)$/i.test(key.text)).map(({ value }) => value.text),
  ]);
  const commands = scripts.flatMap((script) => commandsIn(script)).filter(does);
  const again = commands.find((each) => restart.test(textOf(each)));
  if (again === undefined || steps.some(({ uses }) => uses?.text.startsWith("./"))) return [];
  if (commands.some((each) => chooses.test(textOf(each))) || steps.some(changesElse)) return [];
  const step = steps.find(({ run, with: inputs }) =>
    [run, ...inputs.map(({ value }) => value)].some((text) => text?.text.includes(again.words.slice(0, 3).join(" "))),
  )!;
  return [
    {
      severity: "high",
      subject: `${step.id} again`,
      place: (step.run ?? step.uses ?? step).place,
      message:
        `"${again.words.slice(0, 4).join(" ")}" in the way back of job ${job.key} starts the same version again: ` +
        "nothing in it names an earlier one.",
      fix: "deploy the version that ran before, by its revision, its task definition or its image",
    },
  ];
}

/** Whether a step changes something else than by starting it again. */
const changesElse = (step: StepNode): boolean =>
  effectsOf(step).some(
    ({ verb, command }) =>
      (deploying.has(verb) || verb === "undo") && command !== undefined && !restart.test(textOf(command)),
  );

/** A way back that does what the deployment did, from the same commit: it deploys the bad version once more. */
function deploysAgain(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  if (!isUndoJob(view, job) || job.uses !== undefined || isOnOwnMachine(job)) return [];
  const steps = view.stepsOf(job);
  const own = view.ownEffectsOf(job).filter(({ verb }) => deploying.has(verb) || verb === "undo");
  const others = view.ancestorsOf(job).flatMap((each) => deploymentsOf(view, each));
  const isSame =
    own.length > 0 && own.every((effect) => others.some((each) => signOf(each.step) === signOf(effect.step)));
  const reads = job.templates.some(({ text }) => /inputs\.|outputs\.|event\.before|github\.event\./.test(text));
  const isPlain = steps.every(
    (step) =>
      isSetup(step) || own.some((effect) => effect.step === step) || !commandsIn(step.run?.text ?? "").some(does),
  );
  const checksOutOther = steps.some(({ with: inputs }) => inputs.some(({ key }) => key.text === "ref"));
  if (!isSame || reads || !isPlain || checksOutOther) return [];
  return [
    {
      severity: "critical",
      subject: "the same again",
      place: own[0]!.place,
      message: `The way back ${job.key} does what the deployment did, from the same commit: it deploys it once more.`,
      fix: "check out the commit that ran before, or name its image",
    },
  ];
}

const signOf = ({ uses, run, with: inputs, env }: StepNode): string =>
  JSON.stringify([uses?.text, run?.text, ...[...inputs, ...env].map(({ key, value }) => [key.text, value.text])]);

const ownToken = /secrets\.(?!GITHUB_TOKEN\b)\w+|outputs\.token/;

/** A revert that is pushed with the token of the run: GitHub starts no workflow for it, so nothing deploys it. */
function unheardPush(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const steps = isUndoJob(view, job) ? view.stepsOf(job) : reactions(view, job);
  const step = steps.find(({ run }) => /git revert|git reset --hard/.test(run?.text ?? ""));
  const push = step && commandsIn(step.run!.text).find((each) => /^git (-\S+ \S+ )*push\b/.test(textOf(each)));
  if (step === undefined || push === undefined || isOnOwnMachine(job)) return [];
  const all = [...view.stepsOf(job), ...view.descendantsOf(job).flatMap(view.stepsOf)];
  const isHeard = all.some(({ run, with: inputs, env, uses }) =>
    [run?.text, uses?.text, ...[...inputs, ...env].map(({ value }) => value.text)].some(
      (text) =>
        ownToken.test(text ?? "") || /workflow run|dispatch|ssh-agent|create-github-app-token/i.test(text ?? ""),
    ),
  );
  const others = view.ownEffectsOf(job).some(({ verb, step: at }) => deploying.has(verb) && steps.includes(at));
  const started = view.workflows.find(
    (workflow) =>
      workflow.triggers.some(({ event, filters }) => event === "push" && filters["tags"] === undefined) &&
      view.jobsOf(workflow).some((each) => deploymentsOf(view, each).length > 0),
  );
  if (isHeard || others || started === undefined) return [];
  return [
    {
      severity: "high",
      subject: `${step.id} unheard push`,
      place: step.run!.place,
      message:
        `The way back "${step.name}" pushes a revert with the token of the run, for which GitHub starts no workflow: ` +
        `${started.title} does not deploy it.`,
      fix: "push with a deploy key or an app's token, or start the deployment with gh workflow run",
    },
  ];
}
