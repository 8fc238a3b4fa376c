// A choice at the start of a run that changes nothing: an option for which no job ships, or an input that no
// expression reads. Whoever starts the run believes that it was deployed.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { isSwitchedOff, parseCondition, pathsIn } from "../systems/workflows/expressions.ts";
import { readersOf, readsInput, readsPayload } from "../systems/workflows/input-readers.ts";
import { mistypedReaders } from "../systems/workflows/mistyped.ts";
import type { Input, JobNode, StepNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { shipmentsOf } from "../systems/workflows/roles.ts";
import { simulate, stepRuns } from "../systems/workflows/simulate.ts";
import { isTestStep } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { type World, worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => {
    if (workflow.isBroken) return [];
    const shipping = view.jobsOf(workflow).filter((job) => shipmentsOf(view, job).length > 0);
    const nothing = shipping.length > 0 ? nothingAtAll(view, workflow) : [];
    if (nothing.length > 0) return nothing;
    return workflow.inputs.flatMap((input) => {
      const isForShipping = shipping.length > 0 && input.event === "workflow_dispatch";
      if (!isForShipping) return isSwitch(workflow, input) ? idle(view, workflow, input, "low") : [];
      const found = idle(view, workflow, input, "medium");
      return found.length > 0
        ? found
        : [...deadOptions(view, workflow, shipping, input), ...untestedOptions(view, workflow, input)];
    });
  });
}

/** A switch promises that it decides something; a caller's text may be there for older callers. */
const isSwitch = (workflow: WorkflowNode, { event, name, type }: Input): boolean =>
  (type === "boolean" || type === "choice") &&
  (event === "workflow_dispatch" ||
    !workflow.inputs.some((other) => other.event === "workflow_dispatch" && other.name === name));

/** Options of a choice about tests for which no test runs, although others have one. */
function untestedOptions(view: WorkflowsView, workflow: WorkflowNode, input: Input): readonly Draft[] {
  const tests = view
    .jobsOf(workflow)
    .flatMap((job) => view.stepsOf(job))
    .filter((step) => isTestStep(step) && readsCondition(step, input.name));
  const worlds = worldsByHand(view, workflow);
  const isTested = (option: string): boolean =>
    worlds.some(
      (world) =>
        world.inputs.get(input.name) === option && tests.some((step) => stepRuns(step, world, false) !== false),
    );
  const untested = input.options.filter((option) => !isTested(option));
  if (tests.length < 2 || input.options.length - untested.length < 2) return [];
  return untested
    .filter((option) => !harmless.test(option))
    .map((option) => ({
      severity: "medium",
      known: "structural",
      place: input.place,
      message: `With ${input.name}: ${option}, no test of ${workflow.title} runs, though other options have one.`,
      cost: "The run is green, and nothing was tested.",
      fix: "add a test for the option, correct the conditions, or remove the option",
      subject: `${workflow.id} ${input.name} ${option} untested`,
      related: tests.map(({ condition, name }) => ({
        place: condition!.place,
        message: `"${name}" does not run for it`,
      })),
    }));
}

const readsCondition = ({ condition }: StepNode, name: string): boolean =>
  pathsIn(condition && parseCondition(condition.text)).some((path) => readsInput(path, name));

/** Starts of a workflow itself by hand, with each choice of its inputs. */
const worldsByHand = (view: WorkflowsView, workflow: WorkflowNode): readonly World[] =>
  worldsOf(view, workflow).filter(({ event, via }) => event === "workflow_dispatch" && via.length === 0);

/** A start by hand for which every job's condition is false. */
function nothingAtAll(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const trigger = workflow.triggers.find(({ event }) => event === "workflow_dispatch");
  const worlds = worldsByHand(view, workflow);
  const jobs = view.jobsOf(workflow);
  // Who switches a job off with a plain `false` means it.
  if (jobs.some(({ condition }) => isSwitchedOff(condition && parseCondition(condition.text)))) return [];
  const isDead = worlds.every((world) => {
    const outcomes = simulate(view, workflow, world);
    return jobs.every(({ key }) => outcomes.get(key)?.runs === false);
  });
  if (trigger === undefined || worlds.length === 0 || !isDead) return [];
  const input = workflow.inputs.find(({ event }) => event === "workflow_dispatch");
  return [
    {
      severity: "medium",
      known: "structural",
      place: input?.place ?? trigger.place,
      message:
        `${workflow.title} can be started by hand, but then no job runs` +
        `${input ? `, whatever ${input.name} is` : ""}.`,
      cost: "The run is green, and nothing was deployed.",
      fix: "let the conditions of the jobs accept workflow_dispatch, or remove the trigger",
      subject: `${workflow.id} by hand`,
      related: jobs.map(({ condition, place, key }) => ({
        place: condition?.place ?? place,
        message: `${key} is skipped`,
      })),
    },
  ];
}

