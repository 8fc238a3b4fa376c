// What is left of a demo that is stopped: no process and no folder. A terminal sends Ctrl-C to the whole process group,
// so these tests signal the group: while the demo is set up, in the middle of a release, and during the takedown. In
// two of them the reader of the output has gone away, as `tee` does on Ctrl-C.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cacheFolder } from "../../toolchain/node/cache-folder.mjs";
import { until } from "../support/processes.ts";

const root = path.join(import.meta.dirname, "..", "..");
const limit = { timeout: 400_000 };

let folder: string;
let demo: ChildProcess;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-stopped-"));
  chmodSync(folder, 0o755); // As root, PostgreSQL runs under an account of its own, which must get to its files.
  mkdirSync(path.join(folder, "temporary"));
  chmodSync(path.join(folder, "temporary"), 0o1777);
});
afterEach(() => {
  for (const { pid } of ours()) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the demo as the leader of a process group, as a shell does for a command line. */
function start(commandLine: string): void {
  demo = spawn("/bin/sh", ["-c", commandLine], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE: process.execPath,
      FOLDER: folder,
      TMPDIR: path.join(folder, "temporary"),
      XDG_CACHE_HOME: path.dirname(cacheFolder(process.env)),
      // Some children get nothing but PATH, so it marks all of them.
      PATH: `${process.env["PATH"]}:${folder}`,
    },
  });
  lines = [];
  for (const stream of [demo.stdout!, demo.stderr!])
    createInterface({ input: stream }).on("line", (l) => lines.push(l));
}

const command = '"$NODE" demo/start.mjs --folder "$FOLDER/ground" --out "$FOLDER/demo.json"';
const signalGroup = (signal: NodeJS.Signals): boolean => process.kill(-demo.pid!, signal);
const printed = (text: string, seconds = 120): Promise<void> =>
  until(() => lines.some((line) => line.includes(text)), seconds, `the line "${text}" of\n${lines.join("\n")}`);

/** Returns the processes that the demo started: those with its folder in their environment or arguments. */
function ours(): readonly { readonly pid: number; readonly commandLine: string }[] {
  const read = (pid: number, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return ""; // It has ended, or it belongs to another account.
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), commandLine: read(Number(name), "cmdline").replaceAll("\0", " ").trim() }))
    .filter(({ pid, commandLine }) => `${commandLine}\n${read(pid, "environ")}`.includes(folder));
}

const isDestroying = (): boolean => ours().some(({ commandLine }) => commandLine.includes(" destroy "));

/** Waits until no process is left, and checks that no file is. */
async function nothingIsLeft(): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (ours().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(
    ours().map(({ commandLine }) => commandLine),
    lines.join("\n"),
  ).toEqual([]);
  expect(existsSync(path.join(folder, "ground"))).toBe(false);
  expect(readdirSync(path.join(folder, "temporary"))).toEqual([]);
}

test("Ctrl-C while PostgreSQL and the emulator start leaves nothing", limit, async () => {
  start(`exec ${command}`);
  await printed("PostgreSQL 18 on");
  expect(ours().length).toBeGreaterThan(1);
  signalGroup("SIGINT");
  const [code] = await once(demo, "exit");
  expect(code, lines.join("\n")).toBe(130);
  await nothingIsLeft();
});

test(
  "a terminal that closes during the first `pulumi up`, and SIGTERM during the takedown, leave nothing",
  limit,
  async () => {
    start(`exec ${command}`);
    const state = path.join(folder, "ground", "state", ".pulumi", "stacks", "ballast", "local.json");
    const isHalfMade = (): boolean => existsSync(state) && readFileSync(state, "utf8").includes("managedEnvironments");
    await until(isHalfMade, 120, `a stack that is half deployed, of\n${lines.join("\n")}`);
    signalGroup("SIGHUP");
    await until(isDestroying, 60, "pulumi destroy");
    signalGroup("SIGTERM");
    const [code] = await once(demo, "exit");
    expect(code, lines.join("\n")).toBe(129);
    await nothingIsLeft();
  },
);

test(
  "Ctrl-C in the middle of a release, which also ends `tee`, destroys the stack and leaves nothing",
  limit,
  async () => {
    // The trap keeps this shell alive, so that it can write the exit code after Ctrl-C.
    start(`(trap : INT; ${command}; echo $? > "$FOLDER/code") | tee "$FOLDER/seen"`);
    await printed("canary has ");
    signalGroup("SIGINT");
    await until(isDestroying, 60, "pulumi destroy, which needs the emulator");
    await nothingIsLeft();
    expect(readFileSync(path.join(folder, "seen"), "utf8")).toContain("canary has ");
    expect(readFileSync(path.join(folder, "code"), "utf8"), "1 if pulumi destroy failed").toBe("130\n");
  },
);

test("a reader that closes the pipe, and two Ctrl-C after that, leave nothing", limit, async () => {
  start(`exec ${command}`);
  await printed("First pulumi up");
  demo.stdout!.destroy();
  await until(isDestroying, 60, "pulumi destroy");
  signalGroup("SIGINT");
  signalGroup("SIGINT");
  const [code] = await once(demo, "exit");
  expect(code).toBe(141);
  await nothingIsLeft();
});
