// Something ships without waiting for the check that stands beside it: a test job of the same run that the shipping
// job does not need, or a tested run of another workflow whose result nobody asks for.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { JobNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { deploymentsOf, isGate, shipmentsOf, tierOf } from "../systems/workflows/roles.ts";
import { simulate, stepRuns } from "../systems/workflows/simulate.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { isPullRequest, type World, worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => [
    ...besideGates(view, workflow),
    ...besideStaging(view, workflow),
    ...afterAnyResult(view, workflow),
  ]);
}

/** Jobs that ship, while a test job runs beside them in the same situation. */
function besideGates(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const jobs = view.jobsOf(workflow);
  const gates = jobs.filter((job) => isGate(view, job) && !isHarmless(job));
  const worlds = worldsOf(view, workflow).filter((world) => !isPullRequest(world));
  return jobs.flatMap((job) => {
    const effects = shipmentsOf(view, job).filter(({ verb }) => verb !== "release" || job.needs.length === 0);
    if (effects.length === 0 || tierOf(job, effects) === "lesser") return [];
    if (view.ancestorsOf(job).some((each) => isGate(view, each))) return [];
    const found = gates.flatMap((gate) => {
      if (gate.id === job.id || view.isBefore(job, gate) || view.isBefore(gate, job)) return [];
      const world = worlds.find((each) => bothRun(view, workflow, each, gate, job));
      return world ? [{ gate, world }] : [];
    });
    const [first] = found;
    if (first === undefined) return [];
    const names = found.map(({ gate }) => gate.key);
    return [
      {
        severity: "high" as const,
        known: { inferred: 0.85 },
        place: job.place,
        message:
          `Job ${job.key} (${effects[0]!.verb}, ${effects[0]!.category}) does not wait for ${names.join(", ")}, ` +
          `which runs beside it on ${first.world.label}.`,
        cost: "A commit that fails its tests is shipped before they have failed.",
        fix: `add ${names.join(", ")} to the needs of ${job.key}`,
        subject: job.id,
        related: [
          ...found.map(({ gate }) => ({ place: gate.place, message: `${gate.key} is not waited for` })),
          { place: effects[0]!.place, message: "this ships" },
        ],
        path: [first.gate.id, job.id],
      },
    ];
  });
}

/** Production that is deployed beside a lesser environment, which therefore tries nothing out. */
function besideStaging(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const deploys = view.jobsOf(workflow).flatMap((job) => {
    const effects = deploymentsOf(view, job);
    return effects.length > 0 && !effects.every(({ isAtomic }) => isAtomic)
      ? [{ job, tier: tierOf(job, effects), effects }]
      : [];
  });
  const staging = deploys.filter(
    ({ tier, job }) => tier === "lesser" && /stag|stg|uat|qa/i.test(`${job.key} ${job.environment?.text}`),
  );
  const worlds = worldsOf(view, workflow).filter((world) => !isPullRequest(world));
  return deploys
    .filter(({ tier }) => tier === "production")
    .flatMap(({ job, effects }) => {
      const beside = staging.find(
        (each) =>
          each.effects[0]!.category === effects[0]!.category &&
          !view.isBefore(each.job, job) &&
          !view.isBefore(job, each.job) &&
          worlds.some((world) => bothRun(view, workflow, world, each.job, job)),
      );
      if (beside === undefined) return [];
      return [
        {
          severity: "medium" as const,
          known: { inferred: 0.7 },
          place: job.place,
          message: `Job ${job.key} deploys to production beside ${beside.job.key}, not after it, on the same event.`,
          cost: "What the lesser environment would have shown reaches users at the same moment.",
          fix: `let ${job.key} need ${beside.job.key}`,
          subject: `${job.id} beside`,
          related: [{ place: beside.job.place, message: "this is not waited for" }],
        },
      ];
    });
}

const isHarmless = (job: JobNode): boolean => job.continueOnError?.text === "true";

const bothRun = (view: WorkflowsView, workflow: WorkflowNode, world: World, one: JobNode, other: JobNode): boolean => {
  const outcomes = simulate(view, workflow, world);
  return outcomes.get(one.key)?.runs === true && outcomes.get(other.key)?.runs !== false;
};

/** Jobs that ship after a run of another workflow, whatever its conclusion was. */
function afterAnyResult(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const failed = worldsOf(view, workflow).find(({ conclusion }) => conclusion === "failure");
  const trigger = workflow.triggers.find(({ event }) => event === "workflow_run");
  if (failed === undefined || trigger === undefined) return [];
  const outcomes = simulate(view, workflow, failed);
  return view.jobsOf(workflow).flatMap((job) => {
    const effects = shipmentsOf(view, job).filter(
      ({ step }) => step.job !== job.id || stepRuns(step, failed, false) === true,
    );
    const [effect] = effects;
    if (outcomes.get(job.key)?.runs !== true || effect === undefined) return [];
    const isAsked = view
      .stepsOf(job)
      .some(({ run, condition }) => /conclusion|CONCLUSION/.test(`${run?.text} ${condition?.text}`));
    if (isAsked) return [];
    return [
      {
        severity: "high" as const,
        known: effect.known,
        place: job.place,
        message:
          `Job ${job.key} of ${workflow.title} ships after the run of another workflow, also if that run failed: ` +
          "completed does not mean that it succeeded.",
        cost: "A commit that failed its tests is shipped.",
        fix: "add if: github.event.workflow_run.conclusion == 'success' to the job",
        subject: `${job.id} conclusion`,
        related: [
          { place: trigger.place, message: "this starts it after every conclusion" },
          { place: effect.place, message: "this ships" },
        ],
      },
    ];
  });
}

const example = (needs: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm test
  deploy:${needs}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
      - run: fly deploy
`;
const follower = (condition: string): string => `name: ship
on:
  workflow_run:
    workflows: [ci]
    types: [completed]
concurrency: ship
jobs:
  ship:${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
        with:
          ref: \${{ github.event.workflow_run.head_sha }}
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

export const releaseUngated: Rule = {
  id: "release-ungated",
  title: "Something ships without waiting for its tests",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "Jobs without needs start at once. A deployment beside the tests has usually finished before they fail. " +
    "A run that " +
    "follows another workflow starts when that one is completed, whatever its conclusion.",
  severity: "High. Which jobs are tests is inferred from their commands and names.",
  fix: "Let the shipping job need the test jobs, or ask for the conclusion of the run that it follows.",
  limits:
    "Tests that run in another workflow on the same event are not counted: a branch rule may require them. Jobs that " +
    "ship to a lesser environment are not reported.",
  failing: [
    { ".github/workflows/main.yml": example(" # <- finding") },
    { ".github/workflows/ci.yml": ci, ".github/workflows/ship.yml": follower(" # <- finding") },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/main.yml": example("\n    needs: test") },
      because: "The deployment needs the tests.",
      edit: { file: ".github/workflows/main.yml", replace: "\n    needs: test", by: "" },
    },
    {
      files: {
        ".github/workflows/ci.yml": ci,
        ".github/workflows/ship.yml": follower("\n    if: github.event.workflow_run.conclusion == 'success'"),
      },
      because: "The conclusion is asked for.",
      edit: {
        file: ".github/workflows/ship.yml",
        replace: "\n    if: github.event.workflow_run.conclusion == 'success'",
        by: "",
      },
    },
  ],
  check,
};
