// Jobs that wait for a machine longer than is worth it. It needs a run history, because how many machines there are is
// not in the repository.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { timeOf } from "../systems/workflows/critical-path.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

const secondsMin = 60;
const shareMin = 0.25;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const waiting = view.jobs.filter(({ measured, uses }) => {
    const wait = measured?.wait;
    return (
      uses === undefined && wait !== undefined && wait.seconds >= Math.max(secondsMin, shareMin * measured!.seconds)
    );
  });
  return groupedBy(waiting, (job) => JSON.stringify(job.runsOn)).map((jobs) => draft(view, jobs));
}

/** One finding for the machines of one kind, at the job that waits longest. */
function draft(view: WorkflowsView, unsorted: readonly JobNode[]): Draft {
  const jobs = unsorted.toSorted((one, other) => other.measured!.wait!.seconds - one.measured!.wait!.seconds);
  const [job, ...others] = jobs as [JobNode, ...JobNode[]];
  const { seconds, ninetieth, starts } = job.measured!.wait!;
  const machine = job.runsOn.length > 0 ? job.runsOn.join(", ") : "its runners";
  return {
    severity: "low",
    known: "measured",
    place: job.place,
    message:
      `Job ${job.key} of ${view.workflowOf(job).title} waits ${timeOf(seconds)} ` +
      `for a machine (${machine}); one start ` +
      `in ten waits longer than ${timeOf(ninetieth)} (measured, ${starts} starts).`,
    cost: `Every run takes ${timeOf(seconds)} longer than its work.`,
    fix: "add machines of this kind, or start fewer jobs at once: fewer legs, a path filter, or max-parallel elsewhere",
    subject: `${job.id} wait`,
    related: others.map((each) => ({ place: each.place, message: `${each.key} waits for the same machines` })),
  };
}

const example = (runsOn: string, mark: string): string => `name: ci
on:
  pull_request:
jobs:
  test:${mark}
    runs-on: ${runsOn}
    strategy: { matrix: { shard: [1, 2, 3, 4, 5, 6] } }
    steps:
      - run: make test
`;

const time = (seconds: number): string =>
  `2026-03-01T${String(10 + Math.floor(seconds / 3600)).padStart(2, "0")}:` +
  `${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}Z`;
const history = (wait: number): string =>
  JSON.stringify({
    jobs: Array.from({ length: 36 }, (_each, at) => ({
      run_id: Math.floor(at / 6),
      workflow_name: "ci",
      name: `test (${(at % 6) + 1})`,
      conclusion: "success",
      created_at: time(0),
      started_at: time(wait),
      completed_at: time(wait + 300),
    })),
  });

export const runnerWait: Rule = {
  id: "runner-wait",
  title: "Jobs wait long for a machine",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "A job that waits for a machine looks like a slow job, and making its work faster does not help. Machines of " +
    "one's own are the usual cause, and so is a matrix that takes them all.",
  severity: "Low, and only if half of the starts wait a minute and a quarter of the job's time or longer.",
  fix: "Add machines, or start fewer jobs at once.",
  limits:
    "It needs a run history (`--history`) with at least thirty starts that have `created_at`. Waiting for a " +
    "concurrency group or an approval counts as waiting.",
  failing: [
    {
      ".github/workflows/ci.yml": example("[self-hosted]", " # <- finding"),
      ".ballast/run-history.json": history(180),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": example("[self-hosted]", ""), ".ballast/run-history.json": history(20) },
      because: "Twenty seconds are what starting a machine takes.",
      edit: { file: ".ballast/run-history.json", replace: history(20), by: history(180) },
    },
  ],
  check,
};
