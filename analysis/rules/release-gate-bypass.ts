// A protected environment that a run can pass by: the environment is chosen by an expression that is empty, or names a
// lesser environment, in a situation in which the job deploys to the same target all the same.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { evaluate, unknown } from "../systems/workflows/conditions.ts";
import { type Deployment, deploymentsIn } from "../systems/workflows/deployments.ts";
import { parseCondition } from "../systems/workflows/expressions.ts";
import { simulate } from "../systems/workflows/simulate.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { inWorld } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const chosen = deploymentsIn(view).filter(({ job }) => job.environment?.text.includes("${{"));
  return groupedBy(chosen, ({ job }) => job.id).flatMap((all) => bypass(view, all));
}

function bypass(view: WorkflowsView, all: readonly Deployment[]): readonly Draft[] {
  const named = all.map((each) => ({ each, environment: environmentIn(each) }));
  const guarded = named.find(({ environment }) => typeof environment === "string" && environment !== "");
  const open = named.find(({ each, environment }) => environment === "" && runsSurely(view, each));
  if (guarded === undefined || open === undefined) return [];
  // If the target itself depends on the same choice, another environment is another target.
  if (open.each.effects.some(({ named: target }) => target === undefined || /inputs\.|github\.|env\./.test(target)))
    return [];
  const { job, world, effects } = open.each;
  return [
    {
      severity: "high",
      known: "structural",
      place: job.environment!.place,
      message:
        `On ${world.label}, the environment of job ${job.key} is empty, but the job deploys all the same ` +
        `(${effects[0]!.category}): the protection of ${String(guarded.environment)} does not apply.`,
      cost: "Whoever starts the run in that way deploys without the approval that the environment asks for.",
      fix: "decide the environment and the deployment by the same condition",
      subject: job.id,
      related: [{ place: effects[0]!.place, message: "this deploys without the environment" }],
    },
  ];
}

/** The name of the environment in the situation; undefined if the files do not decide it. */
function environmentIn({ job, world }: Deployment): string | undefined {
  const expression = parseCondition(job.environment!.text);
  if (expression === undefined) return undefined;
  const value = evaluate(expression, { status: () => true, lookup: (path) => inWorld(world, path) });
  if (value === unknown || (typeof value === "object" && value !== null)) return undefined;
  return value === null || value === false ? "" : String(value as string);
}

const runsSurely = (view: WorkflowsView, { workflow, world, job }: Deployment): boolean =>
  simulate(view, workflow, world).get(job.key)?.runs === true;

const example = (condition: string): string => `name: deploy
on:
  push:
    branches: [main, hotfix]
concurrency: production
jobs:
  deploy:${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: \${{ github.ref == 'refs/heads/main' && 'production' || '' }}
    steps:
      - run: helm upgrade shop ./chart --namespace shop
`;

export const releaseGateBypass: Rule = {
  id: "release-gate-bypass",
  title: "A deployment can pass by its protected environment",
  systems: ["github"],
  antiPattern: 8,
  focus: "resilience",
  why:
    "The reviewers of an environment protect a deployment only if the job has that environment whenever it " +
    "deploys. If " +
    "one condition chooses the environment and another one the deployment, there is a way between them.",
  severity: "High.",
  fix: "Use one condition for both: a job for each environment, or an input that chooses environment and target.",
  limits: "Reported only if the files decide both: that the environment is empty, and that the job runs.",
  failing: [{ ".github/workflows/deploy.yml": example("").replace("|| '' }}", "|| '' }} # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example("\n    if: github.ref == 'refs/heads/main'") },
      because: "The job runs only where it has the environment.",
      edit: { file: ".github/workflows/deploy.yml", replace: "\n    if: github.ref == 'refs/heads/main'", by: "" },
    },
  ],
  check,
};
