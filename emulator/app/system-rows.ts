// The table ContainerAppSystemLogs: what the platform says about the secrets by reference of apps, for the workspaces
// that their environment's diagnostic settings name. On Azure it says more, which the emulator does not.
import type { Cloud } from "../arm/resource.ts";
import type { Row } from "../kql/values.ts";
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

/** What the platform said about an app. */
export interface SystemEvent {
  readonly at: number;
  readonly appId: string;
  readonly environmentId: string;
  /** The columns of the table. */
  readonly row: Row;
}

/** The latest events of a cloud, and those to come. */
interface SystemEvents {
  readonly past: SystemEvent[];
  /** Gives every event from now on to a listener, until the returned function is called. */
  readonly follow: (listener: (event: SystemEvent) => void) => () => void;
  readonly listeners: Set<(event: SystemEvent) => void>;
}

const eventsMax = 1_000;
const known = new WeakMap<Cloud, SystemEvents>();

/** Gives what the platform said about the apps of a cloud. Log streams show it whether a workspace gets it or not. */
export function systemEventsOf(cloud: Cloud): SystemEvents {
  const found = known.get(cloud);
  if (found) return found;
  const listeners: SystemEvents["listeners"] = new Set();
  const made: SystemEvents = {
    past: [],
    listeners,
    follow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  known.set(cloud, made);
  return made;
}

/** Notes an event of an app, and of one of its revisions if it is named: for log streams and for workspaces. */
export function noteSystem(cloud: Cloud, app: AppRuntime, reason: Reason, log: string, revision = ""): void {
  const row: Row = {
    ContainerAppName: app.name,
    EnvironmentName: app.environmentName,
    RevisionName: revision,
    ReplicaName: "",
    Reason: reason,
    EventSource: "ContainerAppController",
    Type: reason.endsWith("Failed") ? "Warning" : "Normal",
    Log: log,
    Count: 1,
  };
  const ids = { appId: app.id.toLowerCase(), environmentId: app.environmentId.toLowerCase() };
  const event = { at: cloud.clock.now(), ...ids, row };
  const { past, listeners } = systemEventsOf(cloud);
  past.push(event);
  if (past.length > eventsMax) past.shift();
  for (const listener of listeners) listener(event);
  addPlatformRow(cloud, systemTable, app.environmentId, row);
}
