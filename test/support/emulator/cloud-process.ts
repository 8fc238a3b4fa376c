// The stand-in cloud as a process of its own that a test kills and starts again on the folder in which it is kept. Whoever has its
// address goes on with it: ports, authority and sign-in are those of its first life. Knows nothing of what is deployed to it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { LocalCloudOptions } from "../../../emulator/arm/resource.ts";
import type { LocalCloud } from "../../../emulator/start.ts";

/** A cloud whose `close` ends it in good order, and what else may become of it. */
export interface CloudProcess extends LocalCloud {
  /** Ends the process by a signal and waits until it is gone. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Starts it again as it was started, and gives what it says of itself now. */
  readonly revive: () => Promise<Omit<LocalCloud, "close">>;
}

/** Starts a cloud that is kept in its folder. */
export async function startCloudProcess(options: LocalCloudOptions): Promise<CloudProcess> {
  let child: ChildProcess | undefined;
  const revive = async (): Promise<Omit<LocalCloud, "close">> => {
    child = spawn(process.execPath, [path.join(import.meta.dirname, "..", "..", "..", "emulator", "main.ts")], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin!.write(`${JSON.stringify({ ...options, keep: true })}\n`);
    const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
    return JSON.parse(line) as Omit<LocalCloud, "close">;
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    if (!child) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    child = undefined;
  };
  return { ...(await revive()), kill, revive, close: () => kill("SIGTERM") };
}
