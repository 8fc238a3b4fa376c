// What keeps a way back from doing its work, whatever it goes back from: nobody can start it by hand, it changes
// nothing, or a command in it has no token. All of it shows only when the way back is needed.
import { lineOf, type Place } from "../../place.ts";
import { holds } from "./conditions.ts";
import { expressionsIn, hasStatusFunction, parseCondition, pathsIn } from "./expressions.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { isOnOwnMachine, isUndoJob, stepTitle, titleOf } from "./roles.ts";
import { isSetupAction } from "./setup-steps.ts";
import { commandsIn, type ShellCommand } from "./shell.ts";
import { simulate } from "./simulate.ts";
import type { WorkflowsView } from "./view.ts";
import { inWorld, worldsOf } from "./worlds.ts";

/** Something that is wrong with a way back. */
export interface Obstacle {
  readonly severity: "critical" | "high";
  readonly subject: string;
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
  /** What it costs, if it is not that nothing goes back. */
  readonly cost?: string;
}

/** Gives what is wrong with a way back that is a job. */
export const obstaclesOf = (view: WorkflowsView, job: JobNode): readonly Obstacle[] => [
  ...skippedByHand(view, job),
  ...changesNothing(view, job),
  ...noRepository(view, job),
  // Ways back among the earlier jobs speak for themselves.
  ...[job, ...view.ancestorsOf(job).filter((each) => !isUndoJob(view, each))].flatMap((each) =>
    withoutToken(view, each),
  ),
];

/** A start by hand for which the job's own condition is true, and a job that it needs is skipped. */
function skippedByHand(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const expression = job.condition && parseCondition(job.condition.text);
  if (expression === undefined || hasStatusFunction(expression)) return [];
  const workflow = view.workflowOf(job);
  for (const world of worldsOf(view, workflow)) {
    if (world.event !== "workflow_dispatch") continue;
    const isAsked = holds(expression, { status: () => true, lookup: (path) => inWorld(world, path) }) === true;
    const outcomes = simulate(view, workflow, world);
    const skipped = view.ancestorsOf(job).find(({ key }) => outcomes.get(key)?.runs === false);
    if (isAsked && skipped && outcomes.get(job.key)?.runs === false)
      return [
        {
          severity: "high",
          subject: "by hand",
          place: job.place,
          message:
            `On ${world.label}, the condition of the way back ${job.key} is true, but it needs ${skipped.key}, which ` +
            "is skipped then, and so the way back is skipped too.",
          fix: `take ${skipped.key} out of its needs, or begin its condition with !cancelled() &&`,
        },
      ];
  }
  return [];
}

/** What git does in the runner's own copy, which nobody sees unless it is pushed. */
const harmlessGit = new RegExp(
  "^git (checkout|switch|fetch|pull|clone|log|rev-parse|rev-list|describe|show|diff|status|config|revert|reset|add|" +
    String.raw`commit|merge|cherry-pick|stash|branch|tag|remote)\b`,
);
const harmless = new Set(
  (
    "echo printf sleep cat jq date test exit true : set export cd ls fi else done break continue for local return " +
    "[ [[ head tail grep mkdir cp mv rm touch chmod tar gzip zip unzip sed awk tr cut sort basename dirname"
  ).split(" "),
);
const onlyLooks = (command: ShellCommand): boolean =>
  harmless.has(command.words[0] ?? "") ||
  harmlessGit.test(command.words.join(" ")) ||
  (/^(curl|wget)$/.test(command.words[0] ?? "") &&
    !/ (-X|--request|-d|--data\S*|-T|-F) /.test(` ${command.words.join(" ")} `));
const otherNames =
  "info plan point prepare instruct manual summar report guide notif check verif valid need find get- determin " +
  "identif resolv select announc analy post audit metric";
const otherPurpose = new RegExp(otherNames.replaceAll(" ", "|"), "i");
const doing = /roll|revert|restor|undo|deploy|previous|switch/i;

/** A job that is called a way back, and in which no command changes what runs. */
function changesNothing(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  const steps = view.stepsOf(job);
  if (job.uses !== undefined || otherPurpose.test(titleOf(job)) || steps.length === 0) return [];
  // On a machine of one's own, a copied file may be what runs.
  if (isOnOwnMachine(job)) return [];
  const isIdle = steps.every(({ uses, run }) =>
    uses === undefined ? commandsIn(run?.text ?? "").every(onlyLooks) : isSetupAction(uses.text),
  );
  const step = steps.findLast((each) => each.run && doing.test(stepTitle(each)) && !otherPurpose.test(stepTitle(each)));
  if (!isIdle || step === undefined) return [];
  return [
    {
      severity: "high",
      subject: "nothing",
      place: step.run!.place,
      message:
        `The way back "${step.name}" in job ${job.key} changes nothing that runs: its commands print, look, or write ` +
        "files on the runner.",
      fix: "let it deploy the earlier version, or take it away so that nobody relies on it",
    },
  ];
}

