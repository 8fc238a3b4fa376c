// Every field of the served types of Microsoft.Insights, and what the emulator does with it.
import {
  alike,
  commonFields,
  type FieldClasses,
  neverShown,
  numberMax,
  trackedFields,
  type UnsupportedField,
} from "../arm/field-classes.ts";

const properties = (...names: readonly string[]): readonly string[] => names.map((each) => `properties.${each}`);
const criterion = (...names: readonly string[]): readonly string[] =>
  names.map((each) => `properties.criteria.allOf[].${each}`);
const criteriaOfWebTests = ["webTestId", "componentId", "failedLocationCount"].map(
  (each) => `properties.criteria.${each}`,
);
const ownIdentity: UnsupportedField = { why: "identities of Azure Monitor's resources", harmless: ["None"] };
const otherSinks: UnsupportedField = { why: "sinks of logs that are no workspace" };
const dynamic: UnsupportedField = { why: "rules with dynamic thresholds" };

/** The classes of the fields of an Application Insights component. */
export const componentFields: FieldClasses = {
  modelled: {
    ...trackedFields,
    ...alike(
      "read-only",
      ...properties("AppId", "ApplicationId", "Name", "TenantId", "CreationDate", "provisioningState"),
    ),
    "properties.InstrumentationKey": "read-only; names the component in telemetry",
    "properties.ConnectionString": "read-only; leads to this cloud",
    "properties.WorkspaceResourceId": "required; holds the component's tables",
    "properties.DisableLocalAuth": "telemetry needs a token and the right to publish",
  },
  validated: {
    ...alike("one of Azure's", ...properties("Application_Type", "Flow_Type", "Request_Source")),
    "properties.RetentionInDays": "one of Azure's periods; rows are kept by number, not by age",
    "properties.SamplingPercentage": "more than 0, at most 100; every item that arrives is kept",
  },
  inert: {
    kind: "kept and shown",
    etag: "kept and shown",
    "properties.DisableIpMasking": "no addresses are kept",
    "properties.ImmediatePurgeDataOn30Days": "rows are kept by number, not by age",
    "properties.publicNetworkAccessForIngestion": "the emulator is on loopback only",
    "properties.publicNetworkAccessForQuery": "the emulator is on loopback only",
    "properties.ForceCustomerStorageForProfiler": "there is no profiler",
  },
  unsupported: {
    "properties.HockeyAppId": { why: "HockeyApp, which is retired" },
    "properties.IngestionMode": { why: "classic components", harmless: ["LogAnalytics"] },
    ...alike(neverShown, ...properties("HockeyAppToken", "LaMigrationDate", "PrivateLinkScopedResources")),
  },
  decimals: ["properties.SamplingPercentage"],
  ranges: {
    "properties.SamplingPercentage": [0, 100],
    "properties.RetentionInDays": [30, 730],
  },
};

const receivers = (kind: string, ...names: readonly string[]): readonly string[] =>
  names.map((each) => `properties.${kind}Receivers[].${each}`);

/** The classes of the fields of an action group. */
export const actionGroupFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "kept and shown",
    tags: "kept and shown",
    "properties.enabled": "a disabled group notifies nobody",
    ...alike("gets alerts if it is on loopback", ...receivers("webhook", "serviceUri")),
    ...alike("a receiver of an older schema gets nothing", ...receivers("webhook", "useCommonAlertSchema")),
  },
  validated: {
    "properties.groupShortName": "1 to 12 characters",
    ...alike("unique in the group", ...receivers("email", "name"), ...receivers("webhook", "name")),
    ...alike("an address; nothing is sent", ...receivers("email", "emailAddress")),
    ...alike("with an application's object id; no token is sent", ...receivers("webhook", "useAadAuth", "objectId")),
  },
  inert: {
    ...alike("no e-mail is sent", ...receivers("email", "useCommonAlertSchema")),
    ...alike("no token is sent", ...receivers("webhook", "identifierUri", "tenantId")),
    ...alike(
      "only webhooks are notified",
      ...properties(
        "smsReceivers[].name",
        "smsReceivers[].countryCode",
        "smsReceivers[].phoneNumber",
        "itsmReceivers",
        "azureAppPushReceivers",
        "automationRunbookReceivers",
        "voiceReceivers",
        "logicAppReceivers",
        "azureFunctionReceivers",
        "armRoleReceivers",
        "eventHubReceivers",
        "incidentReceivers",
      ),
    ),
  },
  unsupported: {
    "identity.type": ownIdentity,
    "identity.userAssignedIdentities": ownIdentity,
    ...alike({ why: "webhooks with a managed identity" }, ...receivers("webhook", "managedIdentity")),
    ...alike(neverShown, "identity.principalId", "identity.tenantId"),
    ...alike(neverShown, ...receivers("email", "status"), ...receivers("sms", "status")),
  },
};

