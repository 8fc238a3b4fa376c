// The logins with a role, from the server's own log (table PGSQLServerLogs). The rotator's logins are in it too: the
// newest of them says up to when the log is complete, and a log without any proves nothing.
import { isIP } from "node:net";
import type { Credential, Login } from "../../../engines/rotation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import type { Logins } from "../../performers/rotation-ports.ts";
import type { Connection } from "./connection.ts";
import { readLog } from "./log-table.ts";
import type { Patience } from "./trouble.ts";

/** The most readers of one look, so that a fact stays small; the latest come first. */
const readersMax = 20;

/** How far ahead of ours a server's clock may be: its newest rows lie in our future. */
const aheadSecondsMax = 3_600;

/** Reads logins from a workspace. */
export const createLoginRows = (
  connection: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  now: () => Instant,
): Logins => ({
  read: async (credential, slot, from, cancel) => {
    const asked = { query: loginsQuery(credential, from), from, to: after(now(), aheadSecondsMax) };
    const rows = await readLog({ ...connection, patience, workspace }, "logins", asked, columns, cancel);
    return rows.ok
      ? { ok: true, value: readersOf(rows.value.map(lineOf), credential, credential.roles[slot], from) }
      : rows;
  },
});

const quoted = (words: string): string => `"${words.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Writes the query. A server's name in the log is the first part of its host; an address says nothing of it. */
const loginsQuery = ({ server }: Credential, from: Instant): string =>
  [
    "PGSQLServerLogs",
    `where TimeGenerated > datetime(${new Date(from).toISOString()})`,
    ...(isIP(server) === 0 ? [`where LogicalServerName =~ ${quoted(server.split(".")[0] ?? server)}`] : []),
    'where Message contains "connection received:" or Message contains "connection authorized:" ' +
      'or SqlErrorCode == "28000"',
    "project TimeGenerated, Message, SqlErrorCode",
  ].join("\n| ");

interface Line {
  readonly at: Instant;
  readonly message: string;
  readonly code: string;
}

const columns = ["TimeGenerated", "Message", "SqlErrorCode"];

const lineOf = ([at, message, code]: readonly unknown[]): Line => ({
  at: new Date(at as string).getTime(),
  message: String(message),
  code: String(code),
});

/** Gives the readers of a role. A client is named by its application, or else by its address. */
export function readersOf(lines: readonly Line[], { rotator }: Credential, role: string, from: Instant) {
  const hosts = new Map<string, string>();
  for (const { message } of lines) {
    const host = /connection received: host=(\S+)/.exec(message)?.[1];
    if (host !== undefined) hosts.set(sessionOf(message), host);
  }
  const last = new Map<string, Login>();
  const note = (login: Login): void => {
    const key = `${login.who} ${login.refused}`;
    if ((last.get(key)?.at ?? 0) <= login.at) last.set(key, login);
  };
  let to = 0;
  for (const { at, message, code } of lines) {
    const authorized = userIn(message);
    if (authorized?.user === rotator) to = Math.max(to, at);
    const host = hosts.get(sessionOf(message)) ?? "an unknown client";
    // The rotation's own proof of a role is no reader.
    if (authorized?.user === role && authorized.application !== "ballast")
      note({ who: authorized.application || host, at, refused: false });
    else if (code === "28000" && message.includes(`role "${role}" is not permitted to log in`))
      note({ who: host, at, refused: true });
  }
  const logins = [...last.values()].toSorted((one, other) => other.at - one.at).slice(0, readersMax);
  return { logins, to: Math.max(from, to), alive: to > 0 };
}

/** Gives the session of a line: Azure's fixed prefix is the time, the session and the severity. */
const sessionOf = (message: string): string => /([0-9a-f]+\.[0-9a-f]+)-[A-Z0-9]+: {2}/.exec(message)?.[1] ?? "";

/** Gives who was let in. The log separates the parts by spaces and quotes none of them. */
function userIn(message: string): { readonly user: string; readonly application: string } | undefined {
  const found = /connection authorized: user=(.*?) database=(.*?)(?: application_name=(.*?))?(?: SSL enabled.*)?$/.exec(
    message,
  );
  return found === null ? undefined : { user: found[1] ?? "", application: found[3] ?? "" };
}
