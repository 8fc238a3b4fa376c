// The program: configuration in, components wired, outputs out. It reads as the architecture does.
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { CanaryApp } from "./components/canary-app/canary-app.ts";
import { ContainerEnvironment } from "./components/platform/container-environment.ts";
import { ControlPlane } from "./components/platform/control-plane.ts";
import { DatabaseRole } from "./components/platform/database-role.ts";
import { DeadMansSwitch } from "./components/platform/dead-mans-switch.ts";
import { ImageRegistry } from "./components/platform/image-registry.ts";
import { administrator, JournalDatabase } from "./components/platform/journal-database.ts";
import { placesOf } from "./components/platform/network.ts";
import { Telemetry } from "./components/platform/telemetry.ts";
import { readSettings } from "./config.ts";

Reflect.deleteProperty(Error, "prepareStackTrace"); // What runs is the source: no trace needs the SDK's translation, which costs time at every promise (docs/evidence/performance.md).

const settings = readSettings();
const {
  subscription,
  tenant,
  location,
  resourceGroup,
  audience,
  databasePassword,
  zoneRedundant,
  replicas,
  retention,
} = settings;
const scope = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;
const group = new ResourceGroup("ballast", { resourceGroupName: resourceGroup, location });
const place = { scope, resourceGroupName: group.name, location };
const network = placesOf("network", { ...place, choice: settings.network });
const environment = new ContainerEnvironment("apps", {
  ...place,
  zoneRedundant,
  ...network.environment,
  retentionInDays: retention.logDays,
});
const where = { id: environment.environmentId, domain: environment.domain };
const telemetry = new Telemetry("telemetry", {
  ...place,
  workspaceId: environment.workspaceId,
  emails: settings.alerts.emails,
  apps: ["storefront"],
  leaseSeconds: settings.leaseSeconds,
});
const images = new ImageRegistry("images", { ...place, subscription, registry: settings.registry });
const journal = new JournalDatabase("journal", {
  ...place,
  tenant,
  zoneRedundant,
  sku: settings.databaseSku,
  backupRetentionDays: retention.backupDays,
  password: databasePassword,
  network: network.database,
});

const controlPlane = new ControlPlane(
  "control-plane",
  {
    ...place,
    subscription,
    tenant,
    audience,
    image: settings.controlPlaneImage,
    pull: images.pull,
    minReplicas: replicas.controlPlaneMin,
    maxReplicas: replicas.controlPlaneMax,
    environment: where,
    workspace: { id: environment.workspaceId, customerId: environment.customerId },
    database: {
      host: journal.host,
      name: journal.databaseName,
      port: settings.databasePort,
      tls: settings.databaseTls,
      login: databasePassword && { user: administrator, password: databasePassword },
    },
    inventory: [{ resourceGroup, app: "storefront" }],
    endpoints: settings.endpoints,
    leaseSeconds: settings.leaseSeconds,
    requestSeconds: settings.requestSeconds,
    ingestionSeconds: settings.ingestionSeconds,
    notify: settings.notify,
    callers: network.callers,
    telemetry: telemetry.sender,
  },
  { dependsOn: images },
);

// With a password the control plane signs in as the server's administrator, and prepares the database itself.
if (databasePassword === undefined)
  new DatabaseRole(
    "database-role",
    {
      ...place,
      tenant,
      image: settings.controlPlaneImage,
      pull: images.pull,
      environmentId: where.id,
      database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName },
      grantee: { name: controlPlane.identityName, objectId: controlPlane.identityObjectId },
    },
    { dependsOn: images },
  );

const storefront = new CanaryApp(
  "storefront",
  {
    resourceGroup,
    location,
    environment: where,
    minReplicas: replicas.storefrontMin,
    maxReplicas: replicas.storefrontMax,
    controlPlane: { endpoint: controlPlane.endpoint, audience },
    image: settings.storefrontImage,
    registries: [images.pull],
    telemetry: telemetry.sender,
    variables: settings.storefrontEnvironment,
    probePath: settings.probePath,
    healthPath: settings.healthPath,
    pace: settings.pace,
    limits: settings.limits,
    shadowLimits: settings.shadowLimits,
    expectedRequestsPerMinute: settings.expectedRequestsPerMinute,
    wait: settings.wait,
    whenInFlight: settings.whenInFlight,
    outsideWeights: settings.outsideWeights,
    ...(settings.gate && { gate: settings.gate }),
  },
  { dependsOn: [controlPlane, telemetry] },
);

new DeadMansSwitch(
  "dead-mans-switch",
  {
    ...place,
    subscription,
    image: settings.deadMansSwitchImage,
    pull: images.pull,
    environmentId: where.id,
    controlPlaneEndpoint: controlPlane.endpoint,
    resourceManager: settings.endpoints.resourceManager,
    inventory: [{ resourceGroup, app: "storefront", id: storefront.appId }],
    silenceSeconds: settings.silenceSeconds,
  },
  { dependsOn: images },
);

/** Where users reach the service. */
export const storefrontUrl = storefront.url;
/** Where releases are asked for, and whom tokens for that are for; the `ballast` command looks for both here. */
export const { endpoint: controlPlaneEndpoint, audience: controlPlaneAudience } = controlPlane;
/** What was released last, and how that ended. */
export const { revision, result, sentence } = storefront;