/** The classes of the fields of a scheduled query rule, which is evaluated on the rows of its workspace. */
export const scheduledQueryRuleFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    "properties.enabled": "a disabled rule is not evaluated",
    "properties.severity": "0 to 4; that of its alerts",
    "properties.scopes": "at least one existing resource; the rows are those of the first",
    "properties.evaluationFrequency": "one of Azure's periods; how often the rule is evaluated",
    "properties.windowSize": "one of Azure's periods, not shorter than the frequency; what an evaluation looks at",
    "properties.overrideQueryTimeRange": "not shorter than the window; what the query looks at instead",
    "properties.muteActionsDuration": "not shorter than the frequency, and not with autoMitigate; actions rest so long",
    "properties.autoMitigate": "not with muteActionsDuration; an alert fires once until it resolves",
    "properties.resolveConfiguration": "when an alert resolves, instead of Azure's own times",
    "properties.actions.actionGroups": "existing action groups, which are notified",
    "properties.actions.customProperties": "in the payloads of its alerts",
    "properties.description": "in the payloads of its alerts",
    ...alike("a query that the emulator evaluates, unless its check is skipped", ...criterion("query")),
    ...alike("a numeric column of the query, for every aggregation but Count", ...criterion("metricMeasureColumn")),
    ...alike("columns of the query, an alert for each combination", ...criterion("dimensions[].name")),
    ...alike("one of Azure's; decides", ...criterion("timeAggregation", "operator", "dimensions[].operator")),
    ...alike("at least one; selects series", ...criterion("dimensions[].values")),
    ...alike("a number; compared with the value", ...criterion("threshold")),
    ...alike("1 to 6, of which so many must fail", ...criterion("failingPeriods")),
  },
  validated: {
    "properties.skipQueryValidation": "skips the check of the query",
    "properties.createdWithApiVersion": "read-only",
  },
  inert: {
    "properties.displayName": "kept and shown",
    "properties.targetResourceTypes": "the scope is a workspace",
    "properties.checkWorkspaceAlertsStorageConfigured": "workspaces have no storage of their own",
    "properties.actions.actionProperties": "no receiver reads them",
    ...alike("alerts name the scope of their rule", ...criterion("resourceIdColumn")),
    ...alike("only rules of another kind count recurrences", ...criterion("minRecurrenceCount")),
  },
  unsupported: {
    kind: { why: "rules of another kind than LogAlert", harmless: ["LogAlert"] },
    "identity.type": ownIdentity,
    "identity.userAssignedIdentities": ownIdentity,
    ...alike({ ...dynamic, harmless: ["StaticThresholdCriterion"] }, ...criterion("criterionType")),
    ...alike(dynamic, ...criterion("alertSensitivity", "ignoreDataBefore")),
    ...alike({ why: "rules that make metrics" }, ...criterion("metricName")),
    ...alike(
      neverShown,
      "etag",
      "identity.principalId",
      "identity.tenantId",
      ...properties("isLegacyLogAnalyticsRule", "isWorkspaceAlertsStorageConfigured"),
    ),
  },
  decimals: criterion("threshold"),
  ranges: {
    "properties.severity": [0, 4],
    ...alike([1, 6] as const, ...criterion("failingPeriods.numberOfEvaluationPeriods")),
    ...alike([1, 6] as const, ...criterion("failingPeriods.minFailingPeriodsToAlert")),
    ...alike([0, numberMax] as const, ...criterion("minRecurrenceCount")),
  },
};

