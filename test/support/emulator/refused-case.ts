// The form of a refused body of a resource type besides container apps and jobs, and what the bodies refer to. Where
// Azure's code of a refusal is not public, it is our own.
import type { Body } from "../../../emulator/arm/resource.ts";
import { own } from "./refused-templates.ts";

export { own };

/** What the cases refer to. */
export interface Names {
  readonly subscription: string;
  readonly group: string;
  readonly tenant: string;
  /** The principal of an identity. */
  readonly principal: string;
}

/**
 * What is wrong, the code, the path below `/providers/` of the group, or with a `/` first that below the subscription,
 * the version, the body, and the method if it is no PUT.
 */
export type Case = readonly [
  what: string,
  code: string,
  path: string | ((names: Names) => string),
  version: string,
  body: Body | undefined | ((names: Names) => Body),
  method?: string,
];

export const here = { location: "westeurope" };
export const long = (count: number): string => "a".repeat(count);
export const listed = <Item>(count: number, make: (index: number) => Item): readonly Item[] =>
  Array.from({ length: count }, (_, index) => make(index));
export const guid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
export const idIn = ({ group }: Names, path: string): string => `${group}/providers/${path}`;

export const workspacePath = "Microsoft.OperationalInsights/workspaces/shop-logs";
export const vaultPath = "Microsoft.KeyVault/vaults/shop-vault";
export const groupPath = "Microsoft.Insights/actionGroups/shop-people";
export const environmentPath = "Microsoft.App/managedEnvironments/shop-apps";
export const networkPath = "Microsoft.Network/virtualNetworks/shop-net";
export const topicPath = "Microsoft.EventGrid/systemTopics/shop-topic";
export const zonePath = "Microsoft.Network/privateDnsZones/shop.example";
/** The code of a location that a type does not have. */
export const nowhere = "LocationNotAvailableForResourceType";
