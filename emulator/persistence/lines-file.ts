// A file of JSON lines that only grows at its end, so that a process killed at any moment loses at most the
// line that it was writing: text after the last line feed is unfinished and is cut off when the file is
// opened again. Lines are not synced to the disk: a killed process loses nothing that the kernel has, but a
// power failure may lose the last seconds.
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";

const ownerOnly = 0o600;

/** The refusal of a file that is damaged or that another version wrote. */
export class UnreadableState extends Error {
  override readonly name = "UnreadableState";
}

/** An open file of JSON lines. */
export interface LinesFile {
  /** The values of the lines when the file was opened. */
  readonly found: readonly unknown[];
  readonly bytes: number;
  /** Adds one line. @throws the system's error, and then the file is unchanged */
  readonly append: (text: string) => void;
  /** Replaces all lines at once. */
  readonly rewrite: (texts: readonly string[]) => void;
  readonly close: () => void;
}

/** Opens or creates a file. @throws UnreadableState when a finished line is no JSON */
export function openLines(file: string): LinesFile {
  const whole = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  let bytes = whole.lastIndexOf("\n") + 1;
  if (bytes < whole.length) truncateSync(file, bytes);
  const found = parseLines(whole.subarray(0, bytes).toString("utf8"), file);
  let opened = openSync(file, "a", ownerOnly);
  return {
    found,
    get bytes() {
      return bytes;
    },
    append(text) {
      const line = Buffer.from(`${text}\n`);
      try {
        appendFileSync(opened, line);
      } catch (error) {
        // Half a line in the middle would make everything after it unreadable.
        ftruncateSync(opened, bytes);
        throw error;
      }
      bytes += line.length;
    },
    rewrite(texts) {
      bytes = replaceFile(file, texts.map((text) => `${text}\n`).join(""));
      closeSync(opened);
      opened = openSync(file, "a", ownerOnly);
    },
    close: () => closeSync(opened),
  };
}

function parseLines(text: string, file: string): unknown[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, index) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (error) {
        throw new UnreadableState(`Line ${index + 1} of ${file} is damaged`, { cause: error });
      }
    });
}

/** Replaces a file atomically, readable by its owner only. Gives its length in bytes. */
export function replaceFile(file: string, text: string): number {
  const next = `${file}.next`;
  const opened = openSync(next, "w", ownerOnly);
  try {
    writeFileSync(opened, text);
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
  renameSync(next, file);
  return Buffer.byteLength(text);
}

/** The newest request rows on disk, at least as many as the table keeps. */
export interface RowsFile<Row> {
  readonly found: readonly Row[];
  readonly append: (row: Row) => void;
  readonly forget: () => void;
  readonly close: () => void;
}
