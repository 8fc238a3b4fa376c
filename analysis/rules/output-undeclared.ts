// A value that is read and that nothing gives: an output that no job declares, a job that is not needed, a step that
// does not exist, an input without a declaration. GitHub makes it an empty text, without an error.
import type { Graph } from "../graph.ts";
import type { Text } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { expressionsIn, pathsIn } from "../systems/workflows/expressions.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { isUndoJob, isUndoStep, shipmentsOf } from "../systems/workflows/roles.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const found = job.templates.flatMap((template) =>
      isJudgedElsewhere(view, job, template)
        ? []
        : expressionsIn(template.text, true)
            .flatMap(pathsIn)
            .flatMap((path) => {
              const why = emptiness(view, job, path);
              return why === undefined ? [] : [draft(view, job, template, path.join("."), why)];
            }),
    );
    return [...new Map(found.map((each) => [`${each.subject} ${each.place.line}`, each])).values()];
  });
}

/** Ways back are judged by the rule about them. */
const isJudgedElsewhere = (view: WorkflowsView, job: JobNode, template: Text): boolean =>
  isUndoJob(view, job) ||
  view
    .stepsOf(job)
    .some(
      (step) =>
        isUndoStep(step, view.ownEffectsOf(job)) &&
        step.place.line <= template.place.line &&
        template.place.line <= step.place.endLine,
    );

/** Says why a value is empty; undefined if it may be there. */
function emptiness(view: WorkflowsView, job: JobNode, path: readonly string[]): string | undefined {
  const [context, key = "", field, name] = path;
  if (key === "" || key === "*") return undefined;
  if (context === "needs") return ofNeed(view, job, key, field, name);
  if (context === "steps") {
    if (view.stepsOf(job).some((step) => step.key === key)) return undefined;
    return `no step of job ${job.key} has the id ${key}`;
  }
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
  limits: "Outputs of actions and of remote workflows are not known, and taken to exist.",
  failing: [
    {
      ".github/workflows/deploy.yml": example("digest", "tag").replace("outputs.tag }}", "outputs.tag }} # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example("digest", "digest") },
      because: "The output is declared.",
      edit: { file: ".github/workflows/deploy.yml", replace: "      digest: ", by: "      image: " },
    },
  ],
  check,
};
