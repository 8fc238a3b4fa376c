// An environment for container apps that logs every request, so that releases can be judged by them.
import { ContainerEnvironment } from "ballast";

const environment = new ContainerEnvironment("apps", {
  scope: "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
});

export const { environmentId, domain, workspaceId, customerId } = environment;
