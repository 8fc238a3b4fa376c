// Who uses a key of a storage account, from the log of its blob service (table StorageBlobLogs). A row names the key
// that signed its request, also behind a shared access signature. Our own requests are in it too: the newest of them
// says up to when the log is complete.
import type { LogsTable } from "@azure/monitor-query-logs";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Logins } from "../../performers/rotation-ports.ts";
import type { Connection } from "./connection.ts";
import { ownRequests } from "./storage-request.ts";
import { ask, failureOf, type Patience } from "./trouble.ts";

/** The most readers of one look, so that a fact stays small; the latest come first. */
const readersMax = 20;

/** Reads the uses of keys from a workspace. */
export const createStorageRows = (
  connection: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  now: () => Instant,
): Logins => ({
  read: async (credential, slot, from, cancel) => {
    const answered = await ask(patience, cancel, () =>
      connection.logs.queryWorkspace(
        workspace,
        usesQuery(credential, credential.roles[slot], from),
        { startTime: new Date(from), endTime: new Date(now()) },
        { serverTimeoutInSeconds: Math.ceil(patience.requestSeconds) },
      ),
    );
    if (!answered.ok) return failureOf(`the log of requests cannot be read: ${answered.reason}`, answered.trouble);
    if (answered.value.status !== "Success")
      return { ok: false, reason: `the log of requests is incomplete: ${answered.value.partialError.code}` };
    return usersIn(answered.value.tables[0], from);
  },
});

/** Writes the query. Each client is one row, however often it asked. */
const usesQuery = ({ storage }: Credential, key: string, from: Instant): string =>
  [
    "StorageBlobLogs",
    `where TimeGenerated > datetime(${new Date(from).toISOString()})`,
    `where AccountName =~ "${storage?.account}"`,
    `extend Own = ClientRequestId startswith "${ownRequests}"`,
    `where Own or AuthenticationHash startswith "${key}("`,
    "summarize At = max(TimeGenerated) by Own, UserAgentHeader",
  ].join("\n| ");

function usersIn(table: LogsTable | undefined, from: Instant): Awaited<ReturnType<Logins["read"]>> {
  const columns = ["At", "Own", "UserAgentHeader"] as const;
  const places = columns.map((name) => table?.columnDescriptors.findIndex((column) => column.name === name) ?? -1);
  if (table === undefined || places.includes(-1))
    return { ok: false, reason: `the log of requests lacks the columns ${columns.join(", ")}` };
  const rows = table.rows.map((row) => {
    const [at, own, agent] = places.map((place) => row[place]);
    return { at: new Date(at as string).getTime(), isOwn: own === true, who: String(agent || "an unnamed client") };
  });
  const to = Math.max(0, ...rows.filter(({ isOwn }) => isOwn).map(({ at }) => at));
  const logins = rows
    .filter(({ isOwn }) => !isOwn)
    .toSorted((one, other) => other.at - one.at)
    .slice(0, readersMax)
    .map(({ who, at }) => ({ who: who.slice(0, 200), at, refused: false }));
  return { ok: true, value: { logins, to: Math.max(from, to), alive: to > 0 } };
}
