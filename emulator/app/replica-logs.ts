// What replicas write to stdout and stderr: the latest lines of each revision, and every line that is a JSON object.
// Both are bounded, so that a chatty process cannot fill the emulator's memory.

/** One line of a replica. */
export interface LogLine {
  readonly at: number;
  readonly app: string;
  readonly revision: string;
  readonly replica: string;
  /** The container, in a replica that has names for them. */
  readonly container?: string;
  readonly text: string;
  readonly json: unknown;
}

const plainLinesMax = 1_000;
const jsonLinesMax = 100_000;

/** The log lines of one cloud. */
export interface ReplicaLogs {
  readonly add: (line: Omit<LogLine, "json">) => void;
  /** Gives an app's lines since a moment, or every app's, in the order in which they were read. */
  readonly read: (app: string | undefined, since: number) => readonly LogLine[];
  /** Gives every line from now on to a listener, until the returned function is called. */
  readonly follow: (listener: (line: LogLine) => void) => () => void;
}

/**
 * Starts without lines. It keeps 100,000 JSON lines, since tests count them, and
 * the last thousand others of each revision.
 */
export function replicaLogs(): ReplicaLogs {
  const plain = new Map<string, LogLine[]>();
  let structured: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  return {
    add(line) {
      const json = parseObject(line.text) ?? null;
      for (const listener of listeners) listener({ ...line, json });
      if (json !== null) {
        structured.push({ ...line, json });
        if (structured.length > jsonLinesMax * 1.1) structured = structured.slice(-jsonLinesMax);
        return;
      }
      const lines = plain.get(line.revision) ?? [];
      lines.push({ ...line, json: null });
      if (lines.length > plainLinesMax * 1.5) lines.splice(0, lines.length - plainLinesMax);
      plain.set(line.revision, lines);
    },
    read: (app, since) =>
      [...structured, ...[...plain.values()].flat()]
        .filter((line) => line.at >= since && (app === undefined || line.app === app))
        .sort((a, b) => a.at - b.at),
    follow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function parseObject(text: string): unknown {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
