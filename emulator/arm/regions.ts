// Azure's regions, and the limits of tags: what Resource Manager itself checks in the body of every resource, whatever
// its type. The emulator places environments in one region only; resources without a place may name any region.
import { firstTwice, regionOf } from "./bodies.ts";
import { refusedToo } from "./refusals.ts";
import { ArmError, type Body } from "./resource.ts";

// Learn: "List of Azure regions", November 2026, the public cloud.
const regions: ReadonlySet<string> = new Set(
  (
    "australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral " +
    "brazilsouth brazilsoutheast canadacentral canadaeast centralindia centralus chilecentral denmarkeast " +
    "eastasia eastus eastus2 francecentral francesouth germanynorth germanywestcentral " +
    "indonesiacentral israelcentral italynorth " +
    "japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus " +
    "northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus " +
    "southindia southeastasia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral " +
    "uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3"
  ).split(" "),
);

/** The types that have no place; some of them have no other. */
const global: { readonly [type: string]: "only" | "also" } = {
  "Microsoft.Insights/actionGroups": "also",
  "Microsoft.Insights/metricAlerts": "only",
  "Microsoft.Network/privateDnsZones": "only",
  "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "only",
};

/** Refuses a location that is no region of Azure, or not one of the type. @throws ArmError 400 */
export function refuseUnknownRegion(type: string, location: unknown): void {
  if (location === undefined || location === null) return;
  if (regionOf(location) === "global" ? global[type] : global[type] !== "only" && regions.has(regionOf(location)))
    return;
  if (type === "Microsoft.Resources/resourceGroups")
    throw new ArmError(
      400,
      "LocationNotAvailableForResourceGroup",
      `The provided location '${location}' is not available for resource group.`,
    );
  throw new ArmError(
    400,
    "LocationNotAvailableForResourceType",
    `The provided location '${location}' is not available for resource type '${type}'.` +
      (global[type] === "only" ? " List of available regions for the resource type is 'global'." : ""),
  );
}

// Learn: "Use tags to organize your Azure resources", limitations.
const tagsMax = 50;
const nameMax = 512;
const valueMax = 256;

/** Refuses tags beyond Azure's limits. @throws ArmError 400 */
export function refuseWrongTags(tags: Body | null | undefined): void {
  const all = Object.entries(tags ?? {});
  if (all.length > tagsMax) throw refusedToo(`A resource has at most ${tagsMax} tags, not ${all.length}.`);
  for (const [name, value] of all) {
    if (name === "" || name.length > nameMax)
      throw refusedToo(`The name of a tag has 1 to ${nameMax} characters, not ${name.length}.`);
    if (/[<>%&\\?/]/.test(name)) throw refusedToo(`The name of the tag '${name}' has one of the characters <>%&\\?/.`);
    if (String(value ?? "").length > valueMax)
      throw refusedToo(`The value of the tag '${name}' has more than ${valueMax} characters.`);
  }
  const twice = firstTwice(all.map(([name]) => name));
  if (twice !== undefined) throw refusedToo(`The tag '${twice}' is there twice; case does not matter.`);
}
