// The alert rule on failed requests that the tests of remediations act on, with one alert for each app.
import type { Shop } from "./azure-shop.ts";

/** Puts the rule beside the shop's apps. It looks at so many minutes, as often as that. */
export const putFailingRule = async ({ arm, cloud }: Shop, name: string, minutes: 1 | 5): Promise<void> => {
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  await arm(
    "PUT",
    `${group}/providers/Microsoft.Insights/scheduledQueryRules/${name}`,
    {
      location: "westeurope",
      properties: {
        scopes: [`${group}/providers/Microsoft.OperationalInsights/workspaces/shop`],
        severity: 1,
        evaluationFrequency: `PT${minutes}M`,
        windowSize: `PT${minutes}M`,
        autoMitigate: true,
        criteria: {
          allOf: [
            {
              query: "ContainerAppHTTPLogs | where StatusCode >= 500 | project ContainerAppName",
              timeAggregation: "Count",
              operator: "GreaterThan",
              threshold: 2,
              dimensions: [{ name: "ContainerAppName", operator: "Include", values: ["*"] }],
            },
          ],
        },
      },
    },
    "2025-01-01-preview",
  );
};
