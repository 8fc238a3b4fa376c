// The service that carries out releases, with its environment and its database.
import { ContainerEnvironment, ControlPlane, ImageRegistry, JournalDatabase } from "ballast";

const tenant = "00000000-0000-0000-0000-00000000beef";
const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { scope, resourceGroupName: "shop", location: "westeurope" };
const environment = new ContainerEnvironment("apps", place);
const journal = new JournalDatabase("journal", { ...place, tenant });
const images = new ImageRegistry("images", { ...place, registry: "shopimages" });

const controlPlane = new ControlPlane(
  "control-plane",
  {
    ...place,
    tenant,
    image: "shopimages.azurecr.io/control-plane:0.1.0",
    pull: images.pull,
    environment: { id: environment.environmentId, domain: environment.domain },
    workspace: { id: environment.workspaceId, customerId: environment.customerId },
    database: { host: journal.host, name: journal.databaseName },
    managedTargets: [{ resourceGroup: "shop", app: "shop" }],
    audience: "api://ballast",
  },
  { dependsOn: images },
);

export const controlPlaneEndpoint = controlPlane.endpoint;
export const controlPlaneAudience = controlPlane.audience;
export const controlPlaneBinding = controlPlane.binding;
