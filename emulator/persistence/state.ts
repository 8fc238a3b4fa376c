// What one cloud keeps in its folder so that it is the same cloud when it is started again, however it ended: a charter that is written
// once (keys, secrets, ports), documents by key as they change, and the request rows. It knows no meaning of any document.
// One line of the documents' file is one change, whole or not at all: an app and the operation that made it never part.
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import type { TokenKeys } from "../authorization/tokens.ts";
import type { Authority } from "../certificates.ts";
import { type LinesFile, openLines, type RowsFile, replaceFile, UnreadableState } from "./lines-file.ts";

/** Rises when an older stand-in could no longer read what is written. */
const format = 1;
// A file of changes is written anew when it is several times as long as what it comes to.
const slackBytes = 1024 * 1024;
const slackFactor = 4;

/** What is settled when a cloud is made and holds for as long as its folder lives. */
export interface Charter {
  readonly authority: Authority;
  readonly tokenKeys: TokenKeys;
  readonly port: number;
  readonly providerPort: number;
}

const charterFile = (folder: string): string => path.join(folder, "charter.json");

/** Gives the charter of the cloud in a folder; undefined where there is none yet. @throws UnreadableState */
export function readCharter(folder: string): Charter | undefined {
  const file = charterFile(folder);
  if (!existsSync(file)) return undefined;
  const { format: written, ...charter } = parsed(file) as Charter & { readonly format?: number };
  if (written !== format)
    throw new UnreadableState(`${file} has format ${written ?? "none"}, and this stand-in reads format ${format}`);
  return charter;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new UnreadableState(`${file} is damaged`);
  }
}

/** Writes the charter of a new cloud. */
export const writeCharter = (folder: string, charter: Charter): void =>
  void replaceFile(charterFile(folder), JSON.stringify({ format, ...charter }));

/** Documents by key, as they were written last. */
export interface Documents {
  /** In the order in which they were first put. */
  readonly found: ReadonlyMap<string, unknown>;
  /**
   * Writes what differs from what was written last, as one change; nothing where nothing differs.
   *
   * Whole documents are compared rather than each place in the stand-in that changes something made to say so: none can forget it.
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
  const line = (texts: Iterable<readonly [string, string]>, removed: readonly string[]): string =>
    `{"remove":${JSON.stringify(removed)},"put":{${[...texts].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}}`;
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

/** Opens the rows of a folder. They lie in two files, of which the older is dropped whole when the newer has `rowsMax`. @throws UnreadableState */
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
