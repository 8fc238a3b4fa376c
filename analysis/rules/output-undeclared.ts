// A value that is read and that nothing gives: an output that no job declares, a job that is not needed, a step that
// does not exist or comes later, an output that a script never writes, an input without a declaration. GitHub makes it
// an empty text, without an error. Composite actions and the outputs of called workflows are read likewise.
import { type Graph, nodesOf } from "../graph.ts";
import { byPlace, type Place, type Text } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { expressionsIn, pathsIn } from "../systems/workflows/expressions.ts";
import type { ActionNode, JobNode, StepNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { isUndoJob, isUndoStep, shipmentsOf } from "../systems/workflows/roles.ts";
import { withoutOutput } from "../systems/workflows/step-outputs.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { inWorld, worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const actions = nodesOf(graph, "action");
  return [
    ...view.jobs.filter((job) => !view.workflowOf(job).isBroken).flatMap((job) => ofJob(view, job, actions)),
    ...view.workflows.filter(({ isBroken }) => !isBroken).flatMap((workflow) => ofCallee(view, workflow)),
    ...actions.flatMap((action) => ofAction(action, actions)),
  ];
}

/** Gives one draft for each value and line. */
const once = (drafts: readonly Draft[]): readonly Draft[] => [
  ...new Map(drafts.map((each) => [`${each.subject} ${each.place.line}`, each])).values(),
];

/** Gives the paths that the expressions of a text read. */
const readIn = ({ text }: Text): readonly (readonly string[])[] => expressionsIn(text, true).flatMap(pathsIn);

function ofJob(view: WorkflowsView, job: JobNode, actions: readonly ActionNode[]): readonly Draft[] {
  const steps = view.stepsOf(job).filter(({ via }) => via === undefined);
  return once([...ofEvent(view, job), ...ofTemplates(view, job, steps, actions)]);
}

/** Fields of an event that no event of the workflow has. One with another value behind it is there on purpose. */
const ofEvent = (view: WorkflowsView, job: JobNode): readonly Draft[] => {
  const worlds = worldsOf(view, view.workflowOf(job));
  if (worlds.length === 0) return [];
  const events = [...new Set(worlds.map(({ event }) => event))].join(", ");
  return job.templates.flatMap((template) =>
    expressionsIn(template.text).flatMap((expression) => {
      const path = expression.is === "path" ? expression.path : [];
      if (path[0] !== "github" || path[1] !== "event" || path.length < 4 || path[2] === "inputs") return [];
      if (worlds.some((world) => inWorld(world, path) !== null)) return [];
      return [draft(view, job, template, path.join("."), `its workflow starts on ${events} only`)];
    }),
  );
};

function ofTemplates(
  view: WorkflowsView,
  job: JobNode,
  steps: readonly StepNode[],
  actions: readonly ActionNode[],
): readonly Draft[] {
  return job.templates.flatMap((template) =>
    readIn(template).flatMap((path) => {
      if (isJudgedElsewhere(view, job, template) && !isOfEarlierStep(steps, template, path)) return [];
      const why =
        path[0] === "steps" ? ofSteps(steps, template, path, actions, `job ${job.key}`) : emptiness(view, job, path);
      return why === undefined ? [] : [draft(view, job, template, path.join("."), why)];
    }),
  );
}

/** Whether an earlier step has the id that is read, so that only its script can say whether the value is there. */
const isOfEarlierStep = (steps: readonly StepNode[], { place }: Text, [context, key]: readonly string[]): boolean =>
  context === "steps" && steps.some((step) => step.key === key && step.place.endLine <= place.line);

/** Outputs of a called workflow that read a job, or an output of a job, which does not exist. */
const ofCallee = (view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] =>
  once(
    workflow.outputs.flatMap(({ key: output, value }) =>
      readIn(value).flatMap((path) => {
        const [context, key = "", field, name] = path;
        if (context !== "jobs" || key === "" || key === "*") return [];
        const job = view.job(workflow, key);
        const why = job ? ofOutput(view, job, field, name) : `the workflow has no job ${key}`;
        const of = `The output ${output.text} of ${workflow.title}`;
        return why === undefined ? [] : [outsideJob(of, workflow.id, value, path.join("."), why)];
      }),
    ),
  );

/** What the steps and outputs of a composite action read of its steps and inputs. */
const ofAction = (action: ActionNode, actions: readonly ActionNode[]): readonly Draft[] =>
  once(
    action.templates.flatMap((template) =>
      readIn(template).flatMap((path) => {
        const why =
          path[0] === "steps" ? ofSteps(action.steps, template, path, actions, "the action") : ofInputs(action, path);
        return why === undefined
          ? []
          : [outsideJob(`The action ${action.name}`, action.id, template, path.join("."), why)];
      }),
    ),
  );

