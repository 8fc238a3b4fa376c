// Helpers for tests of real processes: wait for a condition with a deadline, and check whether a process lives.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/** Waits until a condition holds, and fails the test if it does not in time. */
export async function until(holds: () => boolean, seconds: number, what: string): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !holds(); ) {
    if (Date.now() > deadline) expect.fail(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Reports whether a process lives. A zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "");
  } catch {
    return false;
  }
}

/** Writes an executable shell script, which adds the system's folders if PATH has none. */
export function script(path: string, text: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
