// Configurations of stacks that tests of the configuration begin with: what Azure needs, the local stack, and parts of
// them that a table changes.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { stackConfig } from "./stack-config.ts";

export const azure = stackConfig({
  "azure-native:subscriptionId": "11111111-2222-3333-4444-555555555555",
  "ballast:tenant": "66666666-7777-8888-9999-000000000000",
  "ballast:location": "westeurope",
  "ballast:registry": "example",
  "ballast:controlPlaneImage": "example.azurecr.io/control-plane:1",
  "ballast:storefrontImage": "example.azurecr.io/storefront:1",
  "ballast:deadMansSwitchImage": "example.azurecr.io/dead-mans-switch:1",
});
export const local = stackConfig(parse(readFileSync("Pulumi.local.yaml", "utf8")).config);
export const subnet = (name: string) =>
  `/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/${name}`;
export const zone = (name: string) =>
  `/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/${name}`;
export const network = (choice: object) => ({ "ballast:network": JSON.stringify(choice) });
export const ids = {
  environmentSubnet: subnet("apps"),
  databaseSubnet: subnet("database"),
  databaseZone: zone("shop.postgres.database.azure.com"),
};
export const zoned = {
  "ballast:zoneRedundant": "true",
  ...network({ environmentSubnet: subnet("apps") }),
  "ballast:databaseSku": "Standard_D2ds_v5",
  "ballast:replicas": '{"storefrontMin":3,"controlPlaneMin":2}',
};
export const pinned = `example.azurecr.io/any@sha256:${"0".repeat(64)}`;
export const secret = ["ballast:databasePassword"];
