// Reads processor time and memory of processes from Linux' /proc, for one process or a PostgreSQL server with all its
// backends. Also ends processes, so that nothing outlives the benchmark.
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in ticks of ten milliseconds. */
const ticksPerSecond = 100;

/**
 * Gives the fields of /proc/<pid>/stat after the name, which may contain anything; undefined if the process has ended.
 */
function statOf(pid: number | string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Gives the parent of a process. */
export const parentOf = (pid: number): number => Number(statOf(pid)?.[1]);

/** Gives the processor seconds of a process, including children that have ended. */
export const secondsOf = (pid: number): number =>
  (statOf(pid)?.slice(11, 15) ?? []).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;

/** Gives the processor seconds of the children of a process that have ended, and of theirs. */
export const secondsOfEnded = (pid: number): number =>
  (statOf(pid)?.slice(13, 15) ?? []).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;

/** Gives the processor seconds of a process and its living children. */
export const secondsBelow = (pid: number): number =>
  secondsOf(pid) +
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(statOf(name)?.[1]) === pid)
    .reduce((sum, name) => sum + secondsOf(Number(name)), 0);

/** Gives the peak memory of a process in bytes. */
export const peakBytesOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? NaN) * 1024;

/** Terminates a process and waits for its end; kills it after `seconds`. */
export async function end(child: ChildProcess, seconds = 30): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const patience = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(patience);
}
