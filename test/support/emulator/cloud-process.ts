// The emulator as a process that a test kills and restarts on its folder. Ports, authority and sign-in
// stay the same, so that its clients continue.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { EmulatorOptions } from "../../../emulator/arm/resource.ts";
import type { RunningEmulator } from "../../../emulator/start.ts";
import { endChild } from "../../../toolchain/child.ts";

/** A cloud in a process. `close` ends it gracefully. */
export interface CloudProcess extends RunningEmulator {
  /** Ends the process by a signal, SIGKILL by default, and waits for its end. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>;
  /** Restarts it with the same options, and gives its new description. */
  readonly revive: () => Promise<Omit<RunningEmulator, "close">>;
}

/** Starts a cloud that keeps its state in its folder. */
export async function startCloudProcess(options: EmulatorOptions): Promise<CloudProcess> {
  let child: ChildProcess | undefined;
  const revive = async (): Promise<Omit<RunningEmulator, "close">> => {
    child = spawn(process.execPath, [path.join(import.meta.dirname, "..", "..", "..", "emulator", "main.ts")], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin!.write(`${JSON.stringify({ ...options, keep: true })}\n`);
    const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
    return JSON.parse(line) as Omit<RunningEmulator, "close">;
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    if (!child) return;
    await endChild(child, { signal });
    child = undefined;
  };
  return { ...(await revive()), kill, revive, close: () => kill("SIGTERM") };
}
