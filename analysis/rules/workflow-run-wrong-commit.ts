// A workflow that follows another one with workflow_run, and builds or ships the newest commit of the default branch
// instead of the commit that was tested: checkout takes the default branch unless it is given the tested commit.
import type { Graph } from "../graph.ts";
import type { Draft, Repair, Rule } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import { expressionsIn, pathsIn } from "../systems/workflows/expressions.ts";
import type { StepNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { shipmentsOf } from "../systems/workflows/roles.ts";
import { commandsIn } from "../systems/workflows/shell.ts";
import { simulate } from "../systems/workflows/simulate.ts";
import { isTestStep } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows
    .filter(({ triggers }) => triggers.some(({ event }) => event === "workflow_run"))
    .flatMap((workflow) => ofWorkflow(view, workflow));
}

function ofWorkflow(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const worlds = worldsOf(view, workflow).filter(({ event }) => event === "workflow_run");
  return view.jobsOf(workflow).flatMap((job) => {
    const runs = worlds.some((world) => simulate(view, workflow, world).get(job.key)?.runs !== false);
    const steps = view.stepsOf(job);
    const checkout = steps.find((step) => step.uses?.text.startsWith("actions/checkout@") && isOfThisRepository(step));
    if (!runs || checkout === undefined || isTested(checkout)) return [];
    const after = steps.slice(steps.indexOf(checkout) + 1);
    const shipment = shipmentsOf(view, job)[0];
    // Scripts that fetch the tested commit themselves are quiet, and those that only ship an image that it names.
    const naming = after.filter(({ run }) => /head_sha|head_branch|HEAD_SHA/.test(run?.text ?? ""));
    const isNamed = naming.length > 0;
    if (isNamed && (naming.some(({ run }) => /\bgit\b/.test(run!.text)) || !(shipment && shipsFiles(shipment))))
      return [];
    const builds = shipment !== undefined || after.some(isTestStep) || after.some(isBuild);
    if (!builds || after.every(usesNoFiles)) return [];
    return [
      {
        severity: shipment && !isNamed && !takesBranch(checkout) ? ("high" as const) : ("medium" as const),
        known: "structural" as const,
        place: checkout.uses!.place,
        message: `Job ${job.key} of ${workflow.title} follows a finished run, but checks out the newest commit of ${
          takesBranch(checkout) ? "its branch" : "the default branch"
        }, not the commit of that run.`,
        cost: "What is built or shipped is not what was tested.",
        fix: "pass ref: ${{ github.event.workflow_run.head_sha }} to actions/checkout",
        subject: checkout.id,
        ...(shipment && { related: [{ place: shipment.place, message: "this ships it" }] }),
        repair: repairOf(checkout),
      },
    ];
  });
}

/** Whether a command ships files of the repository, such as a chart, beside an image that has a name. */
const shipsFiles = ({ command }: Effect): boolean =>
  / (-f|--filename|--values|-k) (?!-)\S|^helm .*(upgrade|install) (-\S+ )*\S+ \.{0,2}[\w-]*\/|\.(sh|py|ya?ml)\b/.test(
    command?.words.join(" ").slice(0, 2000) ?? "",
  );

/** A step that reads nothing of the folder: it calls an address, prints, or runs a script of its own. */
const usesNoFiles = ({ run, uses, workingDirectory }: StepNode): boolean =>
  uses === undefined
    ? workingDirectory === undefined &&
      commandsIn(run?.text ?? "").every(
        ({ words }) => remote.test(words[0] ?? "") && !/ (-T|-F|@)\S/.test(words.join(" ")),
      )
    : /^(actions\/github-script|\S*(slack|notify|discord|teams)\S*)@/i.test(uses.text);
const remote = /^(curl|wget|echo|printf|exit|sleep|test|\[|\[\[|fi|else|jq|date|gh|true|:)$/;

const isBuild = ({ run, uses }: StepNode): boolean =>
  /\b(build|docker|npm ci|npm install|make|compile|pack|deploy|publish)\b/.test(run?.text ?? "") ||
  /^docker\/build-push-action@/.test(uses?.text ?? "");

const isOfThisRepository = (step: StepNode): boolean => !step.with.some(({ key }) => key.text === "repository");

/** Whether the checkout names a commit: any ref that an expression or a caller gives is taken for the tested one. */
const isTested = (step: StepNode): boolean => {
  const ref = step.with.find(({ key }) => key.text === "ref")?.value.text ?? "";
  return ref.includes("${{") && !takesBranch(step) && !isOfDefaultBranch(ref);
};

/** What `github.sha` and `github.ref` are in a run that follows another: the newest commit of the default branch. */
const isOfDefaultBranch = (ref: string): boolean =>
  expressionsIn(ref)
    .flatMap(pathsIn)
    .every((path) => /^github\.(sha|ref|ref_name|event\.repository\.default_branch)$/.test(path.join(".")));

/** A branch is where the tested commit was; something else may stand there now. */
const takesBranch = (step: StepNode): boolean =>
  step.with.some(
    ({ key, value }) =>
      key.text === "ref" && /head_branch/.test(value.text) && !/head_sha|head_commit/.test(value.text),
  );

function repairOf(step: StepNode): Repair | undefined {
  if (takesBranch(step)) return undefined;
  const ref = "ref: ${{ github.event.workflow_run.head_sha }}";
  const { place } = step.uses!;
  const first = step.with[0];
  if (first) {
    const indent = " ".repeat(first.key.place.column - 1);
    const at = { ...first.key.place, column: 1, endLine: first.key.place.line, endColumn: 1 };
    return { title: "Check out the tested commit", edits: [{ place: at, text: `${indent}${ref}\n` }] };
  }
  const indent = " ".repeat(step.place.column - 1);
  const line = place.endLine + 1;
  const at = { ...place, line, column: 1, endLine: line, endColumn: 1 };
  return { title: "Check out the tested commit", edits: [{ place: at, text: `${indent}with:\n${indent}  ${ref}\n` }] };
}

const example = (more: string): string => `name: ship
on:
  workflow_run:
    workflows: [ci]
    types: [completed]
    branches: [main]
concurrency: ship
jobs:
  ship:
    if: github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6${more}
      - run: npx wrangler deploy
`;
const ci = `name: ci
on:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm test
`;

export const workflowRunWrongCommit: Rule = {
  id: "workflow-run-wrong-commit",
  title: "A workflow that follows another one takes the wrong commit",
  systems: ["github"],
  antiPattern: 6,
  focus: "state",
  why:
    "A run that workflow_run starts belongs to the default branch: github.sha is its newest commit, and " +
    "checkout takes " +
    "it. If a commit was pushed in the meantime, or the tested run was of another branch, something untested is built.",
  severity:
    "High if the job ships something. Medium if it does not, if it takes the branch of the tested commit, or if only " +
    "the image has the tested version and the files beside it do not.",
  fix: "Check out github.event.workflow_run.head_sha, and pass it on to everything that names the version.",
  limits: "A ref that is an expression is taken to be the right one.",
  failing: [{ ".github/workflows/ci.yml": ci, ".github/workflows/ship.yml": example(" # <- finding") }],
  nearMisses: [
    {
      files: {
        ".github/workflows/ci.yml": ci,
        ".github/workflows/ship.yml": example(
          "\n        with:\n          ref: ${{ github.event.workflow_run.head_sha }}",
        ),
      },
      because: "The tested commit is checked out.",
      edit: {
        file: ".github/workflows/ship.yml",
        replace: "\n        with:\n          ref: ${{ github.event.workflow_run.head_sha }}",
        by: "",
      },
    },
  ],
  check,
};
