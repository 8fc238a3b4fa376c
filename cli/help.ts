// What the help of every command has: `ballast help <command…>` for commands of groups too, and the exit codes at the
// end of each page.
import type { Command } from "commander";
import { exitCodeMeanings } from "../errors/catalogue.ts";

const exitCodes = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`);

/** Adds the exit codes to the help of the program and of all its commands. */
export const withExitCodes = (program: Command): Command =>
  program.addHelpText("afterAll", `\nExit codes:\n${exitCodes.join("\n")}`);

/**
 * Gives the arguments that print the same help: `help release list` becomes `release list --help`.
 *
 * Commander's own `help` takes one name, and ignores the rest of them. A name that is no command stays without
 * `--help`, so that it is refused.
 */
export function withHelpLast(program: Command, args: readonly string[]): readonly string[] {
  const [first, ...names] = args;
  if (first !== "help") return args;
  let command = program;
  for (const name of names) {
    const next = command.commands.find((each) => each.name() === name);
    if (next === undefined && command.commands.length > 0 && !name.startsWith("-")) return names;
    command = next ?? command;
  }
  return [...names, "--help"];
}
