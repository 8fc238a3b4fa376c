// Reduces Azure's published resource types to those that the emulator serves. Run it when you add a version: `node
// emulator/azure-specs/reduce.ts <folder>`, with `<area>/bicep-<version>/types.json` in that folder. It leaves out
// descriptions, types without a reference, and everything below read-only properties. It edits nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

interface PublishedType {
  readonly $type: string;
  readonly name?: string;
  readonly [key: string]: unknown;
}

const ofApp = [
  "Microsoft.App/containerApps",
  "Microsoft.App/jobs",
  "Microsoft.App/managedEnvironments",
  "Microsoft.App/managedEnvironments/certificates",
  "Microsoft.App/managedEnvironments/storages",
];
const kept: { readonly [file: string]: readonly string[] } = {
  "app/2025-01-01": ofApp,
  "app/2025-02-02-preview": ofApp,
  "app/2025-07-01": ofApp,
  "authorization/2022-04-01": ["Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleDefinitions"],
  "authorization/2022-05-01-preview": ["Microsoft.Authorization/roleDefinitions"],
  "containerregistry/2023-01-01-preview": ["Microsoft.ContainerRegistry/registries"],
  "dbforpostgresql/2025-08-01": ["", "/administrators", "/configurations", "/databases", "/firewallRules"].map(
    (child) => `Microsoft.DBforPostgreSQL/flexibleServers${child}`,
  ),
  "eventgrid/2025-02-15": ["Microsoft.EventGrid/systemTopics", "Microsoft.EventGrid/systemTopics/eventSubscriptions"],
  "insights/2018-03-01": ["Microsoft.Insights/metricAlerts"],
  "insights/2020-02-02": ["Microsoft.Insights/components"],
  "insights/2021-05-01-preview": ["Microsoft.Insights/diagnosticSettings"],
  "insights/2024-10-01-preview": ["Microsoft.Insights/actionGroups"],
  "insights/2025-01-01-preview": ["Microsoft.Insights/scheduledQueryRules"],
  "keyvault/2024-11-01": ["Microsoft.KeyVault/vaults"],
  "managedidentity/2023-01-31": ["Microsoft.ManagedIdentity/userAssignedIdentities"],
  "network/2024-05-01": ["Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/subnets"],
  "network/2024-06-01": ["", "/A", "/virtualNetworkLinks"].map((child) => `Microsoft.Network/privateDnsZones${child}`),
  "operationalinsights/2023-09-01": ["Microsoft.OperationalInsights/workspaces"],
};
/** Properties whose types refer to most of their provider. The product never sets them; any value fits. */
const cutAt: { readonly [file: string]: readonly string[] } = {
  "network/2024-05-01": [
    "networkSecurityGroup",
    "routeTable",
    "serviceEndpoints",
    "serviceEndpointPolicies",
    "ipAllocations",
    "applicationGatewayIPConfigurations",
    "ipamPoolPrefixAllocations",
    "virtualNetworkPeerings",
    "extendedLocation",
  ],
};
const readOnly = 2;

/**
 * Gives the kept types with renumbered references, resource types first, without
 * everything below the properties of `cut`.
 */
function reduce(
  published: readonly PublishedType[],
  names: readonly string[],
  cut: readonly string[],
): readonly PublishedType[] {
  const anything: PublishedType = { $type: "AnyType" };
  const reduced: PublishedType[] = [];
  const numberOf = new Map<PublishedType, number>();
  const keep = (type: PublishedType): number => {
    const known = numberOf.get(type);
    if (known !== undefined) return known;
    const number = reduced.push(type) - 1;
    numberOf.set(type, number);
    reduced[number] = rewrite(type) as PublishedType;
    return number;
  };
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite);
    if (typeof value !== "object" || value === null) return value;
    const object = value as { readonly [key: string]: unknown };
    if (typeof object["$ref"] === "string") return { $ref: `#/${keep(published[Number(object["$ref"].slice(2))]!)}` };
    if (typeof object["flags"] === "number" && (object["flags"] & readOnly) !== 0)
      return { type: { $ref: `#/${keep(anything)}` }, flags: object["flags"] };
    return Object.fromEntries(
      Object.entries(object).flatMap(([key, below]) => {
        if (key === "description" && typeof below === "string") return [];
        return [
          [
            key,
            cut.includes(key)
              ? { ...(below as object), description: undefined, type: { $ref: `#/${keep(anything)}` } }
              : rewrite(below),
          ],
        ];
      }),
    );
  };
  for (const type of published)
    if (type.$type === "ResourceType" && names.includes(type.name!.split("@")[0]!)) keep(type);
  return reduced;
}

const from = process.argv[2];
if (from === undefined) throw new Error("Name the folder with <area>/bicep-<version>/types.json.");
for (const [file, names] of Object.entries(kept)) {
  const [area, version] = file.split("/");
  const published = JSON.parse(
    readFileSync(path.join(from, area!, `bicep-${version}`, "types.json"), "utf8"),
  ) as PublishedType[];
  const target = path.join(import.meta.dirname, `${file}.json`);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(
    target,
    `[\n${reduce(published, names, cutAt[file] ?? [])
      .map((type) => JSON.stringify(type))
      .join(",\n")}\n]\n`,
  );
}
