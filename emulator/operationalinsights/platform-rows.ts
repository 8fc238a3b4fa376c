// Rows that Azure's services write into tables of their own: a service names its table and the resource that a row is
// of, and the diagnostic settings of that resource decide which workspaces get it. Rows are bounded, become visible
// after the ingestion lag like request rows, and outlive the emulator when its state is kept.
import { requestRows, wiredWorkspaces } from "../app/request-rows.ts";
import type { Cloud } from "../arm/resource.ts";
import type { KqlType, Row } from "../kql/values.ts";

/** A table that one of Azure's services fills. */
export interface PlatformTable {
  readonly name: string;
  /** The category of diagnostic settings, in lower case. */
  readonly category: string;
  /** True when a setting must ask for tables of the service's own; without that the rows go to AzureDiagnostics. */
  readonly isDedicated: boolean;
  /** The columns that the emulator fills, beside TenantId, TimeGenerated and _ResourceId. */
  readonly columns: readonly { readonly name: string; readonly type: KqlType }[];
}

/** A row as it is kept. */
interface KeptRow {
  readonly table: string;
  readonly row: Row;
}

/** Makes columns of a list: a name, and a type unless it is a text. */
export const columnsOf = (list: string): PlatformTable["columns"] =>
  list.split(" ").map((each) => {
    const [name = "", type = "string"] = each.split(":");
    return { name, type: type as KqlType };
  });

/** Gives all columns of a table. */
export const allColumns = ({ columns }: PlatformTable): PlatformTable["columns"] => [
  ...columnsOf("TenantId TimeGenerated:datetime"),
  ...columns,
  ...columnsOf("_ResourceId"),
];

/** All tables together keep at least this many of their newest rows. The emulator says once that it drops some. */
export const platformRowsMax = 200_000;
const dropping = new WeakSet<Cloud>();

const known = new WeakMap<Cloud, KeptRow[]>();

function rowsOf(cloud: Cloud): KeptRow[] {
  const found = known.get(cloud);
  if (found) return found;
  const made = [...((cloud.platformRowsFile?.found as readonly KeptRow[]) ?? [])];
  known.set(cloud, made);
  return made;
}

/** Keeps a row of a resource for each workspace that gets it; `lagSeconds` is beyond the usual ingestion lag. */
export function addPlatformRow(
  cloud: Cloud,
  { name: table, category, isDedicated }: PlatformTable,
  resourceId: string,
  row: Row,
  lagSeconds = 0,
): void {
  const rows = rowsOf(cloud);
  const now = cloud.clock.now();
  const visibleAt = now + (requestRows(cloud).lagSeconds + lagSeconds) * 1000;
  for (const workspace of wiredWorkspaces(cloud, resourceId, category, isDedicated)) {
    const kept = {
      table,
      row: { TimeGenerated: now, ...row, TenantId: workspace, _ResourceId: resourceId.toLowerCase(), visibleAt },
    };
    rows.push(kept);
    cloud.platformRowsFile?.append(kept);
  }
  if (rows.length <= platformRowsMax * 1.1) return;
  rows.splice(0, rows.length - platformRowsMax);
  if (!dropping.has(cloud)) cloud.log(`${table} and others keep only their newest ${platformRowsMax} rows`);
  dropping.add(cloud);
}

/** Gives the rows of a table that a query of a workspace sees now. */
export const visibleRows = (cloud: Cloud, { name }: PlatformTable, workspace: string): readonly Row[] =>
  rowsOf(cloud).flatMap(({ table, row }) =>
    table === name && row["TenantId"] === workspace && Number(row["visibleAt"]) <= cloud.clock.now() ? [row] : [],
  );
