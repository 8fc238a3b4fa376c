// Every field of Microsoft.ContainerRegistry/registries, and what the emulator does with it.
import { alike, commonFields, type FieldClasses, neverShown } from "../arm/field-classes.ts";

const policies = "properties.policies";
const encryption = "properties.encryption";

/** The classes of the fields of a registry. */
export const registryFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    "sku.tier": "read-only",
    "properties.loginServer": "read-only; names the registry in images",
    "properties.creationDate": "read-only",
    "properties.provisioningState": "read-only",
  },
  validated: {
    "sku.name": "one of Azure's; only Premium has zone redundancy and private access",
    [`${policies}.retentionPolicy.days`]: "a whole number; no image is ever removed",
    [`${policies}.softDeletePolicy.retentionDays`]: "a whole number; no image is ever removed",
  },
  inert: {
    "properties.adminUserEnabled": "the registry gives no passwords",
    "properties.networkRuleSet": "the emulator is on loopback only",
    "properties.dataEndpointEnabled": "there are no images to fetch",
    "properties.publicNetworkAccess": "the emulator is on loopback only",
    "properties.networkRuleBypassOptions": "the emulator is on loopback only",
    "properties.zoneRedundancy": "there is one zone",
    [`${policies}.quarantinePolicy`]: "there are no images to hold back",
    [`${policies}.trustPolicy`]: "there are no images to sign",
    [`${policies}.retentionPolicy.status`]: "no image is ever removed",
    [`${policies}.exportPolicy`]: "there are no images to export",
    [`${policies}.azureADAuthenticationAsArmPolicy`]: "images are pulled with identities only",
    [`${policies}.softDeletePolicy.status`]: "no image is ever removed",
  },
  unsupported: {
    "identity.type": { why: "identities of registries", harmless: ["None"] },
    ...alike(
      { why: "identities of registries" },
      ...["principalId", "tenantId", "userAssignedIdentities"].map((each) => `identity.${each}`),
    ),
    "properties.anonymousPullEnabled": { why: "pulls without an identity", harmless: [false] },
    [`${encryption}.status`]: { why: "customer-managed keys", harmless: ["disabled"] },
    [`${encryption}.keyVaultProperties`]: { why: "customer-managed keys" },
    ...alike(
      neverShown,
      "properties.status",
      "properties.dataEndpointHostNames",
      "properties.privateEndpointConnections",
      `${policies}.retentionPolicy.lastUpdatedTime`,
      `${policies}.softDeletePolicy.lastUpdatedTime`,
    ),
  },
  ranges: {
    [`${policies}.retentionPolicy.days`]: [0, 365],
    [`${policies}.softDeletePolicy.retentionDays`]: [1, 90],
  },
};
