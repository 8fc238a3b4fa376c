// Starts a control plane that knows rollouts and ferries, or rollouts alone, in a process that a test can kill. It
// serves on a port of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { eventually } from "../postgres/postgres.ts";
import type { TwoKinds } from "./two-kinds.ts";

/** A control plane in a process of its own. */
export interface Replica {
  readonly port: number;
  readonly fetch: TwoKinds["fetch"];
  readonly logged: string[];
  readonly kill: () => Promise<void>;
}

/** Which kinds the process knows, and the port that it serves on; any free one by default. */
export interface ReplicaOptions {
  readonly knows?: "rollouts" | "rollouts and ferries";
  readonly port?: number;
}

/** Starts one, and kills it at the end of the test. */
export async function startReplica(
  database: Database,
  name: string,
  leaseSeconds: number,
  { knows = "rollouts and ferries", port: wanted = 0 }: ReplicaOptions = {},
): Promise<Replica> {
  const program = new URL("./replica.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    [program, JSON.stringify({ database, name, leaseSeconds, knows, port: wanted })],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const logged: string[] = [];
  let port: number | undefined;
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const said = JSON.parse(line) as { readonly log?: string; readonly port?: number };
    if (said.log !== undefined) logged.push(said.log);
    port ??= said.port;
  });
  await eventually(() => port !== undefined, `${name} to serve`);
  return {
    port: port!,
    fetch: async (request) =>
      fetch(new Request(request.url.replace("http://plane", `http://127.0.0.1:${port}`), request)),
    logged,
    kill,
  };
}
