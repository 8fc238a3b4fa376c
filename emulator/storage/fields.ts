// Every field of Microsoft.Storage/storageAccounts, and what the emulator does with it. An account here has two keys
// and a blob service that lists its containers, of which there are none.
import { alike, commonFields, type FieldClasses, neverShown } from "../arm/field-classes.ts";

const loopback = "the emulator is on loopback only";
const empty = "there is no data";

const { systemData: _, ...known } = commonFields;

/** The classes of the fields of a storage account. */
export const storageAccountFields: FieldClasses = {
  modelled: {
    ...known,
    name: "3 to 24 lower-case letters or digits; unique in all of Azure",
    location: "never changes",
    tags: "kept and shown",
    "sku.tier": "read-only",
    "properties.allowSharedKeyAccess": "false refuses every request that a key signs",
    "properties.creationTime": "read-only",
    "properties.keyCreationTime": "read-only; when each key was made",
    "properties.primaryEndpoints": "read-only; the account's own hosts",
    "properties.primaryLocation": "read-only",
    "properties.statusOfPrimary": "read-only",
    "properties.provisioningState": "read-only",
  },
  validated: {
    "sku.name": "one of Azure's",
    kind: "one of Azure's; never changes",
    "properties.accessTier": "one of Azure's",
    "properties.minimumTlsVersion": "one of Azure's; the emulator speaks TLS 1.2 and 1.3",
    "properties.publicNetworkAccess": `one of Azure's; ${loopback}`,
    "properties.allowedCopyScope": "one of Azure's",
    "properties.dnsEndpointType": "one of Azure's",
    "properties.largeFileSharesState": "one of Azure's",
  },
  inert: {
    "properties.allowBlobPublicAccess": empty,
    "properties.allowCrossTenantReplication": empty,
    "properties.defaultToOAuthAuthentication": "there is no portal",
    "properties.isLocalUserEnabled": "there is no SFTP",
    "properties.networkAcls": loopback,
    "properties.routingPreference": loopback,
    "properties.supportsHttpsTrafficOnly": "the emulator serves https only",
    "properties.keyPolicy": "it is for information: no key expires",
    "properties.sasPolicy": "there are no shared access signatures",
    "properties.encryption": empty,
    "properties.immutableStorageWithVersioning": empty,
  },
  unsupported: {
    ...alike({ why: "identities of storage accounts" }, "identity"),
    extendedLocation: { why: "extended locations" },
    "properties.customDomain": { why: "custom domains of storage accounts" },
    "properties.azureFilesIdentityBasedAuthentication": { why: "file shares" },
    "properties.enableExtendedGroups": { why: "file shares", harmless: [false] },
    "properties.isHnsEnabled": { why: "hierarchical namespaces", harmless: [false] },
    "properties.isNfsV3Enabled": { why: "NFS", harmless: [false] },
    "properties.isSftpEnabled": { why: "SFTP", harmless: [false] },
    ...alike(
      neverShown,
      ...[
        "accountMigrationInProgress",
        "blobRestoreStatus",
        "failoverInProgress",
        "geoReplicationStats",
        "isSkuConversionBlocked",
        "lastGeoFailoverTime",
        "privateEndpointConnections",
        "secondaryEndpoints",
        "secondaryLocation",
        "statusOfSecondary",
        "storageAccountSkuConversionStatus",
      ].map((each) => `properties.${each}`),
    ),
  },
};
