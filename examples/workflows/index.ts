// Two repositories that are delivered by the same workflows, the first of them as the canary, both guarded. Each stack
// has an identity of its own, so that a run of dev, which nobody reviews, has no rights in prod. Pull requests preview
// with a third, which may only read.
import { DeliveryWorkflows, RepositoryGuard } from "ballast";

const app = 4711; // the app that publishes, which needs no pull request
const repositories = ["acme/canary", "acme/shop"];
const identity = (name: string) => ({ resourceGroupName: "ci", identityName: name });
const delivery = new DeliveryWorkflows("delivery", {
  source: "example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4",
  version: "v1.4.0",
  stacks: [{ name: "dev" }, { name: "prod" }],
  checks: ["up-dev / up"],
  waves: repositories.map((each) => [each]),
});
for (const repository of repositories)
  new RepositoryGuard(
    repository.replace("acme/", ""),
    {
      repository,
      environments: {
        dev: { reviewers: [], identity: identity("deploys-dev") },
        prod: { reviewers: ["operations"], identity: identity("deploys-prod") },
      },
      previewIdentity: identity("previews"),
      reportedChecks: delivery.reportedChecks,
      bypassApps: [app],
    },
    { dependsOn: delivery },
  );

export const { results } = delivery;
