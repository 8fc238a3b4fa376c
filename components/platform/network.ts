// A network for a stack that has none: a virtual network with a subnet for the environment and one for the
// database, each delegated to its service, and the private DNS zone of the database. A stack with an existing
// network uses the ids of its parts instead.

import { Subnet, type SubnetArgs } from "@pulumi/azure-native/network/subnet.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import { PrivateZone } from "@pulumi/azure-native/privatedns/privateZone.js";
import { VirtualNetworkLink } from "@pulumi/azure-native/privatedns/virtualNetworkLink.js";
import * as pulumi from "@pulumi/pulumi";
import { Netmask } from "netmask";
import { networkPlaceFixed, networkRangeRefused } from "../../errors/components.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, isEchoOfMocks, physicalName, refusal, settingOf } from "../conventions.ts";

/** Where the network is, and its addresses. */
export interface NetworkArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The network's address range in CIDR, from a /16 to a /26.
   *
   * The environment gets the first half, the database the next 16 addresses; the rest is free for a runner, a gateway
   * or a VPN. The range cannot be changed once the network is in use, and must not overlap a network to be peered with.
   */
  readonly range: string;
}

/**
 * Ranges that Container Apps and its cluster use, so that a subnet of an environment must not overlap them.
 * Source: learn.microsoft.com/azure/container-apps/custom-virtual-networks
 */
const platformRanges = ["100.100.0.0/17", "100.100.128.0/19", "100.100.160.0/19", "100.100.192.0/19"] as const;
const takenRanges = [...platformRanges, "169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"];

/** A virtual network with a subnet for the environment, a subnet for the database, and the database's private zone. */
export class Network extends pulumi.ComponentResource {
  /** The id of the environment's subnet. */
  readonly environmentSubnetId: pulumi.Output<string>;
  /** The id of the database's subnet. */
  readonly databaseSubnetId: pulumi.Output<string>;
  /** The id of the private zone that has the database's name. It is known once the zone is linked to the network. */
  readonly databaseZoneId: pulumi.Output<string>;

  constructor(name: string, given: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("Network", name, argumentForms.Network, given);
    super("ballast:index:Network", name, args, opts);
    const { scope, resourceGroupName, location, range } = args;
    const ranges = subnetsOf(range);
    const network = new VirtualNetwork(
      child(name, "virtual-network"),
      {
        virtualNetworkName: physicalName("network", name, scope),
        resourceGroupName,
        location,
        addressSpace: { addressPrefixes: [range] },
      },
      { parent: this },
    );
    const place = { resourceGroupName, virtualNetworkName: network.name };
    const environmentSubnet = this.#subnet(name, "environment", {
      ...place,
      addressPrefix: ranges.environment,
      delegations: [{ name: "service", serviceName: "Microsoft.App/environments" }],
      serviceEndpoints: [{ service: "Microsoft.KeyVault" }], // without it no vault can admit this subnet alone
    });
    const databaseSubnet = this.#subnet(
      name,
      "database",
      {
        ...place,
        addressPrefix: ranges.database,
        delegations: [{ name: "service", serviceName: "Microsoft.DBforPostgreSQL/flexibleServers" }],
      },
      [environmentSubnet], // Azure carries out one write of a network at a time
    );

    this.environmentSubnetId = environmentSubnet.id;
    this.databaseSubnetId = databaseSubnet.id;
    this.databaseZoneId = this.#databaseZone(name, args, network);
    this.registerOutputs({
      environmentSubnetId: this.environmentSubnetId,
      databaseSubnetId: this.databaseSubnetId,
      databaseZoneId: this.databaseZoneId,
    });
  }

  #subnet(
    name: string,
    subnetName: "environment" | "database",
    args: Omit<SubnetArgs, "subnetName">,
    dependsOn: pulumi.Resource[] = [],
  ): Subnet {
    return new Subnet(child(name, `${subnetName}-subnet`), { subnetName, ...args }, { parent: this, dependsOn });
  }

  /** Returns the id of the database's private zone, which is known once the zone is linked to the network. */
  #databaseZone(
    name: string,
    { scope, resourceGroupName }: NetworkArgs,
    network: VirtualNetwork,
  ): pulumi.Output<string> {
    const zone = new PrivateZone(
      child(name, "database-zone"),
      {
        // Azure requires this ending, and the part before it must not be a server's name.
        privateZoneName: `${physicalName("zone", name, scope)}.private.postgres.database.azure.com`,
        resourceGroupName,
        location: "global",
      },
      { parent: this },
    );
    const link = new VirtualNetworkLink(
      child(name, "database-link"),
      {
        virtualNetworkLinkName: "network",
        privateZoneName: zone.name,
        resourceGroupName,
        location: "global",
        virtualNetwork: { id: network.id },
        registrationEnabled: false,
      },
      { parent: this },
    );
    return pulumi.all([zone.id, link.id]).apply(([id]) => id);
  }
}