function ofInputs({ inputs }: ActionNode, [context, key = "", ...more]: readonly string[]): string | undefined {
  if (context !== "inputs" || key === "" || key === "*" || more.length > 0) return undefined;
  return inputs.some((input) => input.toLowerCase() === key.toLowerCase()) ? undefined : `it declares no input ${key}`;
}

const outsideJob = (of: string, id: string, { place }: Text, path: string, why: string): Draft => ({
  severity: "medium",
  known: "structural",
  place,
  message: `${of} reads ${path}, which is always empty: ${why}.`,
  cost: "Whoever uses it gets an empty value instead of the one that was meant.",
  fix: "declare the output, or correct the name",
  subject: `${id} ${path}`,
});

/** A block ends where the next token begins, which may be the first column of a later line. */
const lastLineOf = ({ endLine, endColumn }: Place): number => (endColumn === 1 ? endLine - 1 : endLine);

/** Why what is read of a step is empty at the place where it is read. */
function ofSteps(
  steps: readonly StepNode[],
  { place }: Text,
  [, key = "", field, name]: readonly string[],
  actions: readonly ActionNode[],
  owner: string,
): string | undefined {
  if (key === "" || key === "*") return undefined;
  const all = steps.filter((step) => step.key?.toLowerCase() === key.toLowerCase());
  const [first] = all;
  if (first === undefined) return `no step of ${owner} has the id ${key}`;
  const reading = steps.findLast((each) => each.place.line <= place.line && place.line <= lastLineOf(each.place));
  if (reading !== undefined && all.every(({ index }) => index >= reading.index))
    return first === reading ? `step ${key} reads itself` : `step ${key} comes later`;
  const isNamed = field === "outputs" && name !== undefined && name !== "*";
  return isNamed && all.length === 1 ? withoutOutput(first, name, actions) : undefined;
}

/** Ways back are judged by the rule about them. */
const isJudgedElsewhere = (view: WorkflowsView, job: JobNode, template: Text): boolean =>
  (isUndoJob(view, job) && !isOfJob(job, template)) ||
  view
    .stepsOf(job)
    .some(
      (step) =>
        isUndoStep(step, view.ownEffectsOf(job)) &&
        step.place.line <= template.place.line &&
        template.place.line <= step.place.endLine,
    );

/** Whether a text is the condition of a job or one of its outputs, which its steps cannot judge. */
const isOfJob = ({ condition, outputs }: JobNode, { place }: Text): boolean =>
  [...(condition ? [condition] : []), ...outputs.map(({ value }) => value)].some(
    (text) => byPlace(text.place, place) === 0,
  );

/** Says why a value is empty; undefined if it may be there. */
function emptiness(view: WorkflowsView, job: JobNode, path: readonly string[]): string | undefined {
  const [context, key = "", field, name] = path;
  if (key === "" || key === "*") return undefined;
  if (context === "needs") return ofNeed(view, job, key, field, name);
  if (context !== "inputs" || path.length > 2) return undefined;
  const { inputs, triggers } = view.workflowOf(job);
  const isDeclared = inputs.some((input) => input.name.toLowerCase() === key.toLowerCase());
  const isCalled = triggers.some(({ event }) => event === "workflow_call" || event === "workflow_dispatch");
  return isDeclared || !isCalled ? undefined : `the workflow declares no input ${key}`;
}

function ofNeed(
  view: WorkflowsView,
  job: JobNode,
  key: string,
  field: string | undefined,
  name: string | undefined,
): string | undefined {
  const need = view.needsOf(job).find((each) => each.key === key);
  if (need === undefined)
    return job.needs.some(({ text }) => text === key) ? undefined : `job ${job.key} does not need ${key}`;
  return ofOutput(view, need, field, name);
}

/** Why an output of a job, or of the workflow that it calls, is empty. */
function ofOutput(
  view: WorkflowsView,
  need: JobNode,
  field: string | undefined,
  name: string | undefined,
): string | undefined {
  const { key } = need;
  if (field !== "outputs" || name === undefined || name === "*") return undefined;
  if (need.uses === undefined)
    return need.outputs.some((each) => each.key.text === name) ? undefined : `job ${key} declares no output ${name}`;
  const callee = view.calleeOf(need);
  if (callee === undefined || callee.outputs.some((each) => each.key.text === name)) return undefined;
  return `${callee.title}, which job ${key} calls, declares no output ${name}`;
}

function draft(view: WorkflowsView, job: JobNode, template: Text, path: string, why: string): Draft {
  const isShipping = shipmentsOf(view, job).length > 0;
  return {
    severity: isShipping ? "high" : "medium",
    known: "structural",
    place: template.place,
    message: `Job ${job.key} reads ${path}, which is always empty: ${why}.`,
    cost: isShipping
      ? "What ships gets an empty value instead of the one that was meant."
      : "A condition is decided, or a command is run, with an empty value.",
    fix: "declare the output, or correct the name",
    subject: `${job.id} ${path}`,
  };
}

