// The rights of the control plane's identity: actions of its own role, and roles that Azure has.
import { metricsPublisher } from "../conventions.ts";

/**
 * What the control plane may do with the apps of its group: read them, their revisions and replicas, write their
 * traffic, and activate and deactivate revisions.
 *
 * Each right is needed: a test removes one at a time and shows what then fails. Azure has no smaller right for writing
 * traffic than for writing the app. Reading an app's secrets and deleting are not among them.
 */
export const controlPlaneActions = [
  "Microsoft.App/containerApps/read",
  "Microsoft.App/containerApps/write",
  "Microsoft.App/containerApps/revisions/read",
  "Microsoft.App/containerApps/revisions/activate/action",
  "Microsoft.App/containerApps/revisions/deactivate/action",
  "Microsoft.App/containerApps/revisions/replicas/read",
] as const;

/**
 * What the runbooks of remediations need beside that. The identity has it only if remediations are declared. The same
 * test removes each.
 */
export const runbookActions = [
  "Microsoft.App/containerApps/revisions/restart/action",
  "Microsoft.App/jobs/read",
  "Microsoft.App/jobs/start/action",
  "Microsoft.App/jobs/executions/read",
  "Microsoft.App/jobs/stop/execution/action",
] as const;

/** What a rotation needs of the secrets of its vault: Key Vault Secrets Officer has it. */
export const vaultSecretActions = [
  "Microsoft.KeyVault/vaults/secrets/getSecret/action",
  "Microsoft.KeyVault/vaults/secrets/setSecret/action",
  "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
] as const;

/** What it needs of a storage account whose keys it makes anew: Storage Account Key Operator Service Role has it. */
export const storageKeyActions = [
  "Microsoft.Storage/storageAccounts/listkeys/action",
  "Microsoft.Storage/storageAccounts/regeneratekey/action",
] as const;

/** Azure's built-in roles, by the GUIDs that they have in every tenant. */
export const roles = {
  /** Monitoring Reader: reads alerts, which belong to the subscription. */
  alerts: "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
  /** Key Vault Secrets User: reads the secret with the token for issues. */
  issues: "4633458b-17de-408a-874b-0445c86b69e6",
  /** Log Analytics Reader: reads and queries logs, changes nothing. */
  logs: "73c42c96-874c-492b-b04d-ab87d138a893",
  telemetry: metricsPublisher,
};
