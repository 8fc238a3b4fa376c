// The files of a kept cloud, by which it is the same cloud after a restart, however it ended: a charter that is written
// once (keys, secrets, ports), documents by key as they change, and the request rows. A line of the documents' file is
// one change, written whole or not at all, so that an app and the operation that changed it stay consistent.
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import type { TokenKeys } from "../authorization/tokens.ts";
import type { Authority } from "../certificates.ts";
import type { Changes } from "./ledger.ts";
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
  /** Writes documents as one change. A document that is as it was is not written again. */
  readonly write: (changes: Changes) => void;
  /** How many documents were looked at since the file was opened: the work of keeping the state. */
  readonly looked: () => number;
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
  const written = new Map([...found].map(([key, document]) => [key, JSON.stringify(document)]));
  const line = (texts: Iterable<readonly [string, string]>, removed: readonly string[]): string => {
    const put = [...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",");
    return `{"remove":${JSON.stringify(removed)},"put":{${put}}}`;
  };
  let compactAt = 0;
  let looked = 0;
  const compact = (): void => {
    file.rewrite(written.size === 0 ? [] : [line(written, [])]);
    compactAt = file.bytes * slackFactor + slackBytes;
  };
  compact();
  return {
    found,
    write({ put, remove }) {
      looked += put.length;
      const changed = put
        .map(([key, document]) => [key, JSON.stringify(document)] as const)
        .filter(([key, text]) => written.get(key) !== text);
      const removed = remove.filter((key) => written.has(key));
      if (changed.length + removed.length === 0) return;
      file.append(line(changed, removed));
      for (const key of removed) written.delete(key);
      for (const [key, text] of changed) written.set(key, text);
      if (file.bytes > compactAt) compact();
    },
    looked: () => looked,
    close: file.close,
  };
}

/**
 * Opens rows of a folder, by default the request rows. They are in two files; the older is dropped when the newer has
 * `rowsMax` rows.
 *
 * @throws UnreadableState
 */
export function openRows<Row>(folder: string, rowsMax: number, name = "rows"): RowsFile<Row> {
  const [newerFile, olderFile] = [path.join(folder, `${name}.jsonl`), path.join(folder, `${name}.older.jsonl`)];
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
