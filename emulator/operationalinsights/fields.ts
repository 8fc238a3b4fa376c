// Every field of Microsoft.OperationalInsights/workspaces, and what the emulator does with it.
import { alike, commonFields, type FieldClasses, neverShown, numberMax } from "../arm/field-classes.ts";

/** The classes of the fields of a workspace. */
export const workspaceFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    "properties.provisioningState": "read-only",
    "properties.customerId": "read-only; names the workspace in queries",
    "properties.createdDate": "read-only",
    "properties.modifiedDate": "read-only",
  },
  validated: {
    "properties.sku.name": "one of Azure's",
    "properties.retentionInDays": "30 to 730, or 7 for the free tier; rows are kept by number, not by age",
    "properties.workspaceCapping.dailyQuotaGb": "-1 or more than 0; nothing is capped",
  },
  inert: {
    etag: "kept and shown",
    "properties.sku.capacityReservationLevel": "nothing is billed",
    "properties.publicNetworkAccessForIngestion": "the emulator is on loopback only",
    "properties.publicNetworkAccessForQuery": "the emulator is on loopback only",
    "properties.forceCmkForQuery": "there are no customer-managed keys",
    "properties.features.enableDataExport": "nothing is exported",
    "properties.features.immediatePurgeDataOn30Days": "rows are kept by number, not by age",
    "properties.features.enableLogAccessUsingOnlyResourcePermissions": "queries need a role on the workspace",
    "properties.features.disableLocalAuth": "shared keys open nothing here",
  },
  unsupported: {
    "identity.type": { why: "identities of workspaces", harmless: ["None"] },
    "identity.userAssignedIdentities": { why: "identities of workspaces" },
    "properties.features.clusterResourceId": { why: "dedicated clusters" },
    "properties.defaultDataCollectionRuleResourceId": { why: "data collection rules" },
    ...alike(
      neverShown,
      "identity.principalId",
      "identity.tenantId",
      "properties.sku.lastSkuUpdate",
      "properties.workspaceCapping.quotaNextResetTime",
      "properties.workspaceCapping.dataIngestionStatus",
      "properties.privateLinkScopedResources",
      "properties.features.unifiedSentinelBillingOnly",
    ),
  },
  decimals: ["properties.workspaceCapping.dailyQuotaGb"],
  ranges: {
    "properties.sku.capacityReservationLevel": [100, 50000],
    "properties.retentionInDays": [7, 730],
    "properties.workspaceCapping.dailyQuotaGb": [-1, numberMax],
  },
};
