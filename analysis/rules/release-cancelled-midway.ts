// A deployment that a newer run cancels while it is under way: by the group of its job, or by the group of the whole
// workflow, which also stops jobs whose own group says that they are to finish.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { keepRunning } from "../patches/lock-repair.ts";
import { capped, type Draft, type Rule, rankOf, type Severity } from "../rule.ts";
import { type Deployment, deploymentsIn, isPreview } from "../systems/workflows/deployments.ts";
import type { Lock } from "../systems/workflows/locks.ts";
import { cancellingStep } from "../systems/workflows/other-runs.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const found = deploymentsIn(viewOf(graph)).flatMap((each) => {
    const lock = each.locks.find(({ cancels, isInert }) => cancels === true && !isInert);
    return lock === undefined || isPreview(each) || isCalledPreview(each) ? [] : [[each, lock] as const];
  });
  const byLock = groupedBy(found, ([, { concurrency }]) => `${concurrency.place.file}:${concurrency.place.line}`);
  const worst = byLock.map((all) => all.toSorted(([one], [other]) => weightOf(other) - weightOf(one))[0]!);
  return [...worst.map((each) => draft(...each)), ...byStep(viewOf(graph))];
}

/** A callee for previews whose callers are elsewhere: its name is all that tells. */
const isCalledPreview = ({ world, workflow, job }: Deployment): boolean =>
  isByUnknown(world) && /preview|review|pull.?request|(^|[^a-z])pr([^a-z]|$)/i.test(`${workflow.title} ${job.key}`);

/** A call by a workflow of another repository, whose event is not known. */
const isByUnknown = ({ event, via }: Deployment["world"]): boolean => event === "workflow_call" && via.length === 0;

const weightOf = (deployment: Deployment): number => rankOf(severityOf(deployment));

/** Deployments that a step of a newer run cancels. */
function byStep(view: WorkflowsView): readonly Draft[] {
  const found = deploymentsIn(view).flatMap((each) => {
    const step = isPreview(each) ? undefined : cancellingStep(view, each.job, each.world);
    return step ? [{ deployment: each, step }] : [];
  });
  return groupedBy(found, ({ step }) => step.id).map((all) => {
    const { deployment, step } = all.toSorted(
      (one, other) => weightOf(other.deployment) - weightOf(one.deployment),
    )[0]!;
    const { job, effects } = deployment;
    return {
      severity: severityOf(deployment),
      known: effects[0]!.known,
      place: step.uses!.place,
      message:
        `"${step.name}" cancels the earlier runs of ${deployment.workflow.title}, also one in which job ${job.key} ` +
        `is deploying (${effects[0]!.category}).`,
      cost: "A run that is cancelled between two changes leaves half of them.",
      fix: "use a concurrency group with cancel-in-progress: false around the deploying job instead",
      subject: `${step.id} cancels`,
      related: [{ place: effects[0]!.place, message: "this is cut off" }],
    };
  });
}

const states = /^(pulumi-stack|terraform-state|cdk-stack|cloudformation-stack|arm-deployment|helm-release|database)$/;

function severityOf({ effects, tier }: Deployment): Severity {
  if (effects.some(({ category }) => states.test(category))) return "high";
  // A newer site replaces the older one as a whole, which is all that anyone wants.
  if (effects.every(({ category }) => category === "static-site" || category === "pages")) return "info";
  if (effects.every(({ isAtomic }) => isAtomic)) return "low";
  return tier === "lesser" ? "low" : "medium";
}

