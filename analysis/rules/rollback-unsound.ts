// A way back that does not work: it can never run, it runs although nothing was deployed, or the value that says where
// to go back to is empty. It is found when it is needed, so every path to it is simulated.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { hasStatusFunction, parseCondition } from "../systems/workflows/expressions.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { deploymentsOf, isUndoJob, isUndoStep } from "../systems/workflows/roles.ts";
import { simulate } from "../systems/workflows/simulate.ts";
import { followsSuccess, outcomesOf } from "../systems/workflows/swallowed-outcomes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { emptyValues, type Obstacle, obstaclesOf } from "../systems/workflows/ways-back.ts";
import { withoutHistory } from "../systems/workflows/ways-back-history.ts";
import { ignoredVersions } from "../systems/workflows/ways-back-inputs.ts";
import { neverReached } from "../systems/workflows/ways-back-steps.ts";
import { inVain } from "../systems/workflows/ways-back-vain.ts";
import { worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => [
    ...[...withoutHistory(view, job), ...inVain(view, job)].map((each) => obstacleDraft(job, each)),
    ...(isUndoJob(view, job)
      ? [
          ...unreachable(view, job),
          ...tooEarly(view, job),
          ...swapsAgain(view, job),
          ...[...obstaclesOf(view, job), ...followsSuccess(view, job), ...ignoredVersions(view, job)].map((each) =>
            obstacleDraft(job, each),
          ),
        ]
      : []),
    ...view.stepsOf(job).flatMap((step) => ofStep(view, job, step)),
  ]);
}

const obstacleDraft = (job: JobNode, { subject, cost, ...obstacle }: Obstacle): Draft => ({
  ...obstacle,
  known: "structural",
  cost: cost ?? "The way back does nothing, or fails, at the moment when it is needed.",
  subject: `${job.id} ${subject}`,
});

/** The jobs of the workflow that a way back goes back from. */
const undone = (view: WorkflowsView, job: JobNode): readonly JobNode[] =>
  view.jobsOf(view.workflowOf(job)).filter((each) => each.id !== job.id && deploymentsOf(view, each).length > 0);

const draft = (job: JobNode, subject: string, message: string, fix: string, deploy: JobNode): Draft => ({
  severity: "critical",
  known: "structural",
  place: job.condition?.place ?? job.place,
  message,
  cost: "When a deployment fails, production stays broken, or goes back to a version that nobody chose.",
  fix,
  subject: `${job.id} ${subject}`,
  related: [{ place: deploy.place, message: `${deploy.key} deploys` }],
  path: [deploy.id, job.id],
});

/** Ways back that do not run when the deployment fails. */
function unreachable(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const workflow = view.workflowOf(job);
  const text = job.condition?.text ?? "";
  const expression = parseCondition(text);
  // What deploys is not always known. A failure that is asked for by name is never met without a status function.
  const asked = view.needsOf(job).filter(({ key }) => text.includes(`needs.${key}.result == 'failure'`));
  const known = undone(view, job);
  const deploys = known.length > 0 ? known : asked;
  const [deploy] = deploys;
  if (deploy === undefined) return [];
  const asksForFailure = /failure\(\)|== *'failure'|!= *'success'|always\(\)/.test(text);
  // A way back that an input or an event of its own starts is no reaction to a failure.
  if (!asksForFailure && (job.needs.length === 0 || /inputs\.|github\.event/.test(text))) return [];
  const reached = [...deploys, ...view.ancestorsOf(job)].some((failed) =>
    worldsOf(view, workflow).some(
      (world) => simulate(view, workflow, world, { failing: new Set([failed.key]) }).get(job.key)?.runs !== false,
    ),
  );
  const before = deploys.some((each) => view.isBefore(each, job));
  if (!before && asksForFailure)
    return [
      draft(
        job,
        "apart",
        `Job ${job.key} reacts to a failure, but does not need ${deploy.key}: failure() looks only at jobs that come ` +
          "before, so it never runs.",
        `add ${deploy.key} to its needs`,
        deploy,
      ),
    ];
  if (reached) return [];
  const reason = hasStatusFunction(expression)
    ? "its condition is never true"
    : "without a status function it is skipped as soon as a job before it fails";
  return [
    draft(
      job,
      "unreachable",
      `Job ${job.key} does not run when ${deploy.key} fails: ${reason}.`,
      `write if: failure() && needs.${deploy.key}.result == 'failure'`,
      deploy,
    ),
  ];
}