/** An input that decides nothing: nothing reads it, or only where its type makes every answer the same. */
const idle = (
  view: WorkflowsView,
  workflow: WorkflowNode,
  input: Input,
  severity: Draft["severity"],
): readonly Draft[] => {
  const found = unread(view, workflow, input, severity);
  return found.length > 0 ? found : mistyped(view, workflow, input, severity);
};

/** A boolean that is compared with a text, or a text that is asked as if it were a boolean. */
function mistyped(
  view: WorkflowsView,
  workflow: WorkflowNode,
  input: Input,
  severity: Draft["severity"],
): readonly Draft[] {
  const [first, ...more] = mistypedReaders(view, workflow, input) ?? [];
  if (first === undefined) return [];
  return [
    {
      severity,
      known: "structural",
      place: input.place,
      message: `The switch ${input.name} of ${workflow.title} decides nothing: ${first.why}.`,
      cost: "Whoever sets it believes that it decides something; the run does the same with every value.",
      fix: `ask for inputs.${input.name} alone, without a comparison`,
      subject: `${workflow.id} ${input.name} type`,
      related: [first, ...more].map(({ text }) => ({ place: text.place, message: "it is read here" })),
    },
  ];
}

/** An input that nothing reads, in a workflow whose texts are all known. */
function unread(
  view: WorkflowsView,
  workflow: WorkflowNode,
  input: Input,
  severity: Draft["severity"],
): readonly Draft[] {
  const readers = readersOf(view, workflow, input.name);
  // A text may be there to be told; who chooses expects that something follows.
  const isRead = readers.some(({ isTold }) => !isTold || !/^(choice|boolean|environment)$/.test(input.type ?? ""));
  if (isRead || readsPayload(view, workflow) || /reason|message|comment|note|description|confirm/i.test(input.name))
    return [];
  const by = readers.length > 0 ? "messages and locks only" : "nothing";
  return [
    {
      severity,
      known: "structural",
      place: input.place,
      message: `The input ${input.name} of ${workflow.title} is read by ${by}.`,
      cost: "Whoever sets it believes that it decides something; the run does the same with every value.",
      fix: "use the input where it should decide, or remove it",
      subject: `${workflow.id} ${input.name}`,
    },
  ];
}

const harmless =
  /^(none|no|skip|dry-?run|plan|preview|build(-only)?|test(-only)?|check|validate|status|false|nothing)$/i;

/** Options for which no job ships, while others ship something. */
function deadOptions(
  view: WorkflowsView,
  workflow: WorkflowNode,
  shipping: readonly JobNode[],
  input: Input,
): readonly Draft[] {
  const worlds = worldsOf(view, workflow).filter(
    ({ event, inputs }) => event === "workflow_dispatch" && inputs.has(input.name),
  );
  const shipsFor = (option: string): boolean =>
    worlds
      .filter(({ inputs }) => inputs.get(input.name) === option)
      .some((world) => {
        const outcomes = simulate(view, workflow, world);
        return shipping.some(({ key }) => outcomes.get(key)?.runs !== false);
      });
  const dead = input.options.filter((option) => !shipsFor(option));
  if (dead.length === input.options.length) return [];
  return dead
    .filter((option) => !harmless.test(option))
    .map((option) => ({
      severity: "medium",
      known: "structural",
      place: input.place,
      message: `With ${input.name}: ${option}, no job of ${workflow.title} ships anything, though other options do.`,
      cost: "The run is green, and nothing was deployed.",
      fix: "add a job for the option, correct the conditions, or remove the option",
      subject: `${workflow.id} ${input.name} ${option}`,
      related: shipping.map(({ condition, place, key }) => ({
        place: condition?.place ?? place,
        message: `${key} does not run for it`,
      })),
    }));
}

