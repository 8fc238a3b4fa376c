// The table ContainerAppSystemLogs: what the platform says about the secrets by reference of apps, for the workspaces
// that their environment's diagnostic settings name. On Azure it says more, which the emulator does not.
import type { Cloud } from "../arm/resource.ts";
import { addPlatformRow, columnsOf, type PlatformTable } from "../operationalinsights/platform-rows.ts";
import type { AppRuntime } from "./revisions.ts";

/** The table, with the columns that the emulator fills. */
export const systemTable: PlatformTable = {
  name: "ContainerAppSystemLogs",
  category: "containerappsystemlogs",
  isDedicated: false,
  columns: columnsOf("ContainerAppName EnvironmentName RevisionName ReplicaName Reason EventSource Type Log Count:int"),
};

/** The reasons of rows, in Azure's words. */
export type Reason =
  | "SyncingSecretFromAzureKeyVaultForContainerAppSucceeded"
  | "SyncingSecretFromAzureKeyVaultForContainerAppFailed"
  | "RevisionRestartWithNewSecrets";

/** Writes a row about an app, and about one of its revisions if it is named. */
export const noteSystem = (cloud: Cloud, app: AppRuntime, reason: Reason, log: string, revision = ""): void =>
  addPlatformRow(cloud, systemTable, app.environmentId, {
    ContainerAppName: app.name,
    EnvironmentName: app.environmentName,
    RevisionName: revision,
    ReplicaName: "",
    Reason: reason,
    EventSource: "ContainerAppController",
    Type: reason.endsWith("Failed") ? "Warning" : "Normal",
    Log: log,
    Count: 1,
  });
