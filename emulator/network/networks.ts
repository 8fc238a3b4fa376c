// Virtual networks, subnets and private DNS zones: stored, and checked by the rules by which Azure refuses them.
// Resource types that live in a subnet check it here. Networks route nothing and zones resolve nothing:
// everything on the emulator answers on loopback.
import { isIPv4 } from "node:net";
import { firstTwice } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type Resource, type ResourceType, type Store } from "../arm/resource.ts";
import { parentIdOf } from "../arm/resource-path.ts";
import { checkNetwork, keepSubnetsInside, liesIn, outsideOfNetwork, overlap, rangesOf } from "./address-space.ts";
import { recordFields, subnetFields, virtualNetworkFields, zoneFields, zoneLinkFields } from "./fields.ts";
import { checkServices } from "./subnet-services.ts";

const networks = "Microsoft.Network/virtualNetworks";
const subnets = `${networks}/subnets`;
const zones = "Microsoft.Network/privateDnsZones";
const networkVersions = ["2024-05-01"];
const zoneVersions = ["2024-06-01"];

/** Reports whether a resource lives in a subnet. */
const livesIn = ({ properties = {} }: Body, subnetId: string): boolean =>
  [properties.vnetConfiguration?.infrastructureSubnetId, properties.network?.delegatedSubnetResourceId].some(
    (id) => String(id).toLowerCase() === subnetId.toLowerCase(),
  );

/**
 * Checks that a subnet exists, is delegated to a service, and is free for the resource with this id.
 *
 * A subnet of another subscription is accepted unchecked, since this cloud has only one subscription.
 *
 * @throws ArmError 400
 */
export function requireSubnet({ store }: Cloud, subnetId: string, service: string, residentId: string): void {
  if (!sameSubscription(subnetId, residentId)) return;
  const subnet = store.get(subnetId);
  if (subnet?.type !== subnets) throw new ArmError(400, "InvalidSubnetId", `The subnet '${subnetId}' does not exist.`);
  const delegated = ((subnet.body["properties"].delegations ?? []) as Body[]).map(({ properties }) =>
    String(properties?.serviceName),
  );
  if (!delegated.includes(service))
    throw new ArmError(
      400,
      "SubnetMissingRequiredDelegation",
      `The subnet '${subnetId}' must be delegated to '${service}'.`,
    );
  const other = store
    .list()
    .find(
      ({ id, type, body }) => id !== residentId.toLowerCase() && livesIn(body, subnetId) && !isShared(service, type),
    );
  if (other) throw new ArmError(400, "SubnetInUse", `The subnet '${subnetId}' is already used by '${other.id}'.`);
}
/** Reports whether resources of a type share a subnet: flexible servers do, environments do not. */
const isShared = (service: string, type: string): boolean => service === type;
const subscriptionOf = (id: string): string => id.split("/")[2]?.toLowerCase() ?? "";
const sameSubscription = (one: string, other: string): boolean => subscriptionOf(one) === subscriptionOf(other);

/** Checks that a private DNS zone exists and that its name ends with `suffix`. @throws ArmError 400 */
export function requireZone({ store }: Cloud, zoneId: string, suffix: string, residentId: string): void {
  if (!zoneId.toLowerCase().endsWith(suffix))
    throw new ArmError(400, "InvalidPrivateDnsZone", `The private DNS zone '${zoneId}' must end with '${suffix}'.`);
  if (sameSubscription(zoneId, residentId) && store.get(zoneId)?.type !== zones)
    throw new ArmError(400, "PrivateDnsZoneNotFound", `The private DNS zone '${zoneId}' does not exist.`);
}

const subnetsOf = (store: Store, networkId: string): readonly Resource[] =>
  store.list(networkId).filter(({ type }) => type === subnets);

const virtualNetworks: ResourceType = {
  type: networks,
  apiVersions: networkVersions,
  fields: virtualNetworkFields,
  patches: ["tags"],
  put: "async-operation",
  children: async (_network, [kind = ""]) => {
    if (kind.toLowerCase() === "virtualnetworkpeerings") throw unsupported("peerings of virtual networks");
    return undefined;
  },
  onPut: async ({ id, wanted, cloud }) => {
    const { subnets: inline } = wanted["properties"];
    if (inline?.length > 0)
      throw new ArmError(400, "EmulatorUnsupported", "The emulator serves subnets only as resources of their own.");
    checkNetwork(wanted["properties"]);
    keepSubnetsInside(wanted["properties"], subnetsOf(cloud.store, id));
  },
  present: ({ id, body }, { store }) => {
    const own = subnetsOf(store, id).map(({ body: { id: subnetId, name, properties } }) => ({
      id: subnetId,
      name,
      properties,
    }));
    return { ...body, properties: { ...body["properties"], subnets: own } };
  },
};

