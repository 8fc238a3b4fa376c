// Who uses a key of a storage account, from the log of its blob service (table StorageBlobLogs). A row names the key
// that signed its request, also behind a shared access signature. Our own requests are in it too: the newest of them
// says up to when the log is complete.
import type { Credential, ReadersView } from "../../../engines/rotation/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Logins } from "../../performers/rotation-ports.ts";
import type { Connection } from "./connection.ts";
import { readLog } from "./log-table.ts";
import { ownRequests } from "./storage-request.ts";
import type { Patience } from "./trouble.ts";

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
    const asked = { query: usesQuery(credential, credential.roles[slot], from), from, to: now() };
    const rows = await readLog({ ...connection, patience, workspace }, "requests", asked, columns, cancel);
    return rows.ok ? { ok: true, value: usersIn(rows.value, from) } : rows;
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

const columns = ["At", "Own", "UserAgentHeader"];

function usersIn(table: readonly (readonly unknown[])[], from: Instant): Omit<ReadersView, "sessions"> {
  const rows = table.map(([at, own, agent]) => ({
    at: new Date(at as string).getTime(),
    isOwn: own === true,
    who: String(agent || "an unnamed client"),
  }));
  const to = Math.max(0, ...rows.filter(({ isOwn }) => isOwn).map(({ at }) => at));
  const logins = rows
    .filter(({ isOwn }) => !isOwn)
    .toSorted((one, other) => other.at - one.at)
    .slice(0, readersMax)
    .map(({ who, at }) => ({ who: who.slice(0, 200), at, refused: false }));
  return { logins, to: Math.max(from, to), alive: to > 0 };
}
