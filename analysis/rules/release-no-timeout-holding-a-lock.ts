// A deployment that holds a lock and may hang for six hours, GitHub's default. Every later deployment waits for it,
// also the one that would repair what is broken.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { insertIntoJob } from "../patches/lock-repair.ts";
import type { Draft, Rule, Severity } from "../rule.ts";
import { type Deployment, deploymentsIn, isPreview, sharedLocks } from "../systems/workflows/deployments.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { commandsIn } from "../systems/workflows/shell.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const unbounded = deploymentsIn(view).filter(
    (each) =>
      each.job.timeoutMinutes === undefined &&
      !isPreview(each) &&
      sharedLocks(each).length > 0 &&
      !isBounded(view, each.job),
  );
  return groupedBy(unbounded, ({ job }) => job.workflow).map((all) => {
    const jobs = groupedBy(all, (each) => each.job.id).map(([first]) => first!);
    const { job, effects } = jobs[0]!;
    const [lock] = sharedLocks(jobs[0]!);
    const others = jobs.slice(1);
    return {
      severity: severityOf(jobs[0]!),
      known: effects[0]!.known,
      place: job.place,
      message:
        `Job ${job.key}${others.map((each) => `, ${each.job.key}`).join("")} deploys under ` +
        `the group ${lock!.group} without a timeout, so a hanging step holds it for six hours.`,
      cost: "All later deployments wait, also the one that repairs what is broken.",
      fix: "add timeout-minutes to the job, somewhat above its usual time",
      subject: `${job.id} timeout`,
      related: [
        { place: lock!.concurrency.place, message: "this lock is held" },
        ...others.map((each) => ({ place: each.job.place, message: `${each.job.key} has no timeout either` })),
      ],
      repair: repairOf(jobs.map((each) => each.job)),
    } satisfies Draft;
  });
}

const states =
  /^(pulumi-stack|terraform-state|cdk-stack|cloudformation-stack|arm-deployment|kubernetes|helm-release|database)$/;

/** A tool that waits for a cluster or a state hangs more often, and a runner of one's own is lost as well. */
function severityOf({ job, effects, tier }: Deployment): Severity {
  if (tier === "lesser" || effects.every(({ isAtomic }) => isAtomic)) return "info";
  const waits = effects.some(({ category }) => states.test(category)) || job.runsOn.includes("self-hosted");
  return waits ? "medium" : "info";
}

/** Whether every step that takes long has its own timeout, or every command that waits for a cluster has. */
const isBounded = (view: WorkflowsView, job: JobNode): boolean => {
  const steps = view.stepsOf(job).filter(({ run }) => run !== undefined);
  if (steps.length > 0 && steps.every(({ timeoutMinutes }) => timeoutMinutes !== undefined)) return true;
  const effects = view.effectsOf(job);
  if (effects.length > 0 && effects.every(({ step }) => step.timeoutMinutes !== undefined)) return true;
  if (job.runsOn.includes("self-hosted") || !effects.every(({ category }) => ofCluster.test(category))) return false;
  const waiting = steps.flatMap(({ run }) => commandsIn(run!.text)).filter(({ words }) => waits.test(words.join(" ")));
  return waiting.length > 0 && waiting.every(({ words }) => words.some((word) => word.startsWith("--timeout")));
};

const ofCluster = /^(kubernetes|helm-release|image)$/;
const waits = /^(kubectl|oc) (.* )?(rollout status|wait)\b|^helm (.* )?(--wait|--atomic)\b/;

const repairOf = (jobs: readonly JobNode[]) => ({
  title: "Bound the time of the deployment",
  edits: jobs.flatMap((job) => insertIntoJob(job, "", ["timeout-minutes: 60"]).edits),
});

const example = (timeout: string): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: production
jobs:
  deploy:${timeout}
    runs-on: ubuntu-24.04
    steps:
      - run: kubectl apply -f shop.yaml
`;

export const releaseNoTimeoutHoldingALock: Rule = {
  id: "release-no-timeout-holding-a-lock",
  title: "A deployment holds a lock without a timeout",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "GitHub's default timeout is six hours. A step that waits for an answer that never comes holds the concurrency " +
    "group as long, and every later deployment waits behind it.",
  severity:
    "Medium if the tool waits for a state or a cluster, or the runner is self-hosted. Otherwise " +
    "info. One finding for " +
    "each workflow.",
  fix: "Set timeout-minutes on every deploying job. A called workflow must set it itself; its caller cannot.",
  limits:
    "Jobs that hold no lock are not reported, because nothing waits for them. Nor are jobs in which every command " +
    "that waits for a cluster has a timeout of its own.",
  failing: [{ ".github/workflows/deploy.yml": example(" # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example("\n    timeout-minutes: 15") },
      because: "The job has a timeout.",
      edit: { file: ".github/workflows/deploy.yml", replace: "\n    timeout-minutes: 15", by: "" },
    },
  ],
  check,
};
