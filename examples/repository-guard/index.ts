// A repository whose deployments to production are approved by a team, whose pull requests need a preview, and whose
// runs sign in to Azure without a stored key. GITHUB_TOKEN has a token that may administer the repository.
import { RepositoryGuard } from "ballast";

const guard = new RepositoryGuard("shop", {
  repository: "acme/shop",
  environments: {
    dev: { reviewers: [], identity: { resourceGroupName: "identities", identityName: "shop-deploy-dev" } },
    prod: {
      reviewers: ["operations"],
      identity: { resourceGroupName: "identities", identityName: "shop-deploy-prod" },
    },
  },
  reportedChecks: ["preview-dev / preview", "preview-prod / preview"], // the property of `DeliveryWorkflows`
  previewIdentity: { resourceGroupName: "identities", identityName: "shop-preview" },
});

export const { subjects } = guard;
