// The service that carries releases out, with the environment that it runs in and the database that it writes to.
import { ContainerEnvironment, ControlPlane, ImageRegistry, JournalDatabase } from "ballast";

const subscription = "00000000-0000-0000-0000-0000ba11a57e", tenant = "00000000-0000-0000-0000-00000000beef";
const place = { scope: `/subscriptions/${subscription}/resourceGroups/shop`, resourceGroupName: "shop", location: "westeurope" };

const environment = new ContainerEnvironment("apps", place);
const journal = new JournalDatabase("journal", { ...place, tenant });

const images = new ImageRegistry("images", { ...place, subscription, registry: "shopimages" });

const controlPlane = new ControlPlane("control-plane", {
  ...place, subscription, tenant,
  image: "shopimages.azurecr.io/control-plane:0.1.0",
  pull: images.pull,
  environment: { id: environment.environmentId, domain: environment.domain },
  workspace: { id: environment.workspaceId, customerId: environment.customerId },
  database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName, port: 5432, tls: "require" },
  inventory: [{ resourceGroup: "shop", app: "shop" }],
  audience: "api://ballast",
  endpoints: { resourceManager: "https://management.azure.com", logs: "https://api.loganalytics.io", login: "https://login.microsoftonline.com" },
  leaseSeconds: 60, requestSeconds: 30, ingestionSeconds: 180,
}, { dependsOn: images });

export const controlPlaneEndpoint = controlPlane.endpoint;
