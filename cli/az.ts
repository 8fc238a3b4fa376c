// Runs the Azure CLI as a child process and gives its output. A missing CLI and a failed command become errors of
// the caller's choice.
import { spawn } from "node:child_process";
import type { BallastError } from "../errors/catalogue.ts";

/** The errors to throw if the Azure CLI is missing, or fails with this output. */
export interface AzErrors {
  readonly missing: () => BallastError;
  readonly failed: (output: string) => BallastError;
}

/**
 * Runs the Azure CLI and gives its standard output; `report` gets all output while it runs.
 *
 * No argument may hold a secret: everyone on the machine can read a process's arguments.
 */
export function az(
  args: readonly string[],
  { missing, failed }: AzErrors,
  report: (output: string) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("az", args, { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let last = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      report(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      last = (last + text).slice(-2_000);
      report(text);
    });
    child.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? missing() : error));
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(failed(last.trim() || `it exited with ${code}`))));
  });
}
