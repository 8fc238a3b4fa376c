// What the control planes have sent to Application Insights: their requests, dependencies, exceptions, traces and
// metrics, read where a person with the right to read the workspace would see them.
import { rotations } from "../../client/rotations.ts";
import { streamCalls } from "../../client/streams.ts";
import { eventually } from "./eventually.ts";
import type { Plane, Planes } from "./planes.ts";
import type { Site } from "./site.ts";

const tables = {
  requests: "AppRequests",
  dependencies: "AppDependencies",
  exceptions: "AppExceptions",
  traces: "AppTraces",
  metrics: "AppMetrics",
} as const;

/** What arrived: all rows as text, and how many of each sort there are. */
export interface TelemetrySent {
  readonly text: string;
  readonly counts: string;
}

/** Reads everything, once all that the living control planes recorded up to now has arrived. */
export async function telemetrySent(site: Site, planes: Planes, stop: AbortSignal): Promise<TelemetrySent> {
  const from = Date.now();
  const mark = ({ endpoint }: Plane) => streamCalls({ ...planes.access(stop), endpoint }, rotations).list();
  await Promise.all(planes.living().map(mark));
  await eventually(() => arrivedSince(site, planes, from), "the telemetry of the control planes", 300, stop);
  const read = Object.entries(tables).map(async ([sort, table]) => ({ sort, rows: await rowsOf(site, table) }));
  const all = await Promise.all(read);
  return {
    text: all.map(({ rows }) => JSON.stringify(rows)).join("\n"),
    counts: all.map(({ sort, rows }) => `${rows.length} ${sort}`).join(", "),
  };
}

/** A batch is sent in order, so that what was recorded before a call has arrived with the call. */
async function arrivedSince(site: Site, planes: Planes, from: number): Promise<true | undefined> {
  const since = `${tables.requests} | where TimeGenerated >= datetime(${new Date(from).toISOString()})`;
  const senders = await rowsOf(site, `${since} | distinct AppRoleInstance`);
  const heard = new Set(senders.flat());
  return planes.living().every(({ instance }) => heard.has(instance)) ? true : undefined;
}

async function rowsOf({ connection, workspace }: Site, query: string): Promise<readonly (readonly unknown[])[]> {
  const answer = await connection.logs.queryWorkspace(workspace, query, { duration: "P1D" });
  if (answer.status !== "Success") throw new Error(`the workspace answered ${query} in part`);
  return answer.tables[0]?.rows ?? [];
}
