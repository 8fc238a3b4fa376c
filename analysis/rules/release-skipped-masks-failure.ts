// A job that ships although something before it failed, because its condition calls always() or !cancelled() and does
// not ask for the result, or accepts "skipped" and "not failure" where a failure earlier on looks just the same.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { bareIn, hasStatusFunction, parseCondition } from "../systems/workflows/expressions.ts";
import { type Masked, maskedFailures } from "../systems/workflows/masking.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { isCheckStep, isGate, isUndoStep, shipmentsOf, tierOf } from "../systems/workflows/roles.ts";
import { stepRuns } from "../systems/workflows/simulate.ts";
import { isTestStep } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const shipments = shipmentsOf(view, job);
    if (shipments.length === 0) return [];
    return [...ofJob(view, job), ...ofText(view, job), ...ofSteps(view, job)];
  });
}

/**
 * A condition that takes a boolean of `github.event.inputs` for one. It is a text there, and the text 'false' counts as
 * yes: what was to be skipped on demand is skipped whenever somebody starts the workflow.
 */
function ofText(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const workflow = view.workflowOf(job);
  const taken = (each: JobNode) =>
    bareIn(each.condition && parseCondition(each.condition.text)).find(
      (bare) =>
        bare.slice(0, 3).join(".") === "github.event.inputs" &&
        workflow.inputs.some(({ name, type }) => type === "boolean" && name === bare[3]),
    );
  const gate = view.ancestorsOf(job).find((each) => isGate(view, each) && taken(each) !== undefined);
  const path = taken(job) ?? (gate && tolerates(job) ? taken(gate) : undefined);
  const before = gate ?? view.ancestorsOf(job).find((each) => isGate(view, each));
  if (path === undefined || before === undefined || job.condition === undefined) return [];
  const [effect] = shipmentsOf(view, job);
  return [
    {
      severity: tierOf(job, [effect!]) === "lesser" ? "medium" : "high",
      known: effect!.known,
      place: job.condition.place,
      message:
        `Job ${job.key} (${effect!.verb}, ${effect!.category}) runs without ${before.key} whenever somebody starts ` +
        `the workflow: ${path.join(".")} is a text, and 'false' counts as yes.`,
      cost: "What was not tested is shipped, although nobody asked to skip the tests.",
      fix: `use inputs.${path[3]}, which is a boolean`,
      subject: `${job.id} ${path[3]}`,
      related: [{ place: before.place, message: `${before.key} is the gate` }],
      path: [before.id, job.id],
    },
  ];
}

const tolerates = ({ condition }: JobNode): boolean => hasStatusFunction(condition && parseCondition(condition.text));

/** Whether the steps of a job get the result of an earlier one, and so can leave out what was not built. */
const isAskedInside = (view: WorkflowsView, job: JobNode, failed: JobNode): boolean =>
  view
    .stepsOf(job)
    .some(({ env, run, condition, with: inputs }) =>
      [run, condition, ...[...env, ...inputs].map(({ value }) => value)].some((text) =>
        text?.text.includes(`needs.${failed.key}.result`),
      ),
    );

function ofJob(view: WorkflowsView, job: JobNode): readonly Draft[] {
  if (job.condition === undefined) return [];
  const masked = maskedFailures(view, job).filter(
    ({ failed }) => matters(view, failed) && !isAskedInside(view, job, failed),
  );
  const [first] = masked;
  if (first === undefined) return [];
  const [effect] = shipmentsOf(view, job);
  const indirect = !view.needsOf(job).some(({ id }) => id === first.failed.id);
  return [
    {
      severity: tierOf(job, [effect!]) === "lesser" ? "medium" : "high",
      known: effect!.known,
      place: job.condition.place,
      message: `Job ${job.key} (${effect!.verb}, ${effect!.category}) runs even if ${names(masked)} failed${
        indirect ? ": what stands between was skipped, which its condition accepts" : ""
      } (on ${first.world.label}).`,
      cost: "What failed its tests or was never built is shipped all the same.",
      fix: `require each result: ${masked.map(({ failed }) => `needs.${failed.key}.result == 'success'`).join(" && ")}`,
      subject: job.id,
      related: [
        ...masked.map(({ failed }) => ({ place: failed.place, message: `a failure of ${failed.key} is ignored` })),
        { place: effect!.place, message: "this ships" },
      ],
      path: [...masked.map(({ failed }) => failed.id), job.id],
    },
  ];
}

