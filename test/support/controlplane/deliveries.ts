// A delivery of Azure Monitor's secure webhook, in the common alert schema, with a test's changes.

/** Gives the payload of a log alert about an app that is declared. */
export const deliveryOf = (essentials: object = {}, context: object = {}) => ({
  schemaId: "azureMonitorCommonAlertSchema",
  data: {
    essentials: {
      alertId:
        "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.AlertsManagement/alerts/" +
        "66114d64-d9d9-478b-95c9-b789d6502100",
      alertRule: "App-Failing",
      severity: "Sev1",
      signalType: "Log",
      monitorCondition: "Fired",
      monitoringService: "Log Alerts V2",
      alertTargetIDs: ["/subscriptions/s/resourcegroups/shop/providers/microsoft.operationalinsights/workspaces/logs"],
      firedDateTime: "2031-01-01T12:00:00Z",
      essentialsVersion: "1.0",
      alertContextVersion: "1.0",
      ...essentials,
    },
    alertContext: {
      conditionType: "LogQueryCriteria",
      condition: {
        windowSize: "PT5M",
        allOf: [
          {
            operator: "GreaterThan",
            threshold: "5",
            timeAggregation: "Average",
            dimensions: [{ name: "ContainerAppName", value: "StoreFront" }],
            metricValue: 9,
            ...context,
          },
        ],
      },
    },
    customProperties: {},
  },
});
