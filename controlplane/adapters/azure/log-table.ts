// Rows of a query on a workspace, as all adapters ask for them: over a span of time, within the limit of a request.
import type { LogsTable } from "@azure/monitor-query-logs";
import type { Result } from "../../../engines/engine.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Connection } from "./connection.ts";
import { type Answered, ask, failureOf, type Patience } from "./trouble.ts";

/** Where rows are read. */
export interface Logs {
  readonly logs: Connection["logs"];
  readonly patience: Patience;
  readonly workspace: string;
}

/** A query, and the span that it covers. */
export interface Asked {
  readonly query: string;
  readonly from: Instant;
  readonly to: Instant;
}

/** What a workspace answers: tables, or the reason why they are incomplete. */
type LogsAnswer = Awaited<ReturnType<Connection["logs"]["queryWorkspace"]>>;

/** Asks for rows. */
export const queryLogs = (
  { logs, patience, workspace }: Logs,
  { query, from, to }: Asked,
  cancel: AbortSignal,
): Promise<Answered<LogsAnswer>> =>
  ask(patience, cancel, () =>
    logs.queryWorkspace(
      workspace,
      query,
      { startTime: new Date(from), endTime: new Date(to) },
      { serverTimeoutInSeconds: Math.ceil(patience.requestSeconds) },
    ),
  );

/** Gives the rows of a table by these columns, in their order; undefined if the table lacks one. */
export function rowsIn(
  table: LogsTable | undefined,
  columns: readonly string[],
): readonly (readonly unknown[])[] | undefined {
  const places = columns.map((name) => table?.columnDescriptors.findIndex((column) => column.name === name) ?? -1);
  return table === undefined || places.includes(-1)
    ? undefined
    : table.rows.map((row) => places.map((place) => row[place]));
}

/** Reads the rows of a log whole: what is missing might be what counts. `what` it is a log of, for messages. */
export async function readLog(
  logs: Logs,
  what: string,
  asked: Asked,
  columns: readonly string[],
  cancel: AbortSignal,
): Promise<Result<readonly (readonly unknown[])[]>> {
  const answered = await queryLogs(logs, asked, cancel);
  if (!answered.ok) return failureOf(`the log of ${what} cannot be read: ${answered.reason}`, answered.trouble);
  if (answered.value.status !== "Success")
    return { ok: false, reason: `the log of ${what} is incomplete: ${answered.value.partialError.code}` };
  const rows = rowsIn(answered.value.tables[0], columns);
  return rows === undefined
    ? { ok: false, reason: `the log of ${what} lacks the columns ${columns.join(", ")}` }
    : { ok: true, value: rows };
}
