// The tables of a workspace: those of Container Apps, three of Application Insights, and those that other services
// write (platform-rows.ts). A table is gathered when a query names it.
import { consoleColumns, consoleRows } from "../app/console-rows.ts";
import { requestColumns, requestRows } from "../app/request-rows.ts";
import { systemTable } from "../app/system-rows.ts";
import type { Cloud } from "../arm/resource.ts";
import { serverLogTable } from "../dbforpostgresql/log-rows.ts";
import { telemetryColumns, visibleTelemetry } from "../insights/telemetry-rows.ts";
import { auditTable } from "../keyvault/audit-rows.ts";
import type { Row, Table } from "../kql/values.ts";
import { blobLogTable } from "../storage/blob-host.ts";
import { allColumns, type PlatformTable, visibleRows } from "./platform-rows.ts";

/** A time from which and a time before which rows are seen. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const platformTables: readonly PlatformTable[] = [auditTable, blobLogTable, serverLogTable, systemTable];

interface Source {
  readonly columns: Table["columns"];
  readonly rows: (cloud: Cloud, customerId: string) => readonly object[];
}

const sources: { readonly [table: string]: Source } = {
  ContainerAppHTTPLogs: {
    columns: requestColumns,
    rows: (cloud, customerId) => requestRows(cloud).visible(customerId),
  },
  ContainerAppConsoleLogs: { columns: consoleColumns, rows: consoleRows },
  ...Object.fromEntries(
    platformTables.map((table): readonly [string, Source] => [
      table.name,
      { columns: allColumns(table), rows: (cloud, customerId) => visibleRows(cloud, table, customerId) },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(telemetryColumns).map(([name, columns]): readonly [string, Source] => [
      name,
      { columns, rows: (cloud, customerId) => visibleTelemetry(cloud, name, customerId) },
    ]),
  ),
};

/**
 * Gives the tables of a workspace within a window. Each is read only when a query uses it.
 *
 * @param asOf A moment of the past: rows that had not arrived then are left out.
 */
export function tablesOf(
  cloud: Cloud,
  customerId: string,
  { from, to }: Window,
  asOf = Infinity,
): { readonly [name: string]: Table } {
  const inWindow = (rows: readonly object[]): readonly Row[] =>
    (rows as readonly Row[]).filter(
      ({ TimeGenerated, visibleAt }) =>
        Number(TimeGenerated) >= from && Number(TimeGenerated) < to && Number(visibleAt ?? 0) <= asOf,
    );
  return Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(sources).map(([name, { columns, rows }]) => [
        name,
        { enumerable: true, get: (): Table => ({ columns, rows: inWindow(rows(cloud, customerId)) }) },
      ]),
    ),
  );
}

/** The tables without rows, for a check of a query's names and types. */
export const emptyTables: { readonly [name: string]: Table } = Object.fromEntries(
  Object.entries(sources).map(([name, { columns }]) => [name, { columns, rows: [] }]),
);
