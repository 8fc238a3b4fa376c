// Microsoft.App/managedEnvironments: the domain that an environment gives its apps, the network that it
// may live in, and when it may be deleted.
import { randomBytes } from "node:crypto";
import { keep, region, regionOf, sameText } from "../arm/bodies.ts";
import { ArmError, type PutContext, type ResourceType } from "../arm/resource.ts";
import { requireSubnet } from "../network/networks.ts";
import { environmentIdOf } from "./app-bodies.ts";
import { containerAppType } from "./container-apps.ts";
import { checkEnvironmentBody } from "./contract/environment.ts";
import { environmentFields } from "./contract/environment-fields.ts";
import { keepPrincipal, presentIdentity } from "./contract/identity.ts";
import { jobType } from "./jobs.ts";
import { authToken, streamAddress } from "./log-stream.ts";

/** Environments, as Resource Manager serves them. */
export const environmentType: ResourceType = {
  type: "Microsoft.App/managedEnvironments",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
  fields: environmentFields,
  onPut: async (context) => {
    const { id, wanted, previous, cloud } = context;
    if (regionOf(wanted["location"]) !== region) {
      throw new ArmError(
        400,
        "LocationNotAvailableForResourceType",
        `The provided location '${wanted["location"]}' is not available for resource type ` +
          `'Microsoft.App/managedEnvironments'. List of available regions for the resource type is '${region}'.`,
      );
    }
    checkEnvironmentBody(context);
    const name = wanted["name"].toLowerCase();
    const namesake = cloud.store
      .list()
      .find(
        (each) =>
          each.type === "Microsoft.App/managedEnvironments" &&
          each.id !== id.toLowerCase() &&
          each.body["name"].toLowerCase() === name,
      );
    // Azure puts random letters into the domain. Here it is the name alone, so that people can type it.
    if (namesake)
      throw new ArmError(
        409,
        "EnvironmentNameTaken",
        `The emulator already has an environment '${name}' (${namesake.id}), and an environment's domain is its name.`,
      );
    keepNetwork(context);
    keepPrincipal(wanted, previous);
    keep(context, () => ({
      defaultDomain: `${name}.${region}.${cloud.suffix}`,
      staticIp: "127.0.0.1",
      customDomainVerificationId: randomBytes(32).toString("hex").toUpperCase(),
    }));
    const { customDomainVerificationId, ...properties } = wanted["properties"];
    wanted["properties"] = {
      zoneRedundant: false,
      publicNetworkAccess: "Enabled",
      ...properties,
      customDomainConfiguration: { ...properties.customDomainConfiguration, customDomainVerificationId },
    };
  },
  onDelete: async (resource, cloud) => {
    const inside = cloud.store
      .list()
      .filter(
        (each) =>
          [containerAppType.type, jobType.type].includes(each.type) &&
          environmentIdOf(each.body).toLowerCase() === resource.id,
      );
    if (inside.length > 0)
      throw new ArmError(
        409,
        "ManagedEnvironmentNotEmpty",
        `The environment has ${inside.length} container apps and jobs, which must be deleted first.`,
      );
  },
  actions: { getauthtoken: authToken },
  present: ({ body }, cloud) => {
    const shown = structuredClone(body);
    shown["properties"].eventStreamEndpoint = `${streamAddress(cloud, shown["id"])}/eventstream`;
    // An environment without an identity shows none, unlike an app.
    if (shown["identity"]) presentIdentity(shown, cloud.store);
    delete shown["properties"].appLogsConfiguration?.logAnalyticsConfiguration?.sharedKey;
    return shown;
  },
};

/**
 * Checks that an environment's network suits it, and that it has not changed since the environment was created.
 *
 * @throws ArmError
 */
function keepNetwork({ id, wanted, previous, cloud }: PutContext): void {
  const { internal = false, infrastructureSubnetId } = wanted["properties"].vnetConfiguration ?? {};
  if (internal && !infrastructureSubnetId)
    throw new ArmError(400, "VnetConfigurationInvalid", "An internal environment needs an infrastructureSubnetId.");
  if (infrastructureSubnetId) requireSubnet(cloud, infrastructureSubnetId, "Microsoft.App/environments", id);
  const before = previous?.body["properties"].vnetConfiguration ?? {};
  if (
    previous &&
    !(
      sameText(before.infrastructureSubnetId ?? "", infrastructureSubnetId ?? "") &&
      Boolean(before.internal) === internal
    )
  ) {
    throw new ArmError(
      400,
      "VnetConfigurationCannotBeChanged",
      `The network of the environment '${wanted["name"]}' cannot be changed after it was created.`,
    );
  }
}
