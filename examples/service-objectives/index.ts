// The promise of a shop to its users: 99.9 percent of requests without a failure, 99 percent within 800 ms. If its
// error budget is used up too fast, the control plane may return the app to the revision before.
import { ServiceObjectives } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const promise = new ServiceObjectives("shop-promise", {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  app: "shop",
  actionGroupIds: [`${scope}/providers/Microsoft.Insights/actionGroups/on-call`],
  owner: "shop team",
  runbook: "https://wiki.example.com/shop-fails",
  objectives: [
    { measures: "availability", goodPercent: 99.9 },
    { measures: "latency", goodPercent: 99, withinMilliseconds: 800 },
  ],
  remedy: {
    ladder: [{ runbook: "return-to-previous" }, { runbook: "collect-diagnostics" }],
    verification: { samplesMin: 200 },
  },
});

// Pass both to ControlPlane: remediations: JSON.stringify({ targets, policies, objectives })
export const { policies, objectives, rules } = promise;
