// An alert on a checkout that answers 409, and what may be done about it: a job of the team's own, which is verified by
// the requests since.
import { RemediatedAlert } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const alert = new RemediatedAlert("checkout-conflicts", {
  scope,
  resourceGroupName: "shop",
  location: "westeurope",
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  title: "Checkouts conflict",
  means: "A lock of a cart is stale, so each further checkout of that cart answers 409.",
  query: "ContainerAppHTTPLogs | where StatusCode == 409 | summarize c = count() by ContainerAppName | where c > 20",
  dimension: "ContainerAppName",
  severity: 2,
  windowMinutes: 10,
  actionGroupIds: [`${scope}/providers/Microsoft.Insights/actionGroups/on-call`],
  owner: "shop team",
  runbook: "https://wiki.example.com/checkout-conflicts",
  targets: ["app/shop/shop"],
  remedy: { ladder: [{ runbook: "start-job", job: "release-locks" }], verification: { samplesMin: 100 } },
});

// Pass it to ControlPlane: remediations: JSON.stringify({ targets, policies: [alert.policy] })
export const { policy, rule } = alert;
