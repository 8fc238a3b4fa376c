// The entry of the `ballast` command: its groups, its help and its exit codes. Each command is in its group's own file.
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { BallastError } from "../errors/catalogue.ts";
import { fileRefused, usageWrong } from "../errors/cli.ts";
import { loadGroups } from "./groups.ts";
import { withExitCodes, withHelpLast } from "./help.ts";
import { printError } from "./terminal.ts";

const { version, engines } = createRequire(import.meta.url)("ballast/package.json") as {
  version: string;
  engines: { node: string };
};

/** The exit codes of what is not an error of the catalogue, which carries its own. */
const exitCodes = { success: 0, failed: 1, usage: 2 };

/** System calls about files. A program that cannot be started has a path too, and another error. */
const fileCalls = new Set(["open", "mkdir", "scandir", "rename", "copyfile", "read", "write", "stat", "lstat"]);

const isJson = process.argv.includes("--json");
const program = new Command("ballast")
  .description("Release Azure Container Apps by canary: watch, control, explain and plan rollouts.")
  .version(version)
  .exitOverride()
  .configureOutput(isJson ? { writeErr: () => undefined } : {})
  .addHelpText(
    "after",
    `
Credentials for the control plane, the first of:
  BALLAST_TOKEN
  AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or a federated token; ARM_* works too
  the sign-in of \`az login\`

Examples:
  ballast release list
  ballast release follow storefront
  ballast top
  ballast release abort storefront --message "customers report empty carts"
  ballast power --requests-per-minute 1200 --failure-percent 0.5
  ballast backtest --thresholds stricter.yaml
  ballast analyze .
  ballast emulator up`,
  );
const addGroups = await loadGroups(process.argv[2]);
addGroups(program, engines.node);
withExitCodes(program);

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.success;
    // For people the parser has printed its own message.
    if (isJson) printError(usageWrong({ reason: reasonOf(error) }), isJson);
    return exitCodes.usage;
  }
  const refused = error instanceof BallastError ? error : fileTroubleIn(error);
  if (refused === undefined) throw error;
  printError(refused, isJson);
  return refused.exitCode;
}

/** Gives the trouble with a file that a person named, whichever command met it; undefined if it is another error. */
function fileTroubleIn(error: unknown): BallastError | undefined {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (path === undefined || code === undefined || !fileCalls.has(syscall ?? "")) return undefined;
  const reason = (error as Error).message.replace(/, \w+ '.*$/s, "");
  return fileRefused({ file: path, reason });
}

/** Gives the parser's message as a sentence. */
function reasonOf({ message }: CommanderError): string {
  const [first = "", ...more] = message.replace(/^error: /, "").split("\n");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}${first.endsWith(".") ? "" : "."}`;
  return [sentence, ...more].join(" ");
}

// A reader such as `head` closes the pipe when it has read enough. That is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? exitCodes.success : exitCodes.failed),
);
try {
  await program.parseAsync(withHelpLast(program, process.argv.slice(2)), { from: "user" });
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
