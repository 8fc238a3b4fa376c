// A gate that passes whatever it finds: its failure is swallowed by `|| true` or continue-on-error, a loop ends
// without a verdict, a request is made without asking for its status, or its condition is never true. What stands
// behind the gate ships all the same.
import type { Graph } from "../graph.ts";
import { lineOf, type Place } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { blindChecks } from "../systems/workflows/blind-checks.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import {
  changesOf,
  isCheckStep,
  isGate,
  isProbe,
  isTest,
  isTestStep,
  isUndoJob,
  shipmentsOf,
} from "../systems/workflows/roles.ts";
import { commandsIn, type ShellCommand } from "../systems/workflows/shell.ts";
import { stepRuns } from "../systems/workflows/simulate.ts";
import { checksWithoutVerdict } from "../systems/workflows/verdicts.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const guarded = guardedBy(view, job);
    const steps = view.stepsOf(job).flatMap((step) => ofStep(view, job, step, guarded));
    return [...ofJob(view, job, guarded), ...steps];
  });
}

/** What ships after a job: later jobs that wait for it, and else those of a workflow that follows its run. */
const guardedBy = (view: WorkflowsView, job: JobNode): JobNode | undefined =>
  view.descendantsOf(job).find((each) => shipmentsOf(view, each).length > 0) ??
  view
    .followersOf(view.workflowOf(job))
    .flatMap((each) => view.jobsOf(each))
    .find((each) => shipmentsOf(view, each).length > 0);

function ofJob(view: WorkflowsView, job: JobNode, guarded: JobNode | undefined): readonly Draft[] {
  if (job.continueOnError?.text !== "true" || guarded === undefined || !isGate(view, job)) return [];
  return [
    draft(
      job.continueOnError.place,
      job.id,
      `Job ${job.key} has continue-on-error, so ${guarded.key} ships whatever it finds.`,
      guarded.place,
    ),
  ];
}

const draft = (
  place: Place,
  subject: string,
  message: string,
  shipped: Place,
  severity: Draft["severity"] = "high",
): Draft => ({
  severity,
  known: "structural",
  place,
  message,
  cost: "What the gate should stop reaches users, and the run is green.",
  fix: "let the failure fail the step; if it may be ignored, remove the gate from the way of the release",
  subject: `${subject} ${place.line}`,
  related: [{ place: shipped, message: "this ships all the same" }],
});

function ofStep(view: WorkflowsView, job: JobNode, step: StepNode, guarded: JobNode | undefined): readonly Draft[] {
  const shipped = shippedAround(view, job, step, guarded);
  if (shipped === undefined || isAskedLater(view, job, step)) return [];
  const isGateStep = isTestStep(step) || (isCheckStep(step) && shipped.isBefore);
  if (step.continueOnError?.text === "true" && isGateStep)
    return [
      draft(
        step.continueOnError.place,
        step.id,
        `The step "${step.name}" of job ${job.key} has continue-on-error, so its failure stops nothing.`,
        shipped.place,
      ),
    ];
  if (step.run === undefined) return [];
  if (isDeadGuard(view, job, step))
    return [
      draft(
        step.condition!.place,
        step.id,
        `The guard "${step.name}" of job ${job.key} never runs: its condition ${step.condition!.text.trim()} is ` +
          "false on every event of the workflow.",
        shipped.place,
      ),
    ];
  return [...swallowed(job, step, shipped), ...withoutVerdict(job, step, shipped), ...blind(job, step, shipped)];
}

const blind = (job: JobNode, step: StepNode, shipped: Shipped): readonly Draft[] =>
  blindChecks(step).map(({ line, message }) =>
    draft(
      lineOf(step.run!, line),
      step.id,
      `"${step.name}" in job ${job.key} ${message}.`,
      shipped.place,
      shipped.isBefore ? "medium" : "high",
    ),
  );

/** A step that only fails, under a condition that nothing makes true. */
function isDeadGuard(view: WorkflowsView, job: JobNode, step: StepNode): boolean {
  if (step.condition === undefined || step.via !== undefined) return false;
  const commands = commandsIn(step.run!.text);
  const last = commands.at(-1)?.words.join(" ") ?? "";
  if (!/^(false|exit [1-9]\d*)$/.test(last) || commands.slice(0, -1).some(({ words }) => words[0] !== "echo"))
    return false;
  const worlds = worldsOf(view, view.workflowOf(job));
  return (
    worlds.length > 0 &&
    worlds.every((world) => [true, false].every((hasFailed) => stepRuns(step, world, hasFailed) === false))
  );
}

