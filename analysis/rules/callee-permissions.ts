// A called workflow that asks for more permissions than the job that calls it may give. GitHub refuses such a run as a
// whole when it starts, so nothing in it is done.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { JobNode, Permissions, WorkflowNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { valueIn } from "../word-in.ts";

const levels: Readonly<Record<string, number>> = { none: 0, read: 1, write: 2 };

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const callee = view.calleeOf(job);
    const granted = job.permissions ?? view.workflowOf(job).permissions;
    if (callee === undefined || granted === undefined) return [];
    return lacking(view, callee, granted).map(({ scope, level, by }) => draft(job, callee, granted, scope, level, by));
  });
}

const levelIn = ({ all, scopes }: Permissions, scope: string): number =>
  valueIn(levels, all ?? valueIn(scopes, scope) ?? "none") ?? 0;

/** The permissions that jobs of a callee ask for and do not get, one finding for each scope. */
function lacking(view: WorkflowsView, callee: WorkflowNode, granted: Permissions) {
  const found = new Map<string, { scope: string; level: string; by: Permissions }>();
  for (const job of view.jobsOf(callee)) {
    const asked = job.permissions ?? callee.permissions;
    if (asked === undefined) continue;
    for (const [scope, level] of Object.entries(asked.scopes))
      if ((valueIn(levels, level) ?? 0) > levelIn(granted, scope) && !found.has(scope))
        found.set(scope, { scope, level, by: asked });
  }
  return [...found.values()];
}

const draft = (
  job: JobNode,
  callee: WorkflowNode,
  granted: Permissions,
  scope: string,
  level: string,
  by: Permissions,
): Draft => ({
  severity: "high",
  known: "structural",
  place: job.uses!.place,
  message: `${callee.title} asks for ${scope}: ${level}, but job ${job.key}, which calls it, may not give that.`,
  cost: "GitHub refuses the whole run when it starts.",
  fix: `add permissions with ${scope}: ${level} to job ${job.key}`,
  subject: `${job.id} ${scope}`,
  related: [
    { place: by.place, message: "this is asked for" },
    { place: granted.place, message: "this is what the caller has" },
  ],
});

const caller = (permissions: string): string => `name: main
on:
  push:
    branches: [main]
permissions: {}
jobs:
  notes:${permissions}
    uses: ./.github/workflows/notes.yml
`;
const called = `name: notes
on:
  workflow_call:
jobs:
  write:
    runs-on: ubuntu-24.04
    permissions:
      contents: write
    steps:
      - run: ./notes.sh
`;

export const calleePermissions: Rule = {
  id: "callee-permissions",
  title: "A called workflow needs more permissions than its caller has",
  systems: ["github"],
  antiPattern: 5,
  focus: "resilience",
  why:
    "A called workflow can have at most the permissions of the job that calls it. GitHub compares them " +
    "before the run " +
    "starts and refuses the run, with an error that is shown on the run's page only.",
  severity: "High: the run never starts.",
  fix: "Give the calling job the permissions that the called workflow asks for.",
  limits:
    "Callers without any permissions have those of the repository's settings, which are not known, and are quiet.",
  failing: [
    {
      ".github/workflows/main.yml": caller("").replace("notes.yml\n", "notes.yml # <- finding\n"),
      ".github/workflows/notes.yml": called,
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/main.yml": caller("\n    permissions:\n      contents: write"),
        ".github/workflows/notes.yml": called,
      },
      because: "The calling job has the permission.",
      edit: { file: ".github/workflows/main.yml", replace: "contents: write", by: "contents: read" },
    },
  ],
  check,
};