/** Ways back that run because something failed before anything was deployed. */
function tooEarly(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const workflow = view.workflowOf(job);
  const deploys = undone(view, job).filter((each) => view.isBefore(each, job));
  const [deploy] = deploys;
  if (deploy === undefined) return [];
  const early = view.ancestorsOf(job).filter((each) => !deploys.includes(each));
  for (const failed of early) {
    const world = worldsOf(view, workflow).find((each) => {
      const outcomes = simulate(view, workflow, each, { failing: new Set([failed.key]) });
      const isNothingDeployed = deploys.every(({ key }) => outcomes.get(key)?.runs === false);
      return isNothingDeployed && outcomes.get(failed.key)?.runs !== false && outcomes.get(job.key)?.runs === true;
    });
    if (world)
      return [
        draft(
          job,
          "early",
          `Job ${job.key} also runs when ${failed.key} fails, before ${deploy.key} has changed anything: it ` +
            `then takes ` +
            "production back from a version that is fine.",
          `require needs.${deploy.key}.result == 'failure' in its condition`,
          deploy,
        ),
      ];
  }
  return [];
}

const swap = /deployment slot swap\b/;

/** A swap of slots undoes a swap only if there was one: after a failure before it, it is a deployment. */
function swapsAgain(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const text = job.condition?.text ?? "";
  const swaps = (each: JobNode) =>
    view.effectsOf(each).find(({ command }) => swap.test(command?.words.join(" ") ?? ""));
  const deploy = view.ancestorsOf(job).find((each) => swaps(each) && deploymentsOf(view, each).length > 0);
  if (deploy === undefined || swaps(job) === undefined || !/failure|always\(\)/.test(text)) return [];
  if (/\.outputs\./.test(text) || view.stepsOf(job).some(({ condition }) => condition !== undefined)) return [];
  return [
    draft(
      job,
      "swap",
      `Job ${job.key} swaps the slots whenever ${deploy.key} failed, also when nothing had been swapped yet: then it ` +
        "puts the new version into production.",
      `let ${deploy.key} set an output after its swap, and require it in the condition`,
      deploy,
    ),
  ];
}

function ofStep(view: WorkflowsView, job: JobNode, step: StepNode): readonly Draft[] {
  const effects = view.ownEffectsOf(job);
  if (!isUndoStep(step, effects) && !isUndoJob(view, job)) return [];
  const steps = view.stepsOf(job);
  return [
    ...[...emptyValues(view, job, step, steps), ...outcomesOf(view, job, step), ...neverReached(view, job, step)].map(
      (each) => obstacleDraft(job, each),
    ),
    ...(isUndoJob(view, job) ? [] : earlyStep(view, job, step, steps)),
  ];
}

