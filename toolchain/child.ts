// Runs a command as a child process, without a shell, and gives its lines as they come. A command that fails does not
// throw: the caller gets its exit code and decides.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** How a child is run. */
export interface ChildOptions {
  readonly cwd?: string;
  /** The child's whole environment. @default our own */
  readonly environment?: NodeJS.ProcessEnv;
  /** Its standard input, which then closes. A secret goes in here, since arguments are visible in the process list. */
  readonly input?: string;
  /** Receives each line of standard output and standard error as it comes. */
  readonly onLine?: (line: string) => void;
  /** Ends the child when aborted: it is interrupted first, and killed if it still runs after `graceSeconds`. */
  readonly signal?: AbortSignal;
  /** How long an interrupted child may take to clean up. @default 30 */
  readonly graceSeconds?: number;
}

/** How a child ended. */
export interface Ended {
  /** Its exit code; 127 if it could not be started, 130 if a signal ended it. */
  readonly code: number;
  /** All lines of both streams, in the order in which they came. */
  readonly output: string;
}

/**
 * Runs a command to its end.
 *
 * The child gets a process group of its own: Ctrl-C in the terminal reaches only us, and we decide what happens to the
 * child. (On a second interrupt Pulumi stops at once and leaves its state half written.) The rest of the group is
 * killed when the child ends or when we end.
 */
export function runChild(command: string, args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  const { cwd, environment = process.env, input, onLine, signal, graceSeconds = 30 } = options;
  if (signal?.aborted) return Promise.resolve({ code: 130, output: "" });
  const child = spawn(command, args, {
    cwd,
    env: environment,
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  child.stdin?.on("error", () => undefined).end(input); // A child that ended without reading it reports that itself.
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", keep);
  let patience: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    child.kill("SIGINT");
    patience = setTimeout(() => killGroup(child), graceSeconds * 1000);
  };
  const dieWithUs = (): void => killGroup(child);
  signal?.addEventListener("abort", interrupt, { once: true });
  process.once("exit", dieWithUs);
  return new Promise((resolve) => {
    const settle = (code: number): void => {
      clearTimeout(patience);
      signal?.removeEventListener("abort", interrupt);
      process.off("exit", dieWithUs);
      resolve({ code, output: lines.join("\n") });
    };
    child.on("error", (error) => {
      keep(error.message);
      if (child.pid === undefined) settle(127);
    });
    // Processes that it left behind would hold its pipes open, and `close` would never come.
    child.on("exit", () => killGroup(child));
    child.on("close", (code) => settle(code ?? 130));
  });
}

/**
 * Ends a child and waits until it is gone. Its standard input is closed, it gets the signal if there is one, and if it
 * outlives its grace it is killed.
 *
 * It may have ended long ago: Ctrl-C in a terminal reaches the children of our own process group, too.
 */
export async function endChild(
  child: ChildProcess,
  { signal, graceSeconds = 15 }: { readonly signal?: NodeJS.Signals; readonly graceSeconds?: number } = {},
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  if (signal !== undefined) child.kill(signal);
  const patience = setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000);
  await ended;
  clearTimeout(patience);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}
