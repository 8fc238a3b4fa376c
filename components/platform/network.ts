// A network for a stack that has none: one virtual network with a subnet for the environment and one for the database, each lent to its service
// alone, and the private zone in which the database has its name. Whoever has such a network already names its parts instead and does not need this.
// Knows neither the environment nor the database.

import { Subnet } from "@pulumi/azure-native/network/subnet.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import { PrivateZone } from "@pulumi/azure-native/privatedns/privateZone.js";
import { VirtualNetworkLink } from "@pulumi/azure-native/privatedns/virtualNetworkLink.js";
import * as pulumi from "@pulumi/pulumi";
import { networkPlaceFixed, networkRangeRefused } from "../../errors/components.ts";
import { child, physicalName, refusal } from "../conventions.ts";

/** Where the network is and which addresses it has. */
export interface NetworkArgs {
  /** The resource group's id, of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The network's addresses in CIDR, from a /16 to a /26.
   *
   * The first half is the environment's, the next sixteen addresses are the database's, and the rest is free: for a runner, a gateway or a VPN. It cannot
   * be changed once there is something in it, and must not overlap with networks that this one is to be peered with.
   */
  readonly range: string;
}

/** Ranges that no subnet of an environment may overlap: Container Apps and the cluster beneath it have them (learn.microsoft.com/azure/container-apps/custom-virtual-networks). */
const platformRanges = ["100.100.0.0/17", "100.100.128.0/19", "100.100.160.0/19", "100.100.192.0/19"] as const;
const takenRanges = [...platformRanges, "169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"];

/** A virtual network with the two subnets and the zone that a stack of which the internet sees less needs. */
export class Network extends pulumi.ComponentResource {
  /** The subnet of the environment. */
  readonly environmentSubnetId: pulumi.Output<string>;
  /** The subnet of the database. */
  readonly databaseSubnetId: pulumi.Output<string>;
  /** The zone in which the database has its name. Known only once the network finds it there. */
  readonly databaseZoneId: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:Network", name, args, opts);
    const { scope, resourceGroupName, location, range } = args;
    const { environment, database } = subnetsOf(range);

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

    const subnet = (
      role: "environment-subnet" | "database-subnet",
      addressPrefix: string,
      serviceName: string,
      dependsOn: pulumi.Resource[],
    ): Subnet =>
      new Subnet(
        child(name, role),
        {
          subnetName: role.replace("-subnet", ""),
          virtualNetworkName: network.name,
          resourceGroupName,
          addressPrefix,
          delegations: [{ name: "service", serviceName }],
        },
        { parent: this, dependsOn },
      );
    const forEnvironment = subnet("environment-subnet", environment, "Microsoft.App/environments", []);
    // A network is written by one operation at a time, hence one subnet after the other.
    const forDatabase = subnet("database-subnet", database, "Microsoft.DBforPostgreSQL/flexibleServers", [
      forEnvironment,
    ]);

    const zone = new PrivateZone(
      child(name, "database-zone"),
      {
        // Azure wants this ending, and before it anything but a server's own name.
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

    this.environmentSubnetId = forEnvironment.id;
    this.databaseSubnetId = forDatabase.id;
    this.databaseZoneId = pulumi.all([zone.id, link.id]).apply(([id]) => id);
    this.registerOutputs({
      environmentSubnetId: this.environmentSubnetId,
      databaseSubnetId: this.databaseSubnetId,
      databaseZoneId: this.databaseZoneId,
    });
  }
}

/** From where a stack is reached, as its configuration says it: a range of which a network is made, or ids of what there is. Empty texts are nothing. */
interface Choice extends Record<"range" | "environmentSubnet" | "databaseSubnet" | "databaseZone", string> {
  readonly internal: boolean;
  readonly callers: readonly string[];
}

/** Gives the places of a stack's parts in the network that is chosen: one that is made here, one that there is already, or none at all. */
export function placesOf(name: string, { choice, ...place }: Omit<NetworkArgs, "range"> & { readonly choice: Choice }) {
  const { range, environmentSubnet, databaseSubnet, databaseZone, internal, callers } = choice;
  const made = range === "" ? undefined : new Network(name, { ...place, range });
  const given = databaseSubnet === "" ? undefined : { subnet: databaseSubnet, zone: databaseZone };
  return {
    environment: { internal, subnet: made?.environmentSubnetId ?? (environmentSubnet || undefined) },
    database: made ? { subnet: made.databaseSubnetId, zone: made.databaseZoneId } : given,
    // The dead man's switch calls from inside: its addresses are the subnet's or, within the environment, the platform's.
    callers: callers.length === 0 ? undefined : [...callers, subnetsOf(range).environment, ...platformRanges],
  };
}

/** Gives the ranges of the two subnets of a network, or refuses the one that Azure would refuse. */
export function subnetsOf(range: string): { readonly environment: string; readonly database: string } {
  const [, address = "", bits = ""] = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(range) ?? [];
  const length = Number(bits);
  const parts = address.split(".");
  const refuse = (why: string): never => {
    throw refusal(networkRangeRefused({ range, why }));
  };
  if (address === "" || parts.some((part) => Number(part) > 255)) return refuse("it is no IPv4 range in CIDR");
  if (length < 16 || length > 26)
    return refuse(
      "it must have from 16 to 26 bits: an environment needs a /27, a database a /28, and a network greater than a /16 is never used",
    );
  const from = numberOf(address);
  if (from % sizeOf(length) !== 0) return refuse(`it does not begin where a /${length} can begin`);
  const taken = takenRanges.find(
    (each) => from < numberOf(each) + sizeOf(Number(each.split("/")[1])) && numberOf(each) < from + sizeOf(length),
  );
  if (taken !== undefined) return refuse(`it overlaps with ${taken}, which Container Apps has for itself`);
  return { environment: `${address}/${length + 1}`, database: `${addressOf(from + sizeOf(length + 1))}/28` };
}
const sizeOf = (length: number): number => 2 ** (32 - length);
const numberOf = (cidr: string): number =>
  cidr
    .split("/")[0]!
    .split(".")
    .reduce((sum, part) => sum * 256 + Number(part), 0);
const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");

/**
 * Gives a choice of network once it is known to be the live resource's own, or refuses it at preview: Azure changes none of them afterwards.
 *
 * What cannot be read is not compared, since Azure refuses it once more.
 */
export async function keptPlace<Live, Choice>(
  what: string,
  reading: Promise<Live>,
  placeOf: (live: Live) => string,
  planned: string,
  choice: Choice,
): Promise<Choice> {
  const live = await reading.then(placeOf, () => planned);
  if (live !== planned) throw refusal(networkPlaceFixed({ what, live, planned }));
  return choice;
}
