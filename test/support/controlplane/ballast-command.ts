// Runs the `ballast` command as a person or a script does: as a child process, with its output and its exit code.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { releaseInputs } from "../program/release-inputs.ts";
import { token } from "./fake-control-plane.ts";

/** The folder of the command's sources. */
export const cliFolder = join(import.meta.dirname, "..", "..", "..", "cli");

/** What a command printed, and its exit code. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command without colour, signed in to the fake control plane, in a folder. */
export async function runBallast(
  args: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = {},
  command = [process.execPath, join(cliFolder, "main.ts")],
): Promise<CommandResult> {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  const child = spawn(command[0]!, [...command.slice(1), ...args], {
    cwd: folder,
    env: { ...inherited, BALLAST_TOKEN: token, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes: Buffer) => {
    out += String(bytes);
  });
  child.stderr.on("data", (bytes: Buffer) => {
    err += String(bytes);
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

/** Starts a rollout of a revision on the fake control plane. The script of its release decides what happens to it. */
export async function putRollout(
  endpoint: string,
  revision: string,
  release = "one",
  app = "storefront",
  group = "rg",
): Promise<void> {
  const { strategy, thresholds, probePath } = releaseInputs(endpoint);
  await fetch(`${endpoint}/rollouts/${group}/${app}/${revision}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ release, strategy, thresholds, probePath }),
  });
}
