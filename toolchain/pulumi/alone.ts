// One process at a time makes a Pulumi CLI: a build takes minutes of every core. The
// lock is a file that its holder touches. A holder that was killed stops touching it, and the next one takes it over.
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How a process waits for another one. */
export interface Waiting {
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** How long the holder may leave its lock untouched before it counts as dead. @default 30 */
  readonly silenceSeconds?: number | undefined;
  /** How often a progress line is reported. @default 10 */
  readonly heartbeatSeconds?: number | undefined;
}

const touchSeconds = 2;
const pollMilliseconds = 250;

/**
 * Runs something while no other process does, whose lock is the same file.
 *
 * Age is measured by the waiter's own clock, as the time in which it saw no touch: the file may be on another machine,
 * and process ids mean nothing across containers. If a holder was frozen and is taken for dead, two run at once.
 */
export async function alone<Value>(path: string, waiting: Waiting, run: () => Promise<Value>): Promise<Value> {
  const token = randomUUID();
  await take(path, token, waiting);
  const touching = setInterval(() => {
    const now = new Date();
    if (holderOf(path)?.token === token) utimesSync(path, now, now);
  }, touchSeconds * 1000);
  try {
    return await run();
  } finally {
    clearInterval(touching);
    if (holderOf(path)?.token === token) rmSync(path, { force: true });
  }
}

async function take(path: string, token: string, waiting: Waiting): Promise<void> {
  const { report, signal, silenceSeconds = 30, heartbeatSeconds = 10 } = waiting;
  const startedAt = performance.now();
  let reportAt = startedAt;
  let seen = { token: "", touchedAt: 0, at: startedAt };
  while (!isMade(path, token)) {
    signal?.throwIfAborted();
    const holder = holderOf(path);
    if (holder === undefined) continue; // It has just ended.
    const now = performance.now();
    if (holder.token !== seen.token || holder.touchedAt !== seen.touchedAt) seen = { ...holder, at: now };
    else if (now - seen.at > silenceSeconds * 1000) takeFrom(path, holder.token, token);
    if (now >= reportAt) {
      report(`Waiting for another process that makes the Pulumi CLI: ${Math.round((now - startedAt) / 1000)} s`);
      reportAt = now + heartbeatSeconds * 1000;
    }
    await sleep(pollMilliseconds);
  }
}

/** Makes the lock, and reports whether there was none. */
function isMade(path: string, token: string): boolean {
  try {
    writeFileSync(path, token, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Gives whose lock it is, and when it was last touched; undefined if there is none. */
function holderOf(path: string): { readonly token: string; readonly touchedAt: number } | undefined {
  try {
    return { token: readFileSync(path, "utf8"), touchedAt: statSync(path).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a dead holder's lock. Another waiter may have done so already, and hold the lock: then it keeps it. */
function takeFrom(path: string, dead: string, token: string): void {
  const aside = `${path}.${token}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readFileSync(aside, "utf8") === dead) rmSync(aside);
  else renameSync(aside, path);
}