interface Shipped {
  readonly place: Place;
  /** Whether it ships before the step, so that the step looks at the result. */
  readonly isBefore: boolean;
}

function shippedAround(
  view: WorkflowsView,
  job: JobNode,
  step: StepNode,
  guarded: JobNode | undefined,
): Shipped | undefined {
  const steps = view.stepsOf(job);
  const own = (isUndoJob(view, job) ? changesOf(view, job) : shipmentsOf(view, job)).filter(
    (effect) => effect.step.job === job.id,
  );
  const after = own.find((effect) => steps.indexOf(effect.step) > steps.indexOf(step));
  if (after) return { place: after.place, isBefore: false };
  if (guarded) return { place: guarded.place, isBefore: false };
  const before = own.find((effect) => steps.indexOf(effect.step) < steps.indexOf(step)) ?? earlierShipment(view, job);
  return before && { place: before.place, isBefore: true };
}

const earlierShipment = (view: WorkflowsView, job: JobNode) =>
  view.ancestorsOf(job).flatMap((each) => shipmentsOf(view, each))[0];

/** A later step or job that asks for the outcome decides itself. */
const isAskedLater = (view: WorkflowsView, job: JobNode, step: StepNode): boolean => {
  const { key } = step;
  if (key === undefined) return false;
  return (
    job.templates.some(({ text }) => text.includes(`steps.${key}.outcome`) || text.includes(`steps.${key}.outputs`)) ||
    view
      .descendantsOf(job)
      .some(({ templates }) => templates.some(({ text }) => text.includes(`needs.${job.key}.outputs`)))
  );
};

/** Test commands whose failure the script swallows. */
function swallowed(job: JobNode, step: StepNode, shipped: Shipped): readonly Draft[] {
  const commands = commandsIn(step.run!.text);
  return commands.flatMap((command, at) => {
    const judges = isTest(command) || (shipped.isBefore && isProbe(command) && isCheckStep(step));
    const then = commands[at + 1];
    if (!judges || command.isCondition || command.next !== "||" || then === undefined || !isIgnoring(then)) return [];
    if (/^(npm|pip) audit|npm audit/.test(command.words.join(" "))) return [];
    // The script ends with a failure in any case: the command shows why.
    if (isProbe(command) && /^exit [1-9]/.test(commands.at(-1)!.words.join(" "))) return [];
    return [
      draft(
        lineOf(step.run!, command.line),
        step.id,
        `"${command.words.join(" ")}" in job ${job.key} is followed by "|| ${then.words.join(" ")}", so its ` +
          `failure stops nothing.`,
        shipped.place,
        shipped.isBefore ? "medium" : "high",
      ),
    ];
  });
}

const isIgnoring = ({ words }: ShellCommand): boolean =>
  /^(true|:|echo|printf|exit 0)$/.test(words[0] === "exit" ? words.join(" ") : (words[0] ?? ""));

/** Checks of what was deployed that end without a verdict. */
const withoutVerdict = (job: JobNode, step: StepNode, shipped: Shipped): readonly Draft[] =>
  (shipped.isBefore ? checksWithoutVerdict(step) : []).map(({ line, message }) =>
    draft(lineOf(step.run!, line), step.id, `"${step.name}" in job ${job.key} ${message}.`, shipped.place, "medium"),
  );