const subnetType: ResourceType = {
  type: subnets,
  apiVersions: networkVersions,
  fields: subnetFields,
  noPatch: true,
  put: "async-operation",
  onPut: async ({ id, wanted, cloud }) => {
    const name: string = wanted["name"];
    checkServices(wanted["properties"]);
    const ranges = rangesOf(wanted["properties"]);
    // Azure keeps five addresses of each subnet, so that /29 is the smallest.
    const small = ranges.find(({ bitmask }) => bitmask > 29);
    if (small) throw refusedToo(`The subnet '${name}' has the range ${small}, and the smallest is /29.`);
    const network = cloud.store.get(parentIdOf(id))!;
    if (!liesIn(network.body["properties"], ranges)) throw outsideOfNetwork(name);
    const siblings = subnetsOf(cloud.store, network.id).filter((each) => each.id !== id.toLowerCase());
    const other = siblings.find(({ body }) =>
      rangesOf(body["properties"]).some((range) => ranges.some((each) => overlap(range, each))),
    );
    if (other)
      throw new ArmError(
        400,
        "NetcfgSubnetRangesOverlap",
        `Subnet '${name}' is not valid because its IP address range overlaps with that of ` +
          `an existing subnet '${other.body["name"]}'.`,
      );
    wanted["properties"] = {
      delegations: [],
      privateEndpointNetworkPolicies: "Disabled",
      privateLinkServiceNetworkPolicies: "Enabled",
      ...wanted["properties"],
    };
  },
  onDelete: async ({ id, body }, { store }) => {
    const resident = store.list().find((each) => livesIn(each.body, id));
    if (resident)
      throw new ArmError(
        400,
        "InUseSubnetCannotBeDeleted",
        `Subnet ${body["name"]} is in use by ${resident.id} and cannot be deleted.`,
      );
  },
};

// Learn: "What is a private Azure DNS zone?", reserved zone names.
const reservedZones = [
  ...["azclient.ms", "azure.com", "cloudapp.net", "core.windows.net", "microsoft.com", "msidentity.com"],
  ...["trafficmanager.net", "windows.net"],
];

/** Checks the name of a private zone, of which Azure serves none with a single label. @throws ArmError 400 */
function checkZoneName(name: string): void {
  const label = "[a-z0-9_]([-_a-z0-9]{0,61}[a-z0-9_])?";
  if (!new RegExp(`^(?=.{1,253}$)${label}(\\.${label})+$`, "i").test(name))
    throw refusedToo(
      `'${name}' is no name of a private DNS zone: at least two labels of letters, digits, '-' and '_'.`,
    );
  if (reservedZones.includes(name.toLowerCase())) throw refusedToo(`Azure keeps the private DNS zone '${name}'.`);
}

// Learn: "Azure DNS limits".
const recordsMax = 20;

/** Checks A records. @throws ArmError 400 */
function checkRecords({ properties }: Body): void {
  const addresses = ((properties.aRecords ?? []) as Body[]).map(({ ipv4Address }) => String(ipv4Address));
  if (addresses.length === 0 || addresses.length > recordsMax)
    throw refusedToo(`A set of A records has 1 to ${recordsMax} records, not ${addresses.length}.`);
  if (properties.ttl === undefined) throw refusedToo("A set of records needs a ttl.");
  const twice = firstTwice(addresses);
  if (twice !== undefined) throw refusedToo(`The address '${twice}' is there twice.`);
  const wrong = addresses.find((address) => !isIPv4(address));
  if (wrong !== undefined) throw refusedToo(`'${wrong}' is no IPv4 address.`);
}

const zoneLinks: ResourceType = {
  type: `${zones}/virtualNetworkLinks`,
  apiVersions: zoneVersions,
  fields: zoneLinkFields,
  conditional: true,
  put: "async-operation",
  parentMustExist: ({ id, properties }: Body, store: Store) => {
    const network = String(properties?.virtualNetwork?.id);
    if (!properties?.virtualNetwork?.id) return refusedToo("A link of a private DNS zone needs a virtualNetwork.");
    const other = store
      .list(parentIdOf(id))
      .find(
        (each) =>
          each.type === zoneLinks.type &&
          each.id !== id.toLowerCase() &&
          String(each.body["properties"].virtualNetwork.id).toLowerCase() === network.toLowerCase(),
      );
    if (other) return refusedToo(`The virtual network '${network}' is already linked by '${other.body["name"]}'.`);
    return sameSubscription(network, id) && store.get(network)?.type !== networks
      ? new ArmError(400, "BadRequest", `The virtual network '${network}' does not exist.`)
      : undefined;
  },
  onPut: async (context) => {
    context.wanted["properties"] = {
      registrationEnabled: false,
      ...context.wanted["properties"],
      virtualNetworkLinkState: "Completed",
    };
  },
};

/** Networks, subnets, private DNS zones and their children, as Resource Manager serves them. */
export const networkTypes: readonly ResourceType[] = [
  virtualNetworks,
  subnetType,
  {
    type: zones,
    apiVersions: zoneVersions,
    fields: zoneFields,
    conditional: true,
    put: "async-operation",
    onPut: async ({ wanted }) => checkZoneName(wanted["name"]),
    checkDelete: ({ id, body }, { store }) => {
      const nested = store.list(id).find(({ type }) => type === zoneLinks.type);
      if (nested)
        throw new ArmError(
          409,
          "CannotDeleteResource",
          "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: " +
            `'${nested.body["id"]}'. Please delete all nested resources before deleting the resource ` +
            `'${body["id"]}'.`,
        );
    },
  },
  {
    type: `${zones}/A`,
    apiVersions: zoneVersions,
    fields: recordFields,
    conditional: true,
    onPut: async ({ wanted }) => checkRecords(wanted),
  },
  zoneLinks,
];