/** The classes of the fields of a metric alert rule. It fires on metrics that stored rows show. */
export const metricAlertFields: FieldClasses = {
  modelled: {
    ...trackedFields,
    "properties.severity": "0 to 4; that of its alerts",
    "properties.enabled": "a disabled rule never fires",
    "properties.description": "in the payloads of its alerts",
    "properties.evaluationFrequency": "one of Azure's periods; how often it is evaluated",
    "properties.windowSize": "one of Azure's periods, not shorter than the frequency; the rows that are seen",
    "properties.autoMitigate": "whether an alert stays fired, and resolves after three checks",
    "properties.actions[].actionGroupId": "an existing action group, which gets its alerts",
    ...alike("compared with the metric", ...criterion("threshold", "operator", "timeAggregation")),
    ...alike("Include or Exclude, with a value; an alert for each value", ...criterion("dimensions")),
  },
  validated: {
    "properties.scopes": "one existing resource",
    "properties.criteria.odata.type": "the static criteria of one resource",
    ...alike("a metric of the resource's type", ...criterion("metricName", "metricNamespace")),
    ...alike("StaticThresholdCriterion", ...criterion("criterionType")),
  },
  inert: {
    ...alike("the metric is known, or the rule refused", ...criterion("name", "skipMetricValidation")),
    ...alike("a payload has no properties of its rule", ...properties("actions[].webHookProperties")),
    ...alike("the scope is one resource", ...properties("targetResourceType", "targetResourceRegion")),
  },
  unsupported: {
    ...alike(dynamic, ...criterion("alertSensitivity", "failingPeriods", "ignoreDataBefore")),
    ...alike({ why: "rules on availability tests" }, ...criteriaOfWebTests),
    ...alike(neverShown, ...properties("lastUpdatedTime", "isMigrated")),
  },
  decimals: criterion("threshold"),
  ranges: { "properties.severity": [0, 4] },
};

/** The classes of the fields of a diagnostic setting. */
export const diagnosticSettingFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.workspaceId": "must exist; gets the rows of an environment's apps",
    "properties.logs[].category": "one of those of the resource's type",
    "properties.logs[].categoryGroup": "allLogs or audit, if the resource's type has it",
    "properties.logs[].enabled": "rows of a disabled category go nowhere",
  },
  validated: {
    "properties.metrics[].category": "AllMetrics; there are no metrics",
    ...alike(
      "no days: Azure keeps logs by the workspace's own rule",
      "properties.logs[].retentionPolicy",
      "properties.metrics[].retentionPolicy",
    ),
    "properties.logAnalyticsDestinationType": "Dedicated or AzureDiagnostics; rows go to tables of their own",
  },
  inert: {
    "properties.metrics[].enabled": "there are no metrics",
    "properties.metrics[].timeGrain": "there are no metrics",
  },
  unsupported: alike(
    otherSinks,
    ...properties(
      "storageAccountId",
      "serviceBusRuleId",
      "eventHubAuthorizationRuleId",
      "eventHubName",
      "marketplacePartnerId",
    ),
  ),
  ranges: {
    "properties.logs[].retentionPolicy.days": [0, 365],
    "properties.metrics[].retentionPolicy.days": [0, 365],
  },
};

/** The classes of the fields of a workbook, which people open in the portal. */
export const workbookFields: FieldClasses = {
  modelled: {
    ...commonFields,
    name: "a GUID",
    location: "never changes",
    tags: "kept and shown",
    ...alike("read-only", ...properties("timeModified", "userId", "revision")),
  },
  validated: {
    kind: "shared",
    "properties.displayName": "required, and not empty",
    "properties.serializedData": "required; the JSON of a workbook, with a version and items",
    "properties.sourceId": "a resource's id, or Azure Monitor",
  },
  inert: {
    etag: "kept and shown",
    ...alike("there is no portal", ...properties("category", "version", "description", "tags")),
  },
  unsupported: {
    "identity.type": ownIdentity,
    "identity.userAssignedIdentities": ownIdentity,
    "properties.storageUri": { why: "workbooks in a storage account" },
    ...alike(neverShown, "identity.principalId", "identity.tenantId"),
  },
};
