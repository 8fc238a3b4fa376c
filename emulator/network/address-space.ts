// The address space of a virtual network: what Azure refuses of it. Subnets are checked in networks.ts.
import { isIPv4 } from "node:net";
import { Netmask } from "netmask";
import { refusedToo } from "../arm/refusals.ts";
import { ArmError, type Body, type Resource } from "../arm/resource.ts";

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

/** Reports whether two ranges share an address. */
export const overlap = (one: Netmask, other: Netmask): boolean => one.contains(other) || other.contains(one);

/** Gives the ranges of a subnet. @throws ArmError */
export const rangesOf = ({ addressPrefix, addressPrefixes }: Body): readonly Netmask[] =>
  ((addressPrefixes ?? [addressPrefix]) as string[]).map(rangeOf);

/** Gives the ranges of a network. @throws ArmError */
const spaceOf = ({ addressSpace }: Body): readonly Netmask[] => (addressSpace.addressPrefixes as string[]).map(rangeOf);

/** Reports whether a subnet with these ranges lies in a network. */
export const liesIn = (network: Body, ranges: readonly Netmask[]): boolean => {
  const space = spaceOf(network);
  return ranges.every((range) => space.some((whole) => whole.contains(range)));
};

/** Makes Azure's refusal of a subnet outside of its network. */
export const outsideOfNetwork = (subnet: string): ArmError =>
  new ArmError(
    400,
    "NetcfgSubnetRangeOutsideVnet",
    `Subnet '${subnet}' is not valid because its IP address range is outside ` +
      "the IP address range of its virtual network.",
  );

// Learn: "Virtual Network FAQ". Azure keeps these for itself: multicast, broadcast, loopback, link-local, its DNS.
const reserved = ["224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32"];
const widest = 2;
const narrowest = 29;

/** Checks a network's address space, name servers and protection. @throws ArmError 400 */
export function checkNetwork(properties: Body): void {
  const { addressSpace, dhcpOptions, enableDdosProtection, ddosProtectionPlan } = properties;
  if (!(addressSpace?.addressPrefixes?.length > 0))
    throw new ArmError(400, "InvalidRequestFormat", "A virtual network needs an address space.");
  const ranges = spaceOf(properties);
  const unfit = ranges.find(({ bitmask }) => bitmask < widest || bitmask > narrowest);
  if (unfit) throw refusedToo(`The range ${unfit} of a virtual network must be /${widest} to /${narrowest}.`);
  const kept = ranges.find((range) => reserved.some((each) => overlap(range, new Netmask(each))));
  if (kept) throw refusedToo(`The range ${kept} has addresses that Azure keeps for itself (${reserved.join(", ")}).`);
  const shared = ranges.find((range, index) => ranges.some((each, other) => other < index && overlap(range, each)));
  if (shared) throw refusedToo(`The range ${shared} overlaps another range of the same virtual network.`);
  const wrong = ((dhcpOptions?.dnsServers ?? []) as string[]).find((each) => !isIPv4(each));
  if (wrong !== undefined) throw refusedToo(`The DNS server '${wrong}' is no IPv4 address.`);
  if (enableDdosProtection === true && !ddosProtectionPlan)
    throw refusedToo("A virtual network with enableDdosProtection needs a ddosProtectionPlan.");
}

/** Refuses to leave a subnet outside of its network. @throws ArmError 400 */
export function keepSubnetsInside(properties: Body, subnets: readonly Resource[]): void {
  const outside = subnets.find(({ body }) => !liesIn(properties, rangesOf(body["properties"])));
  if (outside) throw outsideOfNetwork(String(outside.body["name"]));
}