/** A step that goes back if anything fails, also what stands before the deployment. */
function earlyStep(view: WorkflowsView, job: JobNode, step: StepNode, steps: readonly StepNode[]): readonly Draft[] {
  const text = step.condition?.text ?? "";
  if (!/failure\(\)|always\(\)/.test(text) || /steps\.|env\.|outcome|conclusion/.test(text)) return [];
  if (/\bif \[|\bif test|&& *\w|-n "|-z "/.test(step.run?.text ?? "")) return [];
  const at = steps.indexOf(step);
  const deploy = deploymentsOf(view, job).find((effect) => steps.indexOf(effect.step) < at && effect.step !== step);
  if (deploy === undefined) return [];
  const before = steps
    .slice(0, steps.indexOf(deploy.step))
    .filter(({ uses, run }) => run !== undefined || !/^actions\/(checkout|cache|setup-)/.test(uses?.text ?? ""));
  if (before.length === 0) return [];
  return [
    {
      severity: "high",
      known: "structural",
      place: step.condition!.place,
      message:
        `The step "${step.name}" of job ${job.key} also runs when "${before[0]!.name}" fails, before the step ` +
        `"${deploy.step.name}" has changed anything.`,
      cost: "Production goes back to the version before last although nothing was deployed.",
      fix: "give the deploying step an id and require its outcome, such as steps.deploy.outcome == 'failure'",
      subject: step.id,
      related: [{ place: deploy.place, message: "this deploys" }],
    },
  ];
}

const example = (condition: string, needs = "[build, deploy]"): string => `name: release
on:
  push:
    branches: [main]
concurrency: release
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make image
  deploy:
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: helm upgrade shop ./chart
  rollback:
    needs: ${needs}
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: helm rollback shop
`;

const swapped = (condition: string): string => `name: release
on:
  push:
    branches: [main]
concurrency: release
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    outputs:
      swapped: \${{ steps.swap.outputs.swapped }}
    steps:
      - id: swap
        run: |
          az webapp deployment slot swap --resource-group shop --name web --slot staging
          echo "swapped=true" >> "$GITHUB_OUTPUT"
      - run: curl --fail https://shop.example/health
  rollback:
    needs: deploy
    if: always() && ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: az webapp deployment slot swap --resource-group shop --name web --slot staging
`;
const byHand = (checkout: string): string => `name: rollback
on:
  workflow_dispatch:
    inputs:
      commit: { type: string, required: true }
concurrency: release
jobs:
  rollback:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
${checkout}      - run: |
          git checkout "$COMMIT"${checkout === "" ? " # <- finding" : ""}
          fly deploy
        env:
          COMMIT: \${{ inputs.commit }}
`;

const checkedOut = "      - uses: actions/checkout@v6\n        with: { fetch-depth: 0 }\n";

/** A rollback that is a workflow of its own, after a job that looks first. */
const chosen = (mark: string, condition: string, ...steps: readonly string[]): string => `name: rollback
on:
  workflow_dispatch:
    inputs:
      action: { type: choice, options: [rollback, look] }
concurrency: release
jobs:
  look:
    if: inputs.action == 'look'
    runs-on: ubuntu-24.04
    steps:
      - run: ./look.sh
  rollback:${mark}
    needs: look
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
${steps.map((step) => `      - ${step}\n`).join("")}`;
const alone = (...steps: readonly string[]): string =>
  chosen("", "inputs.action == 'rollback'", ...steps).replace("    needs: look\n", "");
const printed = "name: Roll back\n        run: echo rolling back";
const listed = "name: Roll back\n        run: |\n          TAG=$(gh api repos/acme/shop/tags --jq .[1].name)";
const goesBack = '\n          helm rollback shop "$TAG"';

export const rollbackUnsound: Rule = {
  id: "rollback-unsound",
  title: "A way back does not work",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "A rollback is the part of a workflow that is never seen to run until it is needed. A condition without a status " +
    "function is skipped by the very failure that it waits for; failure() alone is also true if nothing was deployed " +
    "yet; an output that no job declares is empty without an error; and a checkout of one commit has no earlier one.",
  severity:
    "Critical. High for a step in the deploying job that an earlier step can start, and for a way back that changes " +
    "nothing, that has no token, that ignores the version that it is given, that is skipped when it is started by " +
    "hand, or whose own failure or that of the deployment is swallowed.",
  fix: "Let the rollback need the deploying job, and require that this job failed: needs.deploy.result == 'failure'.",
  limits: "Rollbacks are found by their commands (helm rollback, kubectl rollout undo) and by their names.",
  failing: [
    {
      ".github/workflows/rollback.yml": chosen(
        " # <- finding",
        "inputs.action == 'rollback'",
        "run: helm rollback shop",
      ),
    },
    { ".github/workflows/rollback.yml": alone(`${printed} # <- finding`) },
    {
      ".github/workflows/rollback.yml": alone(`${listed} # <- finding${goesBack}`),
    },
    { ".github/workflows/release.yml": example("needs.deploy.result == 'failure' # <- finding") },
    { ".github/workflows/release.yml": example("failure() # <- finding") },
    {
      ".github/workflows/release.yml": example("needs.deploy.result == 'failure' # <- finding")
        .replace("helm upgrade shop ./chart", "acme ship")
        .replace("helm rollback shop", "acme unship"),
    },
    { ".github/workflows/release.yml": example("failure() # <- finding", "build") },
    { ".github/workflows/release.yml": swapped("needs.deploy.result == 'failure' # <- finding") },
    { ".github/workflows/rollback.yml": byHand("") },
    {
      ".github/workflows/release.yml": example("failure() && needs.deploy.result == 'failure'").replace(
        "- run: helm rollback shop",
        "- run: helm rollback shop ${{ needs.deploy.outputs.revision }} # <- finding",
      ),
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/rollback.yml": chosen(
          "",
          "always() && inputs.action == 'rollback'",
          "run: helm rollback shop",
        ),
      },
      because: "A status function lets it run when the earlier job is skipped.",
      edit: { file: ".github/workflows/rollback.yml", replace: "always() && ", by: "" },
    },
    {
      files: { ".github/workflows/rollback.yml": alone(printed.replace("echo rolling back", "helm rollback shop")) },
      because: "A command goes back.",
      edit: { file: ".github/workflows/rollback.yml", replace: "run: helm", by: "run: echo helm" },
    },
    {
      files: {
        ".github/workflows/rollback.yml": alone(
          `${listed}${goesBack}\n        env:\n          GH_TOKEN: \${{ github.token }}`,
        ),
      },
      because: "The step has a token.",
      edit: { file: ".github/workflows/rollback.yml", replace: "GH_TOKEN", by: "TOKEN" },
    },
    {
      files: {
        ".github/workflows/release.yml": swapped(
          "needs.deploy.result == 'failure' && needs.deploy.outputs.swapped == 'true'",
        ),
      },
      because: "It swaps only if there was a swap.",
      edit: {
        file: ".github/workflows/release.yml",
        replace: " && needs.deploy.outputs.swapped == 'true'",
        by: "",
      },
    },
    {
      files: { ".github/workflows/rollback.yml": byHand(checkedOut) },
      because: "The repository and its history are there when git is called.",
      edit: { file: ".github/workflows/rollback.yml", replace: checkedOut, by: "" },
    },
    {
      files: { ".github/workflows/release.yml": example("failure() && needs.deploy.result == 'failure'") },
      because: "It runs if the deployment failed, and only then.",
      edit: {
        file: ".github/workflows/release.yml",
        replace: "failure() && needs.deploy.result == 'failure'",
        by: "failure()",
      },
    },
  ],
  check,
};
