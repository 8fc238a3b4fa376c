// Replicas for tests: processes that a test starts, sends commands to and kills, and that end with the test.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished as onAnyTestFinished, type TestContext } from "vitest";
import { eventually } from "../postgres/postgres.ts";
import type { ReplicaSetting } from "./replica.ts";

export interface Said {
  readonly sent?: number;
  readonly sending?: string;
  readonly app?: string;
  readonly hangs?: string;
  readonly came?: string;
  readonly launched?: string;
  readonly closed?: string;
  readonly log?: string;
  readonly refused?: string;
  readonly points?: number;
  readonly signalled?: readonly string[];
}

export interface Replica {
  readonly name: string;
  readonly said: readonly Said[];
  readonly tell: (line: object) => void;
  /** Sends a signal, and waits for the end of the process if the signal kills it. */
  readonly kill: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Promise<void>;
  readonly isDead: () => boolean;
}

/** How a replica is started: for which test, if several run at once, and from which copy of the code. */
export interface Start {
  readonly onTestFinished?: TestContext["onTestFinished"];
  readonly program?: string;
}

const ownProgram = new URL("replica.ts", import.meta.url).pathname;

/** Starts a replica in a process of its own and waits until it has launched. */
export async function startReplica(
  setting: ReplicaSetting,
  { onTestFinished = onAnyTestFinished, program = ownProgram }: Start = {},
): Promise<Replica> {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(setting)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  onTestFinished(() => {
    child.kill("SIGKILL");
    return ended;
  });
  child.stdin!.on("error", () => {}); // It may die while a command is sent.
  const said: Said[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => said.push(JSON.parse(line) as Said));
  await eventually(() => said.some(({ launched }) => launched), `${setting.name} to launch`, 60);
  return {
    name: setting.name,
    said,
    tell: (line) => void child.stdin!.write(`${JSON.stringify(line)}\n`),
    kill: async (signal) => {
      child.kill(signal);
      if (signal === "SIGKILL") await ended;
    },
    isDead: () => child.signalCode !== null || child.exitCode !== null,
  };
}
