// Virtual networks, subnets and private DNS zones: stored, and checked by the rules by which Azure refuses them.
// Resource types that live in a subnet check it here. Networks route nothing and zones resolve nothing:
// everything on the emulator answers on loopback.
import { isIPv4 } from "node:net";
import { Netmask } from "netmask";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type ResourceType, type Store } from "../arm/resource.ts";
import { recordFields, subnetFields, virtualNetworkFields, zoneFields, zoneLinkFields } from "./fields.ts";

const networks = "Microsoft.Network/virtualNetworks";
const subnets = `${networks}/subnets`;
const zones = "Microsoft.Network/privateDnsZones";
const networkVersions = ["2024-05-01"];
const zoneVersions = ["2024-06-01"];

/** Reads a range in CIDR. @throws ArmError */
function rangeOf(cidr: unknown): Netmask {
  const text = String(cidr);
  const range = /^(\d+\.){3}\d+\/\d+$/.test(text) ? blockOf(text) : undefined;
  if (range?.toString() !== text)
    throw new ArmError(400, "InvalidCIDRNotation", `The address prefix ${text} is not a valid range in CIDR notation.`);
  return range;
}

function blockOf(text: string): Netmask | undefined {
  try {
    return new Netmask(text);
  } catch {
    return undefined;
  }
}
const overlap = (one: Netmask, other: Netmask): boolean => one.contains(other) || other.contains(one);
const prefixesOf = ({ addressPrefix, addressPrefixes }: Body): readonly string[] => addressPrefixes ?? [addressPrefix];
const networkIdOf = (subnetId: string): string => subnetId.slice(0, subnetId.toLowerCase().lastIndexOf("/subnets/"));

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

const virtualNetworks: ResourceType = {
  type: networks,
  apiVersions: networkVersions,
  fields: virtualNetworkFields,
  put: "async-operation",
  onPut: async ({ wanted }) => {
    const { addressSpace, subnets: inline } = wanted["properties"];
    if (inline?.length > 0)
      throw new ArmError(400, "EmulatorUnsupported", "The emulator serves subnets only as resources of their own.");
    if (!(addressSpace?.addressPrefixes?.length > 0))
      throw new ArmError(400, "InvalidRequestFormat", "A virtual network needs an address space.");
    addressSpace.addressPrefixes.forEach(rangeOf);
  },
  present: ({ id, body }, { store }) => {
    const own = store
      .list(id)
      .filter(({ type }) => type === subnets)
      .map(({ body: { id: subnetId, name, properties } }) => ({ id: subnetId, name, properties }));
    return { ...body, properties: { ...body["properties"], subnets: own } };
  },
};

const subnetType: ResourceType = {
  type: subnets,
  apiVersions: networkVersions,
  fields: subnetFields,
  put: "async-operation",
  onPut: async ({ id, wanted, cloud }) => {
    const name: string = wanted["name"];
    const ranges = prefixesOf(wanted["properties"]).map(rangeOf);
    // Azure keeps five addresses of each subnet, so that /29 is the smallest.
    const small = ranges.find(({ bitmask }) => bitmask > 29);
    if (small) throw refusedToo(`The subnet '${name}' has the range ${small}, and the smallest is /29.`);
    const space = (cloud.store.get(networkIdOf(id))!.body["properties"].addressSpace.addressPrefixes as string[]).map(
      rangeOf,
    );
    if (!ranges.every((range) => space.some((whole) => whole.contains(range))))
      throw new ArmError(
        400,
        "NetcfgSubnetRangeOutsideVnet",
        `Subnet '${name}' is not valid because its IP address range is outside ` +
          "the IP address range of its virtual network.",
      );
    const siblings = cloud.store
      .list(networkIdOf(id))
      .filter((each) => each.type === subnets && each.id !== id.toLowerCase());
    const other = siblings.find(({ body }) =>
      prefixesOf(body["properties"])
        .map(rangeOf)
        .some((range) => ranges.some((each) => overlap(range, each))),
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

/** Checks the name of a private zone, of which Azure serves none with a single label. @throws ArmError 400 */
function checkZoneName(name: string): void {
  const label = "[a-z0-9_]([-_a-z0-9]{0,61}[a-z0-9_])?";
  if (!new RegExp(`^(?=.{1,253}$)${label}(\\.${label})+$`, "i").test(name))
    throw refusedToo(
      `'${name}' is no name of a private DNS zone: at least two labels of letters, digits, '-' and '_'.`,
    );
}

const requireGlobal = ({ wanted }: { readonly wanted: Body }): void => {
  if (String(wanted["location"]).toLowerCase() !== "global")
    throw new ArmError(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${wanted["location"]}' is not available for resource type '${wanted["type"]}'. ` +
        "List of available regions for the resource type is 'global'.",
    );
};

/** Checks A records. @throws ArmError 400 */
function checkRecords({ properties }: Body): void {
  const addresses = ((properties.aRecords ?? []) as Body[]).map(({ ipv4Address }) => String(ipv4Address));
  if (addresses.length === 0) throw refusedToo("A set of A records needs a record.");
  const wrong = addresses.find((address) => !isIPv4(address));
  if (wrong !== undefined) throw refusedToo(`'${wrong}' is no IPv4 address.`);
}

const zoneLinks: ResourceType = {
  type: `${zones}/virtualNetworkLinks`,
  apiVersions: zoneVersions,
  fields: zoneLinkFields,
  put: "async-operation",
  parentMustExist: ({ id, properties }: Body, store: Store) => {
    const network = String(properties?.virtualNetwork?.id);
    return sameSubscription(network, id) && store.get(network)?.type !== networks
      ? new ArmError(400, "BadRequest", `The virtual network '${network}' does not exist.`)
      : undefined;
  },
  onPut: async (context) => {
    requireGlobal(context);
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
    put: "async-operation",
    onPut: async (context) => {
      requireGlobal(context);
      checkZoneName(context.wanted["name"]);
    },
  },
  {
    type: `${zones}/A`,
    apiVersions: zoneVersions,
    fields: recordFields,
    onPut: async ({ wanted }) => checkRecords(wanted),
  },
  zoneLinks,
];
