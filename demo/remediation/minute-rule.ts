// A log alert rule that looks each minute. It resolves after a minute without the symptom, where Azure's own time is
// ten.

/** Gives the rule as Azure takes it: it fires for each app of which the query has a row. */
export const minuteRule = (workspaceId: string, query: string, severity: number): object => ({
  location: "westeurope",
  properties: {
    scopes: [workspaceId],
    severity,
    evaluationFrequency: "PT1M",
    windowSize: "PT1M",
    autoMitigate: true,
    resolveConfiguration: { autoResolved: true, timeToResolve: "PT1M" },
    criteria: {
      allOf: [
        {
          query,
          timeAggregation: "Count",
          operator: "GreaterThan",
          threshold: 0,
          dimensions: [{ name: "ContainerAppName", operator: "Include", values: ["*"] }],
        },
      ],
    },
  },
});
