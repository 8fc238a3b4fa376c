// The workflows that deliver a project with two stacks, in three repositories: first in the canary, and in the others
// once they are on its main branch and its checks have succeeded. GITHUB_TOKEN has the token.
import { DeliveryWorkflows } from "ballast";

const delivery = new DeliveryWorkflows("delivery", {
  source: "example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4",
  version: "v1.4.0",
  stacks: [{ name: "dev" }, { name: "prod" }],
  checks: ["up-dev / up"],
  waves: [["acme/canary"], ["acme/shop", "acme/books"]],
});

export const { results, reportedChecks } = delivery;
