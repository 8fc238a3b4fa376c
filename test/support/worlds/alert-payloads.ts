// Payloads of Azure Monitor as its documentation shows them (learn.microsoft.com: common alert schema, its samples, and
// the webhook schemas of metric alerts, log alerts, activity log alerts and smart detection), with short ids.

const essentials = (more: object = {}) => ({
  alertId: "/subscriptions/S/providers/Microsoft.AlertsManagement/alerts/B9569717-BC32-442F-ADD5-83A997729330",
  alertRule: "WCUS-R2-Gen2",
  severity: "Sev3",
  signalType: "Metric",
  monitorCondition: "Fired",
  monitoringService: "Platform",
  alertTargetIDs: [
    "/subscriptions/s/resourcegroups/pipelinealertrg/providers/microsoft.compute/virtualmachines/wcus-r2-gen2",
  ],
  configurationItems: ["wcus-r2-gen2"],
  originAlertId: "3f2d4487-b0fc-4125-8bd5-7ad17384221e_PipeLineAlertRG_microsoft.insights_metricAlerts_WCUS-R2-Gen2",
  firedDateTime: "2019-03-22T13:58:24.3713213Z",
  resolvedDateTime: "2019-03-22T14:03:16.2246313Z",
  description: "",
  essentialsVersion: "1.0",
  alertContextVersion: "1.0",
  ...more,
});

/** Gives a payload of the common schema. */
export const common = (more: object = {}, alertContext: unknown = null) => ({
  schemaId: "azureMonitorCommonAlertSchema",
  data: { essentials: essentials(more), alertContext },
});

const allOf = (conditionType: string, condition: object) => ({
  properties: null,
  conditionType,
  condition: {
    windowSize: "PT5M",
    allOf: [condition],
    windowStartTime: "2019-03-22T13:40:03.064Z",
    windowEndTime: "2019-03-22T13:45:03.064Z",
  },
});

export const metric = common(
  {},
  allOf("SingleResourceMultipleMetricCriteria", {
    metricName: "Percentage CPU",
    metricNamespace: "Microsoft.Compute/virtualMachines",
    operator: "GreaterThan",
    threshold: "25",
    timeAggregation: "Average",
    dimensions: [{ name: "ResourceId", value: "3efad9dc-3d50-4eac-9c87-8b3fd6f97e4e" }],
    metricValue: 7.727,
  }),
);
export const dynamic = common(
  {},
  allOf("DynamicThresholdCriteria", {
    alertSensitivity: "High",
    failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
    ignoreDataBefore: null,
    metricName: "Egress",
    metricNamespace: "microsoft.storage/storageaccounts",
    operator: "GreaterThan",
    threshold: "47658",
    timeAggregation: "Total",
    dimensions: [],
    metricValue: 50101,
  }),
);
export const availability = common(
  {},
  allOf("WebtestLocationAvailabilityCriteria", {
    metricName: "Failed Location",
    metricNamespace: null,
    operator: "GreaterThan",
    threshold: "2",
    timeAggregation: "Sum",
    dimensions: [],
    metricValue: 5,
    webTestName: "myAvailabilityTest",
  }),
);
export const log = common(
  {
    signalType: "Log",
    monitoringService: "Log Alerts V2",
    alertRule: "app-failing",
    alertTargetIDs: ["/subscriptions/s/resourceGroups/shop/providers/Microsoft.OperationalInsights/workspaces/w"],
  },
  allOf("LogQueryCriteria", {
    searchQuery: "ContainerAppHTTPLogs | summarize by ContainerAppName",
    metricMeasureColumn: null,
    targetResourceTypes: "['Microsoft.OperationalInsights/workspaces']",
    operator: "GreaterThan",
    threshold: "0",
    timeAggregation: "Count",
    dimensions: [{ name: "ContainerAppName", value: "Storefront" }],
    metricValue: 3,
    failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
    linkToSearchResultsUI: "https://portal.azure.com",
    linkToFilteredSearchResultsUI: "https://portal.azure.com",
    linkToSearchResultsAPI: "https://api.loganalytics.io/v1/workspaces/w/query",
    linkToFilteredSearchResultsAPI: "https://api.loganalytics.io/v1/workspaces/w/query",
  }),
);
export const simpleLog = common(
  { signalType: "Log", monitoringService: "Simple Log Alert" },
  {
    ...allOf("LogQueryCriteria", { searchQuery: "Heartbeat", metricMeasureColumn: null, dimensions: null }),
    event: [[{ name: "Computer", value: "a" }]],
  },
);
export const activity = common(
  { signalType: "Activity Log", monitoringService: "Activity Log - Administrative", severity: "Sev4" },
  { authorization: { action: "Microsoft.Compute/virtualMachines/restart/action", scope: "/s" }, status: "Succeeded" },
);
export const serviceHealth = common(
  { signalType: "Activity Log", monitoringService: "ServiceHealth", severity: "Sev4" },
  { properties: { title: "Azure service trouble", incidentType: "Incident" } },
);
export const resourceHealth = common(
  { signalType: "Activity Log", monitoringService: "Resource Health", severity: "Sev4" },
  { properties: { currentHealthStatus: "Unavailable", previousHealthStatus: "Available", cause: "PlatformInitiated" } },
);
export const prometheus = common(
  { monitoringService: "Prometheus", alertRule: "Prometheus alert" },
  { interval: "PT1M", expression: "sql_up > 0", expressionValue: "0", for: "PT2M", labels: {}, annotations: {} },
);
export const smartDetection = common(
  { signalType: "Log", monitoringService: "Smart Detector" },
  {
    DetectionSummary: "Smart Detection summary",
  },
);
export const logV1 = common(
  { signalType: "Log", monitoringService: "Log Analytics" },
  {
    SearchQuery: "Perf",
    SearchIntervalEndtimeUtc: "3/22/2019 1:36:31 PM",
    ResultCount: 2,
    IncludedSearchResults: "True",
  },
);

