// A job that fails and passes on the same commit: chance decides. It needs a run history with earlier attempts.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { shipmentsOf } from "../systems/workflows/roles.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

const passedMin = 3;
const shareMin = 0.05;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const retries = job.measured?.retries;
    if (retries === undefined || retries.passed < passedMin || retries.passed < shareMin * retries.runs) return [];
    return [draft(view, job, retries.passed, retries.runs)];
  });
}

function draft(view: WorkflowsView, job: JobNode, passed: number, runs: number): Draft {
  const ships = shipmentsOf(view, job).length > 0;
  return {
    severity: ships ? "medium" : "low",
    known: "measured",
    place: job.place,
    message:
      `Job ${job.key} of ${view.workflowOf(job).title} failed and then passed on the same commit in ${passed} of ` +
      `${runs} runs (measured).`,
    cost: ships
      ? "A failed deployment is started again by hand until it works, each time from a state that the last try left."
      : "People start it again without looking, so a real failure is started again too.",
    fix: ships
      ? "repeat the call that fails within the step, with a limit, and fail for everything else"
      : "find what differs between the attempts; until then, repeat that step alone with a limit",
    subject: `${job.id} retries`,
  };
}

const example = (mark: string): string => `name: ci
on:
  pull_request:
jobs:
  e2e:${mark}
    runs-on: ubuntu-24.04
    steps:
      - run: make e2e
`;
const attempt = (run: number, at: number, conclusion: string) => ({
  run_id: run,
  run_attempt: at,
  workflow_name: "ci",
  name: "e2e",
  conclusion,
  started_at: "2026-03-01T10:00:00Z",
  completed_at: "2026-03-01T10:01:00Z",
});
const history = (again: string): string =>
  JSON.stringify({
    jobs: Array.from({ length: 12 }, (_each, run) => run).flatMap((run) =>
      run % 3 === 0 ? [attempt(run, 1, "failure"), attempt(run, 2, again)] : [attempt(run, 1, "success")],
    ),
  });

export const jobPassesOnRetry: Rule = {
  id: "job-passes-on-retry",
  title: "A job fails and passes on the same commit",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "The attempts of one run have the same commit. If a later one passes, the first failure came from chance: " +
    "timing, a network, another run. Whoever starts such jobs again by habit also starts real failures again.",
  severity: "Medium if the job ships something, else low. Only from three such runs and one run in twenty on.",
  fix: "Remove the cause, or repeat the one call that fails by chance, with a limit.",
  limits:
    "It needs a run history (`--history`) of at least ten runs that has earlier attempts (`filter=all`). What " +
    "changed outside of the repository between two attempts is not seen.",
  failing: [{ ".github/workflows/ci.yml": example(" # <- finding"), ".ballast/run-history.json": history("success") }],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": example(""), ".ballast/run-history.json": history("failure") },
      because: "The second attempt fails as well, so the commit is at fault.",
      edit: { file: ".ballast/run-history.json", replace: history("failure"), by: history("success") },
    },
  ],
  check,
};
