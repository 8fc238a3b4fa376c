// The folder of an emulator: its files, and whether a process is running on it. A folder belongs to one emulator and
// one process; emulators in different folders are independent.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { RunningEmulator } from "../../emulator/start.ts";
import { emulatorFolderForeign, emulatorUpAlready } from "../../errors/cli.ts";

/** The process that runs on a folder, as it has recorded itself there. */
export interface Running {
  readonly pid: number;
  readonly startedAt: string;
  /** Absent until the emulator is ready. */
  readonly cloud?: Omit<RunningEmulator, "close">;
  readonly postgres?: { readonly host: string; readonly port: number };
}

/** Whether a process runs on a folder. `killed` is a process that ended without removing its record. */
export type FolderState =
  | { readonly kind: "down"; readonly killed?: Running }
  | { readonly kind: "starting"; readonly running: Running }
  | { readonly kind: "up"; readonly running: Running };

// Not .ballast, which belongs to the demo and is removed with it.
const defaultFolder = ".ballast-emulator";
const files = [
  "charter.json",
  "documents.jsonl",
  "rows.jsonl",
  "rows.older.jsonl",
  "platform-rows.jsonl",
  "platform-rows.older.jsonl",
  "ca.pem",
  "environment",
  "images.json",
  "running.json",
  "log",
  ".gitignore",
];
const program = path.join(import.meta.dirname, `process${path.extname(import.meta.filename)}`);

/** Gives the folder of an option, or the default one, as an absolute path. */
export const folderNamed = (named = defaultFolder): string => path.resolve(named);

/** Gives the path of one of the folder's files. */
export const fileIn = (folder: string, name: "running.json" | "log" | "environment" | "images.json"): string =>
  path.join(folder, name);

/** The arguments that start the process of a folder. The last two words of them identify it among all processes. */
export const commandArguments = (folder: string): readonly [string, string] => [program, folder];

/**
 * Creates the folder, private to its owner and ignored by git.
 *
 * @throws cli-emulator-folder-foreign if it holds other files
 */
export function makeFolder(folder: string): void {
  refuseForeign(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(folder, ".gitignore"), "*\n");
}

const isOurs = (name: string): boolean => files.includes(name.replace(/\.next$/, ""));

function refuseForeign(folder: string): void {
  if (existsSync(folder) && !readdirSync(folder).every(isOurs)) throw emulatorFolderForeign({ folder });
}

/** Deletes the folder with the saved state, and gives whether it existed. @throws cli-emulator-folder-foreign */
export function emptyFolder(folder: string): boolean {
  if (!existsSync(folder)) return false;
  refuseForeign(folder);
  for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
  rmdirSync(folder);
  return true;
}

/** Reports whether a folder holds the saved state of an emulator. */
export const isKept = (folder: string): boolean => existsSync(path.join(folder, "charter.json"));

/** Reads the state of a folder. A process id that another program has since received does not count as ours. */
export function folderStateOf(folder: string): FolderState {
  const running = readRunning(folder);
  if (!running) return { kind: "down" };
  if (!runsOn(running.pid, folder)) return { kind: "down", killed: running };
  return { kind: running.cloud ? "up" : "starting", running };
}

function readRunning(folder: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(folder, "running.json"), "utf8")) as Running;
  } catch {
    // The file is absent, or its writer was killed while writing it.
    return undefined;
  }
}

/** The command line of an emulator, of whatever installation of the package: where it runs, at the end. */
const ofAnEmulator = /[\\/]cli[\\/]emulator[\\/]process\.[jt]s (.+)$/;

/** Reports whether a process is the emulator of a folder, also one that another installation of the package started. */
export function runsOn(pid: number, folder: string): boolean {
  try {
    const command = existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
    // An empty path would be the folder that this process is in.
    const where = ofAnEmulator.exec(command.trimEnd())?.[1];
    return where !== undefined && realpathSync(where) === realpathSync(folder);
  } catch {
    return false;
  }
}

/** Claims a folder for this process. @throws cli-emulator-up-already if another process runs on it */
export function claim(folder: string): Running {
  const claimed: Running = { pid: process.pid, startedAt: new Date().toISOString() };
  const state = folderStateOf(folder);
  if (state.kind !== "down") throw emulatorUpAlready({ folder, pid: state.running.pid });
  rmSync(fileIn(folder, "running.json"), { force: true });
  writeFileSync(fileIn(folder, "running.json"), JSON.stringify(claimed), { mode: 0o600, flag: "wx" });
  return claimed;
}
