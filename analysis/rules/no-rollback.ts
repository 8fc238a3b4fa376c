// A deployment that is checked and has no way back: the check can fail after users have the new version, and nothing
// in the workflow then does anything about it.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { deploymentsOf, isCheckStep, isProduction, isUndoJob, isUndoStep, tierOf } from "../systems/workflows/roles.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => {
    const jobs = view.jobsOf(workflow);
    if (jobs.some((job) => goesBack(view, job))) return [];
    const found = jobs.flatMap((job) => checkedDeployment(view, job));
    // One finding for a workflow: the way back is missing once.
    return found.slice(0, 1);
  });
}

/** Whether anything in a job reacts to a failure with a change, or is a way back. */
const goesBack = (view: WorkflowsView, job: JobNode): boolean =>
  isUndoJob(view, job) ||
  view.stepsOf(job).some((step) => {
    const effects = view.ownEffectsOf(job).filter((effect) => effect.step === step);
    if (isUndoStep(step, effects)) return true;
    const reacts = /failure\(\)|outcome|== *'failure'/.test(
      `${step.condition?.text ?? ""} ${job.condition?.text ?? ""}`,
    );
    return (
      reacts &&
      (effects.length > 0 || /\b(undo|rollback|revert|restore|previous|traffic)\b/i.test(step.run?.text ?? ""))
    );
  });

const goesBackItself = new RegExp(
  "--atomic|--rollback|--cleanup-on-fail|circuit|canary|rolling|bluegreen|blue-green|argo|previous|" +
    String.raw`^\s*trap (?!['"]?rm\b)`,
  "im",
);

function checkedDeployment(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const effects = deploymentsOf(view, job).filter(({ step }) => step.job === job.id);
  const effect = effects.at(-1);
  if (
    effect === undefined ||
    (effect.isAtomic && effect.verb !== "traffic") ||
    !isOfProduction(view, job, effects) ||
    isSelfHealing(view, job)
  )
    return [];
  const steps = view.stepsOf(job);
  const later = steps.slice(steps.indexOf(effect.step) + 1).find(isCheckStep);
  const inJob = later ?? view.descendantsOf(job).flatMap(view.stepsOf).find(isCheckStep);
  if (inJob === undefined || inJob.continueOnError?.text === "true") return [];
  return [draft(job, effect, inJob.name, inJob.place)];
}

/** Whether a job ships to production, by its own names or, if those say nothing, by the workflow's. */
function isOfProduction(view: WorkflowsView, job: JobNode, effects: readonly Effect[]): boolean {
  const tier = tierOf(job, effects);
  const { title, file } = view.workflowOf(job);
  return tier === "production" || (tier === "unknown" && isProduction(`${title} ${file}`));
}

const isSelfHealing = (view: WorkflowsView, job: JobNode): boolean =>
  view
    .stepsOf(job)
    .some(({ run, with: inputs }) =>
      goesBackItself.test(
        `${run?.text ?? ""} ${inputs.map(({ key, value }) => `${key.text} ${value.text}`).join(" ")}`,
      ),
    );

const draft = (job: JobNode, effect: Effect, name: string, place: Effect["place"]): Draft => ({
  severity: "medium",
  known: { inferred: 0.75 },
  place: effect.place,
  message:
    `Job ${job.key} deploys to production (${effect.category}), and "${name}" then checks it, but nothing ` +
    `goes back when ` +
    "that fails.",
  cost: "Users keep the bad version until somebody repairs it by hand.",
  fix: "add a job that needs this one, runs if it failed, and restores what ran before",
  subject: job.id,
  related: [{ place, message: "when this fails, the new version stays" }],
});

const example = (after: string): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: production
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    environment: production
    steps:
      - id: deploy
        run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"
      - name: Smoke test
        run: curl --fail https://shop.example/health${after}
`;
const back = `
      - name: Roll back
        if: failure() && steps.deploy.outcome == 'success'
        run: az containerapp revision activate --resource-group shop --name web --revision "$STABLE"`;

export const noRollback: Rule = {
  id: "no-rollback",
  title: "A checked deployment has no way back",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "A check after a deployment finds out that users have a bad version. Without a way back it only turns " +
    "the run red, " +
    "and the repair begins when somebody sees it.",
  severity: "Medium, for deployments to production that are followed by a check. One finding for each workflow.",
  fix: "Restore the previous version when the check fails, or use a tool that does (helm --atomic, a canary release).",
  limits: "Any reaction to a failure that changes something counts as a way back; whether it works is another rule's.",
  failing: [{ ".github/workflows/deploy.yml": example("").replace('"shop@$DIGEST"', '"shop@$DIGEST" # <- finding') }],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example(back) },
      because: "A failing check restores what ran before.",
      edit: { file: ".github/workflows/deploy.yml", replace: back, by: "" },
    },
  ],
  check,
};
