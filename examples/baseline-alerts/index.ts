// Metric alerts on an app, its database, its vault and the topic that reports new secret versions. The thresholds
// follow from the sizes; the app may be idle at night, so having no replica is no alert.
import { BaselineAlerts } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";

const alerts = new BaselineAlerts("baseline", {
  scope,
  resourceGroupName: "shop",
  actionGroupIds: [`${scope}/providers/Microsoft.Insights/actionGroups/on-call`],
  owner: "platform team",
  runbook: "https://wiki.example.com/capacity",
  apps: [{ id: `${scope}/providers/Microsoft.App/containerApps/shop`, name: "shop", cpu: 0.25, memoryGib: 0.5 }],
  databases: [
    { id: `${scope}/providers/Microsoft.DBforPostgreSQL/flexibleServers/db`, name: "db", sku: "Standard_D2ds_v5" },
  ],
  vaults: [{ id: `${scope}/providers/Microsoft.KeyVault/vaults/shop`, name: "secrets" }],
  topics: [{ id: `${scope}/providers/Microsoft.EventGrid/systemTopics/secrets`, name: "secrets-topic" }],
  thresholds: { "database-failed-connections": 25 },
  leaveOut: ["app-replicas"],
});

export const { rules } = alerts;