const example = (output: string, name: string): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: production
jobs:
  build:
    runs-on: ubuntu-24.04
    outputs:
      ${output}: \${{ steps.image.outputs.digest }}
    steps:
      - id: image
        run: echo "digest=sha256:0" >> "$GITHUB_OUTPUT"
  deploy:
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: kubectl set image deployment/shop shop=shop@\${{ needs.build.outputs.${name} }}
`;

/** One job whose step reads an output of another step. */
const stepped = (before: string, read: string, after = ""): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: production
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
${before}      - run: kubectl set image deployment/shop shop=shop@${read}
${after}`;
const image = (line: string): string => `      - id: image
        run: ${line}
`;
const writes = image('echo "digest=$(cat digest.txt)" >> "$GITHUB_OUTPUT"');
const digest = "${{ steps.image.outputs.digest }}";
const marked = `${digest} # <- finding`;

const actionFile = (read: string): string => `name: version
outputs:
  version:
    value: ${read}
runs:
  using: composite
  steps:
    - id: read
      shell: bash
      run: echo "version=$(cat version.txt)" >> "$GITHUB_OUTPUT"
`;
const usesAction = "      - id: image\n        uses: ./.github/actions/version\n";

const callee = (read: string): string => `name: build
on:
  workflow_call:
    outputs:
      digest:
        value: ${read}
jobs:
  build:
    runs-on: ubuntu-24.04
    outputs:
      digest: \${{ steps.image.outputs.digest }}
    steps:
${writes}`;

export const outputUndeclared: Rule = {
  id: "output-undeclared",
  title: "A value is read that nothing gives",
  systems: ["github"],
  antiPattern: 6,
  focus: "state",
  why:
    "An expression that reads something that does not exist gives an empty text, not an error. A deployment " +
    "then gets an " +
    "image without a tag, or a condition is always false.",
  severity: "High if the job ships something, else medium.",
  fix: "Declare the output in the job that makes it, or correct the name.",
  limits:
    "Outputs of remote actions and workflows are not known, and taken to exist. Those of a script are known only if " +
    "it runs nothing that could write others.",
  failing: [
    { ".github/workflows/deploy.yml": stepped("", marked, writes) },
    { ".github/workflows/deploy.yml": stepped(image("kubectl get pods"), marked) },
    { ".github/workflows/deploy.yml": stepped(writes.replace("digest=", "sha=").replace("digest=", "sha="), marked) },
    {
      ".github/workflows/deploy.yml": stepped(usesAction, marked),
      ".github/actions/version/action.yml": actionFile("${{ steps.read.outputs.version }}"),
    },
    { ".github/actions/version/action.yml": actionFile("${{ steps.find.outputs.version }} # <- finding") },
    { ".github/workflows/build.yml": callee("${{ jobs.build.outputs.sha }} # <- finding") },
    {
      ".github/workflows/deploy.yml": example("digest", "tag").replace("outputs.tag }}", "outputs.tag }} # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": stepped(writes, digest) },
      because: "The step before it writes the output.",
      edit: { file: ".github/workflows/deploy.yml", replace: "digest=", by: "sha=" },
    },
    {
      files: { ".github/workflows/deploy.yml": stepped(image("node version.js"), digest) },
      because: "The program may write the output.",
      edit: { file: ".github/workflows/deploy.yml", replace: "node version.js", by: "cat version.js" },
    },
    {
      files: { ".github/workflows/deploy.yml": stepped(image('cat digest.env >> "$GITHUB_OUTPUT"'), digest) },
      because: "The file may hold the output.",
      edit: { file: ".github/workflows/deploy.yml", replace: ' >> "$GITHUB_OUTPUT"', by: "" },
    },
    {
      files: {
        ".github/workflows/deploy.yml": stepped(usesAction, digest.replace("digest", "version")),
        ".github/actions/version/action.yml": actionFile("${{ steps.read.outputs.version }}"),
      },
      because: "The action declares the output.",
      edit: { file: ".github/workflows/deploy.yml", replace: "outputs.version", by: "outputs.digest" },
    },
    {
      files: { ".github/actions/version/action.yml": actionFile("${{ steps.read.outputs.version }}") },
      because: "A step of the action has the id.",
      edit: { file: ".github/actions/version/action.yml", replace: "id: read", by: "id: find" },
    },
    {
      files: { ".github/workflows/build.yml": callee("${{ jobs.build.outputs.digest }}") },
      because: "The job declares the output.",
      edit: { file: ".github/workflows/build.yml", replace: "jobs.build.", by: "jobs.make." },
    },
    {
      files: { ".github/workflows/deploy.yml": example("digest", "digest") },
      because: "The output is declared.",
      edit: { file: ".github/workflows/deploy.yml", replace: "      digest: ", by: "      image: " },
    },
  ],
  check,
};
