// An environment for container apps whose every request is written down, so that there is something to judge a release by.
import { ContainerEnvironment } from "ballast";

const environment = new ContainerEnvironment("apps", {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
});

export const { environmentId, domain, workspaceId, customerId } = environment;