const asksGitHub = /(?:^|[\s(;&|])(gh (?:api|pr|issue|release|run|workflow|repo|secret|variable|label|cache) )/;
const hasToken = /\b(GH|GITHUB)_(ENTERPRISE_)?TOKEN\b/;

/** A call of GitHub's command line without a token, which ends with an error in every run. */
function withoutToken(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  if (isOnOwnMachine(job)) return [];
  const steps = view.stepsOf(job).filter(({ via }) => via === undefined);
  const given = [...view.workflowOf(job).env, ...job.env].map(({ key }) => key.text);
  const isGiven = given.some((name) => hasToken.test(name)) || steps.some(({ run }) => setsToken(run?.text ?? ""));
  if (isGiven) return [];
  return steps.flatMap(({ run, env, id, name }) => {
    const script = run?.text ?? "";
    const match = asksGitHub.exec(script);
    if (match === null || hasToken.test(script) || env.some(({ key }) => hasToken.test(key.text))) return [];
    const line = script.slice(0, match.index + match[0].length - match[1]!.length).split("\n").length - 1;
    return [
      {
        severity: "high",
        subject: `${id} token`,
        place: lineOf(run!, line),
        message: `"${name}" calls ${match[1]!.trim()} without GH_TOKEN, and ends with an error whenever it does.`,
        fix: "give the step the variable GH_TOKEN, such as ${{ github.token }}",
      },
    ];
  });
}

const setsToken = (script: string): boolean =>
  /gh auth login/.test(script) || (hasToken.test(script) && /GITHUB_ENV/.test(script));

/** Values that a step of a way back reads and nothing gives. */
export const emptyValues = (
  view: WorkflowsView,
  job: JobNode,
  step: StepNode,
  steps: readonly StepNode[],
): readonly Obstacle[] =>
  [step.run, ...[...step.with, ...step.env].map(({ value }) => value)]
    .filter((text) => text !== undefined)
    .flatMap((text) =>
      expressionsIn(text.text)
        .flatMap(pathsIn)
        .flatMap((path): readonly Obstacle[] => {
          const why = missing(view, job, path, steps.slice(0, steps.indexOf(step)));
          if (why === undefined) return [];
          return [
            {
              severity: "critical",
              subject: `${step.id} ${path.join(".")}`,
              place: text.place,
              message: `The way back in job ${job.key} reads ${path.join(".")}, which is empty: ${why}.`,
              fix: "declare the output where the previous version is read, and need that job",
            },
          ];
        }),
    );

function missing(
  view: WorkflowsView,
  job: JobNode,
  path: readonly string[],
  earlier: readonly StepNode[],
): string | undefined {
  const [context, key = "", field, name = ""] = path;
  if (context === "env") return fromOtherJob(view, job, key);
  if (field !== "outputs" || key === "*" || name === "*") return undefined;
  if (context === "steps")
    return earlier.some((step) => step.key === key) ? undefined : `no earlier step of the job has the id ${key}`;
  if (context !== "needs") return undefined;
  const need = view.needsOf(job).find((each) => each.key === key);
  if (need === undefined) return `the job does not need ${key}`;
  if (need.uses !== undefined) return undefined;
  return need.outputs.some((each) => each.key.text === name) ? undefined : `${key} declares no output ${name}`;
}

/** Says which other job writes a variable for its own later steps, if nothing gives it to this one. */
function fromOtherJob(view: WorkflowsView, job: JobNode, name: string): string | undefined {
  const workflow = view.workflowOf(job);
  const steps = view.stepsOf(job);
  const given = [...workflow.env, ...job.env, ...steps.flatMap(({ env }) => env)];
  const writes = ({ run }: StepNode): boolean =>
    new RegExp(String.raw`\b${name}(=|<<)[^\n]*GITHUB_ENV`).test(run?.text ?? "");
  if (!/^\w+$/.test(name) || given.some(({ key }) => key.text === name) || isOnOwnMachine(job)) return undefined;
  if (steps.some((step) => /GITHUB_ENV|\.github\//.test(step.run?.text ?? "") || step.uses?.text.startsWith("./")))
    return undefined;
  const other = view.jobsOf(workflow).find((each) => each.id !== job.id && view.stepsOf(each).some(writes));
  return other && `${other.key} writes it to GITHUB_ENV, which only its own steps see`;
}

const needsRepository = /^git (fetch|checkout|log|rev-parse|rev-list|revert|reset|describe|tag|push|show|merge-base)\b/;
const makesRepository = /^(git (clone|init)|gh repo clone)\b/;

/** A way back that uses git in a folder without a repository. */
function noRepository(view: WorkflowsView, job: JobNode): readonly Obstacle[] {
  if (isOnOwnMachine(job)) return [];
  for (const step of view.stepsOf(job)) {
    if (/checkout|clone/i.test(step.uses?.text ?? "") || step.uses?.text.startsWith("./")) return [];
    const commands = commandsIn(step.run?.text ?? "");
    if (commands.some(({ words }) => makesRepository.test(words.join(" ")))) return [];
    const first = commands.find(({ words }) => needsRepository.test(words.join(" ")));
    if (first)
      return [
        {
          severity: "critical",
          subject: "repository",
          place: lineOf(step.run!, first.line),
          message:
            `"${first.words.join(" ")}" in the way back ${job.key} has no repository: nothing is checked out ` +
            "before.",
          fix: "check the repository out in the first step",
        },
      ];
  }
  return [];
}
