// The program: it reads the configuration, connects the components, and exports the outputs. Components come in the
// order in which they need each other.
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { CanaryApp } from "./components/canary-app/canary-app.ts";
import { httpApp } from "./components/canary-app/http-app.ts";
import { ContainerEnvironment } from "./components/platform/container-environment.ts";
import { ControlPlane } from "./components/platform/control-plane.ts";
import { DatabaseRole } from "./components/platform/database-role.ts";
import { DeadMansSwitch } from "./components/platform/dead-mans-switch.ts";
import { ImageRegistry } from "./components/platform/image-registry.ts";
import { administrator, JournalDatabase } from "./components/platform/journal-database.ts";
import { placesOf } from "./components/platform/network.ts";
import { Telemetry } from "./components/platform/telemetry.ts";
import { readSettings } from "./config.ts";

// Node runs the sources themselves, so no stack trace needs the SDK's translation. It costs time at every promise:
// docs/evidence/performance.md.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = readSettings();
const { resourceGroup, location, scope } = settings.group;
const target = { resourceGroup, app: settings.storefront.containerAppName };
const group = new ResourceGroup("ballast", { resourceGroupName: resourceGroup, location });
const place = { scope, resourceGroupName: group.name, location };
const network = placesOf("network", { ...place, choice: settings.network });
const environment = new ContainerEnvironment("apps", { ...place, ...settings.environment, ...network.environment });
const { environmentId, domain, workspaceId, customerId } = environment;
const telemetry = new Telemetry("telemetry", { ...place, ...settings.telemetry, workspaceId, apps: [target.app] });
const images = new ImageRegistry("images", { ...place, ...settings.images });
const journal = new JournalDatabase("journal", { ...place, ...settings.journal, network: network.database });

const { password } = settings.journal;
const controlPlaneArgs = {
  ...place,
  ...settings.controlPlane,
  pull: images.pull,
  environment: { id: environmentId, domain },
  workspace: { id: workspaceId, customerId },
  database: {
    ...settings.controlPlane.database,
    host: journal.host,
    name: journal.databaseName,
    login: password && { user: administrator, password },
  },
  managedTargets: [target],
  callers: network.callers,
  telemetry: telemetry.sender,
};
const controlPlane = new ControlPlane("control-plane", controlPlaneArgs, { dependsOn: images });

// With a password the control plane signs in as the server's administrator and prepares the database itself.
if (password === undefined) {
  const { identityName, identityObjectId } = controlPlane;
  const databaseRoleArgs = {
    ...place,
    ...settings.databaseRole,
    pull: images.pull,
    environmentId,
    database: { serverName: journal.serverName, host: journal.host, name: journal.databaseName },
    grantee: { name: identityName, objectId: identityObjectId },
  };
  new DatabaseRole("database-role", databaseRoleArgs, { dependsOn: images });
}

const storefrontArgs = {
  ...httpApp({ ...settings.storefront, environmentId, registries: [images.pull], telemetry: telemetry.sender }),
  ...settings.releases,
  controlPlane: { endpoint: controlPlane.endpoint, audience: settings.controlPlane.audience },
};
const storefront = new CanaryApp("storefront", storefrontArgs, { dependsOn: [controlPlane, telemetry] });

const deadMansSwitchArgs = {
  ...place,
  ...settings.deadMansSwitch,
  pull: images.pull,
  environmentId,
  controlPlaneEndpoint: controlPlane.endpoint,
  managedTargets: [{ ...target, id: storefront.appId }],
};
new DeadMansSwitch("dead-mans-switch", deadMansSwitchArgs, { dependsOn: images });

/** The address at which users reach the service. */
export const storefrontUrl = storefront.url;
/** The control plane's address, and the audience that its callers' tokens must have. `ballast` reads both from here. */
export const { endpoint: controlPlaneEndpoint, audience: controlPlaneAudience } = controlPlane;
export const { binding: controlPlaneBinding } = controlPlane;
/** The revision that was released last, the result of its rollout, and why. */
export const { revision, result, reason, message } = storefront;
