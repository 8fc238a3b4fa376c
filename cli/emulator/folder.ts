// The folder of one `ballast local` cloud: which files are its, and whether a process runs on it. One folder is one cloud and one process;
// two folders never meet. What the cloud keeps in it is the stand-in's own affair.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LocalCloud } from "../../emulator/start.ts";
import { localFolderForeign, localUpAlready } from "../../errors/cli.ts";

/** A process that runs on a folder, as it says of itself. */
export interface Running {
  readonly pid: number;
  readonly startedAt: string;
  /** Absent until it answers. */
  readonly cloud?: Omit<LocalCloud, "close">;
  readonly postgres?: { readonly host: string; readonly port: number };
}

/** How a folder stands: nobody runs on it, somebody is about to, or somebody does. `killed` ended without a word. */
export type Standing =
  | { readonly kind: "down"; readonly killed?: Running }
  | { readonly kind: "starting" | "up"; readonly running: Running };

// Not .ballast, which is the demo's and goes with it.
const defaultFolder = ".ballast-local";
const files = [
  "charter.json",
  "documents.jsonl",
  "rows.jsonl",
  "rows.older.jsonl",
  "ca.pem",
  "environment",
  "images.json",
  "running.json",
  "log",
  ".gitignore",
];
const program = path.join(import.meta.dirname, `local-process${path.extname(import.meta.filename)}`);

/** Gives the folder that is meant, as an absolute path. */
export const folderNamed = (named = defaultFolder): string => path.resolve(named);

/** Gives the place of one of the folder's files. */
export const fileIn = (folder: string, name: "running.json" | "log" | "environment" | "images.json"): string =>
  path.join(folder, name);

/** How the process of a folder is started: by these words it is known again among all processes. */
export const commandArguments = (folder: string): readonly [string, string] => [program, folder];

/** Makes a folder that its owner alone can enter and that no repository takes in. @throws cli-local-folder-foreign where it holds something else. */
export function makeFolder(folder: string): void {
  refuseForeign(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, ".gitignore"), "*\n");
}

const isOurs = (name: string): boolean => files.includes(name.replace(/\.next$/, ""));

function refuseForeign(folder: string): void {
  if (existsSync(folder) && !readdirSync(folder).every(isOurs)) throw localFolderForeign({ folder });
}

/** Removes what is kept, and the folder with it; gives whether there was anything. @throws cli-local-folder-foreign */
export function emptyFolder(folder: string): boolean {
  if (!existsSync(folder)) return false;
  refuseForeign(folder);
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
  rmdirSync(folder);
  return true;
}

/** Whether a cloud is kept in a folder. */
export const isKept = (folder: string): boolean => existsSync(path.join(folder, "charter.json"));

/** Looks how a folder stands. A process id that somebody else has got in the meantime is not taken for ours. */
export function standingOf(folder: string): Standing {
  const running = readRunning(folder);
  if (!running) return { kind: "down" };
  if (!runsOn(running.pid, folder)) return { kind: "down", killed: running };
  return { kind: running.cloud ? "up" : "starting", running };
}

function readRunning(folder: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(folder, "running.json"), "utf8")) as Running;
  } catch {
    // Absent, or its writer was killed before it came to an end.
    return undefined;
  }
}

/** Tells whether that process is the stand-in of that folder. */
export function runsOn(pid: number, folder: string): boolean {
  try {
    const words = existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
    return words.trimEnd().endsWith(commandArguments(folder).join(" "));
  } catch {
    return false;
  }
}

/** Takes a folder for this process. @throws cli-local-up-already where another one has it. */
export function claim(folder: string): Running {
  const claimed: Running = { pid: process.pid, startedAt: new Date().toISOString() };
  const standing = standingOf(folder);
  if (standing.kind !== "down") throw localUpAlready({ folder, pid: standing.running.pid });
  rmSync(fileIn(folder, "running.json"), { force: true });
  writeFileSync(fileIn(folder, "running.json"), JSON.stringify(claimed), { mode: 0o600, flag: "wx" });
  return claimed;
}
