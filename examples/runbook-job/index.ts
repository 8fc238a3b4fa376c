// The job of a runbook of your own, beside the alert that starts it. `main.ts`, with the package pg, is what its image
// runs. The job must be in the target's resource group. Its identity needs Key Vault Secrets User at the secret, and
// the database role in that secret's URL needs pg_signal_backend and pg_read_all_stats.
import { Job } from "@pulumi/azure-native/app/job.js";
import { RemediatedAlert } from "ballast";

const scope = "/subscriptions/00000000-0000-0000-0000-0000ba11a57e/resourceGroups/shop";
const place = { resourceGroupName: "shop", location: "westeurope" };

const job = new Job("end-blocking-session", {
  ...place,
  jobName: "end-blocking-session",
  environmentId: `${scope}/providers/Microsoft.App/managedEnvironments/apps`,
  configuration: {
    triggerType: "Manual",
    replicaTimeout: 120,
    replicaRetryLimit: 0, // Ballast decides whether it is tried again
    manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 },
    secrets: [
      {
        name: "database-url",
        keyVaultUrl: "https://shop.vault.azure.net/secrets/runbook-database-url",
        identity: `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runbooks`,
      },
    ],
  },
  identity: {
    type: "UserAssigned",
    userAssignedIdentities: [`${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runbooks`],
  },
  template: {
    containers: [
      {
        name: "end-blocking-session",
        image: "ghcr.io/example/end-blocking-session:1.0.0",
        env: [{ name: "DATABASE_URL", secretRef: "database-url" }],
        resources: { cpu: 0.25, memory: "0.5Gi" },
      },
    ],
  },
});

const alert = new RemediatedAlert("blocked", {
  ...place,
  scope,
  workspaceId: `${scope}/providers/Microsoft.OperationalInsights/workspaces/apps`,
  title: "Requests wait for a lock of the database",
  means: "A session holds a lock and does nothing, so all that need the lock wait until they give up.",
  query: "ContainerAppHTTPLogs | where StatusCode == 503 | project ContainerAppName",
  dimension: "ContainerAppName",
  threshold: 20,
  severity: 1,
  windowMinutes: 5,
  everyMinutes: 1,
  actionGroupIds: [`${scope}/providers/Microsoft.Insights/actionGroups/on-call`],
  owner: "shop team",
  runbook: "https://wiki.example.com/blocked",
  targets: ["app/shop/shop"],
  remedy: { ladder: [{ runbook: "start-job", job: "end-blocking-session" }], verification: { samplesMin: 50 } },
});

// Pass the policy to ControlPlane: remediations: JSON.stringify({ targets, policies: [alert.policy] })
export const { policy } = alert;
export const jobName = job.name;
