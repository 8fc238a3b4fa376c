// Azure's command line as a child process: what it says, or what it comes to where it is missing or fails. Knows no command of it.
import { spawn } from "node:child_process";
import type { BallastError } from "../errors/catalogue.ts";

/** What a person is told where the command line is not there, or ends badly with these last words. */
export interface AzTroubles {
  readonly missing: () => BallastError;
  readonly failed: (words: string) => BallastError;
}

/** Runs Azure's command line and gives what it says; `tell` hears it while it runs. No argument may hold a secret, since everybody on the machine can read it. */
export function az(
  args: readonly string[],
  { missing, failed }: AzTroubles,
  tell: (words: string) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("az", args, { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let last = "";
    child.stdout.setEncoding("utf8").on("data", (words: string) => {
      out += words;
      tell(words);
    });
    child.stderr.setEncoding("utf8").on("data", (words: string) => {
      last = (last + words).slice(-2_000);
      tell(words);
    });
    child.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? missing() : error));
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(failed(last.trim() || `it ended with ${code}`))));
  });
}
