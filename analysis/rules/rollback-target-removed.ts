// What a way back would go to is deleted before the new version is known to be good: the old revision, slot or
// release, or the images on the host.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import { deploymentsOf, isCheckStep, isUndoStep } from "../systems/workflows/roles.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job): readonly Draft[] => {
    const removals = view
      .ownEffectsOf(job)
      .filter(
        (effect) => effect.verb === "remove" && (removesOld(effect.command?.text ?? "") || removesOnHost(effect)),
      );
    const [removal] = removals.filter(
      ({ step }) => !isUndoStep(step, []) && !/failure\(\)|always\(\)/.test(step.condition?.text ?? ""),
    );
    const deploys = [job, ...view.ancestorsOf(job)].flatMap((each) => deploymentsOf(view, each));
    const deploy = deploys.find(({ category }) => fits(category, removal?.category));
    if (removal === undefined || deploy === undefined) return [];
    const steps = [...view.ancestorsOf(job).toReversed().flatMap(view.stepsOf), ...view.stepsOf(job)];
    const from = steps.indexOf(deploy.step);
    const to = steps.indexOf(removal.step);
    const isChecked =
      from >= 0 &&
      steps.slice(from, to + 1).some((step) => isCheckStep(step) || /rollout status/.test(step.run?.text ?? ""));
    if (isChecked) return [];
    return [
      {
        severity: removal.category === "image" ? "medium" : "high",
        known: "structural",
        place: removal.place,
        message:
          `Job ${job.key} removes the old version ` +
          `("${removal.command?.words.slice(0, 5).join(" ")}") before anything has checked the new one.`,
        cost: "When the new version is bad, there is nothing to go back to.",
        fix: "check the new version first, and remove the old one in a later run",
        subject: `${removal.step.id} removed`,
        related: [{ place: deploy.place, message: "this deploys the new version" }],
      },
    ];
  });
}

const removing = new RegExp(
  "deactivate|(slot|deployment|revisions|versions) delete|deregister|terminate-|machines? destroy|" +
    "helm (uninstall|delete)|kubectl delete (deploy|deployment|rs|replicaset)",
);

/** Commands that remove everything that is not in use, or that name what is old. */
const removesOld = (text: string): boolean =>
  removing.test(text) || /prune .*(-a|--all|-af)\b|system prune|purge|batch-delete/.test(text);

/** Images that are deleted on a host by their name are those that ran there; on the runner they take room. */
const removesOnHost = ({ command, step }: Effect): boolean =>
  /^(docker (image rm|rmi) |docker[ -]compose (.* )?down .*--rmi)/.test(command?.words.join(" ") ?? "") &&
  (/ssh/i.test(step.uses?.text ?? "") || /^\s*ssh /m.test(step.run?.text ?? ""));

const notAnApp = /^(pages|static-site|bucket|database|script)$/;

/** Images belong to any kind of deployment by container. */
const fits = (category: string, removed: string | undefined): boolean =>
  removed === category ||
  removed === "image" ||
  (removed === "app" && !notAnApp.test(category)) ||
  (removed === "kubernetes" && category === "helm-release");

const example = (between: string): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: shop
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"${between}
      - run: az containerapp revision deactivate --resource-group shop --name web --revision "$OLD"
`;
const smoke = "\n      - name: Smoke test\n        run: curl --fail https://shop.example/health";

export const rollbackTargetRemoved: Rule = {
  id: "rollback-target-removed",
  title: "The old version is removed before the new one is checked",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "A way back needs something to go back to. Once the old revision, slot or image is gone, a bad version " +
    "can only be " +
    "replaced by building the old one again, which takes as long as the outage may not.",
  severity: "High. Medium for images, which can be built or pulled again.",
  fix: "Check the new version first. Keep the old one until the next release, or remove it by a schedule.",
  limits: "Any probe, test or rollout status between the deployment and the removal counts as a check.",
  failing: [{ ".github/workflows/deploy.yml": example("").replace('"$OLD"', '"$OLD" # <- finding') }],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example(smoke) },
      because: "The new version is checked before the old one goes.",
      edit: { file: ".github/workflows/deploy.yml", replace: smoke, by: "" },
    },
  ],
  check,
};
