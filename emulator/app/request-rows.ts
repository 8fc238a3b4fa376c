// The rows of the table ContainerAppHTTPLogs: one for each request that the ingress has finished,
// bounded and in memory. A row exists only if a diagnostic setting of the environment sends the category
// to a workspace. It becomes visible some time after its request; on Azure that takes minutes. The
// columns are those documented for the real table.

import type { Body, Cloud } from "../arm/resource.ts";
import { warmParser } from "../kql/syntax.ts";

/** What the ingress records of one request. */
export interface RequestRow {
  /** When the request ended and its row was written. StartTime is earlier by the duration. */
  readonly TimeGenerated: number;
  readonly StartTime: number;
  readonly ContainerAppName: string;
  readonly RevisionName: string;
  readonly ReplicaName: string;
  readonly EnvironmentName: string;
  readonly Method: string;
  readonly Path: string;
  readonly Authority: string;
  readonly Protocol: string;
  /** 0 when the client went away before any answer. */
  readonly StatusCode: number;
  readonly ResponseCodeDetails: string;
  readonly ResponseFlags: string;
  /** Milliseconds, a whole number. */
  readonly RequestDuration: number;
  readonly RequestId: string;
  readonly UpstreamHost: string;
  readonly UpstreamRequestAttemptCount: number;
  readonly BytesReceived: number;
  readonly BytesSent: number;
  readonly UserAgent: string;
  readonly XForwardedFor: string;
}

/** A row in the table, with its workspace and the time from which a query finds it. */
export interface KeptRow extends RequestRow {
  /** The workspace's customer id. */
  readonly TenantId: string;
  readonly visibleAt: number;
}

/** The table of one cloud. */
export interface RequestRows {
  /** Keeps a row of the ingress if the environment's logs go to a workspace. */
  readonly add: (environmentId: string, row: RequestRow) => void;
  /** Keeps rows as they are, late ones and duplicates included. For tests. */
  readonly put: (rows: readonly KeptRow[]) => void;
  /** Empties the table and gives how many rows it had. */
  readonly forget: () => number;
  /**
   * Gives the rows that a query of a workspace sees now; undefined gives all rows of all workspaces, visible or not.
   */
  readonly visible: (workspace: string | undefined) => readonly KeptRow[];
  /** Gives the customer ids of the workspaces that get an environment's request rows. */
  readonly workspacesOf: (environmentId: string) => readonly string[];
  /** The time from a request to its row's visibility. */
  lagSeconds: number;
}

/** The table keeps at least this many of its newest rows. */
export const rowsMax = 200_000;
const settingsSeconds = 0.5;
const tables = new WeakMap<Cloud, RequestRows>();

/** Gives the table of a cloud; the first call makes it. */
export function requestRows(cloud: Cloud): RequestRows {
  const known = tables.get(cloud);
  if (known) return known;
  let rows: KeptRow[] = [...((cloud.rowsFile?.found as readonly KeptRow[]) ?? [])];
  const wiring = new Map<string, { readonly until: number; readonly workspaces: readonly string[] }>();
  const keep = (row: KeptRow): void => {
    rows.push(row);
    cloud.rowsFile?.append(row);
    if (rows.length > rowsMax * 1.1) rows = rows.slice(-rowsMax);
  };
  const table: RequestRows = {
    lagSeconds: 0.3,
    add(environmentId, row) {
      const visibleAt = cloud.clock.now() + table.lagSeconds * 1000;
      const workspaces = table.workspacesOf(environmentId);
      // Rows will be queried; loading the parser now keeps its half second out of a later measurement.
      if (workspaces.length > 0) warmParser();
      for (const workspace of workspaces) keep({ ...row, TenantId: workspace, visibleAt });
    },
    put: (added) => added.forEach(keep),
    forget() {
      cloud.rowsFile?.forget();
      return rows.splice(0).length;
    },
    visible(workspace) {
      const now = cloud.clock.now();
      return workspace === undefined ? rows : rows.filter((row) => row.TenantId === workspace && row.visibleAt <= now);
    },
    workspacesOf(environmentId) {
      const cached = wiring.get(environmentId);
      const now = performance.now();
      if (cached && cached.until > now) return cached.workspaces;
      const workspaces = wiredWorkspaces(cloud, environmentId, "containerapphttplogs");
      wiring.set(environmentId, { until: now + settingsSeconds * 1000, workspaces });
      return workspaces;
    },
  };
  tables.set(cloud, table);
  return table;
}

