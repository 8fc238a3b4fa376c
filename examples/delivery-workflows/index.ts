// The workflows that deliver a project with two stacks, first in the canary, and in two others once its checks have
// succeeded. One more follows a release: a wrong input does not compile. GITHUB_TOKEN has the token.
import { type Call, DeliveryWorkflows } from "ballast";

const source = "example/ballast@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4";
const follow: Call<"release"> = {
  key: "follow",
  workflow: "release",
  permissions: { contents: "read", "id-token": "write", issues: "write" },
  inputs: {
    stack: "prod",
    app: "shop",
    "azure-client-id": "${{ vars.AZURE_PREVIEW_CLIENT_ID }}",
    "azure-tenant-id": "${{ vars.AZURE_TENANT_ID }}",
    "azure-subscription-id": "${{ vars.AZURE_SUBSCRIPTION_ID }}",
  },
};
const uses = source.replace("@", `/.github/workflows/${follow.workflow}.yml@`);
const jobs = { [follow.key]: { permissions: follow.permissions, uses, with: follow.inputs } };
const delivery = new DeliveryWorkflows("delivery", {
  source,
  version: "v1.4.0",
  stacks: [{ name: "dev" }, { name: "prod" }],
  checks: ["up-dev / up"],
  workflows: { "follow.yml": JSON.stringify({ on: "workflow_dispatch", permissions: {}, jobs }, null, 2) }, // YAML too
  waves: [["acme/canary"], ["acme/shop", "acme/books"]],
});

export const { results, reportedChecks } = delivery;