function draft(deployment: Deployment, lock: Lock): Draft {
  const { job, world, effects } = deployment;
  const inner = deployment.locks.find((each) => each !== lock && each.cancels === false);
  const place = lock.concurrency.cancelInProgress?.place ?? lock.concurrency.place;
  const over = inner && lock.owner === "workflow" ? `, although the group of ${inner.ownerName} says it must not` : "";
  const repair = keepRunning(lock.concurrency);
  const known: Draft["known"] = isByUnknown(world) ? { inferred: 0.6 } : effects[0]!.known;
  return {
    severity: capped(severityOf(deployment), known),
    known,
    place,
    message:
      `On ${world.label}, the group of ${lock.owner} ${lock.ownerName} cancels running jobs, and with them the ` +
      `deployment of job ${job.key} (${effects[0]!.category})${over}.`,
    cost:
      "A run that is cancelled between two changes leaves half of them; a stack stays locked until " +
      "someone unlocks it.",
    fix: "set cancel-in-progress to false where the job deploys, or cancel only on pull requests",
    subject: `${job.id} cancelled`,
    related: [
      { place: effects[0]!.place, message: "this is cut off" },
      ...(inner ? [{ place: inner.concurrency.place, message: "this group does not help" }] : []),
    ],
    ...(repair && { repair }),
  };
}

const example = `name: infra
on:
  push:
    branches: [main]
concurrency:
  group: infra
  cancel-in-progress: true # <- finding
jobs:
  up:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    concurrency:
      group: stack-prod
      cancel-in-progress: false
    steps:
      - run: pulumi up --yes --stack acme/prod
`;

const stepped = (condition: string): string => `name: infra
on:
  push:
    branches: [main]
concurrency: infra
jobs:
  up:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - uses: styfle/cancel-workflow-action@0.12.1${condition === "" ? " # <- finding" : ""}
${condition}      - run: pulumi up --yes --stack acme/prod
`;

/** A reusable workflow that nothing in the repository calls. */
const called = (name: string): string =>
  example
    .replace("name: infra", `name: ${name}`)
    .replace("on:\n  push:\n    branches: [main]", "on:\n  workflow_call:")
    .replace("    concurrency:\n      group: stack-prod\n      cancel-in-progress: false\n", "");

export const releaseCancelledMidway: Rule = {
  id: "release-cancelled-midway",
  title: "A newer run cancels a deployment that is under way",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "cancel-in-progress stops a run between any two of its changes. A deployment then is neither the old nor the new " +
    "version, a stack's state stays locked, and the run that would have failed loudly is shown as " +
    "cancelled. The group " +
    "of a workflow stops all of its jobs, whatever their own groups say.",
  severity:
    "High if a state or a schema can be left half-way (Pulumi, Terraform, CloudFormation, ARM, Helm, a migration). " +
    "Medium for other deployments. Low in lesser environments, and for atomic replacements, which frequent " +
    "pushes can keep from ever finishing. Info for static sites.",
  fix: "Cancel runs of pull requests only, or move the deployment to a workflow with its own group.",
  limits:
    "An expression that the event does not decide is not reported. A reusable workflow whose callers are in other " +
    "repositories is low, because they may call it for previews only.",
  failing: [
    { ".github/workflows/infra.yml": example },
    { ".github/workflows/infra.yml": stepped("") },
    { ".github/workflows/infra.yml": called("release") },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/infra.yml": called("pr preview").replace(" # <- finding", "") },
      because: "The called workflow is for previews, by its name.",
      edit: { file: ".github/workflows/infra.yml", replace: "pr preview", by: "release" },
    },
    {
      files: { ".github/workflows/infra.yml": stepped("        if: github.event_name == 'pull_request'\n") },
      because: "Only runs of pull requests cancel others, and they deploy nothing.",
      edit: {
        file: ".github/workflows/infra.yml",
        replace: "        if: github.event_name == 'pull_request'\n",
        by: "",
      },
    },
    {
      files: {
        ".github/workflows/infra.yml": example
          .replace("true # <- finding", "${{ github.event_name == 'pull_request' }}")
          .replace("on:\n", "on:\n  pull_request:\n")
          .replace("    timeout-minutes", "    if: github.event_name == 'push'\n    timeout-minutes"),
      },
      because: "Runs of pull requests are cancelled, and they deploy nothing.",
      edit: {
        file: ".github/workflows/infra.yml",
        replace: "${{ github.event_name == 'pull_request' }}",
        by: "true",
      },
    },
  ],
  check,
};
