// A file of JSON lines that only ever grows at its end, so that a process killed at any moment has lost the line under way at most: what
// stands behind the last line feed was not finished and is cut off when the file is opened again. It knows nothing of what the lines mean.
// No line is forced to the disk: a killed process loses nothing that the kernel was given. A machine without power may lose the last seconds.
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

/** A file that is no state of ours, or not one that this version reads. */
export class UnreadableState extends Error {
  override readonly name = "UnreadableState";
}

/** An open file of lines. */
export interface LinesFile {
  /** What each line held when the file was opened. */
  readonly found: readonly unknown[];
  readonly bytes: number;
  /** Adds one line. @throws what the system says, and then the file is as it was. */
  readonly append: (text: string) => void;
  /** Puts these lines in the place of all others, at once. */
  readonly rewrite: (texts: readonly string[]) => void;
  readonly close: () => void;
}

/** Opens a file, or makes it. @throws UnreadableState where a finished line is no JSON: that is no work of ours. */
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
      } catch {
        throw new UnreadableState(`Line ${index + 1} of ${file} is damaged`);
      }
    });
}

/** Writes a whole file for its owner's eyes so that a reader finds either the former or this one, whole; gives its length in bytes. */
export function replaceFile(file: string, text: string): number {
  const beside = `${file}.next`;
  const opened = openSync(beside, "w", ownerOnly);
  try {
    writeFileSync(opened, text);
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
  renameSync(beside, file);
  return Buffer.byteLength(text);
}

/** Request rows on disk: the newest, at least as many as the table shows. */
export interface RowsFile<Row> {
  readonly found: readonly Row[];
  readonly append: (row: Row) => void;
  readonly forget: () => void;
  readonly close: () => void;
}