/** The network that the configuration chooses: a range for a new one, or ids of an existing one. "" means not set. */
interface NetworkChoice extends Record<"range" | "environmentSubnet" | "databaseSubnet" | "databaseZone", string> {
  readonly internal: boolean;
  readonly callers: readonly string[];
}

/** Returns where the stack's parts go in the chosen network, which is created here, exists already, or is absent. */
export function placesOf(
  name: string,
  { choice, ...place }: Omit<NetworkArgs, "range"> & { readonly choice: NetworkChoice },
) {
  const { range, environmentSubnet, databaseSubnet, databaseZone, internal, callers } = choice;
  const created = range === "" ? undefined : new Network(name, { ...place, range });
  const existing = databaseSubnet === "" ? undefined : { subnet: databaseSubnet, zone: databaseZone };
  return {
    environment: { internal, subnet: created?.environmentSubnetId ?? (environmentSubnet || undefined) },
    database: created ? { subnet: created.databaseSubnetId, zone: created.databaseZoneId } : existing,
    // The dead man's switch must get in too. It calls from the subnet or, within the environment, from platform ranges.
    callers: callers.length === 0 ? undefined : [...callers, subnetsOf(range).environment, ...platformRanges],
  };
}

/**
 * Returns the ranges of the two subnets of a network.
 *
 * @throws network-range-refused if Azure would refuse the range
 */
export function subnetsOf(range: string): { readonly environment: string; readonly database: string } {
  const refuse = (why: string): never => {
    throw refusal(networkRangeRefused({ range, why, setting: settingOf("range", "network") }));
  };
  const whole = blockOf(range);
  if (whole === undefined) return refuse("it is not an IPv4 range in CIDR notation");
  if (whole.bitmask < 16 || whole.bitmask > 26)
    return refuse(
      "its prefix must be from /16 to /26: an environment needs a /27 and a database a /28, and no network needs " +
        "more than a /16",
    );
  if (whole.toString() !== range) return refuse(`a /${whole.bitmask} cannot start at this address`);
  const taken = takenRanges.find((each) => whole.contains(each) || new Netmask(each).contains(whole));
  if (taken !== undefined) return refuse(`it overlaps with ${taken}, which Container Apps uses itself`);
  const half = new Netmask(whole.base, whole.bitmask + 1);
  return { environment: half.toString(), database: `${half.next().base}/28` };
}

/** Reads a range in CIDR; undefined if it is none. The library also reads shorter notations, which Azure does not. */
function blockOf(range: string): Netmask | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}\/\d{1,2}$/.test(range)) return undefined;
  try {
    return new Netmask(range);
  } catch {
    return undefined;
  }
}

/**
 * Returns a choice of network once it is known to match the live resource, since Azure never changes it afterwards.
 *
 * A resource that cannot be read is not compared: Azure would refuse the change too.
 *
 * @throws network-place-fixed at preview
 */
export async function keptPlace<Live, Choice>(
  what: string,
  reading: Promise<Live>,
  placeOf: (live: Live) => string,
  planned: string,
  choice: Choice,
): Promise<Choice> {
  const live = await reading.then(
    (found) => (isEchoOfMocks(found) ? planned : placeOf(found)),
    () => planned,
  );
  if (live !== planned)
    throw refusal(networkPlaceFixed({ what, live, planned, setting: settingOf("that names the subnet", "network") }));
  return choice;
}
