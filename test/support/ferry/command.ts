// The commands of a kind of work, run within the test's own process against a control plane, with what they print.
import { stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { vi } from "vitest";
import { addStreamCommands } from "../../../cli/streams/stream-commands.ts";
import type { AnyWork, Work } from "../../../cli/streams/work.ts";
import { type FerryTypes, ferries } from "./work.ts";

/** What a command printed to standard output and standard error. */
interface Printed {
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the ferries. */
export const ferryCommand = (
  endpoint: string,
  args: readonly string[],
  work: Work<FerryTypes> = ferries,
): Promise<Printed> => streamCommand(work, endpoint, args);

/**
 * Runs a command of a kind of work, and gives what it printed. One command at a time runs in a process, since the
 * process has one standard output.
 */
export async function streamCommand(work: AnyWork, endpoint: string, args: readonly string[]): Promise<Printed> {
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
    await program.parseAsync(["node", "ballast", work.command, ...args, ...own]).catch((error: { code?: string }) => {
      if (error.code !== "commander.helpDisplayed") throw error;
    });
  } finally {
    printed.mockRestore();
    warned.mockRestore();
  }
  return { out: stripVTControlCharacters(out), err };
}
