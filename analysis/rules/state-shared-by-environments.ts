// One state for two environments: jobs for staging and for production change the same stack or the same Terraform
// state, because nothing in their commands tells the environments apart.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { type Deployment, deploymentsIn } from "../systems/workflows/deployments.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

interface Use {
  readonly deployment: Deployment;
  readonly effect: Effect;
  readonly environment: string;
  readonly state: string;
}

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const uses = groupedBy(deploymentsIn(view), ({ job }) => job.id).flatMap(([first]) => usesOf(view, first!));
  return groupedBy(uses, ({ state }) => state).flatMap((all) => {
    const one = all[0]!;
    const other = all.find(({ environment }) => environment !== one.environment);
    return other ? [draft(one, other)] : [];
  });
}

/** States of which the files decide that nothing tells environments apart. */
function usesOf(view: WorkflowsView, deployment: Deployment): readonly Use[] {
  const { job, effects } = deployment;
  const environment = job.environment?.text;
  if (environment === undefined || environment.includes("${{")) return [];
  return effects
    .filter(({ category }) => category === "pulumi-stack" || category === "terraform-state")
    .flatMap((effect) => {
      const { named = "", category } = effect;
      if (named.includes("${{") || named.includes("$")) return [];
      if (category === "pulumi-stack" && (named === "" || !/--stack|-s /.test(effect.command?.text ?? ""))) return [];
      if (category === "terraform-state" && isToldApart(view, job)) return [];
      return [{ deployment, effect, environment, state: `${category} ${named || "."}` }];
    });
}

/** Backend settings, workspaces and variables that may select another state. */
const isToldApart = (view: WorkflowsView, job: JobNode): boolean =>
  [
    ...view
      .stepsOf(job)
      .flatMap(({ run, env, with: inputs }) => [
        run?.text ?? "",
        ...env.map(({ key, value }) => `${key.text}=${value.text}`),
        ...inputs.map(({ key, value }) => `${key.text}=${value.text}`),
      ]),
    ...[...job.env, ...view.workflowOf(job).env].map(({ key, value }) => `${key.text}=${value.text}`),
  ].some((text) =>
    /backend-config|workspace|TF_WORKSPACE|TF_CLI_ARGS|TF_VAR_|var-file|backend|AWS_PROFILE|role-to-assume/i.test(text),
  );

const draft = (one: Use, other: Use): Draft => ({
  severity: "critical",
  known: { inferred: 0.9 },
  place: other.effect.place,
  message:
    `Jobs ${one.deployment.job.key} (${one.environment}) and ${other.deployment.job.key} ` +
    `(${other.environment}) change ` +
    `one state: ${one.state}.`,
  cost: "The second environment's run changes or deletes what the first one made.",
  fix: "give each environment a stack, a workspace or a backend key of its own",
  subject: `${one.deployment.job.id} ${other.deployment.job.id}`,
  related: [{ place: one.effect.place, message: `${one.environment} uses it here` }],
  path: [one.deployment.job.id, other.deployment.job.id],
});

const example = (staging: string): string => `name: infra
on:
  push:
    branches: [main]
concurrency: infra
jobs:
  staging:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    environment: staging
    steps:
      - run: pulumi up --yes --stack acme/${staging}
  production:
    needs: staging
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    environment: production
    steps:
      - run: pulumi up --yes --stack acme/prod
`;

export const stateSharedByEnvironments: Rule = {
  id: "state-shared-by-environments",
  title: "Two environments share one state",
  systems: ["github"],
  antiPattern: 3,
  focus: "state",
  why:
    "A stack or a Terraform state describes one set of resources. If jobs of two environments use the same one, each " +
    "run turns the resources of the other into its own, or deletes them.",
  severity: "High: critical in its effect, but inferred from the commands.",
  fix: "Select the state by the environment: another stack, another workspace, or another backend key.",
  limits: "Terraform jobs with any backend setting, workspace or variable file are quiet, because these may select it.",
  failing: [{ ".github/workflows/infra.yml": example("prod").replace(/prod\n$/, "prod # <- finding\n") }],
  nearMisses: [
    {
      files: { ".github/workflows/infra.yml": example("staging") },
      because: "Each environment has its own stack.",
      edit: { file: ".github/workflows/infra.yml", replace: "acme/staging", by: "acme/prod" },
    },
  ],
  check,
};
