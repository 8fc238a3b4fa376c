// Starts replicas of the control plane's loop as processes of their own, hears what they say, and ends them with the test.
// What such a process does is in replica.ts.
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { eventually } from "./postgres.ts";
import type { ReplicaSetting } from "./replica.ts";

export interface Said { readonly sent?: number; readonly app?: string; readonly hangs?: string; readonly came?: string; readonly launched?: string; readonly closed?: string; readonly log?: string; readonly refused?: string }

export interface Replica {
  readonly said: readonly Said[];
  readonly tell: (line: object) => void;
  readonly kill: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => void | Promise<void>;
}

/** A replica in a process of its own, launched. */
export async function startReplica(setting: ReplicaSetting): Promise<Replica> {
  const child: ChildProcess = spawn(process.execPath, [new URL("replica.ts", import.meta.url).pathname, JSON.stringify(setting)], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said: Said[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => said.push(JSON.parse(line) as Said));
  await eventually(() => said.some(({ launched }) => launched), `${setting.name} to launch`);
  return { said, tell: (line) => void child.stdin!.write(`${JSON.stringify(line)}\n`), kill: (signal) => {
    child.kill(signal);
    if (signal === "SIGKILL") return new Promise((resolve) => child.once("exit", () => resolve()));
  } };
}