const example = (test: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: ${test}
  deploy:
    needs: test
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy
`;
const refused = (condition: string): string =>
  example("npm test").replace(
    "      - run: fly deploy",
    `      - name: Only the main branch
        if: ${condition}
        run: exit 1
      - run: fly deploy`,
  );
const checked = (script: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --strategy bluegreen
      - name: Smoke test
        run: |
          for attempt in 1 2 3; do
            curl -fsS https://shop.example/health && break${script}
            sleep 5
          done
      - name: Roll back
        if: failure()
        run: fly releases rollback
`;

const measured = (query: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --strategy bluegreen
      - name: Watch errors
        run: |
          ERRORS=$(curl -fsS https://metrics.example/errors${query}
          if [ "$ERRORS" -gt 5 ]; then exit 1; fi
      - name: Roll back
        if: failure()
        run: fly releases rollback
`;
const generated = (command: string): string => `name: ci
on:
  push:
    branches: [main]
jobs:
  docs:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - name: Check that the generated files are committed
        run: |
          npm run generate
          ${command}
`;
const follower = `name: ship
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
      - uses: actions/checkout@v6
        with:
          ref: \${{ github.event.workflow_run.head_sha }}
      - run: fly deploy
`;

const answered = (otherwise: string): string =>
  checked("").replace(
    /for attempt[^]*done\n/,
    `STATUS=$(curl -s -o /dev/null -w "%{http_code}" https://shop.example/health)
          if [ "$STATUS" != 200 ]; then
            ${otherwise}
          fi
`,
  );
const started = (look: string): string =>
  example("npm test").replace(
    "      - run: fly deploy",
    `      - name: Test that the image starts
        run: |
          docker run -d --name shop shop:new # <- finding
          sleep 5
          ${look}
          docker rm -f shop
      - run: fly deploy`,
  );

export const gateCannotFail: Rule = {
  id: "gate-cannot-fail",
  title: "A gate passes whatever it finds",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "A gate exists to stop something. If its failure is swallowed, the run is green, and what stands behind " +
    "it ships: " +
    "worse than no gate, because everybody believes in it.",
  severity: "High if something ships after it. Medium if it checks what was shipped before.",
  fix: "Let the failure fail the step. End a loop of attempts with exit 1, and ask curl for --fail.",
  limits: "A gate is reported only if something ships after it. A step whose outcome is asked for later is quiet.",
  failing: [
    { ".github/workflows/main.yml": example("npm test || true # <- finding") },
    { ".github/workflows/main.yml": checked(" # <- finding") },
    { ".github/workflows/main.yml": refused("github.ref == 'main' # <- finding") },
    { ".github/workflows/main.yml": example("docker run --rm shop npm test || echo failed # <- finding") },
    { ".github/workflows/main.yml": measured(" || echo 0) # <- finding") },
    { ".github/workflows/main.yml": answered("echo unhealthy").replace("health)", "health) # <- finding") },
    { ".github/workflows/main.yml": started("docker logs shop").replace("-d --name", "--detach --name") },
    {
      ".github/workflows/ci.yml": generated("git diff # <- finding"),
      ".github/workflows/ship.yml": follower,
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/main.yml": answered("exit 1") },
      because: "An answer other than 200 fails the step.",
      edit: { file: ".github/workflows/main.yml", replace: "exit 1", by: "echo unhealthy" },
    },
    {
      files: {
        ".github/workflows/main.yml": started("docker exec shop ./check.sh").replace(" # <- finding", ""),
      },
      because: "A command in the container fails if it does not run.",
      edit: { file: ".github/workflows/main.yml", replace: "docker exec shop ./check.sh", by: "docker logs shop" },
    },
    {
      files: { ".github/workflows/main.yml": refused("github.ref == 'refs/heads/main' && github.actor == 'a-bot'") },
      because: "The guard stops runs of one actor.",
      edit: {
        file: ".github/workflows/main.yml",
        replace: "'refs/heads/main' && github.actor == 'a-bot'",
        by: "'main'",
      },
    },
    {
      files: { ".github/workflows/main.yml": measured(")") },
      because: "A query that fails ends the step.",
      edit: { file: ".github/workflows/main.yml", replace: "errors)", by: 'errors || echo "0")' },
    },
    {
      files: {
        ".github/workflows/ci.yml": generated("git diff --exit-code"),
        ".github/workflows/ship.yml": follower,
      },
      because: "The comparison fails when it finds a difference.",
      edit: { file: ".github/workflows/ci.yml", replace: " --exit-code", by: "" },
    },
    {
      files: { ".github/workflows/main.yml": example("npm test") },
      because: "A failing test fails the job.",
      edit: { file: ".github/workflows/main.yml", replace: "npm test", by: 'npm test || echo "flaky"' },
    },
    {
      files: {
        ".github/workflows/main.yml": checked("").replace(
          "          done\n",
          "            [ $attempt = 3 ] && exit 1\n          done\n",
        ),
      },
      because: "The last attempt fails the step.",
      edit: { file: ".github/workflows/main.yml", replace: "            [ $attempt = 3 ] && exit 1\n", by: "" },
    },
  ],
  check,
};