/**
 * Gives the customer ids of the workspaces to which a resource's diagnostic settings send a category, which is in lower
 * case. With `isDedicated`, only settings count that ask for tables of the service's own, and the group `audit` does
 * too.
 */
export function wiredWorkspaces(
  cloud: Cloud,
  resourceId: string,
  category: string,
  isDedicated = false,
): readonly string[] {
  const settings = cloud.store.list(`${resourceId}/providers/microsoft.insights/diagnosticSettings`);
  const groups = isDedicated ? ["alllogs", "audit"] : ["alllogs"];
  const wired = settings.filter(
    ({ body }) =>
      (!isDedicated || body["properties"]?.logAnalyticsDestinationType === "Dedicated") &&
      ((body["properties"]?.logs ?? []) as Body[]).some(
        (log) =>
          log["enabled"] !== false &&
          (String(log["category"]).toLowerCase() === category ||
            groups.includes(String(log["categoryGroup"]).toLowerCase())),
      ),
  );
  return [
    ...new Set(
      wired.flatMap(({ body }) => {
        const customerId: unknown = cloud.store.get(String(body["properties"]?.workspaceId ?? ""))?.body["properties"]
          ?.customerId;
        return typeof customerId === "string" ? [customerId] : [];
      }),
    ),
  ];
}

type ColumnType = "string" | "int" | "long" | "datetime";

/** The columns that the emulator fills, in the order of a query without `project`. */
export const requestColumns: readonly { readonly name: string; readonly type: ColumnType }[] = [
  { name: "TenantId", type: "string" },
  { name: "TimeGenerated", type: "datetime" },
  { name: "StartTime", type: "datetime" },
  { name: "ContainerAppName", type: "string" },
  { name: "RevisionName", type: "string" },
  { name: "ReplicaName", type: "string" },
  { name: "EnvironmentName", type: "string" },
  { name: "Method", type: "string" },
  { name: "Path", type: "string" },
  { name: "Authority", type: "string" },
  { name: "Protocol", type: "string" },
  { name: "StatusCode", type: "int" },
  { name: "ResponseCodeDetails", type: "string" },
  { name: "ResponseFlags", type: "string" },
  { name: "RequestDuration", type: "long" },
  { name: "RequestId", type: "string" },
  { name: "UpstreamHost", type: "string" },
  { name: "UpstreamRequestAttemptCount", type: "int" },
  { name: "BytesReceived", type: "long" },
  { name: "BytesSent", type: "long" },
  { name: "UserAgent", type: "string" },
  { name: "XForwardedFor", type: "string" },
];

/** Makes a whole row from the columns that a test gives. Instants are milliseconds or ISO texts. */
export function rowFrom(body: Body, cloud: Cloud): KeptRow {
  const instant = (value: unknown, otherwise: number): number => {
    if (value === undefined) return otherwise;
    return typeof value === "number" ? value : Date.parse(String(value));
  };
  const at = instant(body["TimeGenerated"], cloud.clock.now());
  const duration = Number(body["RequestDuration"] ?? 5);
  const app = [...cloud.store.list()].find(
    ({ type, id }) =>
      type.toLowerCase() === "microsoft.app/containerapps" &&
      id.toLowerCase().endsWith(`/${String(body["ContainerAppName"]).toLowerCase()}`),
  );
  const environmentId = String(app?.body["properties"]?.managedEnvironmentId ?? "");
  return {
    StartTime: at - duration,
    ReplicaName: "",
    EnvironmentName: environmentId.split("/").at(-1) ?? "",
    Method: "GET",
    Path: "/",
    Authority: "",
    Protocol: "HTTP/1.1",
    StatusCode: 200,
    ResponseCodeDetails: "via_upstream",
    ResponseFlags: "-",
    RequestId: crypto.randomUUID(),
    UpstreamHost: "",
    UpstreamRequestAttemptCount: 1,
    BytesReceived: 0,
    BytesSent: 0,
    UserAgent: "",
    XForwardedFor: "",
    ContainerAppName: "",
    RevisionName: "",
    RequestDuration: duration,
    TenantId: requestRows(cloud).workspacesOf(environmentId)[0] ?? "",
    ...body,
    TimeGenerated: at,
    visibleAt: instant(body["visibleAt"], cloud.clock.now()),
  };
}
