// Everything on one machine: an environment, a database, a control plane, and a shop that is released by canary. It
// runs on the emulator that `ballast emulator up --postgres` starts. For Azure, leave out `endpoints`, `database.port`,
// `database.tls`, the seconds and the strategy: the defaults are for Azure.

import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { Config } from "@pulumi/pulumi";
import { CanaryApp, ContainerEnvironment, ControlPlane, httpApp, ImageRegistry, JournalDatabase } from "ballast";

const config = new Config();
const azure = new Config("azure-native");
const location = azure.require("location");
const tenant = azure.require("tenantId");
const password = config.requireSecret("databasePassword");
const resourceGroup = "shop";
const audience = "api://ballast";
const registry = "shopimages";

const group = new ResourceGroup("shop", { resourceGroupName: resourceGroup, location });
const place = {
  scope: `/subscriptions/${azure.require("subscriptionId")}/resourceGroups/${resourceGroup}`,
  resourceGroupName: group.name,
  location,
};

const environment = new ContainerEnvironment("apps", place);
const where = { id: environment.environmentId, domain: environment.domain };
const images = new ImageRegistry("images", { ...place, registry });
const journal = new JournalDatabase("journal", { ...place, tenant, password });

const controlPlane = new ControlPlane(
  "control-plane",
  {
    ...place,
    tenant,
    audience,
    image: `${registry}.azurecr.io/control-plane:1`,
    pull: images.pull,
    environment: where,
    workspace: { id: environment.workspaceId, customerId: environment.customerId },
    database: {
      host: journal.host,
      name: journal.databaseName,
      login: { user: "ballast", password },
      port: Number(process.env["BALLAST_EMULATOR_DATABASE_PORT"]),
      tls: "disable",
    },
    managedTargets: [{ resourceGroup, app: "shop" }],
    endpoints: {
      resourceManager: "https://management.ballast.localhost",
      logs: "https://api.loganalytics.ballast.localhost",
      login: "https://login.ballast.localhost",
    },
    leaseSeconds: 6,
    requestSeconds: 4,
    ingestionSeconds: 1,
  },
  { dependsOn: images },
);

const shop = new CanaryApp(
  "shop",
  {
    ...httpApp({
      containerAppName: "shop",
      resourceGroupName: resourceGroup,
      location,
      environmentId: environment.environmentId,
      registries: [images.pull],
      image: `${registry}.azurecr.io/storefront:1`,
      healthPath: "/health/ready",
      // A change of either is a release. Faults of the storefront: errors, slow, hang, crash, never-ready.
      variables: { RELEASE: config.get("release") ?? "1", FAULT: config.get("fault") ?? "none" },
    }),
    controlPlane: { endpoint: controlPlane.endpoint, audience },
    strategy: {
      weights: [5, 25, 50],
      bakeSeconds: 4,
      warmUpSeconds: 1,
      intervalSeconds: 1,
      probeSeconds: 1,
      smokeSeconds: 10,
      maximumSeconds: 90,
    },
    thresholds: { failurePointsMax: 2, slowdownTolerated: 2 },
  },
  { dependsOn: controlPlane },
);

export const {
  endpoint: controlPlaneEndpoint,
  audience: controlPlaneAudience,
  binding: controlPlaneBinding,
} = controlPlane;
export const { url, revision, result, message } = shop;
