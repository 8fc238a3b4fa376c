// A matrix that takes many machines for a long time in every run of a pull request. It needs a run history, because
// minutes that were not measured are guesses.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { legsOf } from "../systems/workflows/check-names.ts";
import { timeOf } from "../systems/workflows/critical-path.ts";
import type { JobNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { viewOf } from "../systems/workflows/view.ts";

const legsMin = 8;
const machineSecondsMin = 3600;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const workflow = view.workflowOf(job);
    const event = frequentEvent(workflow);
    const legs = legsOf(job).length;
    const machineSeconds = job.measured?.machineSeconds ?? 0;
    if (event === undefined || legs < legsMin || machineSeconds < machineSecondsMin) return [];
    return [draft(workflow, job, { event, legs, machineSeconds })];
  });
}

/** The event that starts it for every change, if no path filter holds it back. */
const frequentEvent = ({ triggers }: WorkflowNode): string | undefined =>
  triggers.find(
    ({ event, filters }) =>
      /^(pull_request|pull_request_target|push|merge_group)$/.test(event) &&
      filters["paths"] === undefined &&
      filters["paths-ignore"] === undefined &&
      !(event === "push" && filters["tags"] !== undefined && filters["branches"] === undefined),
  )?.event;

interface Cost {
  readonly event: string;
  readonly legs: number;
  readonly machineSeconds: number;
}

const draft = (workflow: WorkflowNode, job: JobNode, { event, legs, machineSeconds }: Cost): Draft => ({
  severity: "low",
  known: "measured",
  place: job.strategy!.place,
  message:
    `Job ${job.key} of ${workflow.title} takes ${legs} machines for ${timeOf(machineSeconds)} together on every ` +
    `${event} (measured, median of ${job.measured!.runs} runs).`,
  cost: `Ten runs take ${timeOf(machineSeconds * 10)} of machine time.`,
  fix: "run the legs that differ most on every change and the others on a schedule, or add a path filter",
  subject: `${job.id} fan-out`,
});

const example = (event: string, mark: string): string => `name: ci
on:
  ${event}:
jobs:
  test:
    runs-on: \${{ matrix.os }}
    strategy:${mark}
      matrix:
        os: [ubuntu-24.04, macos-15]
        version: [18, 20, 22, 24]
    steps:
      - run: make test
`;

const time = (seconds: number): string =>
  `2026-03-01T${String(10 + Math.floor(seconds / 3600)).padStart(2, "0")}:` +
  `${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}Z`;
const history = JSON.stringify({
  jobs: [1, 2, 3, 4, 5].flatMap((run) =>
    ["ubuntu-24.04", "macos-15"].flatMap((os) =>
      [18, 20, 22, 24].map((version) => ({
        run_id: run,
        workflow_name: "ci",
        name: `test (${os}, ${version})`,
        conclusion: "success",
        started_at: time(0),
        completed_at: time(540),
      })),
    ),
  ),
});

export const matrixFanOutCost: Rule = {
  id: "matrix-fan-out-cost",
  title: "A matrix takes much machine time for every change",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "The legs of a matrix multiply, and a run that ends soon hides what it takes: its machines are missing for other " +
    "runs, and each minute of each leg is paid for.",
  severity: "Low, and only from eight legs and an hour of machine time a run on.",
  fix: "Test what differs on every change, and the whole matrix on a schedule.",
  limits:
    "It needs a run history (`--history`) with at least five successful runs. A matrix that an expression makes is " +
    "not judged, and neither is a workflow with a path filter. What a minute costs is not in the repository.",
  failing: [
    { ".github/workflows/ci.yml": example("pull_request", " # <- finding"), ".ballast/run-history.json": history },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/ci.yml": example("workflow_dispatch", ""),
        ".ballast/run-history.json": history,
      },
      because: "A person starts the whole matrix.",
      edit: { file: ".github/workflows/ci.yml", replace: "workflow_dispatch", by: "pull_request" },
    },
  ],
  check,
};
