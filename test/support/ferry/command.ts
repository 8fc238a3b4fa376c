// The ferry's commands, run within the test's own process against a control plane, with what they print.
import { stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { vi } from "vitest";
import { addStreamCommands } from "../../../cli/streams/stream-commands.ts";
import type { Work } from "../../../cli/streams/work.ts";
import { type FerryTypes, ferries } from "./work.ts";

/**
 * Runs a command of the ferries, and gives what it printed to standard output and standard error. One command at a time
 * runs in a process, since the process has one standard output.
 */
export async function ferryCommand(
  endpoint: string,
  args: readonly string[],
  work: Work<FerryTypes> = ferries,
): Promise<{ readonly out: string; readonly err: string }> {
  let out = "";
  let err = "";
  const program = new Command("ballast").exitOverride();
  program.configureOutput({
    writeOut: (text) => {
      out += text;
    },
    writeErr: (text) => {
      err += text;
    },
  });
  addStreamCommands(program, work);
  const printed = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const warned = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    const own = args.includes("--help") ? [] : ["--endpoint", endpoint];
    await program.parseAsync(["node", "ballast", "ferry", ...args, ...own]).catch((error: { code?: string }) => {
      if (error.code !== "commander.helpDisplayed") throw error;
    });
  } finally {
    printed.mockRestore();
    warned.mockRestore();
  }
  return { out: stripVTControlCharacters(out), err };
}
