// A gate that comes too late: the approval or the tests wait for the deployment that they should permit. When they
// fail, users have had the new version for as long as the gate took.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { isApproval, isGate, isUndoJob, shipmentsOf, stepTitle, tierOf, titleOf } from "../systems/workflows/roles.ts";
import { isTestStep } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => [...laterJobs(view, job), ...laterSteps(view, job)]);
}

const looks = (
  "smoke e2e end-to-end health verif post acceptance monitor ready synthetic " +
  "integration dast zap lighthouse load perf report notify"
).split(" ");
const looksAtResult = new RegExp(looks.join("|"), "i");

function laterJobs(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const effects = shipmentsOf(view, job);
  const [effect] = effects;
  if (effect === undefined || tierOf(job, effects) === "lesser" || isUndoJob(view, job)) return [];
  const isGated = view.ancestorsOf(job).some((each) => isApproval(view, each) || isGate(view, each));
  return view
    .descendantsOf(job)
    .filter((gate) => shipmentsOf(view, gate).length === 0 && !shipsLater(view, gate))
    .filter((gate) => isApproval(view, gate) || (!isGated && isGate(view, gate) && !looksAtResult.test(titleOf(gate))))
    .map((gate) => ({
      severity: "high" as const,
      known: { inferred: 0.8 },
      place: gate.place,
      message:
        `Job ${gate.key} comes after job ${job.key}, which has already shipped (${effect.verb}, ` +
        `${effect.category}).`,
      cost: "Whatever the gate decides, users already have the new version.",
      fix: `let ${job.key} need ${gate.key}, not the other way round`,
      subject: `${gate.id} ${job.id}`,
      related: [{ place: effect.place, message: "this has shipped by then" }],
      path: [job.id, gate.id],
    }));
}

/** A gate between two deployments guards the second one. */
const shipsLater = (view: WorkflowsView, gate: JobNode): boolean =>
  view.descendantsOf(gate).some((each) => shipmentsOf(view, each).length > 0);

/** Tests that run after the deployment in its own job, and are not a look at the result. */
function laterSteps(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const effects = shipmentsOf(view, job).filter(({ step, verb }) => step.job === job.id && verb !== "release");
  const [effect] = effects;
  const steps = view.stepsOf(job);
  if (effect === undefined || tierOf(job, effects) === "lesser") return [];
  const at = steps.indexOf(effect.step);
  const isGated = view.ancestorsOf(job).some((each) => isGate(view, each)) || steps.slice(0, at).some(isTestStep);
  const late = steps.slice(at + 1).find((step) => isTestStep(step) && !isLook(step) && step.condition === undefined);
  if (isGated || late === undefined) return [];
  return [
    {
      severity: "high",
      known: { inferred: 0.8 },
      place: late.place,
      message: `The step "${late.name}" of job ${job.key} tests after the step "${effect.step.name}" has shipped.`,
      cost: "When the tests fail, users already have the new version.",
      fix: "move the tests before the step that ships",
      subject: late.id,
      related: [{ place: effect.place, message: "this has shipped by then" }],
    },
  ];
}

const isLook = (step: StepNode): boolean => looksAtResult.test(`${stepTitle(step)} ${step.run?.text ?? ""}`);

const example = (test: string, deploy: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  test:${test}
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm test
  deploy:${deploy}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
      - run: fly deploy
`;

export const gateAfterEffect: Rule = {
  id: "gate-after-effect",
  title: "A gate comes after what it should permit",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "Tests and approvals protect users only if the deployment waits for them. After the deployment they can " +
    "do no more " +
    "than say that something bad is running.",
  severity: "High. Which jobs are gates is inferred from their commands and names.",
  fix: "Turn the dependency round: the shipping job needs the gate.",
  limits:
    "Smoke, end-to-end, integration and health checks look at what was deployed and belong after it. A gate between " +
    "two deployments guards the second one.",
  failing: [
    {
      ".github/workflows/main.yml": example("\n    needs: deploy", "").replace("  test:\n", "  test: # <- finding\n"),
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/main.yml": example("\n    needs: deploy", "").replace("  test:\n", "  smoke-test:\n"),
      },
      because: "A smoke test looks at what was deployed.",
      edit: { file: ".github/workflows/main.yml", replace: "  smoke-test:", by: "  unit:" },
    },
  ],
  check,
};