export const legacyMetric = {
  schemaId: "AzureMonitorMetricAlert",
  data: {
    version: "2.0",
    status: "Activated",
    context: {
      timestamp: "2018-02-28T10:44:10.1714014Z",
      id: "/subscriptions/s/resourceGroups/rg/providers/microsoft.insights/metricAlerts/StorageCheck",
      name: "StorageCheck",
      severity: "3",
      resourceId: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/diag500",
    },
  },
};
export const legacyLog = {
  SubscriptionId: "s",
  AlertRuleName: "AcmeRule",
  SearchQuery: "search *",
  SearchIntervalStartTimeUtc: "2018-03-26T08:10:40Z",
  SearchIntervalEndtimeUtc: "2018-03-26T09:10:40Z",
  AlertThresholdOperator: "Greater Than",
  Severity: "Warning",
};
export const legacyLogEnvelope = { schemaId: "Microsoft.Insights/LogAlert", data: legacyLog };
export const legacyActivity = {
  schemaId: "Microsoft.Insights/activityLogs",
  data: {
    status: "Activated",
    context: {
      activityLog: {
        operationName: "Microsoft.Resources/deployments/validate/action",
        eventTimestamp: "2017-03-29T15:43:08.0019532+00:00",
        resourceId: "/subscriptions/s/resourceGroups/rg",
      },
    },
  },
};
export const legacySmartDetection = {
  schemaId: "SmartDetectorAlert",
  data: { AlertRuleName: "Failure Anomalies", EventOccurredUtc: "2019-03-22T13:58:24Z" },
};

/** An item of the alerts API, as `GET …/providers/Microsoft.AlertsManagement/alerts?includeContext=true` lists it. */
export const listed = {
  id: "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/66114d64-d9d9-478b-95c9-b789d6502100",
  type: "Microsoft.AlertsManagement/alerts",
  name: "app-failing",
  properties: {
    essentials: {
      severity: "Sev1",
      signalType: "Log",
      alertState: "New",
      monitorCondition: "Fired",
      targetResource: "/subscriptions/s/resourceGroups/shop/providers/microsoft.operationalinsights/workspaces/w",
      monitorService: "Log Alerts V2",
      alertRule: "/subscriptions/s/resourceGroups/shop/providers/microsoft.insights/scheduledqueryrules/App-Failing",
      startDateTime: "2020-03-10T05:30:20.147Z",
      lastModifiedDateTime: "2020-03-10T05:30:20.147Z",
    },
    context: { context: log.data.alertContext },
  },
};
