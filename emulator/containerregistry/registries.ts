// Microsoft.ContainerRegistry/registries, and who may pull from one. A registry holds no images: on the emulator a
// container is a process, and the emulator's options map image names to programs. An app without the right to pull is
// refused nevertheless, so that a forgotten right is found here.
import { imageName } from "../app/replica-plan.ts";
import { isIPv4OrRange, sameText } from "../arm/bodies.ts";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type ResourceType } from "../arm/resource.ts";
import { mayAct } from "../authorization/roles.ts";
import { registryFields } from "./fields.ts";

const isOn = (status: unknown): boolean => String(status).toLowerCase() === "enabled";
const serverOf = (name: string): string => `${name.toLowerCase()}.azurecr.io`;

/** Registries, as Resource Manager serves them. */
export const registryType: ResourceType = {
  type: "Microsoft.ContainerRegistry/registries",
  apiVersions: ["2023-01-01-preview"],
  fields: registryFields,
  put: "async-operation",
  onPut: async ({ wanted, previous, cloud }) => {
    const { name, properties = {} } = wanted;
    if (!/^[a-zA-Z0-9]{5,50}$/.test(name))
      throw new ArmError(
        400,
        "InvalidName",
        `The registry name '${name}' is invalid. A registry name must be between 5 and 50 alphanumeric characters.`,
      );
    // Learn: "Azure Container Registry SKU features and limits".
    const tier = String(wanted["sku"].name).toLowerCase();
    if (tier === "classic") throw refusedToo("The tier Classic is retired.");
    const isPremium = tier === "premium";
    const { networkRuleSet, policies, dataEndpointEnabled, zoneRedundancy } = properties;
    const ofPremium = {
      networkRuleSet: networkRuleSet?.defaultAction === "Deny" || networkRuleSet?.ipRules?.length > 0,
      "policies.retentionPolicy": isOn(policies?.retentionPolicy?.status),
      "policies.trustPolicy": isOn(policies?.trustPolicy?.status),
      "policies.exportPolicy": String(policies?.exportPolicy?.status).toLowerCase() === "disabled",
      dataEndpointEnabled: dataEndpointEnabled === true,
      "zone redundancy": isOn(zoneRedundancy),
    };
    const extra = Object.entries(ofPremium).find(([, asked]) => asked && !isPremium);
    if (extra) throw refusedToo(`A registry of the tier ${wanted["sku"].name} has no ${extra[0]}; Premium has.`);
    for (const { value } of (networkRuleSet?.ipRules ?? []) as Body[])
      if (!isIPv4OrRange(value)) throw refusedToo(`'${value}' is no IPv4 address and no range in CIDR.`);
    if (!isPremium && String(properties.publicNetworkAccess).toLowerCase() === "disabled")
      throw refusedToo(`A registry of the tier ${wanted["sku"].name} cannot disable public access; Premium can.`);
    if (ofPremium["policies.exportPolicy"] && !sameText(properties.publicNetworkAccess, "Disabled"))
      throw refusedToo("Exports can only be disabled where public access is disabled too.");
    wanted["sku"] = { ...wanted["sku"], tier: wanted["sku"].name };
    wanted["properties"] = {
      adminUserEnabled: false,
      anonymousPullEnabled: false,
      dataEndpointEnabled: false,
      publicNetworkAccess: "Enabled",
      networkRuleBypassOptions: "AzureServices",
      zoneRedundancy: "Disabled",
      ...properties,
      loginServer: serverOf(name),
      creationDate: previous?.body["properties"].creationDate ?? new Date(cloud.clock.now()).toISOString(),
    };
  },
};

/**
 * Refuses an unknown image, and an image of this cloud's registry that the app or job may not pull: it
 * names no identity for the registry, or an identity that is not its own, or one without the right to
 * pull. Every other registry counts as public.
 *
 * @throws ArmError
 */
export function refuseImage({ identity, properties: { configuration, template } }: Body, cloud: Cloud): void {
  for (const container of [...(template.initContainers ?? []), ...template.containers] as Body[])
    refuseOne(container, identity, configuration, cloud);
}

/** Reports whether a text is an image reference as registries read it: host, path in lower case, tag, digest. */
const isReference = (image: unknown): boolean => {
  const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  const host = "(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?(?::\\d+)?/)?";
  const form = new RegExp(`^${host}${part}(?:/${part})*(?::[A-Za-z0-9_][-.\\w]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);
  return form.test(String(image));
};

function refuseOne(container: Body, identity: Body | undefined, configuration: Body | undefined, cloud: Cloud): void {
  const refuse = (reason: string): never => {
    throw new ArmError(
      400,
      "InvalidParameterValueInContainerTemplate",
      `The following field(s) are either invalid or missing. Field 'template.containers.${container["name"]}.image' ` +
        `is invalid with details: 'Invalid value: "${container["image"]}": ${reason}'.`,
    );
  };
  if (!isReference(container["image"])) refuse("could not parse reference");
  if (!cloud.options.images[imageName(container["image"])]) refuse("MANIFEST_UNKNOWN: manifest unknown");
  const server = String(container["image"]).split("/")[0]!.toLowerCase();
  const registry = cloud.store
    .list()
    .find(({ type, body }) => type === registryType.type && body["properties"].loginServer === server);
  if (registry === undefined) return;
  const named: unknown = ((configuration?.registries ?? []) as Body[]).find(
    (each) => String(each["server"]).toLowerCase() === server,
  )?.["identity"];
  const own = Object.keys(identity?.["userAssignedIdentities"] ?? {}).find(
    (id) => id.toLowerCase() === String(named).toLowerCase(),
  );
  const objectId: unknown =
    String(named).toLowerCase() === "system"
      ? identity?.["principalId"]
      : own && cloud.store.get(own)?.body["properties"].principalId;
  const may =
    typeof objectId === "string" &&
    mayAct(cloud, { objectId, owner: false }, "Microsoft.ContainerRegistry/registries/pull/read", registry.id);
  if (!may)
    refuse(
      `GET https://${server}/v2/: UNAUTHORIZED: authentication required, ` +
        "visit https://aka.ms/acr/authorization for more information.",
    );
}
