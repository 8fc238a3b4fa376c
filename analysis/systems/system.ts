// What a system of orchestration is to the analyser: a name, the files that it claims, and a function that reads them
// into a part of the graph. Systems know nothing of one another; edges across them are found by name when the parts
// are joined. A system never throws because of what a file says: it reports the file as not judged.
import type { Fragment, SystemName } from "../graph.ts";

/** The text of a file, or why it has none. */
export type FileRead = { readonly text: string } | { readonly because: string };

/** A folder as systems see it. Nothing outside is readable, links that leave it included. */
export interface Folder {
  /** Every file, relative, with `/`, sorted by code units. */
  readonly files: readonly string[];
  /** Reads one of the files. */
  readonly read: (file: string) => FileRead;
}

/** How a system reads. */
export interface ReadOptions {
  /** Whether GitHub's own parser judges workflow files, which takes a child process. @default true */
  readonly asksGitHub?: boolean;
}

export interface System {
  readonly name: SystemName;
  /** Whether the system judges this file. */
  readonly claims: (file: string) => boolean;
  readonly read: (folder: Folder, options: ReadOptions) => Fragment | Promise<Fragment>;
}