const names = (masked: readonly Masked[]): string => masked.map(({ failed }) => failed.key).join(" or ");

/** Jobs that only report or clean up can fail without harm. */
const matters = (view: WorkflowsView, job: JobNode): boolean =>
  !/notify|slack|label|comment|summary|clean-?up|report/i.test(job.key) &&
  (view.stepsOf(job).length > 0 || job.uses !== undefined);

/** Steps that ship after a failed test in the same job. */
function ofSteps(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const effects = shipmentsOf(view, job);
  const steps = view.stepsOf(job);
  const world = worldsOf(view, view.workflowOf(job))[0];
  if (world === undefined) return [];
  return effects
    .filter(({ step }) => step.condition !== undefined && step.job === job.id && !isUndoStep(step, effects))
    .filter(({ step }) => stepRuns(step, world, true) === true && stepRuns(step, world, false) !== false)
    .flatMap((effect) => {
      const gate = gateBefore(steps, effect.step);
      if (gate === undefined) return [];
      return [
        {
          severity: "high" as const,
          known: effect.known,
          place: effect.step.condition!.place,
          message:
            `The step "${effect.step.name}" of job ${job.key} (${effect.verb}) runs even if ` +
            `"${gate.name}" failed.`,
          cost: "What failed its tests is shipped all the same.",
          fix: "remove always() from the step's condition, or require the earlier step's outcome",
          subject: effect.step.id,
          related: [{ place: gate.place, message: "a failure of this is ignored" }],
        },
      ];
    });
}

const gateBefore = (steps: readonly StepNode[], step: StepNode): StepNode | undefined =>
  steps.slice(0, steps.indexOf(step)).find((each) => isTestStep(each) || isCheckStep(each));

const example = (condition: string): string => `name: release
on:
  push:
    branches: [main]
concurrency: release
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: npm test
  build:
    needs: test
    runs-on: ubuntu-24.04
    outputs:
      digest: \${{ steps.build.outputs.digest }}
    steps:
      - id: build
        run: echo "digest=abc" >> "$GITHUB_OUTPUT"
  deploy:
    needs: build
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: kubectl set image deployment/shop shop="shop@$DIGEST"
        env:
          DIGEST: \${{ needs.build.outputs.digest }}
`;

const skippable = (input: string): string => `name: release
on:
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
      skip_tests: { type: boolean, default: false }
concurrency: release
jobs:
  test:
    if: \${{ !inputs.skip_tests }}
    runs-on: ubuntu-24.04
    steps:
      - run: npm test
  deploy:
    needs: test
    if: always() && (needs.test.result == 'success' || ${input})
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: kubectl set image deployment/shop shop="shop@$DIGEST"
`;

export const releaseSkippedMasksFailure: Rule = {
  id: "release-skipped-masks-failure",
  title: "Something ships although a job before it failed",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "always() and !cancelled() switch off the implied success(): the job then runs whatever happened before " +
    "it. A job " +
    "that was skipped because of a failure has the result 'skipped', not 'failure', so a condition that " +
    "only excludes " +
    "'failure' lets it through.",
  severity: "High. Medium if the job ships to a lesser environment only.",
  fix: "Ask for the result 'success' of every job that must have passed, or drop always().",
  limits: "Conditions that depend on outputs, variables or the payload of the event are not decided, and not reported.",
  failing: [
    {
      ".github/workflows/release.yml": skippable("github.event.inputs.skip_tests").replace(
        "skip_tests)\n",
        "skip_tests) # <- finding\n",
      ),
    },
    { ".github/workflows/release.yml": example("always() # <- finding") },
    {
      ".github/workflows/release.yml": example("${{ !cancelled() && needs.build.result != 'failure' }} # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/release.yml": skippable("inputs.skip_tests") },
      because: "inputs.skip_tests is a boolean, so the tests are skipped on demand only.",
      edit: {
        file: ".github/workflows/release.yml",
        replace: "|| inputs.skip_tests",
        by: "|| github.event.inputs.skip_tests",
      },
    },
    {
      files: {
        ".github/workflows/release.yml": example("${{ always() && needs.build.result == 'success' }}"),
      },
      because: "The build must have succeeded, and it cannot if the tests failed.",
      edit: {
        file: ".github/workflows/release.yml",
        replace: "needs.build.result == 'success'",
        by: "needs.build.result != 'failure'",
      },
    },
  ],
  check,
};
