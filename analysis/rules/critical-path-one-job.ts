// A workflow whose time is the time of one long job, while all other jobs are done long before. It needs a run history,
// because without measured times nothing can be said.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { type Chain, criticalPath, timeOf } from "../systems/workflows/critical-path.ts";
import type { JobNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { viewOf } from "../systems/workflows/view.ts";

const secondsMin = 600;
const shareMin = 0.7;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => {
    const chain = criticalPath(view, workflow);
    if (chain === undefined || view.jobsOf(workflow).length < 3) return [];
    const slowest = chain.jobs.toSorted((one, other) => other.measured!.seconds - one.measured!.seconds)[0]!;
    const { seconds } = slowest.measured!;
    const isSplit = slowest.strategy !== undefined || slowest.environment !== undefined || slowest.uses !== undefined;
    if (isSplit || seconds < secondsMin || seconds < shareMin * chain.seconds) return [];
    return [draft(workflow, chain, slowest)];
  });
}

const draft = (workflow: WorkflowNode, { jobs, seconds, runs }: Chain, slowest: JobNode): Draft => ({
  severity: "low",
  known: "measured",
  place: slowest.place,
  message:
    `Job ${slowest.key} takes ${timeOf(slowest.measured!.seconds)} of the ${timeOf(seconds)} that ${workflow.title} ` +
    `takes (median of ${runs} runs).`,
  cost: "Whatever else is made faster, a run does not end earlier.",
  fix: "split the job's work over a matrix, or move what needs nothing of it to a job of its own",
  subject: `${slowest.id} critical path`,
  related: jobs
    .filter((job) => job !== slowest)
    .map((job) => ({ place: job.place, message: "this is on the same chain" })),
  path: jobs.map(({ id }) => id),
});

const example = (strategy: string, mark: string): string => `name: ci
on:
  pull_request:
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - run: npm run lint
  types:
    runs-on: ubuntu-24.04
    steps:
      - run: npm run typecheck
  test:${mark}
    runs-on: ubuntu-24.04${strategy}
    steps:
      - run: npm test
`;
const time = (seconds: number): string =>
  `2026-03-01T10:${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}Z`;
const history = (test: number): string =>
  JSON.stringify({
    jobs: [1, 2, 3, 4, 5].flatMap((run) =>
      Object.entries({ lint: 40, types: 60, test }).map(([name, seconds]) => ({
        run_id: run,
        workflow_name: "ci",
        name,
        conclusion: "success",
        started_at: time(0),
        completed_at: time(seconds),
      })),
    ),
  });

export const criticalPathOneJob: Rule = {
  id: "critical-path-one-job",
  title: "One job decides how long the workflow takes",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "A run is as long as its longest chain of jobs. If one job is most of that chain, all other machines are idle " +
    "long before the end, and work on any other job is wasted.",
  severity: "Low, and only from ten minutes and 70 % of the chain on.",
  fix: "Split the job: over a matrix if its parts are alike, into jobs that run at once if they are not.",
  limits:
    "It needs a run history (`--history`) with at least five successful runs of every job. A job with a matrix, an " +
    "environment or a callee is not reported.",
  failing: [{ ".github/workflows/ci.yml": example("", " # <- finding"), ".ballast/run-history.json": history(1500) }],
  nearMisses: [
    {
      files: {
        ".github/workflows/ci.yml": example("\n    strategy: { matrix: { shard: [1, 2] } }", ""),
        ".ballast/run-history.json": history(1500),
      },
      because: "The job is already split.",
      edit: { file: ".github/workflows/ci.yml", replace: "\n    strategy: { matrix: { shard: [1, 2] } }", by: "" },
    },
  ],
  check,
};
