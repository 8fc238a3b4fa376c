// A deployment that two runs can do at the same time, because no concurrency group stands around it: not on the job,
// not on its workflow, and not on what calls it.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { lockRepair } from "../patches/lock-repair.ts";
import { type Draft, type Rule, rankOf, type Severity } from "../rule.ts";
import { type Deployment, deploymentsIn, isPreview } from "../systems/workflows/deployments.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { waitsForOtherRuns } from "../systems/workflows/other-runs.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const unlocked = deploymentsIn(view).filter(
    (each) =>
      each.locks.length === 0 &&
      !isPreview(each) &&
      each.world.event !== "workflow_call" &&
      !waitsForOtherRuns(view, each.job, each.world),
  );
  return groupedBy(unlocked, ({ workflow }) => workflow.id).flatMap(ofWorkflow);
}

/**
 * One finding for each job, the most severe first, so that each has its own patch. A page of GitHub beside a deployment
 * that matters more is only named: GitHub itself refuses a second one while the first is under way.
 */
function ofWorkflow(all: readonly Deployment[]): readonly Draft[] {
  const jobs = groupedBy(all, ({ job }) => job.id);
  const most = Math.max(...jobs.map((each) => rankOf(severityOf(each))));
  const isPage = ([first]: readonly Deployment[]): boolean =>
    first!.effects.every(({ category }) => category === "pages");
  const pages = jobs.filter((each) => isPage(each) && rankOf(severityOf(each)) < most);
  return jobs
    .filter((each) => !pages.includes(each))
    .map((each) =>
      draft(
        each,
        pages.map(([first]) => first!.job),
      ),
    )
    .toSorted((one, other) => rankOf(other.severity) - rankOf(one.severity));
}

function draft(all: readonly Deployment[], pages: readonly JobNode[]): Draft {
  const [first] = all;
  const { job, workflow, effects } = first!;
  const [effect] = effects;
  const events = [...new Set(all.map(({ world }) => world.event))];
  const target = [effect!.category, effect!.named].filter(Boolean).join(" ");
  return {
    severity: severityOf(all),
    known: effect!.known,
    place: job.place,
    message:
      `Job ${job.key} of ${workflow.title} deploys (${target}) on ${events.join(" and ")}, and no concurrency group ` +
      "keeps two runs apart.",
    cost: "Two runs deploy at once; the older one may finish last, and then the older version stays.",
    fix: "add a concurrency group that names the target, with cancel-in-progress: false",
    subject: `${job.id} unlocked`,
    related: [
      { place: effect!.place, message: "this deploys" },
      ...pages.map(({ key, place }) => ({ place, message: `${key} deploys without a lock, too` })),
    ],
    repair: lockRepair(job, effect!),
  };
}

/** One atomic replacement, a lesser environment, and events that seldom overlap cost less. */
function severityOf(all: readonly Deployment[]): Severity {
  const { effects, tier } = all[0]!;
  if (all.every(({ world }) => ["schedule", "release"].includes(world.event))) return "info";
  const onlyTags = all.every(({ world: { ref } }) =>
    (typeof ref === "string" ? ref : ref.prefix).startsWith("refs/tags/"),
  );
  // A migration tool that takes a lock in the database keeps two runs apart itself.
  if (effects.every(({ isAtomic, category }) => isAtomic && category === "database")) return "info";
  if (effects.every(({ isAtomic }) => isAtomic) || tier === "lesser" || onlyTags) return "low";
  return "medium";
}

const example = `name: deploy
on:
  push:
    branches: [main]
jobs:
  deploy: # <- finding
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    environment: production
    steps:
      - run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"
`;

export const releaseDeployWithoutLock: Rule = {
  id: "release-deploy-without-lock",
  title: "Two runs can deploy at the same time",
  systems: ["github"],
  antiPattern: 3,
  focus: "conflicts",
  why:
    "Without a concurrency group, every push starts its own deployment at once. The run of the older commit " +
    "can finish " +
    "last, so that the older version stays in production while the newer run is green. Tools that keep a state fail " +
    "half-way instead, because the state is locked.",
  severity:
    "Medium. Low if the deployment is one atomic replacement (a static site) or goes to a lesser " +
    "environment. Info if " +
    "only releases or a schedule start it. One finding for each job.",
  fix: "Put the deploying job into a concurrency group that names what it deploys to, and do not cancel running ones.",
  limits:
    "A reusable workflow that nothing in the repository calls is not judged: its callers may hold the lock. Previews " +
    "of pull requests are not reported.",
  failing: [
    { ".github/workflows/deploy.yml": example },
    {
      ".github/workflows/deploy.yml": example.replace(
        '- run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"',
        `- uses: appleboy/ssh-action@v1
        with:
          host: shop.example
          script: |
            docker compose down
            docker compose up -d`,
      ),
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/deploy.yml": example
          .replace(" # <- finding", "")
          .replace("    steps:\n", "    steps:\n      - uses: softprops/turnstyle@v3\n"),
      },
      because: "The first step waits until no other run of the workflow is under way.",
      edit: { file: ".github/workflows/deploy.yml", replace: "      - uses: softprops/turnstyle@v3\n", by: "" },
    },
    {
      files: {
        ".github/workflows/deploy.yml": example.replace(
          "jobs:\n",
          "concurrency:\n  group: deploy-production\n  cancel-in-progress: false\njobs:\n",
        ),
      },
      because: "The workflow's group keeps runs apart.",
      edit: {
        file: ".github/workflows/deploy.yml",
        replace: "concurrency:\n  group: deploy-production\n  cancel-in-progress: false\n",
        by: "",
      },
    },
    {
      files: {
        ".github/workflows/main.yml": `name: main
on:
  push:
    branches: [main]
jobs:
  ship:
    concurrency: production
    uses: ./.github/workflows/ship.yml
`,
        ".github/workflows/ship.yml": example
          .replace("push:\n    branches: [main]", "workflow_call:")
          .replace(" # <- finding", ""),
      },
      because: "The job that calls the workflow holds the lock.",
      edit: { file: ".github/workflows/main.yml", replace: "    concurrency: production\n", by: "" },
    },
  ],
  check,
};
