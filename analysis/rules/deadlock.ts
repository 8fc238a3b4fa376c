// A run that waits for itself: a caller and the workflow that it calls, or a workflow and its own job, take the same
// lock. GitHub gives the lock to the outer one, and the inner one is cancelled or waits for ever.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { Concurrency, JobNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { fill, type Lookup, lookupOf } from "../systems/workflows/templates.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

/** A lock that a run takes, and whose it is. */
interface Taken {
  readonly lock: Concurrency;
  readonly owner: string;
  readonly group: string;
}

/** In a callee, `github.workflow` and all of `github` are the caller's; so is the text that remains of them. */
const groupOf = (lock: Concurrency, lookup: Lookup, root: WorkflowNode): string =>
  fill(lock.group.text, (path) => (path.join(".") === "github.workflow" ? root.title : lookup(path)));

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows
    .filter(({ triggers }) => triggers.some(({ event }) => event !== "workflow_call"))
    .flatMap((workflow) => below(view, workflow, workflow, [], []));
}

/** Follows a run from a workflow into its jobs and what they call, with the locks taken so far. */
function below(
  view: WorkflowsView,
  root: WorkflowNode,
  workflow: WorkflowNode,
  via: readonly JobNode[],
  taken: readonly Taken[],
): readonly Draft[] {
  if (via.length > 4) return [];
  const take = (lock: Concurrency | undefined, owner: string, job?: JobNode): readonly Taken[] =>
    lock ? [{ lock, owner, group: groupOf(lock, lookupOf(workflow, job, via), root) }] : [];
  const own = take(workflow.concurrency, `workflow ${workflow.title}`);
  const held = [...taken, ...own];
  return [
    ...own.flatMap((inner) => clash(taken, inner)),
    ...view.jobsOf(workflow).flatMap((job) => {
      const inner = take(job.concurrency, `job ${job.key} of ${workflow.title}`, job);
      const callee = view.calleeOf(job);
      return [
        ...inner.flatMap((each) => clash(held, each)),
        ...(callee ? below(view, root, callee, [...via, job], [...held, ...inner]) : []),
      ];
    }),
  ];
}

function clash(taken: readonly Taken[], inner: Taken): readonly Draft[] {
  const outer = taken.find(({ group }) => group.toLowerCase() === inner.group.toLowerCase());
  if (outer === undefined) return [];
  return [
    {
      severity: "high",
      known: "structural",
      place: inner.lock.group.place,
      message:
        `The ${inner.owner} takes the concurrency group ${inner.group}, which the ${outer.owner} of the same run ` +
        "already holds.",
      cost: "The run cancels itself or waits for itself; what it was started for never happens.",
      fix: "begin the group with a text of its own, such as the callee's file name, instead of github.workflow",
      subject: `${inner.owner} ${outer.owner}`,
      related: [{ place: outer.lock.group.place, message: `the ${outer.owner} takes the same group here` }],
    },
  ];
}

const callee = `name: deploy
on:
  workflow_call:
    inputs:
      app: { type: string, required: true }
concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }} # <- finding
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - run: echo "\${{ inputs.app }}"
`;

const caller = `name: release
on:
  push:
    branches: [main]
concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }}
jobs:
  shop:
    uses: ./.github/workflows/deploy.yml
    with:
      app: shop
`;

export const deadlock: Rule = {
  id: "deadlock",
  title: "A run waits for a lock that it holds itself",
  systems: ["github"],
  antiPattern: 2,
  focus: "conflicts",
  why:
    "A concurrency group belongs to the repository, not to a workflow. In a called workflow, github.workflow is the " +
    "caller's name, so the same expression in caller and callee gives the same group. The caller holds it while it " +
    "waits for the callee, which can never start.",
  severity: "High: the run can never succeed.",
  fix: "Give each workflow a group that begins with a literal text of its own.",
  limits: "Groups are compared as texts; inputs of a callee are replaced by what its callers pass.",
  failing: [
    { ".github/workflows/deploy.yml": callee, ".github/workflows/release.yml": caller },
    {
      ".github/workflows/pages.yml": `name: pages
on:
  workflow_dispatch:
concurrency: pages
jobs:
  build:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    concurrency: pages # <- finding
    steps:
      - run: make site
`,
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/deploy.yml": callee.replace("${{ github.workflow }}-", "deploy-${{ inputs.app }}-"),
        ".github/workflows/release.yml": caller,
      },
      because: "The callee's group begins with a text of its own.",
      edit: {
        file: ".github/workflows/deploy.yml",
        replace: "deploy-${{ inputs.app }}-",
        by: "${{ github.workflow }}-",
      },
    },
  ],
  check,
};
