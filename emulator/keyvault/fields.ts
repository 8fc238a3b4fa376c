// Every field of Microsoft.KeyVault/vaults, and what the emulator does with it.
import { alike, commonFields, type FieldClasses } from "../arm/field-classes.ts";

const loopback = "the emulator is on loopback only";

/** The classes of the fields of a vault. */
export const vaultFields: FieldClasses = {
  modelled: {
    ...commonFields,
    name: "3 to 24 letters, digits or '-'; unique in all of Azure, deleted vaults included",
    location: "never changes",
    tags: "kept and shown",
    "properties.vaultUri": "read-only; the vault's own host",
    "properties.provisioningState": "read-only",
    "properties.enableRbacAuthorization": "roles decide about secrets; without it nobody may read or write them",
    "properties.enableSoftDelete": "always on; false is refused",
    "properties.softDeleteRetentionInDays": "7 to 90, and never changes; deleted vaults and secrets are purged then",
    "properties.enablePurgeProtection": "forbids purging, and is never taken back; false is refused",
    "properties.createMode": "recover brings a deleted vault back with its secrets",
  },
  validated: {
    "properties.tenantId": "the one directory of the emulator",
    "properties.sku.family": "A",
    "properties.sku.name": "one of Azure's; there are no keys",
    "properties.publicNetworkAccess": `enabled or disabled; ${loopback}`,
  },
  inert: {
    "properties.enabledForDeployment": "there are no virtual machines",
    "properties.enabledForDiskEncryption": "there are no virtual machines",
    "properties.enabledForTemplateDeployment": "there are no template deployments",
    "properties.networkAcls": loopback,
  },
  unsupported: {
    ...alike(
      { why: "access policies of vaults; use enableRbacAuthorization and roles" },
      ...["tenantId", "objectId", "applicationId", "permissions"].map((each) => `properties.accessPolicies[].${each}`),
    ),
    "properties.hsmPoolResourceId": { why: "is never shown" },
    "properties.privateEndpointConnections": { why: "is never shown" },
  },
  ranges: {
    "properties.softDeleteRetentionInDays": [7, 90],
  },
};
