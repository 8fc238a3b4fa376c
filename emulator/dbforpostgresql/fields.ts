// Every field of flexible servers and their children, and what the emulator does with it.
import { alike, commonFields, type FieldClasses, neverShown, type UnsupportedField } from "../arm/field-classes.ts";

const ofServer = (...names: readonly string[]): readonly string[] => names.map((each) => `properties.${each}`);
const oneServer = "the one PostgreSQL server behind the emulator decides";
const copies: UnsupportedField = { why: "replicas, restores and clusters of flexible servers" };
const entra: UnsupportedField = { why: "sign-in to PostgreSQL with Entra tokens" };

/** The classes of the fields of a flexible server. */
export const flexibleServerFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    "properties.administratorLogin": "a login of the real PostgreSQL; never changes",
    "properties.administratorLoginPassword": "its password, by Azure's rules of complexity; write-only",
    "properties.fullyQualifiedDomainName": "read-only; the real server's host",
    "properties.state": "read-only",
    "properties.network.delegatedSubnetResourceId": "must exist and be delegated; closes the server to the public",
    "properties.network.privateDnsZoneArmResourceId": "must exist and have the right name",
  },
  validated: {
    "properties.version": "one that Azure offers, and never a lower one; the real server has its own",
    "properties.storage.storageSizeGB": "one of Azure's sizes, and never a smaller one; nothing is limited",
    "properties.storage.iops": "a whole number; nothing is limited",
    "properties.storage.throughput": "a whole number; nothing is limited",
    "properties.backup.backupRetentionDays": "7 to 35; nothing is backed up",
    "sku.tier": "one of Azure's; nothing is limited",
    "sku.name": "a size of the tier; nothing is limited",
    "properties.availabilityZone": "1 to 3, and only exchanged with that of a standby; there are no zones",
    "properties.highAvailability.mode": "none for Burstable; there is no standby",
    "properties.highAvailability.standbyAvailabilityZone": "one that fits the mode; there is no standby",
    "properties.backup.geoRedundantBackup": "never changes; nothing is backed up",
    "properties.maintenanceWindow.customWindow": "Enabled or Disabled; nothing is maintained",
  },
  inert: {
    ...alike(oneServer, ...ofServer("maintenanceWindow.dayOfWeek", "maintenanceWindow.startHour")),
    ...alike(oneServer, ...ofServer("maintenanceWindow.startMinute", "storage.autoGrow", "storage.tier")),
    ...alike(oneServer, ...ofServer("storage.type")),
    "properties.network.publicNetworkAccess": "the emulator is on loopback only",
    "properties.authConfig.tenantId": "there is one directory",
  },
  unsupported: {
    "properties.authConfig.activeDirectoryAuth": { ...entra, harmless: ["Disabled"] },
    "properties.authConfig.passwordAuth": { ...entra, harmless: ["Enabled"] },
    "properties.dataEncryption.type": { why: "customer-managed keys", harmless: ["SystemManaged"] },
    ...alike(
      { why: "customer-managed keys" },
      ...ofServer(
        "dataEncryption.primaryKeyURI",
        "dataEncryption.primaryUserAssignedIdentityId",
        "dataEncryption.geoBackupKeyURI",
        "dataEncryption.geoBackupUserAssignedIdentityId",
      ),
    ),
    "properties.createMode": { ...copies, harmless: ["Default", "Create", "Update"] },
    "properties.replicationRole": { ...copies, harmless: ["None", "Primary"] },
    "properties.replica.role": { ...copies, harmless: ["None", "Primary"] },
    ...alike(
      copies,
      ...ofServer("sourceServerResourceId", "pointInTimeUTC", "replica.promoteMode", "replica.promoteOption"),
      ...ofServer("cluster"),
    ),
    "identity.type": { why: "identities of flexible servers", harmless: ["None"] },
    ...alike({ why: "identities of flexible servers" }, "identity.principalId", "identity.userAssignedIdentities"),
    ...alike(
      neverShown,
      "identity.tenantId",
      ...ofServer(
        "minorVersion",
        "dataEncryption.primaryEncryptionKeyStatus",
        "dataEncryption.geoBackupEncryptionKeyStatus",
        "backup.earliestRestoreDate",
        "highAvailability.state",
        "replicaCapacity",
        "replica.capacity",
        "replica.replicationState",
        "privateEndpointConnections",
      ),
    ),
  },
  ranges: {
    "properties.storage.storageSizeGB": [32, 65536],
    "properties.storage.iops": [0, 80000],
    "properties.storage.throughput": [0, 1200],
    "properties.backup.backupRetentionDays": [7, 35],
    "properties.maintenanceWindow.startHour": [0, 23],
    "properties.maintenanceWindow.startMinute": [0, 59],
    "properties.maintenanceWindow.dayOfWeek": [0, 6],
  },
};

/** The classes of the fields of a server parameter. */
export const configurationFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.value": "one that Azure allows; its effect depends on the parameter",
    "properties.source": "user-override or system-default; that of a default value is system-default",
    ...alike("read-only", ...ofServer("allowedValues", "dataType", "defaultValue", "isDynamicConfig", "isReadOnly")),
    "properties.isConfigPendingRestart": "read-only; true for a static parameter until a restart",
  },
  validated: {},
  inert: {},
  unsupported: alike(neverShown, ...ofServer("description", "documentationLink", "unit")),
};

/** The classes of the fields of a database. */
export const databaseFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.charset": "UTF8; others are refused by name",
    "properties.collation": "en_US.utf8; others are refused by name",
  },
  validated: {},
  inert: {},
  unsupported: {},
};

/** The classes of the fields of a firewall rule. */
export const firewallRuleFields: FieldClasses = {
  modelled: { ...commonFields },
  validated: {
    "properties.startIpAddress": "an IPv4 address, not after the end; opens and closes nothing",
    "properties.endIpAddress": "an IPv4 address; opens and closes nothing",
  },
  inert: {},
  unsupported: {},
};

/** The classes of the fields of an Entra administrator, all of whom are refused. */
export const administratorFields: FieldClasses = {
  modelled: { ...commonFields },
  validated: {},
  inert: {},
  unsupported: alike(entra, ...ofServer("principalType", "principalName", "tenantId", "objectId")),
};
