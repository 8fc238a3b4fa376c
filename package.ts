// The package's exports: the components, and the types of their arguments and outputs. This repository's own program,
// index.ts, imports the components directly.
export { BaselineAlerts, type BaselineAlertsArgs, type Watched } from "./components/alerts/baseline-alerts.ts";
export { RemediatedAlert, type RemediatedAlertArgs } from "./components/alerts/remediated-alert.ts";
export type { Remedy, RemedyRung } from "./components/alerts/remedy.ts";
export {
  type ServiceObjective,
  ServiceObjectives,
  type ServiceObjectivesArgs,
} from "./components/alerts/service-objectives.ts";
export { ServiceWorkbook, type ServiceWorkbookArgs } from "./components/alerts/service-workbook.ts";
export { CanaryApp, type CanaryAppArgs } from "./components/canary-app/canary-app.ts";
export type { CredentialSlot } from "./components/canary-app/credential-slots.ts";
export { type HttpAppArgs, httpApp } from "./components/canary-app/http-app.ts";
export type { KeptSetting, LostSetting } from "./components/canary-app/losses.ts";
export type { CanaryAppOptions } from "./components/canary-app/options.ts";
export { DatabaseCredential, type DatabaseCredentialArgs } from "./components/credentials/database-credential.ts";
export type { CredentialReference } from "./components/credentials/rotated-slots.ts";
export { SecretVault, type SecretVaultArgs } from "./components/credentials/secret-vault.ts";
export { StorageCredential, type StorageCredentialArgs } from "./components/credentials/storage-credential.ts";
export { WebhookCredential, type WebhookCredentialArgs } from "./components/credentials/webhook-credential.ts";
export { ContainerEnvironment, type ContainerEnvironmentArgs } from "./components/platform/container-environment.ts";
export { ControlPlane, type ControlPlaneArgs } from "./components/platform/control-plane.ts";
export { DatabaseMigration, type DatabaseMigrationArgs } from "./components/platform/database-migration.ts";
export { DatabaseRole, type DatabaseRoleArgs } from "./components/platform/database-role.ts";
export { DeadMansSwitch, type DeadMansSwitchArgs } from "./components/platform/dead-mans-switch.ts";
export { ImageRegistry, type ImageRegistryArgs, type Pull } from "./components/platform/image-registry.ts";
export { JournalDatabase, type JournalDatabaseArgs } from "./components/platform/journal-database.ts";
export { Network, type NetworkArgs } from "./components/platform/network.ts";
export { type Sender, Telemetry, type TelemetryArgs } from "./components/platform/telemetry.ts";
export type { Call } from "./components/workflows/callers.ts";
export type { Contracts } from "./components/workflows/contracts.ts";
export { DeliveryWorkflows, type DeliveryWorkflowsArgs } from "./components/workflows/delivery-workflows.ts";
export {
  RepositoryGuard,
  type RepositoryGuardArgs,
  type TrustingIdentity,
} from "./components/workflows/repository-guard.ts";
export type { Gate, OutsideWeights, RolloutResult, Strategy, Thresholds } from "./engines/rollout/vocabulary.ts";
export type { Freeze, RotationWindow } from "./engines/rotation/declaration.ts";