const example = (options: string): string => `name: deploy
on:
  workflow_dispatch:
    inputs:
      region:
        type: choice
        options: [${options}]
concurrency: deploy-\${{ inputs.region }}
jobs:
  west:
    if: inputs.region == 'west'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --app shop-west
  east:
    if: inputs.region == 'east'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --app shop-east
`;

const leveled = (levels: string): string =>
  example("west, east")
    .replaceAll(/^ {2}(west|east):\n/gm, "  $1:\n    needs: test\n")
    .replace("      region:", `      level:\n        type: choice\n        options: [${levels}]\n      region:`)
    .replace(
      "jobs:\n",
      `jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - if: inputs.level == 'unit'
        run: npm run test:unit
      - if: inputs.level == 'all'
        run: npm test
`,
    );
const byHand = (mark: string, condition: string): string => `name: deploy
on:
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
      environment:${mark}
        type: choice
        options: [staging, production]
concurrency: deploy-\${{ inputs.environment || 'production' }}
jobs:
  deploy:
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: \${{ inputs.environment || 'production' }}
    steps:
      - run: fly deploy --app shop
`;

const switched = (step: string): string => `name: check
on:
  workflow_call:
    inputs:
      slow: # <- finding
        type: boolean
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
${step}
`;

export const releaseDeadChoice: Rule = {
  id: "release-dead-choice",
  title: "A choice at the start of a run ships nothing",
  systems: ["github"],
  antiPattern: 8,
  focus: "state",
  why:
    "The form that starts a run promises what its options say. An option that no job answers gives a green " +
    "run in which " +
    "everything was skipped.",
  severity: "Medium. Low for a switch of a workflow that ships nothing, or that another workflow calls.",
  fix: "Add a job for the option, or take the option away.",
  limits:
    "Options that say that nothing ships, such as plan or none, are quiet. So are inputs for a reason or a comment, " +
    "and texts that only a caller passes.",
  failing: [
    { ".github/workflows/check.yml": switched("      - run: npm test") },
    { ".github/workflows/deploy.yml": leveled("unit, integration, all").replace("level:", "level: # <- finding") },
    { ".github/workflows/deploy.yml": byHand(" # <- finding", "github.event_name == 'push'") },
    { ".github/workflows/deploy.yml": example("west, east, north").replace("region:", "region: # <- finding") },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/check.yml": switched("      - if: inputs.slow\n        run: npm test").replace(
          " # <- finding",
          "",
        ),
      },
      because: "A step reads the switch.",
      edit: { file: ".github/workflows/check.yml", replace: "if: inputs.slow\n        ", by: "" },
    },
    {
      files: {
        ".github/workflows/check.yml": switched("      - run: npm test")
          .replace(" # <- finding", "")
          .replace("name: check", 'name: check\nrun-name: "Slow: ${{ inputs.slow }}"'),
      },
      because: "The name of the run says what was chosen.",
      edit: { file: ".github/workflows/check.yml", replace: "${{ inputs.slow }}", by: "?" },
    },
    {
      files: { ".github/workflows/deploy.yml": leveled("unit, all, skip") },
      because: "The option without a test says so.",
      edit: { file: ".github/workflows/deploy.yml", replace: "skip]", by: "integration]" },
    },
    {
      files: {
        ".github/workflows/deploy.yml": byHand("", "github.event_name == 'push'").replace(
          "if: github",
          "if: false && github",
        ),
      },
      because: "Somebody switched the job off with a plain false.",
      edit: { file: ".github/workflows/deploy.yml", replace: "false && ", by: "" },
    },
    {
      files: {
        ".github/workflows/deploy.yml": byHand(
          "",
          "github.event_name == 'push' || github.event_name == 'workflow_dispatch'",
        ),
      },
      because: "The job runs after a push and by hand.",
      edit: { file: ".github/workflows/deploy.yml", replace: " || github.event_name == 'workflow_dispatch'", by: "" },
    },
    {
      files: { ".github/workflows/deploy.yml": example("west, east") },
      because: "A job answers each option.",
      edit: { file: ".github/workflows/deploy.yml", replace: "[west, east]", by: "[west, east, south]" },
    },
  ],
  check,
};
