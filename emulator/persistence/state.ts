// The files of a kept cloud, by which it is the same cloud after a restart, however it ended: a charter that is written
// once (keys, secrets, ports), documents by key as they change, and the request rows. A line of the documents' file is
// one change, written whole or not at all, so that an app and the operation that changed it stay consistent.
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import type { TokenKeys } from "../authorization/tokens.ts";
import type { Authority } from "../certificates.ts";
import { type LinesFile, openLines, type RowsFile, replaceFile, UnreadableState } from "./lines-file.ts";

/** The version of the format. It rises when an older emulator can no longer read the files. */
const format = 1;
// The file of changes is rewritten when it is several times as long as the documents in it.
const slackBytes = 1024 * 1024;
const slackFactor = 4;

/** What is decided when a cloud is created and never changes afterwards. */
export interface Charter {
  readonly authority: Authority;
  readonly tokenKeys: TokenKeys;
  readonly port: number;
  readonly providerPort: number;
}

const charterFile = (folder: string): string => path.join(folder, "charter.json");

/** Gives the charter of the cloud in a folder; undefined when there is none. @throws UnreadableState */
export function readCharter(folder: string): Charter | undefined {
  const file = charterFile(folder);
  if (!existsSync(file)) return undefined;
  const { format: written, ...charter } = parsed(file) as Charter & { readonly format?: number };
  if (written !== format)
    throw new UnreadableState(`${file} has format ${written ?? "none"}, and this emulator reads format ${format}`);
  return charter;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UnreadableState(`${file} is damaged`, { cause: error });
  }
}

/** Writes the charter of a new cloud. */
export const writeCharter = (folder: string, charter: Charter): void =>
  void replaceFile(charterFile(folder), JSON.stringify({ format, ...charter }));

/** The documents of a cloud, by key. */
export interface Documents {
  /** The documents when the file was opened, in the order in which they were first written. */
  readonly found: ReadonlyMap<string, unknown>;
  /**
   * Writes the documents that have changed since the last call, as one change.
   *
   * Whole documents are compared, so that no part of the emulator has to report its changes, and none can forget to.
   */
  readonly keep: (documents: Iterable<readonly [key: string, document: unknown]>) => void;
  readonly close: () => void;
}

interface Change {
  readonly put?: { readonly [key: string]: unknown };
  readonly remove?: readonly string[];
}

/** Opens the documents of a folder. @throws UnreadableState */
export function openDocuments(folder: string): Documents {
  const file = openLines(path.join(folder, "documents.jsonl"));
  const found = new Map<string, unknown>();
  for (const { put = {}, remove = [] } of file.found as readonly Change[]) {
    for (const key of remove) found.delete(key);
    for (const [key, document] of Object.entries(put)) found.set(key, document);
  }
  let written = new Map([...found].map(([key, document]) => [key, JSON.stringify(document)]));
  const line = (texts: Iterable<readonly [string, string]>, removed: readonly string[]): string => {
    const put = [...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",");
    return `{"remove":${JSON.stringify(removed)},"put":{${put}}}`;
  };
  let compactAt = 0;
  const compact = (): void => {
    file.rewrite(written.size === 0 ? [] : [line(written, [])]);
    compactAt = file.bytes * slackFactor + slackBytes;
  };
  compact();
  return {
    found,
    keep(documents) {
      const texts = new Map([...documents].map(([key, document]) => [key, JSON.stringify(document)]));
      const changed = [...texts].filter(([key, text]) => written.get(key) !== text);
      const removed = [...written.keys()].filter((key) => !texts.has(key));
      if (changed.length + removed.length === 0) return;
      file.append(line(changed, removed));
      written = texts;
      if (file.bytes > compactAt) compact();
    },
    close: file.close,
  };
}

/**
 * Opens the request rows of a folder. They are in two files; the older is dropped when the newer has `rowsMax` rows.
 *
 * @throws UnreadableState
 */
export function openRows<Row>(folder: string, rowsMax: number): RowsFile<Row> {
  const [newerFile, olderFile] = [path.join(folder, "rows.jsonl"), path.join(folder, "rows.older.jsonl")];
  const older = openLines(olderFile);
  older.close();
  let newer: LinesFile = openLines(newerFile);
  let count = newer.found.length;
  return {
    found: [...older.found, ...newer.found].slice(-rowsMax) as Row[],
    append(row) {
      if (count >= rowsMax) {
        newer.close();
        renameSync(newerFile, olderFile);
        newer = openLines(newerFile);
        count = 0;
      }
      newer.append(JSON.stringify(row));
      count += 1;
    },
    forget() {
      rmSync(olderFile, { force: true });
      newer.rewrite([]);
      count = 0;
    },
    close: () => newer.close(),
  };
}
