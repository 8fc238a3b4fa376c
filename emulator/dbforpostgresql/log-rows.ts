// The table PGSQLServerLogs: the lines of the PostgreSQL server's own log as rows of the flexible servers whose
// sessions wrote them, every login and every refused one among them. How the log is read is in server-log.ts.
import type { Row } from "../kql/values.ts";
import { columnsOf, type PlatformTable } from "../operationalinsights/platform-rows.ts";

/** The table, with the columns that the emulator fills. */
export const serverLogTable: PlatformTable = {
  name: "PGSQLServerLogs",
  category: "postgresqllogs",
  isDedicated: true,
  columns: columnsOf(
    "LogicalServerName Location ReplicaRole ErrorLevel SqlErrorCode Message Detail Hint Context Query Statement " +
      "BackendType ProcessId:int",
  ),
};

/** A line of the log in PostgreSQL's JSON format, as far as it is used. */
export interface LogLine {
  readonly timestamp: string;
  readonly session_id: string;
  readonly pid: number;
  readonly user?: string;
  readonly dbname?: string;
  readonly error_severity: string;
  readonly state_code?: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly context?: string;
  readonly internal_query?: string;
  readonly statement?: string;
  readonly backend_type?: string;
}

/**
 * Splits what was read into lines, and gives how many bytes they are; an unfinished line is left for the next time.
 * What is no line of the log, as the end of one whose beginning was skipped, is left out.
 */
export function linesIn(read: Buffer): { readonly lines: readonly LogLine[]; readonly bytes: number } {
  const bytes = read.lastIndexOf("\n") + 1;
  const lines = read.subarray(0, bytes).toString("utf8").split("\n").flatMap(lineOf);
  return { lines, bytes };
}

function lineOf(text: string): readonly LogLine[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

/** Gives the real time of a line, in milliseconds since 1970. The log is in UTC. */
export const timeOf = ({ timestamp }: LogLine): number =>
  Date.parse(`${timestamp.replace(/ [A-Z]+$/, "").replace(" ", "T")}Z`);

/**
 * Gathers the lines of sessions. The first line of a connection says neither user nor database, so that it waits for
 * the next line of its session.
 */
export function makeSessions(waitingMax = 1_000): { readonly settle: (line: LogLine) => readonly LogLine[] } {
  const waiting = new Map<string, LogLine[]>();
  return {
    settle: (line) => {
      const before = waiting.get(line.session_id) ?? [];
      if (line.user === undefined && line.dbname === undefined) {
        waiting.set(line.session_id, [...before, line]);
        const [oldest] = waiting.keys();
        if (waiting.size > waitingMax) waiting.delete(oldest!);
        return [];
      }
      waiting.delete(line.session_id);
      return [...before.map((each) => ({ user: line.user!, dbname: line.dbname!, ...each })), line];
    },
  };
}

const aspects = {
  received: "receipt",
  authenticated: "authentication",
  authorized: "authorization",
  ready: "setup_durations",
} as const;

/** What the parameter log_connections may have logged of a login, in its words. */
export type LoginAspect = (typeof aspects)[keyof typeof aspects];

/** Gives the aspect of a login of which a line is; undefined for any other line. A refused login is logged anyway. */
export function loginAspect({ message }: LogLine): LoginAspect | undefined {
  const [, word] = /^connection (received|authenticated|authorized|ready)\b/.exec(message) ?? [];
  return word === undefined ? undefined : aspects[word as keyof typeof aspects];
}

// Azure Monitor cuts longer values at 64 kB.
const cut = (text = ""): string => text.slice(0, 65_536);

/** Gives the row of a line. A message starts as Azure's does, by its fixed log_line_prefix `%t-%c-`. */
export const rowOf = (line: LogLine): Row => ({
  ReplicaRole: "Primary",
  ErrorLevel: line.error_severity,
  SqlErrorCode: line.state_code ?? "00000",
  Message: cut(`${line.timestamp.replace(/\.\d+/, "")}-${line.session_id}-${line.error_severity}:  ${line.message}`),
  Detail: cut(line.detail),
  Hint: cut(line.hint),
  Context: cut(line.context),
  Query: cut(line.internal_query),
  Statement: cut(line.statement),
  BackendType: line.backend_type ?? "",
  ProcessId: line.pid,
});
