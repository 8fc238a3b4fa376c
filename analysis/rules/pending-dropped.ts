// A lock that several different tasks share, of which GitHub keeps one running and one waiting: when a third comes,
// the waiting one is cancelled. That is right for versions of one app, and wrong for tasks that are not the same.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { type Deployment, deploymentsIn, isPreview } from "../systems/workflows/deployments.ts";
import type { Lock } from "../systems/workflows/locks.ts";
import type { Concurrency } from "../systems/workflows/nodes.ts";
import { viewOf } from "../systems/workflows/view.ts";

interface Held {
  readonly deployment: Deployment;
  readonly lock: Lock;
}

function check(graph: Graph): readonly Draft[] {
  const held = deploymentsIn(viewOf(graph))
    .filter((each) => !isPreview(each) && each.world.event !== "workflow_call")
    .flatMap((deployment) =>
      deployment.locks
        .filter(({ isInert, keepsAll, cancels }) => !isInert && !keepsAll && cancels === false)
        .map((lock): Held => ({ deployment, lock })),
    );
  return groupedBy(held, ({ lock }) => lock.group.toLowerCase()).flatMap((all) => {
    const [one, other] = differentTasks(all) ?? [];
    return one && other ? [draft(one, other)] : [];
  });
}

/** Two runs under one lock that deploy to known targets, of which none is the same. */
function differentTasks(all: readonly Held[]): readonly [Held, Held] | undefined {
  const runs = groupedBy(all, ({ deployment: { root, world } }) => `${root.id} ${world.label}`).map((held) => ({
    first: held[0]!,
    targets: held.flatMap(({ deployment }) => deployment.targets),
    isKnown: held.every(({ deployment: { targets } }) => targets.length > 0 && !targets.join().includes("${{")),
  }));
  const known = runs.filter(({ isKnown }) => isKnown);
  for (const [at, one] of known.entries()) {
    const other = known.slice(at + 1).find(({ targets }) => !targets.some((each) => one.targets.includes(each)));
    if (other) return [one.first, other.first];
  }
  return undefined;
}

function draft({ deployment, lock }: Held, other: Held): Draft {
  return {
    severity: "medium",
    known: "structural",
    place: lock.concurrency.group.place,
    message:
      `The group ${lock.group} is shared by deployments of ${deployment.targets[0]!} and of ` +
      `${other.deployment.targets[0]!}. When a third run comes, GitHub cancels the one that waits.`,
    cost: "A deployment that was asked for is cancelled without a failure.",
    fix: "name the target in the group, or set queue: max so that every run has its turn",
    subject: `${lock.group} ${deployment.job.id} ${other.deployment.job.id}`,
    related: [
      { place: deployment.effects[0]!.place, message: "this is deployed under the group" },
      { place: other.deployment.effects[0]!.place, message: "and this" },
    ],
    repair: repairOf(lock.concurrency),
  };
}

function repairOf({ group, place, queue }: Concurrency) {
  const isMapping = group.place.line > place.line;
  if (queue !== undefined || !isMapping || group.isBlock) return undefined;
  const at = {
    ...group.place,
    line: group.place.endLine + 1,
    column: 1,
    endLine: group.place.endLine + 1,
    endColumn: 1,
  };
  return {
    title: "Give every run its turn",
    edits: [{ place: at, text: `${" ".repeat(place.column + 1)}queue: max\n` }],
  };
}

const example = (group: string): string => `name: deploy
on:
  workflow_dispatch:
    inputs:
      app:
        type: choice
        options: [shop, blog]
concurrency:
  group: ${group}
  cancel-in-progress: false
jobs:
  shop:
    if: inputs.app == 'shop'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --app shop
  blog:
    if: inputs.app == 'blog'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --app blog
`;

const both = example("deploy")
  .replace(/ {4}inputs:[^]*?blog\]\n/, "  push:\n    branches: [main]\n")
  .replace("    if: inputs.app == 'shop'\n", "")
  .replace("inputs.app == 'blog'", "github.event_name == 'push'");

export const pendingDropped: Rule = {
  id: "pending-dropped",
  title: "A waiting deployment is cancelled by another task",
  systems: ["github"],
  antiPattern: 3,
  focus: "conflicts",
  why:
    "A concurrency group keeps one run running and one waiting. The third cancels the waiting one. If all " +
    "of them deploy " +
    "the newest version of one app, nothing is lost; if they deploy different things, one of them never happens.",
  severity: "Medium.",
  fix: "Let the group name the target. If the runs must not overlap, set queue: max.",
  limits: "Reported only if the targets are known to be different.",
  failing: [{ ".github/workflows/deploy.yml": example("deploy # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": both },
      because: "Both runs deploy the shop, so the newer one does what the cancelled one would have done.",
      edit: {
        file: ".github/workflows/deploy.yml",
        replace: "  shop:\n",
        by: "  shop:\n    if: github.event_name == 'workflow_dispatch'\n",
      },
    },
    {
      files: { ".github/workflows/deploy.yml": example("deploy-${{ inputs.app }}") },
      because: "Each app has its own group.",
      edit: { file: ".github/workflows/deploy.yml", replace: "deploy-${{ inputs.app }}", by: "deploy" },
    },
    {
      files: { ".github/workflows/deploy.yml": example("deploy\n  queue: max") },
      because: "Every run waits for its turn.",
      edit: { file: ".github/workflows/deploy.yml", replace: "\n  queue: max", by: "" },
    },
  ],
  check,
};
